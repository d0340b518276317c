// A recursive-descent parser and a tree walk. Regexes are compiled while parsing; they must be constants.
#include "rules/secrets/filter_expr.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {

struct FilterExpr::Node {
  enum class Op : std::uint8_t {
    kText, kNumber, kBool, kList, kName, kField, kAttribute, kSlice, kOr, kAnd, kNot, kLess, kLessEqual, kMore, kMoreEqual, kEqual,
    kNotEqual, kPlus, kMinus, kDefault, kContains, kEntropy, kMatchesAny, kContainsAny, kFindMatch, kGet, kLen, kMin, kMax, kFailsTokens, kLet,
  } op = Op::kBool;
  std::string text;       // constant, name, field
  double number = 0;
  std::vector<std::unique_ptr<Node>> parts;  // of a slice, the bounds may be null
  std::unique_ptr<RE2> regex;                // of matchesAny and findMatch; null = invalid, never matches
};

namespace {

using Node = FilterExpr::Node;
using Op = Node::Op;
using Tree = std::unique_ptr<Node>;

// Both are thrown inside this file only.
struct NotUnderstood {
  std::string message;
};
struct WentWrong {};

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : s_(text) {}

  Tree program() {
    Tree root = make(Op::kLet);  // parts: the bound expressions, then the result; text: their names, one per line
    while (word("let")) {
      root->text += name() + "\n";
      want("=");
      root->parts.push_back(expression(0));
      want(";");
    }
    root->parts.push_back(expression(0));
    skip();
    if (at_ != s_.size()) wrong("what follows the expression is not understood");
    return root;
  }
  [[nodiscard]] bool asks_tokens() const noexcept { return asks_tokens_; }

 private:
  [[noreturn]] void wrong(const std::string& what) const { throw NotUnderstood{what + " (at byte " + std::to_string(at_) + ")"}; }

  Tree make(Op op) {
    if (++nodes_ > FilterExpr::kMaxNodes) wrong("the expression is too long");
    auto node = std::make_unique<Node>();
    node->op = op;
    return node;
  }
  Tree make(Op op, Tree left, Tree right) {
    Tree node = make(op);
    node->parts.push_back(std::move(left));
    node->parts.push_back(std::move(right));
    return node;
  }

  void skip() {
    for (;;) {
      while (at_ < s_.size() && (s_[at_] == ' ' || s_[at_] == '\t' || s_[at_] == '\n' || s_[at_] == '\r')) ++at_;
      if (s_.substr(at_, 2) != "//") return;
      at_ = std::min(s_.find('\n', at_), s_.size());
    }
  }
  bool take(std::string_view sign) {
    skip();
    if (s_.substr(at_, sign.size()) != sign) return false;
    at_ += sign.size();
    return true;
  }
  void want(std::string_view sign) {
    if (!take(sign)) wrong("'" + std::string(sign) + "' is missing");
  }
  bool word(std::string_view text) {
    skip();
    if (s_.substr(at_, text.size()) != text || (at_ + text.size() < s_.size() && is_name(s_[at_ + text.size()]))) return false;
    at_ += text.size();
    return true;
  }
  std::string name() {
    skip();
    const std::size_t start = at_;
    while (at_ < s_.size() && is_name(s_[at_])) ++at_;
    if (at_ == start) wrong("a name is missing");
    return std::string(s_.substr(start, at_ - start));
  }

  Tree expression(int depth) {
    if (depth > FilterExpr::kMaxDepth) wrong("nested too deeply");
    return chain(Op::kOr, conjunction(depth + 1), [&] { return take("||") || word("or"); }, [&] { return conjunction(depth + 1); });
  }
  Tree conjunction(int depth) {
    return chain(Op::kAnd, negation(depth), [&] { return take("&&") || word("and"); }, [&] { return negation(depth); });
  }
  // a || b || c is one node, however long.
  template <typename Joint, typename Next>
  Tree chain(Op op, Tree first, Joint joint, Next next) {
    if (!joint()) return first;
    Tree node = make(op, std::move(first), next());
    while (joint()) node->parts.push_back(next());
    return node;
  }
  Tree negation(int depth) {
    if (depth > FilterExpr::kMaxDepth) wrong("nested too deeply");
    skip();
    const bool sign = s_.substr(at_, 1) == "!" && s_.substr(at_, 2) != "!=";
    if (sign) ++at_;
    if (!sign && !word("not")) return comparison(depth);
    Tree node = make(Op::kNot);
    node->parts.push_back(negation(depth + 1));
    return node;
  }
  Tree comparison(int depth) {
    Tree left = sum(depth);
    static constexpr std::array<std::pair<std::string_view, Op>, 6> kSigns = {{{"<=", Op::kLessEqual}, {">=", Op::kMoreEqual}, {"==", Op::kEqual},
                                                                               {"!=", Op::kNotEqual}, {"<", Op::kLess}, {">", Op::kMore}}};
    for (const auto& [sign, op] : kSigns) {
      if (take(sign)) return make(op, std::move(left), sum(depth));
    }
    if (word("contains")) return make(Op::kContains, std::move(left), sum(depth));
    return left;
  }
  Tree sum(int depth) {
    Tree left = value(depth);
    for (int terms = 0;; ++terms) {
      if (terms > FilterExpr::kMaxDepth) wrong("too many terms");
      if (take("+")) {
        left = make(Op::kPlus, std::move(left), value(depth));
      } else if (take("-")) {
        left = make(Op::kMinus, std::move(left), value(depth));
      } else if (take("??")) {
        left = make(Op::kDefault, std::move(left), value(depth));
      } else {
        return left;
      }
    }
  }

  Tree value(int depth) {
    Tree out = primary(depth);
    for (int slices = 0; take("["); ++slices) {
      if (slices > FilterExpr::kMaxDepth) wrong("too many slices");
      Tree first;
      skip();
      if (s_.substr(at_, 1) != ":") first = expression(depth + 1);
      if (!take(":")) {
        want("]");
        if (!first || first->op != Op::kText || out->op != Op::kName) wrong("only finding[\"…\"] and attributes[\"…\"] are read by name");
        if (out->text != "finding" && out->text != "attributes") wrong("there is no '" + out->text + "'");
        Tree field = make(out->text == "finding" ? Op::kField : Op::kAttribute);
        field->text = first->text;
        if (field->op == Op::kField && !known_field(field->text)) wrong("finding[\"" + printable(field->text, 40) + "\"] is not known");
        out = std::move(field);
        continue;
      }
      Tree last;
      skip();
      if (s_.substr(at_, 1) != "]") last = expression(depth + 1);
      want("]");
      Tree slice = make(Op::kSlice);
      slice->parts.push_back(std::move(out));
      slice->parts.push_back(std::move(first));
      slice->parts.push_back(std::move(last));
      out = std::move(slice);
    }
    return out;
  }

  static bool known_field(std::string_view field) {
    static constexpr std::array<std::string_view, 9> kFields = {"secret", "match", "line", "rule_id", "fragment_raw", "match_start_idx",
                                                                "match_end_idx", "match_line_start_idx", "match_line_end_idx"};
    return std::find(kFields.begin(), kFields.end(), field) != kFields.end();
  }

  Tree primary(int depth) {
    if (depth > FilterExpr::kMaxDepth) wrong("nested too deeply");
    skip();
    if (at_ >= s_.size()) wrong("the expression ends too early");
    const char c = s_[at_];
    if (take("(")) {
      Tree inner = expression(depth + 1);
      want(")");
      return inner;
    }
    if (c == '"' || c == '`') return text();
    if (c >= '0' && c <= '9') return number();
    if (take("[")) {
      Tree list = make(Op::kList);
      while (!take("]")) {
        list->parts.push_back(expression(depth + 1));
        if (take(",")) continue;
        want("]");
        break;
      }
      return list;
    }
    if (word("true") || word("false")) {
      Tree node = make(Op::kBool);
      node->number = c == 't' ? 1 : 0;
      return node;
    }
    std::string called = name();
    if (called == "filter" && take(".")) called = name();
    if (take("(")) return call(called, depth);
    Tree node = make(Op::kName);
    node->text = std::move(called);
    return node;
  }

  Tree call(const std::string& function, int depth) {
    static const std::map<std::string_view, std::pair<Op, std::size_t>> kFunctions = {
        {"entropy", {Op::kEntropy, 1}}, {"matchesAny", {Op::kMatchesAny, 2}}, {"containsAny", {Op::kContainsAny, 2}}, {"findMatch", {Op::kFindMatch, 2}},
        {"get", {Op::kGet, 3}}, {"len", {Op::kLen, 1}}, {"min", {Op::kMin, 2}}, {"max", {Op::kMax, 2}},
        {"failsTokenEfficiency", {Op::kFailsTokens, 1}}};
    const auto known = kFunctions.find(function);
    if (known == kFunctions.end()) wrong("the function '" + printable(function, 40) + "' is not supported");
    Tree node = make(known->second.first);
    while (!take(")")) {
      node->parts.push_back(expression(depth + 1));
      if (take(",")) continue;
      want(")");
      break;
    }
    if (node->parts.size() != known->second.second) wrong("'" + function + "' takes " + std::to_string(known->second.second) + " arguments");
    asks_tokens_ = asks_tokens_ || node->op == Op::kFailsTokens;
    if (node->op == Op::kMatchesAny) {
      if (node->parts[1]->op != Op::kList) wrong("matchesAny takes a list");
      compile(*node, node->parts[1]->parts, 0);
    }
    if (node->op == Op::kFindMatch) compile(*node, node->parts, 1);
    return node;
  }

  void compile(Node& node, const std::vector<Tree>& patterns, std::size_t first) const {
    std::string joined;
    for (std::size_t i = first; i < patterns.size(); ++i) {
      if (patterns[i]->op != Op::kText) wrong("a pattern must be a text");
      joined += (joined.empty() ? "(?:" : "|(?:") + patterns[i]->text + ")";
    }
    if (joined.empty()) wrong("a pattern must be given as it is");
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(64 << 20);
    auto regex = std::make_unique<RE2>(joined, options);
    if (regex->ok()) node.regex = std::move(regex);
  }

  Tree text() {
    const char quote = s_[at_++];
    Tree node = make(Op::kText);
    while (at_ < s_.size() && s_[at_] != quote) {
      char c = s_[at_++];
      if (quote == '"' && c == '\\' && at_ < s_.size()) {
        c = s_[at_++];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      node->text += c;
    }
    if (at_ >= s_.size()) wrong("a text does not end");
    ++at_;
    return node;
  }

  Tree number() {
    Tree node = make(Op::kNumber);
    double scale = 0;
    while (at_ < s_.size() && ((s_[at_] >= '0' && s_[at_] <= '9') || (s_[at_] == '.' && scale == 0))) {
      const char c = s_[at_++];
      if (c == '.') {
        scale = 1;
        continue;
      }
      node->number = node->number * 10 + (c - '0');
      scale *= 10;
    }
    if (scale > 0) node->number /= scale;
    return node;
  }

  std::string_view s_;
  std::size_t at_ = 0;
  int nodes_ = 0;
  bool asks_tokens_ = false;
};

struct Nil {};
using Value = std::variant<Nil, bool, double, std::string>;

double entropy_of_bytes(std::string_view text) {
  std::array<std::size_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const auto n : counts) {
    if (n == 0) continue;
    const double share = static_cast<double>(n) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

class Walk {
 public:
  Walk(const FilterInput& input, const TokenMeasure* tokens) : input_(input), tokens_(tokens) {}

  bool program(const Node& root) {
    const auto names = split(root.text, '\n');
    for (std::size_t i = 0; i + 1 < root.parts.size(); ++i) names_[std::string(names[i])] = value(*root.parts[i]);
    return truth(*root.parts.back());
  }

 private:
  bool truth(const Node& node) {
    const Value v = value(node);
    if (const bool* b = std::get_if<bool>(&v)) return *b;
    throw WentWrong{};
  }
  double number(const Node& node) {
    const Value v = value(node);
    if (const double* d = std::get_if<double>(&v)) return *d;
    throw WentWrong{};
  }
  std::string text(const Node& node) {
    Value v = value(node);
    if (auto* s = std::get_if<std::string>(&v)) return std::move(*s);
    throw WentWrong{};
  }

  Value field(std::string_view name) const {
    if (name == "secret") return std::string(input_.secret);
    if (name == "match") return std::string(input_.match);
    if (name == "line") return std::string(input_.line);
    if (name == "rule_id") return std::string(input_.rule_id);
    if (name == "fragment_raw") return std::string(input_.record);
    if (name == "match_start_idx") return static_cast<double>(input_.match_start);
    if (name == "match_end_idx") return static_cast<double>(input_.match_end);
    if (name == "match_line_start_idx") return static_cast<double>(input_.line_start);
    return static_cast<double>(input_.line_end);
  }
  Value attribute(std::string_view name) const {
    if (name == "path" && !input_.path.empty()) return std::string(input_.path);
    return Nil{};
  }

  Value slice(const Node& node) {
    const auto bound = [&](const Tree& tree, double otherwise) { return tree ? number(*tree) : otherwise; };
    // Most slices are of the record: not copied whole.
    const Node& of = *node.parts[0];
    std::string own;
    std::string_view whole = input_.record;
    if (of.op != Op::kField || of.text != "fragment_raw") {
      own = text(of);
      whole = own;
    }
    const double first = bound(node.parts[1], 0);
    const double last = bound(node.parts[2], static_cast<double>(whole.size()));
    if (!(first >= 0) || !(last <= static_cast<double>(whole.size())) || !(first <= last)) throw WentWrong{};
    return std::string(whole.substr(static_cast<std::size_t>(first), static_cast<std::size_t>(last) - static_cast<std::size_t>(first)));
  }

  Value value(const Node& node) {
    const auto& p = node.parts;
    switch (node.op) {
      case Op::kText: return node.text;
      case Op::kNumber: return node.number;
      case Op::kBool: return node.number != 0;
      case Op::kName: {
        const auto bound = names_.find(node.text);
        if (bound == names_.end()) throw WentWrong{};
        return bound->second;
      }
      case Op::kField: return field(node.text);
      case Op::kAttribute: return attribute(node.text);
      case Op::kSlice: return slice(node);
      case Op::kOr: return std::any_of(p.begin(), p.end(), [&](const Tree& part) { return truth(*part); });
      case Op::kAnd: return std::all_of(p.begin(), p.end(), [&](const Tree& part) { return truth(*part); });
      case Op::kNot: return !truth(*p[0]);
      case Op::kLess: return number(*p[0]) < number(*p[1]);
      case Op::kLessEqual: return number(*p[0]) <= number(*p[1]);
      case Op::kMore: return number(*p[0]) > number(*p[1]);
      case Op::kMoreEqual: return number(*p[0]) >= number(*p[1]);
      case Op::kEqual: return equal(*p[0], *p[1]);
      case Op::kNotEqual: return !equal(*p[0], *p[1]);
      case Op::kPlus: {
        Value left = value(*p[0]);
        if (auto* s = std::get_if<std::string>(&left)) return *s + text(*p[1]);
        if (auto* d = std::get_if<double>(&left)) return *d + number(*p[1]);
        throw WentWrong{};
      }
      case Op::kMinus: return number(*p[0]) - number(*p[1]);
      case Op::kDefault: {
        Value left = value(*p[0]);
        return std::holds_alternative<Nil>(left) ? value(*p[1]) : left;
      }
      case Op::kContains: return text(*p[0]).find(text(*p[1])) != std::string::npos;
      case Op::kEntropy: return entropy_of_bytes(text(*p[0]));
      case Op::kMatchesAny: return node.regex && RE2::PartialMatch(text(*p[0]), *node.regex);
      case Op::kContainsAny: {
        // The text in lower case, the terms as they are: upstream's way.
        const std::string lower = to_lower(text(*p[0]));
        if (p[1]->op != Op::kList) throw WentWrong{};
        for (const auto& term : p[1]->parts) {
          if (lower.find(text(*term)) != std::string::npos) return true;
        }
        return false;
      }
      case Op::kFindMatch: {
        const std::string whole = text(*p[0]);
        re2::StringPiece found;
        if (!node.regex || !node.regex->Match(whole, 0, whole.size(), RE2::UNANCHORED, &found, 1)) return std::string();
        return std::string(found);
      }
      case Op::kGet: {
        if (p[0]->op != Op::kName) throw WentWrong{};
        const std::string key = text(*p[1]);
        Value found = p[0]->text == "attributes" ? attribute(key) : p[0]->text == "finding" ? field(key) : throw WentWrong{};
        return std::holds_alternative<Nil>(found) ? value(*p[2]) : found;
      }
      case Op::kLen: return static_cast<double>(text(*p[0]).size());
      case Op::kMin: return std::min(number(*p[0]), number(*p[1]));
      case Op::kMax: return std::max(number(*p[0]), number(*p[1]));
      case Op::kFailsTokens: {
        const std::string secret = text(*p[0]);
        return tokens_ != nullptr && tokens_->fails_efficiency(secret);
      }
      case Op::kList:
      case Op::kLet: throw WentWrong{};
    }
    throw WentWrong{};
  }

  bool equal(const Node& a, const Node& b) {
    const Value left = value(a);
    const Value right = value(b);
    if (left.index() != right.index()) return false;
    if (const auto* s = std::get_if<std::string>(&left)) return *s == std::get<std::string>(right);
    if (const auto* d = std::get_if<double>(&left)) return *d == std::get<double>(right);
    if (const auto* t = std::get_if<bool>(&left)) return *t == std::get<bool>(right);
    return true;
  }

  const FilterInput& input_;
  const TokenMeasure* tokens_;
  std::map<std::string, Value> names_;
};

}  // namespace

FilterExpr::FilterExpr() = default;
FilterExpr::FilterExpr(FilterExpr&&) noexcept = default;
FilterExpr& FilterExpr::operator=(FilterExpr&&) noexcept = default;
FilterExpr::~FilterExpr() = default;

Result<FilterExpr> FilterExpr::parse(std::string_view text, std::shared_ptr<const TokenMeasure> tokens) {
  if (text.size() > kMaxText) return fail(Errc::kTooLarge, "a filter may have at most " + std::to_string(kMaxText) + " bytes");
  FilterExpr out;
  try {
    Parser parser(text);
    out.root_ = parser.program();
    out.asks_tokens_ = parser.asks_tokens();
  } catch (const NotUnderstood& problem) {
    return fail(Errc::kInvalid, problem.message);
  }
  out.tokens_ = std::move(tokens);
  return out;
}

bool FilterExpr::holds(const FilterInput& input) const {
  try {
    return Walk(input, tokens_.get()).program(*root_);
  } catch (const WentWrong&) {
    return false;
  }
}

}  // namespace tocsin::rules::secrets
