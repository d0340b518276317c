// Framing. The trick that keeps it simple: below the limit a record is always looked at from its first byte
// again when more bytes arrive (at most 1 MiB, so it is cheap), and only a record beyond the limit needs a state
// machine that survives from one add() to the next.
//
// A csvlog record's end is decided by its quotes alone, because the text inside is written by strangers: a
// statement may hold a line that looks like the beginning of a record. Only where the quoting itself is broken,
// which PostgreSQL never writes and a crash can leave behind, and at the beginning of a stream, is a line
// that begins like a record taken for one.
#include "engine/intake/framer.hpp"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "engine/intake/csv.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::string_view kTooLong = "longer than 1 MiB: not decoded, only its beginning is kept";

std::uint64_t count_lines(std::string_view text) {
  std::uint64_t lines = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) ++lines;
  return lines;
}

// The first byte in [at, end) that ends a stretch of plain JSON text: a quote, a backslash, a line break.
const char* plain_end(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), line = _mm_set1_epi8('\n');
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                                     _mm_cmpeq_epi8(bytes, line));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
#endif
  while (at < end && *at != '"' && *at != '\\' && *at != '\n') ++at;
  return at;
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The length of `{"Records":[` with any blanks, at the front of `text`; 0 if something else stands there, npos if
// the text ends before that can be told.
std::size_t wrapper_length(std::string_view text) {
  constexpr std::string_view kTokens[] = {"{", "\"Records\"", ":", "["};
  std::size_t at = 0;
  for (const std::string_view token : kTokens) {
    while (at < text.size() && blank(text[at])) ++at;
    const std::string_view here = text.substr(at, token.size());
    if (here != token.substr(0, here.size())) return 0;
    if (here.size() < token.size()) return std::string_view::npos;
    at += token.size();
  }
  return at;
}

}  // namespace

Framing framing_of(std::string_view format) noexcept {
  if (format == "pgaudit-csv") return Framing::kCsvLog;
  if (format == "pgaudit-stderr") return Framing::kPgText;
  if (format == "cloudtrail" || format == "json" || format == "fhir-audit" || format == "teleport") return Framing::kJson;
  return Framing::kLines;
}

Framer::Framer(Framing framing, Place start) : framing_(framing), place_(start) {
  // Where reading goes on, a csvlog record begins here for certain: the place is the end of another.
  if (start.offset > 0) first_ = false;
}

void Framer::add(std::string_view bytes) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

void Framer::finish() { finished_ = true; }

std::optional<Frame> Framer::next() {
  if (skipping_) return skip();
  switch (framing_) {
    case Framing::kLines: return next_line();
    case Framing::kCsvLog: return next_csv();
    case Framing::kPgText: return next_pg_text();
    case Framing::kJson: break;
  }
  if (json_ == Json::kUndecided && !decide_json()) return std::nullopt;
  return json_ == Json::kDocument ? next_element() : next_line();
}

// Moves on without handing out.
void Framer::drop(std::size_t bytes) {
  place_.line += count_lines(rest().substr(0, bytes));
  place_.offset += bytes;
  begin_ += bytes;
  scanned_ = 0;
}

// Hands out the first `length` bytes and moves on by `consumed`.
Frame Framer::take(std::size_t length, std::size_t consumed) {
  Frame frame;
  frame.bytes = rest().substr(0, length);
  frame.line = place_.line;
  if (length > kMaxRecord) {
    frame.bytes = frame.bytes.substr(0, kOversizeHead);
    frame.error = kTooLong;
  }
  drop(consumed);
  frame.end = place_;
  return frame;
}

Frame Framer::faulty(std::size_t length, std::size_t consumed, std::string error) {
  Frame frame = take(length, consumed);
  frame.bytes = frame.bytes.substr(0, kOversizeHead);
  if (frame.error.empty()) frame.error = std::move(error);
  return frame;
}

std::optional<Frame> Framer::next_line() {
  for (;;) {
    const std::string_view text = rest();
    const std::size_t at = text.find('\n', scanned_);
    if (at == std::string_view::npos && !finished_) {
      scanned_ = text.size();
      if (text.size() > kMaxRecord) {
        begin_skipping();
        return skip();
      }
      return std::nullopt;
    }
    const std::size_t stop = at == std::string_view::npos ? text.size() : at;
    const std::size_t consumed = at == std::string_view::npos ? text.size() : at + 1;
    std::size_t length = stop;
    while (length > 0 && text[length - 1] == '\r') --length;
    if (trim(text.substr(0, length)).empty()) {
      if (consumed == 0) return std::nullopt;
      drop(consumed);
      continue;
    }
    return take(length, consumed);
  }
}

std::optional<Frame> Framer::next_csv() {
  for (;;) {
    const std::string_view text = rest();
    std::size_t blanks = 0;
    while (blanks < text.size() && (text[blanks] == '\n' || text[blanks] == '\r')) ++blanks;
    if (blanks > 0) {
      drop(blanks);
      continue;
    }
    if (text.empty()) return std::nullopt;

    if (first_) {
      // The stream may begin in the middle of a record: its lines up to the first beginning are one fault.
      if (text.size() < kCsvLogStart && !finished_) return std::nullopt;
      if (!begins_csvlog(text)) {
        std::size_t next = csvlog_beginning(text, finished_);
        if (next == std::string_view::npos && !finished_) {
          if (text.size() <= kMaxRecord) return std::nullopt;
          next = text.size() - kCsvLogStart - 1;  // keep what may be the front of a beginning
        }
        if (next == std::string_view::npos) next = text.size();
        return faulty(next, next, "no csvlog record begins here (the file begins in the middle of one?)");
      }
      first_ = false;
    }

    // Quotes decide. `at` is outside of quotes at the head of the loop.
    std::size_t at = 0, line_break = text.find('\n');
    bool broken = false, more = false;
    for (;;) {
      if (line_break != std::string_view::npos && line_break < at) line_break = text.find('\n', at);
      const std::size_t limit = std::min(line_break, text.size());
      const std::size_t quote = text.substr(0, limit).find('"', at);
      if (quote == std::string_view::npos) {
        at = limit;
        more = line_break == std::string_view::npos;
        break;
      }
      if (quote > 0 && text[quote - 1] != ',') {
        broken = true;
        break;
      }
      std::size_t close = text.find('"', quote + 1);
      while (close != std::string_view::npos && close + 1 < text.size() && text[close + 1] == '"') {
        close = text.find('"', close + 2);
      }
      if (close == std::string_view::npos || (close + 1 == text.size() && !finished_)) {
        more = true;
        break;
      }
      at = close + 1;
      if (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r') {
        broken = true;
        break;
      }
    }
    if (broken || (more && finished_ && at < text.size())) {
      // Not written by PostgreSQL like this: a record that a crash cut short, or damage.
      const std::size_t line_end = text.find('\n');
      std::size_t next = std::string_view::npos;
      if (line_end != std::string_view::npos) {
        const std::size_t found = csvlog_beginning(text.substr(line_end), true);
        if (found != std::string_view::npos) next = line_end + found;
      }
      if (next == std::string_view::npos) {
        if (!finished_ && text.size() <= kMaxRecord) return std::nullopt;
        next = text.size();
        first_ = true;
      }
      return faulty(next, next, "the quotes of this csvlog record do not close (cut short or damaged)");
    }
    if (more && !finished_) {
      if (text.size() > kMaxRecord) {
        begin_skipping();
        return skip();
      }
      return std::nullopt;
    }
    std::size_t length = at;
    while (length > 0 && text[length - 1] == '\r') --length;
    return take(length, std::min(at + 1, text.size()));
  }
}

// A message and its further lines, which begin with a tab. That no more of them come shows at the next message, or, for
// an audit line, by its quotes: only inside of them are there line breaks.
std::optional<Frame> Framer::next_pg_text() {
  while (!rest().empty() && (rest()[0] == '\n' || rest()[0] == '\r')) drop(1);
  const std::string_view text = rest();
  if (text.empty()) return std::nullopt;
  if (text[0] == '\t') {
    const std::size_t at = text.find('\n');
    if (at == std::string_view::npos && !finished_ && text.size() <= kMaxRecord) return std::nullopt;
    const std::size_t stop = at == std::string_view::npos ? text.size() : at;
    return faulty(stop, std::min(stop + 1, text.size()), "the rest of a message whose beginning is not here");
  }
  const bool audit = text.substr(0, text.find('\n')).find(":  AUDIT: ") != std::string_view::npos;
  std::size_t counted = 0;
  bool quoted = false;  // up to `counted`
  for (std::size_t at = text.find('\n', scanned_); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const std::string_view more = text.substr(counted, at - counted);
    if (audit && std::count(more.begin(), more.end(), '"') % 2 != 0) quoted = !quoted;
    counted = at;
    const bool whole = audit && !quoted;
    if (!whole && at + 1 == text.size() && !finished_) {
      scanned_ = at;
      break;
    }
    if (!whole && at + 1 < text.size() && text[at + 1] == '\t') continue;
    std::size_t length = at;
    while (length > 0 && text[length - 1] == '\r') --length;
    return take(length, std::min(at + 1, text.size()));
  }
  if (finished_) return take(text.size(), text.size());
  if (text.size() > kMaxRecord) {
    begin_skipping();
    return skip();
  }
  return std::nullopt;
}

// Lines or document? False: more bytes are needed.
bool Framer::decide_json() {
  while (!rest().empty() && blank(rest()[0])) drop(1);
  const std::string_view text = rest();
  if (text.empty()) return false;
  if (text[0] == '[' || text[0] == ',' || text[0] == ']') {
    json_ = Json::kDocument;
    return true;
  }
  const std::size_t wrapper = wrapper_length(text);
  if (wrapper == std::string_view::npos && !finished_) return false;
  if (wrapper != 0 && wrapper != std::string_view::npos) {
    json_ = Json::kDocument;
    return true;
  }
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos && !finished_ && text.size() <= kMaxRecord) return false;
  // A document printed over several lines breaks them after a bracket or a comma.
  const std::string_view front = trim(text.substr(0, line));
  json_ = text[0] == '{' && (front.back() == '{' || front.back() == '[' || front.back() == ',') ? Json::kDocument
                                                                                                : Json::kLines;
  return true;
}

std::optional<Frame> Framer::next_element() {
  // Between elements: blanks, commas and the brackets around them.
  std::string_view text = rest();
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '[') ++arrays_;
    else if (c == ']') arrays_ = std::max(0, arrays_ - 1);
    else if (c == '{') {
      const std::size_t wrapper = wrapper_length(text.substr(at));
      if (wrapper == 0) break;
      if (wrapper == std::string_view::npos) {
        if (finished_) break;
        drop(at);
        return std::nullopt;
      }
      ++arrays_;
      at += wrapper - 1;
    } else if (!blank(c) && c != ',' && c != '}') {
      break;
    }
  }
  drop(at);
  text = rest();
  if (text.empty()) {
    if (!finished_ || arrays_ == 0) return std::nullopt;
    arrays_ = 0;
    return faulty(0, 0, "the JSON document ends before its array is closed (cut short?)");
  }
  if (text[0] != '{') {
    std::size_t stop = text.find_first_of("{\n");
    if (stop == std::string_view::npos) {
      if (!finished_ && text.size() <= kMaxRecord) return std::nullopt;
      stop = text.size();
    }
    return faulty(stop, stop, "a JSON object is expected here");
  }

  const char* const begin = text.data();
  const char* const end = begin + text.size();
  int depth = 0;
  for (const char* p = begin; p < end; ++p) {
    switch (*p) {
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) {
          const auto length = static_cast<std::size_t>(p + 1 - begin);
          return take(length, length);
        }
        break;
      case '"':
        for (p = plain_end(p + 1, end); p < end && *p == '\\'; p = plain_end(std::min(p + 2, end), end)) {
        }
        if (p < end && *p == '\n') {
          const auto length = static_cast<std::size_t>(p - begin);
          return faulty(length, length + 1, "a JSON text is not closed before the end of its line");
        }
        if (p >= end) p = end - 1;
        break;
      default: break;
    }
  }
  if (finished_) {
    arrays_ = 0;
    return faulty(text.size(), text.size(), "the JSON document ends inside this record (cut short?)");
  }
  if (text.size() <= kMaxRecord) return std::nullopt;
  begin_skipping();
  return skip();
}

void Framer::begin_skipping() {
  skipping_ = true;
  in_string_ = escaped_ = false;
  depth_ = 0;
  head_ = rest().substr(0, kOversizeHead);
  head_line_ = place_.line;
}

std::optional<Frame> Framer::skip() {
  const bool ended = skip_to_its_end();
  if (!ended && !finished_) {
    buffer_.clear();  // keeps the memory, which add() fills again
    begin_ = 0;
    return std::nullopt;
  }
  skipping_ = false;
  Frame frame;
  frame.bytes = head_;
  frame.line = head_line_;
  frame.end = place_;
  frame.error = kTooLong;
  return frame;
}

// Drops up to and including the last byte of the oversize record; false if that has not come yet.
bool Framer::skip_to_its_end() {
  const std::string_view text = rest();
  const bool document = framing_ == Framing::kJson && json_ == Json::kDocument;
  if (framing_ != Framing::kCsvLog && !document) {
    const std::size_t at = text.find('\n');
    drop(at == std::string_view::npos ? text.size() : at + 1);
    return at != std::string_view::npos;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (framing_ == Framing::kCsvLog) {
      // A doubled quote closes and opens again, which is as good as standing for itself.
      if (c == '"') in_string_ = !in_string_;
      else if (c == '\n' && !in_string_) {
        drop(i + 1);
        return true;
      }
      continue;
    }
    if (in_string_) {
      if (escaped_) escaped_ = false;
      else if (c == '\\') escaped_ = true;
      else if (c == '"') in_string_ = false;
      continue;
    }
    if (c == '"') in_string_ = true;
    else if (c == '{' || c == '[') ++depth_;
    else if ((c == '}' || c == ']') && --depth_ == 0) {
      drop(i + 1);
      return true;
    }
  }
  drop(text.size());
  return false;
}

}  // namespace tocsin::engine
