// RE2's choice among possible matches, without trying them all: the operator behind a naming word stands at one place
// only, because no operator may stand in what leads to it; and each form of the secret ends where its characters end,
// because no character of it may end it.
#include "rules/secrets/generic_key.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "rules/secrets/byte_classes.hpp"
#include "rules/secrets/needles.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::uint8_t kName = 1;     // [\w.-]
constexpr std::uint8_t kSecret = 2;   // [\w.=-]
constexpr std::uint8_t kBase = 4;     // [a-z0-9+/] in any case
constexpr std::uint8_t kAlnum = 8;    // [a-z0-9] in any case
constexpr std::uint8_t kQuote = 16;   // [`'"\s=]
constexpr std::uint8_t kCloses = 32;  // [`'"\s;]

constexpr std::array<std::uint8_t, 256> kKinds = [] {
  std::array<std::uint8_t, 256> out{};
  const auto mark = [&](std::string_view chars, int bits) {
    for (const char c : chars) out[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(out[static_cast<unsigned char>(c)] | bits);
  };
  mark("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kName | kSecret | kBase | kAlnum);
  mark("_.-", kName | kSecret);
  mark("=", kSecret | kQuote);
  mark("+/", kBase);
  mark("`'\" \t\n\f\r", kQuote | kCloses);
  mark(";", kCloses);
  return out;
}();

constexpr std::size_t kMaxPrefix = 50;
constexpr std::size_t kMaxQuotes = 5;
constexpr std::size_t kMinSecret = 10, kMaxSecret = 150;
constexpr std::size_t kMinBase = 12;
constexpr std::size_t kMaxPadding = 3;

// A run of [\w.=-] from `at` on, `stop` at the latest: sixteen bytes at a time where there are so many.
std::size_t secret_run(std::string_view text, std::size_t at, std::size_t stop) {
  const char* const bytes = text.data();
#if defined(__SSE2__)
  while (at + 16 <= stop) {
    const __m128i data = sixteen(bytes + at);
    const unsigned others = ~mask_of(_mm_or_si128(name_bytes(data), _mm_cmpeq_epi8(data, _mm_set1_epi8('=')))) & 0xffffU;
    if (others != 0) return at + static_cast<std::size_t>(__builtin_ctz(others));
    at += 16;
  }
#endif
  while (at < stop && (kKinds[static_cast<unsigned char>(bytes[at])] & kSecret) != 0) ++at;
  return at;
}

class Tail {
 public:
  explicit Tail(std::string_view text) : s_(text) {}

  // Everything from the operator on.
  bool match(std::size_t op, NamedValue& out) const {
    // The alternatives of the operator in their order: = > :{1,3}= || : => ?= ,
    switch (s_.data()[op]) {
      case '=': return value(op + 1, out) || (get(op + 1) == '>' && value(op + 2, out));
      case ':': {
        std::size_t colons = 1;
        while (colons < 4 && get(op + colons) == ':') ++colons;
        return (colons < 4 && get(op + colons) == '=' && value(op + colons + 1, out)) || value(op + 1, out);
      }
      case '|':
      case '?': return value(op + 2, out);
      default: return value(op + 1, out);  // > ,
    }
  }

 private:
  char get(std::size_t i) const { return i < s_.size() ? s_.data()[i] : '\0'; }
  bool is(std::size_t i, std::uint8_t kind) const { return i < s_.size() && (kKinds[static_cast<unsigned char>(s_.data()[i])] & kind) != 0; }

  // The offset behind what may end a secret, or npos.
  std::size_t closed(std::size_t at) const {
    if (at >= s_.size()) return at;
    if (is(at, kCloses)) return at + 1;
    const char next = static_cast<char>(get(at + 1) | 0x20);
    return s_.data()[at] == '\\' && (next == 'n' || next == 'r') ? at + 2 : std::string_view::npos;
  }

  bool value(std::size_t at, NamedValue& out) const {
    std::size_t quotes = 0;
    while (quotes < kMaxQuotes && is(at + quotes, kQuote)) ++quotes;
    for (std::size_t n = quotes + 1; n-- > 0;) {
      if (secret(at + n, out)) return true;
    }
    return false;
  }

  bool secret(std::size_t at, NamedValue& out) const {
    std::size_t end = secret_run(s_, at, std::min(s_.size(), at + kMaxSecret + 1));
    if (end - at >= kMinSecret && end - at <= kMaxSecret && take(at, end, out)) return true;
    // The other form takes none of [_.=-] but + and /: where neither stands behind a run that is too short, it is shorter.
    if (end - at < kMinSecret && get(end) != '+' && get(end) != '/') return false;
    if (!is(at, kAlnum)) return false;
    end = at + 1;
    while (is(end, kBase)) ++end;
    if (end - at < kMinBase) return false;
    for (std::size_t i = 0; i < kMaxPadding && get(end) == '='; ++i) ++end;
    return take(at, end, out);
  }

  bool take(std::size_t at, std::size_t end, NamedValue& out) const {
    const std::size_t behind = closed(end);
    if (behind == std::string_view::npos) return false;
    out.secret_start = static_cast<std::uint32_t>(at);
    out.secret_end = static_cast<std::uint32_t>(end);
    out.end = static_cast<std::uint32_t>(behind);
    return true;
  }

  std::string_view s_;
};

}  // namespace

bool is_generic_key_pattern(std::string_view pattern) noexcept {
  return pattern ==
         R"((?i)[\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|passw(?:or)?d|secret|token))"
         R"((?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5})"
         R"(([\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})(?:[\x60'"\s;]|\\[nr]|$))";
}

NamedValues::Step NamedValues::lead(std::string_view text, std::size_t word_end) noexcept {
  if (word_end <= same_from_ || word_end > same_until_) {
    const Assignment assignment = assignment_at(text, word_end);
    same_from_ = word_end;
    same_until_ = assignment.same_until;
    led_to_ = assignment.op;
  }
  return led_to_ == std::string_view::npos ? Step::kNone : behind(text, led_to_);
}

NamedValues::Step NamedValues::behind(std::string_view text, std::size_t op) noexcept {
  if (op == op_) return value_ ? Step::kSame : Step::kNone;
  op_ = op;
  value_ = Tail(text).match(op, last_);
  return value_ ? Step::kNew : Step::kNone;
}

bool next_generic_key(std::string_view text, std::size_t base, std::span<const NamedValue>& values, std::size_t from, GenericKeyMatch& out) noexcept {
  while (!values.empty() && values.front().word - base < from) values = values.subspan(1);
  if (values.empty()) return false;
  const NamedValue& value = values.front();
  // The leftmost start from which this word can be reached. A later word's start can never lie further left.
  std::size_t start = value.word - base;
  const std::size_t least = std::max(from, start > kMaxPrefix ? start - kMaxPrefix : 0);
  while (start > least && (kKinds[static_cast<unsigned char>(text.data()[start - 1])] & kName) != 0) --start;
  out = {start, value.end - base, value.secret_start - base, value.secret_end - base, value.random};
  return true;
}

}  // namespace tocsin::rules::secrets
