// Recursive descent over tokens. A keyword ends where the next character cannot belong to an identifier, so
// "notepad" and "and_filter" are identifiers.
#include "rules/sigma/condition.hpp"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

bool word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '*';
}

struct Token {
  enum class Kind : std::uint8_t { kWord, kOpen, kClose, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;
  std::size_t column = 0;  // 1-based
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  Result<ParsedCondition> parse() {
    auto condition = parse_or(0);
    if (!condition) return pass(std::move(condition));
    if (failure_) return tl::unexpected(*failure_);
    if (token_.text == "near") return near();
    if (token_.kind != Token::Kind::kEnd) return error("unexpected '" + printable(token_.text, 40) + "'");
    ParsedCondition parsed;
    parsed.condition = std::move(*condition);
    parsed.upper_case_keywords = upper_case_;
    return parsed;
  }

 private:
  tl::unexpected<Error> error(std::string what) const {
    if (failure_) return tl::unexpected(*failure_);
    return fail(Errc::kInvalid, std::move(what) + " at column " + std::to_string(token_.column) + " of the condition",
                "condition-syntax",
                "write identifiers joined by and, or, not, '1 of x*', 'all of them' and parentheses");
  }

  static tl::unexpected<Error> near() {
    return fail(Errc::kInvalid, "the condition uses 'near', which Sigma 2 no longer has", "aggregation",
                "write it as a temporal correlation rule");
  }

  void advance() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    token_ = Token{Token::Kind::kEnd, "the end", at_ + 1};
    if (at_ == text_.size()) return;
    const std::size_t begin = at_;
    if (text_[at_] == '(' || text_[at_] == ')') {
      token_.kind = text_[at_] == '(' ? Token::Kind::kOpen : Token::Kind::kClose;
      ++at_;
    } else if (word_character(text_[at_])) {
      while (at_ < text_.size() && word_character(text_[at_])) ++at_;
      token_.kind = Token::Kind::kWord;
    } else {
      const bool pipe = text_[at_] == '|';
      if (!failure_) {
        Error bad;
        bad.code = Errc::kInvalid;
        bad.where = pipe ? "aggregation" : "condition-syntax";
        bad.message = pipe ? "the condition uses an aggregation of Sigma 1 ('|'), which Sigma 2 no longer has"
                           : "unexpected character '" + printable(text_.substr(at_, 1), 8) + "' at column " +
                                 std::to_string(at_ + 1) + " of the condition";
        bad.remedy = pipe ? "write the count as a correlation rule of its own"
                          : "identifiers in a condition have letters, digits, '_' and '-'";
        failure_ = std::move(bad);
      }
      at_ = text_.size();
      return;
    }
    token_.text = text_.substr(begin, at_ - begin);
  }

  // Whether the token is that keyword; upper case is accepted and remembered.
  bool keyword(std::string_view word) {
    if (token_.kind != Token::Kind::kWord) return false;
    if (token_.text == word) return true;
    if (token_.text.size() != word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (token_.text[i] != word[i] - 32) return false;
    }
    upper_case_ = true;
    return true;
  }

  Result<Condition> parse_or(int depth) { return parse_chain(depth, "or", Condition::Kind::kOr); }
  Result<Condition> parse_and(int depth) { return parse_chain(depth, "and", Condition::Kind::kAnd); }

  Result<Condition> parse_chain(int depth, std::string_view word, Condition::Kind kind) {
    const auto part = [&] { return kind == Condition::Kind::kOr ? parse_and(depth) : parse_not(depth); };
    auto first = part();
    if (!first) return first;
    if (!keyword(word)) return first;
    Condition chain;
    chain.kind = kind;
    chain.parts.push_back(std::move(*first));
    while (keyword(word)) {
      advance();
      auto next = part();
      if (!next) return next;
      chain.parts.push_back(std::move(*next));
    }
    return chain;
  }

  Result<Condition> parse_not(int depth) {
    if (depth > kMaxConditionDepth) return error("the condition is nested deeper than 64 levels");
    if (!keyword("not")) return parse_primary(depth);
    advance();
    auto inner = parse_not(depth + 1);
    if (!inner) return inner;
    Condition negation;
    negation.kind = Condition::Kind::kNot;
    negation.parts.push_back(std::move(*inner));
    return negation;
  }

  Result<Condition> parse_primary(int depth) {
    if (failure_) return tl::unexpected(*failure_);
    if (token_.kind == Token::Kind::kOpen) {
      advance();
      auto inner = parse_or(depth + 1);
      if (!inner) return inner;
      if (token_.kind != Token::Kind::kClose) return error("a ')' is missing");
      advance();
      return inner;
    }
    if (token_.kind != Token::Kind::kWord) return error("an identifier is missing");
    if (keyword("and") || keyword("or") || keyword("of")) {
      return error("an identifier is missing before '" + std::string(token_.text) + "'");
    }
    const Token word = token_;
    const std::optional<std::uint32_t> quantity = quantifier();
    if (word.text == "near") return near();
    advance();
    if (quantity && keyword("of")) {
      advance();
      if (token_.kind != Token::Kind::kWord) return error("a pattern or 'them' is missing after 'of'");
      Condition selector;
      selector.kind = Condition::Kind::kSelector;
      selector.quantity = *quantity;
      selector.name = keyword("them") ? "them" : std::string(token_.text);
      advance();
      return selector;
    }
    if (quantity || word.text == "them") {
      token_ = word;
      return error("'" + std::string(word.text) + "' stands alone, it needs 'of' and a pattern");
    }
    if (word.text.find('*') != std::string_view::npos) {
      token_ = word;
      return error("the pattern '" + std::string(word.text) + "' needs '1 of' or 'all of' before it");
    }
    Condition identifier;
    identifier.name = std::string(word.text);
    return identifier;
  }

  // 0 for "all"; the number; nullopt if the token is no quantifier.
  std::optional<std::uint32_t> quantifier() {
    if (keyword("any")) return 1;
    if (keyword("all")) return 0;
    std::uint32_t number = 0;
    const char* const end = token_.text.data() + token_.text.size();
    const auto parsed = std::from_chars(token_.text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number == 0) return std::nullopt;
    return number;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Token token_;
  bool upper_case_ = false;
  std::optional<Error> failure_;  // of the tokenizer
};

// "*" anywhere, the rest literal; linear in the usual way: on a mismatch go back to the last star.
bool glob(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

Result<ParsedCondition> parse_condition(std::string_view text) {
  if (text.size() > kMaxConditionBytes) {
    return fail(Errc::kTooLarge, "the condition is longer than 64 KiB", "too-large", "split the rule");
  }
  return Parser(text).parse();
}

bool selects(std::string_view pattern, std::string_view name) noexcept {
  const bool hidden = name.starts_with('_');
  if (pattern == "them") return !hidden;
  return hidden == pattern.starts_with('_') && glob(pattern, name);
}

}  // namespace tocsin::rules::sigma
