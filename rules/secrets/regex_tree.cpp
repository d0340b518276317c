// Reads RE2's syntax by recursive descent. What is not known makes the whole pattern unread: never guessed.
#include "rules/secrets/regex_tree.hpp"

#include <algorithm>
#include <string>

namespace tocsin::rules::secrets {
namespace {

using Kind = RegexTree::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Set {
  std::bitset<128> bytes;
  bool wide = false;

  void range(int low, int high) {
    for (int c = low; c <= std::min(high, 127); ++c) bytes.set(static_cast<std::size_t>(c));
    if (high > 127) wide = true;
  }
  void add(const Set& other) {
    bytes |= other.bytes;
    wide = wide || other.wide;
  }
  void negate() {
    bytes = ~bytes;
    wide = true;  // no class here holds all of Unicode beyond ASCII
  }
};

Set digits() {
  Set set;
  set.range('0', '9');
  return set;
}
Set words() {
  Set set = digits();
  set.range('a', 'z');
  set.range('A', 'Z');
  set.range('_', '_');
  return set;
}
Set spaces() {
  Set set;
  for (const char c : {'\t', '\n', '\f', '\r', ' '}) set.range(c, c);
  return set;
}

struct Flags {
  bool fold = false;
  bool dot_all = false;
};

class Reader {
 public:
  explicit Reader(std::string_view pattern) : s_(pattern) {}

  std::optional<RegexTree> whole() {
    Flags flags;
    auto tree = alternatives(flags, 0);
    if (failed_ || at_ != s_.size()) return std::nullopt;
    return tree;
  }

 private:
  bool more() const { return at_ < s_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < s_.size() ? s_[at_ + ahead] : '\0'; }
  bool take(std::string_view word) {
    if (s_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  RegexTree give_up() {
    failed_ = true;
    at_ = s_.size();
    return {};
  }

  // A flag set inside holds until the group ends, across its '|'.
  RegexTree alternatives(Flags flags, int depth) {
    if (depth > kMaxRegexDepth) return give_up();
    std::vector<RegexTree> options;
    for (;;) {
      options.push_back(sequence(flags, depth));
      if (failed_ || !take("|")) break;
    }
    if (options.size() == 1) return std::move(options.front());
    RegexTree out;
    out.kind = Kind::kAlt;
    out.parts = std::move(options);
    return out;
  }

  RegexTree sequence(Flags& flags, int depth) {
    RegexTree out;
    while (!failed_ && more() && peek() != '|' && peek() != ')') {
      if (set_flags(flags)) continue;
      RegexTree item = atom(flags, depth);
      while (!failed_ && repeated(item)) {
      }
      out.parts.push_back(std::move(item));
    }
    if (out.parts.size() == 1) return RegexTree(std::move(out.parts.front()));
    return out;
  }

  // "(?i)", "(?s-i)": nothing but flags. At "(?i:" stays where it is.
  bool set_flags(Flags& flags) {
    if (peek() != '(' || peek(1) != '?') return false;
    Flags changed = flags;
    std::size_t i = at_ + 2;
    bool on = true;
    for (; i < s_.size() && s_[i] != ')' && s_[i] != ':'; ++i) {
      if (s_[i] == '-') {
        on = false;
      } else if (s_[i] == 'i') {
        changed.fold = on;
      } else if (s_[i] == 's') {
        changed.dot_all = on;
      } else if (s_[i] != 'U') {
        return false;  // "(?P<name>", or m, which changes ^ and $ only but is left to RE2
      }
    }
    if (i >= s_.size() || s_[i] != ')') return false;
    flags = changed;
    at_ = i + 1;
    return true;
  }

  RegexTree group(Flags flags, int depth) {
    ++at_;  // (
    if (take("?")) {
      if (take("P<")) {
        const auto close = s_.find('>', at_);
        if (close == std::string_view::npos) return give_up();
        at_ = close + 1;
      } else {
        bool on = true;
        while (more() && peek() != ':') {
          const char c = s_[at_++];
          if (c == '-') {
            on = false;
          } else if (c == 'i') {
            flags.fold = on;
          } else if (c == 's') {
            flags.dot_all = on;
          } else if (c != 'U') {
            return give_up();
          }
        }
        if (!take(":")) return give_up();
      }
    }
    RegexTree inner = alternatives(flags, depth + 1);
    if (!take(")")) return give_up();
    return inner;
  }

  RegexTree atom(Flags flags, int depth) {
    const char c = peek();
    if (c == '(') return group(flags, depth);
    if (c == '[') return bracket(flags);
    if (c == '*' || c == '+' || c == '?') return give_up();
    if (c == '\\') return escape(flags);
    ++at_;
    if (c == '^' || c == '$') return place(c == '^' ? Kind::kBegin : Kind::kEnd);
    Set set;
    if (c == '.') {
      set.range(0, 0x7f);
      set.wide = true;
      if (!flags.dot_all) set.bytes.reset('\n');
      return as_class(set, Flags{});
    }
    if (static_cast<unsigned char>(c) >= 0x80) return give_up();
    set.range(c, c);
    return as_class(set, flags);
  }

  static RegexTree place(Kind kind) {
    RegexTree out;
    out.kind = kind;
    return out;
  }

  static RegexTree as_class(Set set, Flags flags) {
    RegexTree out;
    out.kind = Kind::kClass;
    const bool wide = set.wide;
    if (flags.fold) {
      for (int c = 'a'; c <= 'z'; ++c) {
        const auto low = static_cast<std::size_t>(c);
        const auto high = static_cast<std::size_t>(c - 'a' + 'A');
        if (set.bytes[low] || set.bytes[high]) set.bytes.set(low).set(high);
      }
      if (set.bytes['k'] || set.bytes['s']) set.wide = true;
    }
    out.bytes = set.bytes;
    out.wide = set.wide;
    out.folded = set.wide && !wide;
    return out;
  }

  // One escaped character's code, or -1.
  int escaped_code() {
    const char c = peek();
    ++at_;
    switch (c) {
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'f': return '\f';
      case 'v': return '\v';
      case 'a': return '\a';
      case 'x': {
        std::string digits;
        if (take("{")) {
          while (more() && peek() != '}') digits += s_[at_++];
          if (!take("}")) return -1;
        } else {
          while (more() && digits.size() < 2) digits += s_[at_++];
        }
        if (digits.empty() || digits.size() > 6 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return -1;
        return static_cast<int>(std::stoul(digits, nullptr, 16));
      }
      default:
        if (c <= 0 || is_letter(c) || is_digit(c)) return -1;
        return c;
    }
  }

  std::optional<Set> perl_class() {
    Set set;
    switch (peek()) {
      case 'd': case 'D': set = digits(); break;
      case 'w': case 'W': set = words(); break;
      case 's': case 'S': set = spaces(); break;
      default: return std::nullopt;
    }
    if (!is_letter(peek()) || (peek() >= 'A' && peek() <= 'Z')) set.negate();
    ++at_;
    return set;
  }

  RegexTree escape(Flags flags) {
    ++at_;
    if (auto set = perl_class()) return as_class(*set, flags);
    const char c = peek();
    if (c == 'b' || c == 'B' || c == 'A' || c == 'z') {
      ++at_;
      return place(c == 'b' ? Kind::kWordEdge : c == 'A' ? Kind::kBegin : c == 'z' ? Kind::kEnd : Kind::kEmpty);
    }
    const int code = escaped_code();
    if (code < 0 || code > 0x7f) return give_up();
    Set set;
    set.range(code, code);
    return as_class(set, flags);
  }

  RegexTree bracket(Flags flags) {
    ++at_;
    const bool negated = take("^");
    Set set;
    bool first = true;
    while (more() && (first || peek() != ']')) {
      first = false;
      if (s_.substr(at_, 2) == "[:") {
        auto posix = posix_class();
        if (!posix) return give_up();
        set.add(*posix);
        continue;
      }
      if (peek() == '\\') {
        ++at_;
        if (auto inner = perl_class()) {
          set.add(*inner);
          continue;
        }
        --at_;
      }
      const int low = one();
      if (low < 0) return give_up();
      int high = low;
      if (peek() == '-' && peek(1) != ']' && peek(1) != '\0') {
        ++at_;
        high = one();
        if (high < low) return give_up();
      }
      set.range(low, high);
    }
    if (!take("]")) return give_up();
    // RE2 folds first and negates then.
    RegexTree out = as_class(set, flags);
    if (negated) {
      out.bytes = ~out.bytes;
      out.wide = true;
      out.folded = false;
    }
    return out;
  }

  int one() {
    if (take("\\")) return escaped_code();
    const char c = peek();
    if (static_cast<unsigned char>(c) >= 0x80) return -1;
    ++at_;
    return c;
  }

  std::optional<Set> posix_class() {
    const auto close = s_.find(":]", at_);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view name = s_.substr(at_ + 2, close - at_ - 2);
    Set set;
    if (name == "alnum" || name == "alpha") {
      set.range('a', 'z');
      set.range('A', 'Z');
      if (name == "alnum") set.range('0', '9');
    } else if (name == "digit") {
      set = digits();
    } else if (name == "xdigit") {
      set = digits();
      set.range('a', 'f');
      set.range('A', 'F');
    } else if (name == "word") {
      set = words();
    } else if (name == "lower") {
      set.range('a', 'z');
    } else if (name == "upper") {
      set.range('A', 'Z');
    } else {
      return std::nullopt;
    }
    at_ = close + 2;
    return set;
  }

  // Wraps `item` if a quantifier follows. "{" that opens none is a literal.
  bool repeated(RegexTree& item) {
    int min = 0;
    int max = RegexTree::kUnbounded;
    const std::size_t back = at_;
    if (take("*")) {
    } else if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (peek() == '{' && is_digit(peek(1))) {
      ++at_;
      min = number();
      max = min;
      if (take(",")) max = is_digit(peek()) ? number() : RegexTree::kUnbounded;
      if (!take("}")) {
        at_ = back;
        return false;
      }
    } else {
      return false;
    }
    (void)take("?");
    RegexTree out;
    out.kind = Kind::kRepeat;
    out.min = min;
    out.max = max;
    out.parts.push_back(std::move(item));
    item = std::move(out);
    return true;
  }

  int number() {
    int value = 0;
    while (is_digit(peek()) && value < 100'000) value = value * 10 + (s_[at_++] - '0');
    return value;
  }

  std::string_view s_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<RegexTree> read_regex(std::string_view pattern) { return Reader(pattern).whole(); }

}  // namespace tocsin::rules::secrets
