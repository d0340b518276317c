// The prefix becomes parts, and a line is matched part by part with every length that a part may have: names may hold
// anything, so all ways to read a line are tried, and two that succeed are one too many.
#include "engine/intake/pg_prefix.hpp"

#include <algorithm>
#include <array>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kMaxPrefix = 256;     // of log_line_prefix itself
constexpr std::size_t kMaxName = 63;        // NAMEDATALEN - 1: users, databases, applications
constexpr std::size_t kMaxHost = 255;
constexpr std::size_t kMaxSteps = 20'000;   // of one line's search

constexpr std::array<std::string_view, 17> kSeverities = {"LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO", "STATEMENT", "DETAIL",
                                                          "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE", "DEBUG", "DEBUG1", "DEBUG2"};

constexpr std::string_view kCommon[] = {
    "%m [%p] %q%u@%d ",                                     // Debian
    "%m [%p] ",                                             // PostgreSQL's own
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",      // pgBadger's
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] user=%u,db=%d,app=%a,client=%h ",
    "%t:%r:%u@%d:[%p]:",                                    // Amazon RDS
    "%t [%p] %q%u@%d ",
    "%t [%p] ",
    "%m %q%u@%d %p %c %l ",
};

bool digit(char c) { return c >= '0' && c <= '9'; }

// The severity that stands here, with its colon and two blanks.
std::optional<std::string_view> severity_at(std::string_view text) {
  std::size_t letters = 0;
  while (letters < text.size() && ((text[letters] >= 'A' && text[letters] <= 'Z') || digit(text[letters]))) ++letters;
  const std::string_view word = text.substr(0, letters);
  if (text.substr(letters, 3) != ":  " || std::find(kSeverities.begin(), kSeverities.end(), word) == kSeverities.end()) return std::nullopt;
  return word;
}

// "2026-11-23 14:24:47.544 UTC": its length, 0 if none stands here.
std::size_t time_length(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd";
  if (text.size() < kForm.size()) return 0;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? !digit(text[i]) : text[i] != kForm[i]) return 0;
  }
  std::size_t at = kForm.size();
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && digit(text[at])) ++at;
  }
  if (at < text.size() && text[at] == ' ') {
    std::size_t end = at + 1;
    while (end < text.size() && end < at + 8 && ((text[end] >= 'A' && text[end] <= 'Z') || text[end] == '+' || text[end] == '-' || digit(text[end]))) ++end;
    if (end > at + 1) at = end;
  }
  return at;
}

template <class Of>
std::size_t span(std::string_view text, std::size_t most, Of&& of) {
  std::size_t n = 0;
  while (n < text.size() && n < most && of(text[n])) ++n;
  return n;
}

}  // namespace

struct PgPrefix::Search {
  const std::vector<Part>& parts;
  std::size_t steps = 0, found = 0;
  PgLine best, line;

  void set(char escape, std::string_view value) {
    if (value == "[unknown]") value = {};
    switch (escape) {
      case 'a': line.application = value; break;
      case 'u': line.user = value; break;
      case 'd': line.database = value; break;
      case 'h': line.host = value; break;
      case 'p': line.process = value; break;
      case 't':
      case 'm': line.time = value; break;
      case 'c': line.session = value; break;
      case 'l': line.line = value; break;
      case 's': line.start = value; break;
      case 'i': line.tag = value; break;
      case 'e': line.state = value; break;
      case 'r': {
        const std::size_t bracket = value.rfind('(');
        line.host = value.substr(0, bracket);
        if (bracket != std::string_view::npos && value.ends_with(')')) line.port = value.substr(bracket + 1, value.size() - bracket - 2);
        break;
      }
      default: break;
    }
  }

  // The lengths that the value of `escape` may have at the front of `text`.
  void walk(std::size_t at, std::string_view text) {
    if (++steps > kMaxSteps || found > 1) return;
    if (at == parts.size()) {
      if (const auto severity = severity_at(text)) {
        line.severity = *severity;
        line.message = text.substr(severity->size() + 3);
        if (found++ == 0) best = line;
      }
      return;
    }
    const Part& part = parts[at];
    if (part.escape == 0) {
      if (text.starts_with(part.text)) walk(at + 1, text.substr(part.text.size()));
      return;
    }
    if (part.escape == 'q') {  // processes without a session stop here
      const PgLine before = line;
      const std::size_t known = found;
      walk(at + 1, text);
      if (found == known) {
        line = before;
        walk(parts.size(), text);
      }
      return;
    }
    const auto is_digit = [](char c) { return digit(c); };
    const auto is_hex = [](char c) { return digit(c) || (c >= 'a' && c <= 'f') || c == '.'; };
    std::size_t least = 0, most = 0;
    switch (part.escape) {
      case 't':
      case 'm':
      case 's': least = most = time_length(text); break;
      case 'p':
      case 'P':
      case 'l':
      case 'x': most = span(text, 20, is_digit); least = part.escape == 'P' ? 0 : most; break;
      case 'Q': least = most = text.starts_with('-') ? 1 + span(text.substr(1), 20, is_digit) : span(text, 20, is_digit); break;
      case 'c': least = most = span(text, 40, is_hex); break;
      case 'v': most = span(text, 30, [&](char c) { return is_digit(c) || c == '/'; }); least = most; break;
      case 'e': least = most = std::min<std::size_t>(5, text.size()); break;
      case 'r':
      case 'h': most = kMaxHost; break;
      default: most = kMaxName; break;  // %a %u %d %i %b
    }
    if (least == 0 && (part.escape == 't' || part.escape == 'm' || part.escape == 's' || part.escape == 'p' || part.escape == 'c' || part.escape == 'l')) return;
    for (std::size_t length = least; length <= most && length <= text.size(); ++length) {
      const std::string_view raw = text.substr(0, length);
      if (raw.find('\n') != std::string_view::npos) break;
      const PgLine before = line;
      set(part.escape, part.width != 0 ? trim(raw) : raw);
      walk(at + 1, text.substr(length));
      line = before;
    }
  }
};

Result<PgPrefix> PgPrefix::of(std::string_view prefix) {
  const auto wrong = [](std::string message) {
    return fail(Errc::kInvalid, std::move(message), "log_line_prefix", "write it as the server's log_line_prefix has it, for example '%m [%p] %q%u@%d '");
  };
  if (prefix.size() > kMaxPrefix) return wrong("the prefix is longer than 256 characters");
  PgPrefix out;
  bool time = false, process = false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (prefix[i] != '%') {
      if (out.parts_.empty() || out.parts_.back().escape != 0) out.parts_.push_back({});
      out.parts_.back().text += prefix[i];
      continue;
    }
    Part part;
    ++i;
    const bool left = i < prefix.size() && prefix[i] == '-';
    if (left) ++i;
    for (; i < prefix.size() && digit(prefix[i]) && part.width < 1000; ++i) part.width = part.width * 10 + (prefix[i] - '0');
    if (i == prefix.size()) return wrong("the prefix ends in the middle of an escape");
    part.escape = prefix[i];
    if (part.escape == '%') {
      if (out.parts_.empty() || out.parts_.back().escape != 0) out.parts_.push_back({});
      out.parts_.back().text += '%';
      continue;
    }
    if (part.escape == 'n') return wrong("%n (epoch) is not read: use %m");
    if (std::string_view("audrhbpPtmiecelsvxqQ").find(part.escape) == std::string_view::npos) {
      return wrong(std::string("PostgreSQL has no escape %") + printable(std::string_view(&prefix[i], 1), 4));
    }
    time = time || part.escape == 'm' || part.escape == 't';
    process = process || part.escape == 'p' || part.escape == 'c';
    out.parts_.push_back(std::move(part));
  }
  if (!time) return wrong("the prefix has no time (%m or %t)");
  if (!process) return wrong("the prefix has neither process (%p) nor session (%c), so statements of sessions cannot be told apart");
  return out;
}

Result<std::optional<PgLine>> PgPrefix::parse(std::string_view line) const {
  Search search{parts_, 0, 0, {}, {}};
  search.walk(0, line);
  if (search.steps > kMaxSteps || search.found > 1) {
    return fail(Errc::kInvalid, "the front of this line can be read in more than one way (a name in it holds what looks like a message)");
  }
  if (search.found == 0) return std::optional<PgLine>();
  return std::optional<PgLine>(search.best);
}

Result<std::optional<PgLine>> read_common_prefix(std::string_view line) {
  static const std::vector<PgPrefix> kPrefixes = [] {
    std::vector<PgPrefix> out;
    for (const std::string_view prefix : kCommon) {
      if (auto parsed = PgPrefix::of(prefix)) out.push_back(std::move(*parsed));
    }
    return out;
  }();
  for (const PgPrefix& prefix : kPrefixes) {
    auto parsed = prefix.parse(line);
    if (!parsed || *parsed) return parsed;
  }
  return std::optional<PgLine>();
}

std::optional<PgLine> parse_common_prefix(std::string_view line) {
  auto parsed = read_common_prefix(line);
  return parsed ? *parsed : std::nullopt;
}

}  // namespace tocsin::engine
