// nginx and Apache access logs. A user name may hold blanks and a request may hold anything, so the time in its
// brackets and the quotes are what the line is cut by.
#include "engine/intake/combined.hpp"

#include <array>
#include <charconv>

#include "engine/intake/factories.hpp"
#include "engine/intake/forwarded.hpp"
#include "engine/intake/utf8.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

int two(std::string_view text) {
  if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return -1;
  return (text[0] - '0') * 10 + text[1] - '0';
}

// "23/Nov/2026:10:05:03 +0000"
constexpr std::size_t kTimeLength = 26;
std::optional<Time> parse_time(std::string_view t) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (t.size() != kTimeLength || t[2] != '/' || t[6] != '/' || t[11] != ':' || t[14] != ':' || t[17] != ':' ||
      t[20] != ' ' || (t[21] != '+' && t[21] != '-')) {
    return std::nullopt;
  }
  const std::size_t month = kMonths.find(t.substr(3, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const int day = two(t), century = two(t.substr(7)), year = two(t.substr(9)), hour = two(t.substr(12)),
            minute = two(t.substr(15)), second = two(t.substr(18)), off_hour = two(t.substr(22)),
            off_minute = two(t.substr(24));
  if (day < 1 || century < 0 || year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60 || off_hour < 0 || off_hour > 23 || off_minute < 0 || off_minute > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{century * 100 + year},
                                         std::chrono::month{static_cast<unsigned>(month / 3 + 1)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const int offset = (off_hour * 60 + off_minute) * (t[21] == '-' ? -1 : 1);
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute - offset} +
         std::chrono::seconds{second};
}

// The text between quotes at `at` (which is moved past the closing one); nullopt if there is no such text.
std::optional<std::string_view> quoted(std::string_view line, std::size_t& at) {
  if (at >= line.size() || line[at] != '"') return std::nullopt;
  const std::size_t from = at + 1;
  for (std::size_t i = from; i < line.size(); ++i) {
    if (line[i] == '\\') ++i;
    else if (line[i] == '"') {
      at = i + 1;
      return line.substr(from, i - from);
    }
  }
  return std::nullopt;
}

std::string_view dash_is_empty(std::string_view text) { return text == "-" ? std::string_view{} : text; }

bool is_address(std::string_view text) {
  bool digit_or_colon = false;
  for (const char c : text) {
    if ((c >= '0' && c <= '9') || c == ':') digit_or_colon = true;
    else if (c != '.' && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) return false;
  }
  return digit_or_colon;
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Undoes \" \\ \xHH \n \t \r \b \v as nginx and Apache write them; what is not UTF-8 then becomes U+FFFD.
std::string_view unescape(std::string_view text, rules::Arena& arena) {
  if (text.find('\\') == std::string_view::npos) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    switch (c) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'v': out += '\v'; break;
      case 'x':
        if (i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
          out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
          i += 2;
        } else {
          out += "\\x";
        }
        break;
      default: out += c;
    }
  }
  return arena.copy(to_utf8(out));
}

// A path with segments that name one thing made one route: "/patients/42/visits" → "/patients/{id}/visits".
std::string route_of(std::string_view path) {
  const auto is_id = [](std::string_view segment) {
    if (segment.empty()) return false;
    bool digits = true, hexadecimal = true, letter_free = false;
    for (const char c : segment) {
      const bool digit = c >= '0' && c <= '9';
      if (digit) letter_free = true;
      if (!digit) digits = false;
      if (hex(c) < 0 && c != '-') hexadecimal = false;
    }
    return digits || (hexadecimal && letter_free && segment.size() >= 16);
  };
  std::string route;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t next = path.find('/', at + 1);
    const std::string_view segment = path.substr(at, next == std::string_view::npos ? next : next - at);
    if (segment.size() > 1 && is_id(segment.substr(1))) route += "/{id}";
    else route += segment;
    if (next == std::string_view::npos) break;
    at = next;
  }
  return route;
}

// The value of a %-encoded path segment, decoded once.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return to_utf8(out);
}

// Whether `path` fits a route template ("/patients/{id}"); its variable parts go to `values`.
bool fits(std::string_view route, std::string_view path, std::vector<std::string>& values) {
  const auto want = split(route, '/'), have = split(path, '/');
  if (want.size() != have.size()) return false;
  std::vector<std::string> found;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i].size() >= 2 && want[i].front() == '{' && want[i].back() == '}') {
      if (have[i].empty()) return false;
      if (want[i] != "{}" && want[i] != "{*}") found.push_back(percent_decoded(have[i]));
    } else if (want[i] != have[i]) {
      return false;
    }
  }
  values = std::move(found);
  return true;
}

Action action_of(std::string_view method) {
  if (method == "GET") return Action::kRead;
  if (method == "POST" || method == "PUT" || method == "PATCH") return Action::kWrite;
  if (method == "DELETE") return Action::kDelete;
  if (method == "HEAD" || method == "PROPFIND") return Action::kList;
  return Action::kUnknown;
}

bool is_method(std::string_view word) {
  if (word.empty() || word.size() > 20) return false;
  for (const char c : word) {
    if ((c < 'A' || c > 'Z') && c != '_' && c != '-') return false;
  }
  return true;
}

class Combined final : public Decoder {
 public:
  explicit Combined(const DecoderOptions& options)
      : system_(options.system.empty() ? "web" : options.system), store_(options.store), routes_(options.routes), proxies_(options.proxies) {}

  std::string_view format() const noexcept override { return "combined"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    const std::string_view text = valid_utf8(record, arena);
    auto line = parse_combined(text);
    if (!line) return pass(std::move(line));

    const std::string_view request = unescape(line->request, arena);
    std::string_view method, target, version;
    const std::size_t first = request.find(' '), last = request.rfind(' ');
    if (first != std::string_view::npos && is_method(request.substr(0, first))) {
      method = request.substr(0, first);
      target = request.substr(first + 1);
      if (last > first && request.substr(last + 1).starts_with("HTTP/")) {
        target = request.substr(first + 1, last - first - 1);
        version = request.substr(last + 1);
      }
    }
    std::string_view host = line->vhost;
    // "GET http://host/path" (a proxy's log)
    if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos && scheme <= 5) {
      const std::size_t slash = target.find('/', scheme + 3);
      host = target.substr(scheme + 3, slash == std::string_view::npos ? slash : slash - scheme - 3);
      target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
    const std::size_t mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    const std::string_view query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    const std::string_view user = unescape(line->user, arena);
    const std::string_view agent = unescape(line->agent, arena);

    Decoded& decoded = out.emplace_back();
    Access& a = decoded.access;
    a.time = line->time;
    a.time_known = true;
    a.origin = origin;
    a.format = "combined";
    a.actor.account = user;
    a.action = action_of(method);
    a.operation = method;
    a.resource.system = system_;
    a.resource.store = host.empty() ? std::string_view(store_) : host;
    a.resource.object = target;
    for (const std::string& route : routes_) {
      if (fits(route, path, a.subjects)) {
        a.resource.dataset = route;
        break;
      }
    }
    if (a.resource.dataset.empty()) a.resource.dataset = route_of(path);
    std::uint64_t bytes = 0;
    std::from_chars(line->bytes.data(), line->bytes.data() + line->bytes.size(), bytes);
    a.bytes = {bytes, Certainty::kExact};  // "-" is Apache's 0
    const std::string_view forwarded = proxies_.empty() ? std::string_view{} : unescape(line->forwarded, arena);
    a.client.ip = client_behind(proxies_, line->address, forwarded);
    a.client.user_agent = agent;
    a.outcome = line->status < 400 ? Outcome::kSuccess : Outcome::kFailure;
    if (a.outcome == Outcome::kFailure) a.error = "status " + std::to_string(line->status);

    // The names that Sigma's web rules use (W3C extended log format).
    const auto room = arena.make<rules::Field>(17);
    std::size_t n = 0;
    const auto put = [&](std::string_view key, std::string_view value) {
      if (!value.empty()) room[n++] = {key, rules::Value::of(value)};
    };
    put("c-ip", arena.copy(a.client.ip));
    if (a.client.ip != line->address) put("proxy-ip", line->address);
    put("cs-username", user);
    put("cs-method", method);
    put("c-uri", target);
    put("cs-uri", target);
    put("cs-uri-stem", path);
    put("cs-uri-query", query);
    put("cs-version", version);
    room[n++] = {"sc-status", rules::Value::of(line->status)};
    room[n++] = {"sc-bytes", rules::Value::of(bytes)};
    const std::string_view referer = unescape(line->referer, arena);
    put("cs-referer", referer);
    put("cs-referrer", referer);
    put("cs-user-agent", agent);
    put("c-useragent", agent);
    put("cs-host", host);
    if (method.empty()) put("request", request);
    decoded.event.source = {.product = {}, .category = "webserver", .service = {}};
    decoded.event.root = rules::Value::object(room.first(n));
    decoded.event.raw = record;
    decoded.raw = record;
    return {};
  }

 private:
  std::string system_;
  std::string store_;
  std::vector<std::string> routes_;
  Networks proxies_;
};

}  // namespace

Result<CombinedLine> parse_combined(std::string_view line) {
  CombinedLine out;
  const auto wrong = [](const char* what) { return fail(Errc::kInvalid, std::string("not a combined log line: ") + what); };
  // The time is the first bracket that holds one; a user name may hold brackets too.
  std::size_t bracket = line.find(" [");
  for (;; bracket = line.find(" [", bracket + 1)) {
    if (bracket == std::string_view::npos) return wrong("no time in brackets");
    if (line.size() >= bracket + 2 + kTimeLength + 1 && line[bracket + 2 + kTimeLength] == ']') {
      if (const auto time = parse_time(line.substr(bracket + 2, kTimeLength))) {
        out.time = *time;
        break;
      }
    }
  }
  std::string_view front = line.substr(0, bracket);
  const auto word = [&] {
    const std::size_t end = front.find(' ');
    const std::string_view taken = front.substr(0, end);
    front = end == std::string_view::npos ? std::string_view{} : front.substr(end + 1);
    return taken;
  };
  out.address = word();
  if (!is_address(out.address)) {
    // "vhost address - user": only if an address follows.
    const std::string_view next = front.substr(0, front.find(' '));
    if (is_address(next) && next.size() > 2) {
      out.vhost = out.address;
      out.address = word();
    }
  }
  if (out.address.empty()) return wrong("no client address");
  if (front.empty()) return wrong("no user after the client address");
  if (front.find(' ') != std::string_view::npos) word();  // the ident, which nobody fills
  out.user = dash_is_empty(front);

  std::size_t at = bracket + 2 + kTimeLength + 1;
  if (at >= line.size() || line[at] != ' ') return wrong("nothing after the time");
  ++at;
  const auto request = quoted(line, at);
  if (!request) return wrong("the request is not in quotes, or they do not close");
  out.request = dash_is_empty(*request);
  if (at + 4 > line.size() || line[at] != ' ') return wrong("no status");
  const auto [end, ec] = std::from_chars(line.data() + at + 1, line.data() + at + 4, out.status);
  if (ec != std::errc{} || end != line.data() + at + 4 || out.status < 100) return wrong("the status is not three digits");
  at += 4;
  if (at >= line.size() || line[at] != ' ') return wrong("no byte count");
  ++at;
  const std::size_t stop = std::min(line.find(' ', at), line.size());
  out.bytes = dash_is_empty(line.substr(at, stop - at));
  if (line.substr(at, stop - at).empty() || out.bytes.find_first_not_of("0123456789") != std::string_view::npos) {
    return wrong("the byte count is not a number");
  }
  at = stop;
  // common ends here
  for (std::string_view* field : {&out.referer, &out.agent}) {
    if (at >= line.size()) return out;
    if (line[at] != ' ' || at + 1 >= line.size()) return wrong("something stands after the byte count");
    if (line[at + 1] != '"') return out;  // fields of one's own
    ++at;
    const auto text = quoted(line, at);
    if (!text) return wrong(field == &out.referer ? "the referer's quotes do not close" : "the user agent's quotes do not close");
    *field = dash_is_empty(*text);
  }
  if (at < line.size() && line[at] != ' ') return wrong("something stands right after the user agent");
  if (const auto forwarded = quoted(line, ++at)) out.forwarded = dash_is_empty(*forwarded);
  return out;
}

std::unique_ptr<Decoder> make_combined(const DecoderOptions& options) {
  return std::make_unique<Combined>(options);
}

}  // namespace tocsin::engine
