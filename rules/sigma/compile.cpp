// One rule at a time: values become predicates, items and selections become AND and OR over them, the condition
// joins the selections. Trees are laid out flat, children side by side.
#include "rules/sigma/compile.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/sigma/alias.hpp"
#include "rules/sigma/array.hpp"
#include "rules/sigma/condition.hpp"
#include "rules/sigma/fold.hpp"
#include "rules/sigma/item.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kMaxNodes = 200000;  // of one rule
constexpr std::size_t kOneOfFrom = 4;      // so many plain values of one item become one look-up

std::string quoted(std::string_view text) {
  std::string out;
  write_json(Value::of(text), out);
  return out;
}

std::string number_text(const Number& number) {
  std::string out;
  write_json(number.exact ? Value::of(number.integer) : Value::of(number.real), out);
  return out;
}

// What a node costs to evaluate, coarsely: the cheap ones are asked first, rules otherwise keep their order.
int cost(const Predicate& predicate) {
  const int wide = predicate.field == kKeywords ? 4 : 0;
  switch (predicate.test) {
    case Test::kRegex: return 3 + wide;
    case Test::kLike: return 2 + wide;
    default: return 1 + wide;
  }
}

struct Refused {
  Remark remark;
};

struct Tree {
  Node::Kind kind = Node::Kind::kTest;
  std::uint32_t value = 0;
  std::int32_t selection = -1;
  int cost = 1;
  std::vector<Tree> parts;
};

}  // namespace

class RuleCompiler {
 public:
  RuleCompiler(Program& program, const Rule& rule, const Placeholders& placeholders, std::vector<Remark>& warnings)
      : program_(program), rule_(rule), placeholders_(placeholders), warnings_(warnings) {}

  std::uint32_t compile() {
    const Tree tree = read_condition(rule_.condition, rule_.selections);
    const auto root = static_cast<std::uint32_t>(program_.nodes_.size());
    program_.nodes_.emplace_back();
    lay_out(tree, root);
    return root;
  }

 private:
  [[noreturn]] static void refuse(std::string code, int line, std::string message, std::string remedy) {
    throw Refused{Remark{std::move(code), std::move(message), std::move(remedy), line}};
  }
  void warn(std::string code, int line, std::string message, std::string remedy) {
    for (const Remark& remark : warnings_) {
      if (remark.code == code && remark.line == line) return;
    }
    warnings_.push_back(Remark{std::move(code), std::move(message), std::move(remedy), line});
  }

  void lay_out(const Tree& tree, std::uint32_t at) {
    const auto first = static_cast<std::uint32_t>(program_.nodes_.size());
    Node node;
    node.kind = tree.kind;
    node.value = tree.value;
    node.selection = tree.selection;
    node.first = first;
    node.count = static_cast<std::uint32_t>(tree.parts.size());
    program_.nodes_[at] = node;
    program_.nodes_.resize(first + tree.parts.size());
    for (std::size_t i = 0; i < tree.parts.size(); ++i) lay_out(tree.parts[i], first + static_cast<std::uint32_t>(i));
  }

  void count_node() {
    if (++nodes_ > kMaxNodes) {
      refuse("too-large", rule_.line, "the rule becomes more than 200,000 tests", "split it, or use fewer values");
    }
  }

  Tree test(Predicate&& predicate) {
    count_node();
    Tree tree;
    tree.cost = cost(predicate);
    tree.value = program_.predicate(std::move(predicate));
    return tree;
  }

  // AND or OR; one part stands for itself, parts of the same kind are taken in.
  static Tree join(Node::Kind kind, std::vector<Tree> parts) {
    if (parts.size() == 1) return Tree(std::move(parts.front()));
    Tree tree;
    tree.kind = kind;
    tree.cost = 0;
    for (Tree& part : parts) {
      if (part.kind == kind && part.selection < 0) {
        for (Tree& inner : part.parts) tree.parts.push_back(std::move(inner));
      } else {
        tree.parts.push_back(std::move(part));
      }
    }
    std::stable_sort(tree.parts.begin(), tree.parts.end(), [](const Tree& a, const Tree& b) { return a.cost < b.cost; });
    for (const Tree& part : tree.parts) tree.cost = std::max(tree.cost, part.cost);
    return tree;
  }
  Tree negate(Tree inner) {
    count_node();
    Tree tree;
    tree.kind = Node::Kind::kNot;
    tree.cost = inner.cost;
    tree.parts.push_back(std::move(inner));
    return tree;
  }

  // --- condition ---

  Tree read_condition(const Condition& condition, const std::vector<Selection>& selections) {
    switch (condition.kind) {
      case Condition::Kind::kNot: return negate(read_condition(condition.parts.front(), selections));
      case Condition::Kind::kAnd:
      case Condition::Kind::kOr: {
        std::vector<Tree> parts;
        for (const Condition& part : condition.parts) parts.push_back(read_condition(part, selections));
        return join(condition.kind == Condition::Kind::kAnd ? Node::Kind::kAnd : Node::Kind::kOr, std::move(parts));
      }
      case Condition::Kind::kName:
        for (std::size_t i = 0; i < selections.size(); ++i) {
          if (selections[i].origin == condition.origin && selections[i].name == condition.name) return read_selection(selections, i);
        }
        break;
      case Condition::Kind::kSelector: return read_selector(condition, selections);
    }
    refuse("unknown-identifier", rule_.line, "the condition names a selection that does not exist", "define it");
  }

  Tree read_selector(const Condition& condition, const std::vector<Selection>& selections) {
    std::vector<Tree> parts;
    for (std::size_t i = 0; i < selections.size(); ++i) {
      if (selections[i].origin == condition.origin && selects(condition.name, selections[i].name)) parts.push_back(read_selection(selections, i));
    }
    if (condition.quantity == 0 || condition.quantity == parts.size()) return join(Node::Kind::kAnd, std::move(parts));
    if (condition.quantity == 1) return join(Node::Kind::kOr, std::move(parts));
    Tree tree;
    tree.kind = Node::Kind::kAtLeast;
    tree.value = condition.quantity;
    for (const Tree& part : parts) tree.cost = std::max(tree.cost, part.cost);
    tree.parts = std::move(parts);
    return tree;
  }

  // Selections of a block are parts of the rule's own and are not named.
  Tree read_selection(const std::vector<Selection>& selections, std::size_t index) {
    Tree tree = read_detection(selections[index].detection);
    if (&selections == &rule_.selections) tree.selection = static_cast<std::int32_t>(index);
    return tree;
  }

  // --- detection ---

  Tree read_detection(const Detection& detection) {
    if (detection.kind == Detection::Kind::kItem) return read_item(detection.item);
    if (detection.kind == Detection::Kind::kEach) return read_block(*detection.block);
    std::vector<Tree> parts;
    for (const Detection& part : detection.parts) parts.push_back(read_detection(part));
    return join(detection.kind == Detection::Kind::kAll ? Node::Kind::kAnd : Node::Kind::kOr, std::move(parts));
  }

  Tree read_block(const Block& block) {
    constexpr int kCost = 3;
    count_node();
    const Place array = find(block.steps);
    Every every;
    every.field = array.field;
    every.quantifier = block.quantifier;
    const bool needs_one = block.quantifier == Quantifier::kAny || block.quantifier == Quantifier::kAll;
    every.indexed = needs_one ? array.indexed : kNoField;
    const Scope outer = scope_;
    scope_.inside = true;
    scope_.elements = every.indexed == kNoField ? kNoField : program_.derived(FieldName::Kind::kElements, every.indexed);
    Tree tree;
    tree.kind = Node::Kind::kEach;
    tree.parts.push_back(read_condition(block.condition, block.selections));
    tree.cost = kCost + tree.parts.front().cost;
    scope_ = outer;
    tree.value = static_cast<std::uint32_t>(program_.every_.size());
    program_.every_.push_back(every);
    return tree;
  }

  // --- fields ---

  // A field, and where the index finds it (Predicate::indexed).
  struct Place {
    FieldId field = 0;
    FieldId indexed = kNoField;
  };

  Place find(const std::string& name) {
    if (!scope_.inside) {
      const FieldId field = name.empty() ? kKeywords : program_.field(rule_, name);
      return {field, field};
    }
    if (name.empty()) return {program_.derived(FieldName::Kind::kScalars, kNoField), kKeywords};
    return inside({program_.derived(FieldName::Kind::kElement, kNoField), scope_.elements}, name);
  }

  Place find(const std::vector<Step>& steps) {
    Place place;
    for (const Step& step : steps) {
      const bool first = &step == &steps.front();
      if (first && step.name == "." && scope_.inside) {
        place = {program_.derived(FieldName::Kind::kElement, kNoField), scope_.elements};
      } else if (first) {
        place = find(step.name);
      } else if (step.position) {
        const int position = *step.position;
        const auto at = [&](FieldId base) { return program_.derived(FieldName::Kind::kPosition, base, {}, position); };
        place = {at(place.field), place.indexed == kNoField ? kNoField : at(place.indexed)};
      } else {
        place = inside(place, step.name);
      }
    }
    return place;
  }

  Place inside(Place place, const std::string& name) {
    const auto at = [&](FieldId base) { return program_.derived(FieldName::Kind::kInside, base, name); };
    return {at(place.field), place.indexed == kNoField ? kNoField : at(place.indexed)};
  }

  Tree read_item(const Item& item) {
    std::optional<Remark> refusal;
    const Modifiers modifiers = read_modifiers(item, refusal);
    if (refusal) throw Refused{*refusal};
    if (modifiers.all && item.values.size() == 1) {
      warn("all-single-value", item.line, "'all' has only one value to join", "add values, or remove 'all'");
    }
    std::vector<Tree> groups;  // one per value
    std::vector<Predicate> equals;
    for (const Scalar& value : item.values) {
      if (value.type == Scalar::Type::kNull && item.values.size() > 1) {
        refuse("null-in-list", value.line, "null stands in a list of values of '" + printable(item.field, 80) + "'",
               "write 'field: null' as an item of its own in a list of maps");
      }
      std::vector<Predicate> variants = read_value(item, modifiers, value);
      if (!modifiers.all && variants.size() == 1 && variants.front().test == Test::kEquals) {
        equals.push_back(std::move(variants.front()));
        continue;
      }
      std::vector<Tree> parts;
      for (Predicate& variant : variants) parts.push_back(test(std::move(variant)));
      groups.push_back(join(Node::Kind::kOr, std::move(parts)));
    }
    if (equals.size() < kOneOfFrom) {
      std::vector<Tree> first;
      for (Predicate& one : equals) first.push_back(test(std::move(one)));
      groups.insert(groups.begin(), std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()));
    } else {
      groups.insert(groups.begin(), test(one_of(std::move(equals))));
    }
    Tree tree = join(modifiers.all ? Node::Kind::kAnd : Node::Kind::kOr, std::move(groups));
    return modifiers.negated ? negate(std::move(tree)) : tree;
  }

  static Predicate one_of(std::vector<Predicate> equals) {
    Predicate predicate;
    predicate.field = equals.front().field;
    predicate.indexed = equals.front().indexed;
    predicate.cased = equals.front().cased;
    predicate.test = Test::kOneOf;
    for (Predicate& one : equals) predicate.texts.push_back(std::move(one.text));
    std::sort(predicate.texts.begin(), predicate.texts.end());
    predicate.texts.erase(std::unique(predicate.texts.begin(), predicate.texts.end()), predicate.texts.end());
    return predicate;
  }

  // --- values ---

  static std::string text_of(const Scalar& value) {
    switch (value.type) {
      case Scalar::Type::kBool: return value.boolean ? "true" : "false";
      case Scalar::Type::kInt: return std::to_string(value.integer);
      default: return value.text;
    }
  }

  // The predicates of one value, of which one must hold.
  std::vector<Predicate> read_value(const Item& item, const Modifiers& m, const Scalar& value) {
    using Operator = Modifiers::Operator;
    const std::string shown = "'" + printable(item.field, 80) + "'";
    Predicate predicate;
    const Place place = item.steps.empty() ? find(item.field) : find(item.steps);
    predicate.field = place.field;
    predicate.indexed = place.indexed;
    std::vector<Predicate> result;
    if (value.type == Scalar::Type::kNull) {
      if (m.op != Operator::kNone || m.windash || m.expand || m.field || m.base64 || m.base64_offset || !m.encodings.empty() || item.field.empty()) {
        refuse("null-value", value.line, item.field.empty() ? "null is no keyword" : "null does not go with the modifiers of " + shown,
               "write 'field: null' without modifiers, or give a value");
      }
      predicate.test = Test::kNull;
      result.push_back(std::move(predicate));
      return result;
    }
    if (m.field) {
      result.push_back(read_field_reference(item, m, value, std::move(predicate)));
      return result;
    }
    switch (m.op) {
      case Operator::kExists: return read_exists(item, value, std::move(predicate));
      case Operator::kLess:
      case Operator::kLessOrEqual:
      case Operator::kGreater:
      case Operator::kGreaterOrEqual:
      case Operator::kTimePart: result.push_back(read_number(m, value, std::move(predicate), shown)); return result;
      case Operator::kRegex:
      case Operator::kNetwork:
        for (const std::string& variant : expanded(m, value, m.op == Operator::kRegex)) {
          Predicate one;
          one.field = predicate.field;
          one.indexed = predicate.indexed;
          if (m.op == Operator::kRegex) read_regex(m, variant, value.line, one);
          else read_network(variant, value.line, one);
          result.push_back(std::move(one));
        }
        return result;
      default: break;
    }
    const bool number = value.type == Scalar::Type::kInt || value.type == Scalar::Type::kDouble;
    if (number && m.op == Operator::kNone && !item.field.empty() && !m.base64 && !m.base64_offset && m.encodings.empty()) {
      predicate.test = Test::kNumber;
      predicate.number = number_value(value);
      result.push_back(std::move(predicate));
      return result;
    }
    return read_text(item, m, value, place);
  }

  static Number number_value(const Scalar& value) {
    Number number;
    number.exact = value.type == Scalar::Type::kInt;
    number.integer = value.integer;
    number.real = number.exact ? static_cast<double>(value.integer) : value.real;
    return number;
  }

  std::vector<std::string> expanded(const Modifiers& m, const Scalar& value, bool regex) {
    if (!m.expand) return {text_of(value)};
    std::string missing;
    std::vector<std::string> variants = expand_placeholders(text_of(value), placeholders_, regex, missing);
    if (!missing.empty()) {
      refuse("missing-placeholder", value.line, "there are no values for the placeholder %" + printable(missing, 80) + "%",
             "give a table of placeholders that has '" + printable(missing, 80) + "'");
    }
    if (variants.size() > kMaxExpansions) {
      refuse("too-large", value.line, "the placeholders of one value give more than 10,000 variants", "use smaller tables");
    }
    return variants;
  }

  Predicate read_field_reference(const Item& item, const Modifiers& m, const Scalar& value, Predicate predicate) {
    const Tokens tokens = parse_tokens(text_of(value));
    if (has_wildcard(tokens) || plain_text(tokens).empty()) {
      refuse("bad-fieldref", value.line, "'" + printable(value.text, 80) + "' is not the name of a field", "name one field, without wildcards");
    }
    predicate.other = find(plain_text(tokens)).field;
    predicate.cased = m.cased;
    predicate.test = m.op == Modifiers::Operator::kContains     ? Test::kContainsField
                     : m.op == Modifiers::Operator::kStartsWith ? Test::kStartsWithField
                     : m.op == Modifiers::Operator::kEndsWith   ? Test::kEndsWithField
                                                                : Test::kSameAs;
    if (predicate.other == predicate.field) {
      warn("fieldref-itself", item.line, "the field is compared with itself", "name another field");
    }
    return predicate;
  }

  static std::vector<Predicate> read_exists(const Item& item, const Scalar& value, Predicate predicate) {
    const std::string text = to_lower(text_of(value));
    const bool yes = text == "true" || text == "yes";
    if ((!yes && text != "false" && text != "no") || item.values.size() != 1) {
      refuse("bad-exists", value.line, "'exists' takes true or false", "write 'field|exists: true'");
    }
    predicate.test = Test::kExists;
    predicate.number.integer = yes ? 1 : 0;
    std::vector<Predicate> result;
    result.push_back(std::move(predicate));
    return result;
  }

  static Predicate read_number(const Modifiers& m, const Scalar& value, Predicate predicate, const std::string& shown) {
    const auto number = value.type == Scalar::Type::kBool ? std::nullopt : parse_number(text_of(value));
    if (!number) refuse("bad-number", value.line, "the value of " + shown + " is not a number", "give a decimal number");
    predicate.number = *number;
    switch (m.op) {
      case Modifiers::Operator::kLess: predicate.test = Test::kLess; break;
      case Modifiers::Operator::kLessOrEqual: predicate.test = Test::kLessOrEqual; break;
      case Modifiers::Operator::kGreater: predicate.test = Test::kGreater; break;
      case Modifiers::Operator::kGreaterOrEqual: predicate.test = Test::kGreaterOrEqual; break;
      default:
        predicate.test = Test::kTimePart;
        predicate.part = m.part;
    }
    return predicate;
  }

  static void read_regex(const Modifiers& m, const std::string& text, int line, Predicate& predicate) {
    if (text.size() > kMaxRegexBytes) {
      refuse("too-large", line, "the regular expression is longer than 16 KiB", "split it into several values");
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxRegexMemory);
    options.set_case_sensitive(!m.ignore_case);
    options.set_dot_nl(m.dot_all);
    predicate.test = Test::kRegex;
    predicate.text = (m.multi_line ? "(?m)" : "") + text;
    predicate.regex = std::make_unique<RE2>(predicate.text, options);
    if (!predicate.regex->ok()) {
      refuse("bad-regex", line, "the regular expression is refused: " + printable(predicate.regex->error(), 200),
             "use the syntax of RE2: no look-around, no back-references, repetitions up to 1000");
    }
    predicate.cased = !m.ignore_case;
    predicate.part = m.dot_all ? TimePart::kHour : TimePart::kMinute;  // only to tell the canonical texts apart
  }

  static void read_network(const std::string& text, int line, Predicate& predicate) {
    const auto network = parse_network(text);
    if (!network) {
      refuse("bad-cidr", line, "'" + printable(text, 80) + "' is not a network",
             "write address/prefix with no host bits set, for example 10.0.0.0/8 or fe80::/10");
    }
    predicate.test = Test::kNetwork;
    predicate.network = *network;
    predicate.text = text;
  }

  std::vector<Predicate> read_text(const Item& item, const Modifiers& m, const Scalar& value, Place place) {
    using Operator = Modifiers::Operator;
    const bool keyword = item.field.empty();
    const bool encodes = m.base64 || m.base64_offset || !m.encodings.empty();
    const bool before = m.op == Operator::kContains || m.op == Operator::kEndsWith || (keyword && m.op == Operator::kNone);
    const bool after = m.op == Operator::kContains || m.op == Operator::kStartsWith || (keyword && m.op == Operator::kNone);
    if (m.op == Operator::kNone || m.op == Operator::kStartsWith) lint_backslashes(value);
    std::vector<Predicate> result;
    for (const std::string& variant : expanded(m, value, false)) {
      Tokens tokens = parse_tokens(variant);
      if (m.op == Operator::kNone && !keyword && tokens.size() == 1 && tokens.front().kind == Token::Kind::kMany) {
        warn("lone-star", value.line, "'*' alone asks only that the field is there", "write '" + printable(item.field, 60) + "|exists: true'");
      }
      std::vector<Tokens> forms;
      if (encodes) {
        for (std::string& text : encoded(m, tokens, value.line)) forms.push_back({Token{Token::Kind::kText, std::move(text)}});
      } else {
        forms.push_back(std::move(tokens));
      }
      for (Tokens& form : forms) {
        if (form.size() == 1 && form.front().text.empty() && form.front().kind == Token::Kind::kText) form.clear();
        open_ends(form, before, after);
        result.push_back(text_predicate(form, place, m.cased, m.windash && !encodes));
      }
    }
    return result;
  }

  static Predicate text_predicate(const Tokens& tokens, Place place, bool cased, bool windash) {
    Predicate predicate;
    predicate.field = place.field;
    predicate.indexed = place.indexed;
    predicate.cased = cased;
    bool varied = false;
    for (const Token& token : tokens) {
      for (std::size_t at = 0; windash && !varied && at < token.text.size(); ++at) {
        std::size_t length = 0;
        varied = varied_dash(token.text, at, length);
      }
    }
    if (!varied && !has_wildcard(tokens)) {
      predicate.test = Test::kEquals;
      predicate.text = cased ? plain_text(tokens) : folded(plain_text(tokens));
      return predicate;
    }
    predicate.test = Test::kLike;
    predicate.pattern = Pattern(tokens, cased, varied);
    predicate.text = cased ? unparse(tokens) : folded(unparse(tokens));
    predicate.number.integer = varied ? 1 : 0;
    return predicate;
  }

  // The encoded forms of a text: utf16, then base64.
  static std::vector<std::string> encoded(const Modifiers& m, const Tokens& tokens, int line) {
    constexpr std::size_t kMaxVariants = 1000;
    if (has_wildcard(tokens)) {
      refuse("encoded-wildcard", line, "a value with wildcards cannot be encoded (wide, utf16, base64)",
             "write '\\*' and '\\?' for the characters themselves, or remove them");
    }
    std::vector<std::string> texts = {plain_text(tokens)};
    if (m.windash) texts = windash_variants(texts.front(), kMaxVariants);
    if (texts.size() > kMaxVariants) refuse("too-large", line, "windash before base64 gives more than 1,000 variants", "use fewer dashes");
    std::vector<std::string> result;
    for (const std::string& text : texts) {
      const std::string bytes = m.encodings.empty() ? text : encode_utf16(text, m.encodings.front());
      if (m.base64_offset) {
        if (bytes.size() < 2) {
          refuse("short-base64offset", line, "'base64offset' of a single byte would match everything", "use a longer value");
        }
        for (std::string& variant : base64_alignments(bytes)) result.push_back(std::move(variant));
      } else {
        result.push_back(m.base64 ? to_base64(bytes) : bytes);
      }
    }
    return result;
  }

  void lint_backslashes(const Scalar& value) {
    const std::string_view text = value.text;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.size() > 2 && text[0] == '\\' && text[1] == '\\' && letter(text[2])) {
      warn("two-backslashes", value.line, "a value that starts with two backslashes matches one: '\\\\' is an escaped '\\'",
           "write four backslashes for a network path, one for a path");
    }
  }

  Program& program_;
  const Rule& rule_;
  const Placeholders& placeholders_;
  std::vector<Remark>& warnings_;
  std::size_t nodes_ = 0;

  struct Scope {
    bool inside = false;          // of a block: names are those of its element
    FieldId elements = kNoField;  // all elements that the blocks around can look at
  };
  Scope scope_;
};

Program::Program() {
  fields_.emplace_back();  // kKeywords
}

std::optional<Remark> Program::add(std::shared_ptr<const Rule> rule, const Placeholders& placeholders,
                                   std::vector<Remark>& warnings) {
  const std::size_t nodes = nodes_.size();
  try {
    RuleCompiler compiler(*this, *rule, placeholders, warnings);
    CompiledRule compiled;
    compiled.root = compiler.compile();
    compiled.rule = std::move(rule);
    rules_.push_back(std::move(compiled));
    return std::nullopt;
  } catch (const Refused& refused) {
    nodes_.resize(nodes);
    return refused.remark;
  }
}

// Keys: "." and a name for plain fields; the others begin with a sign of their kind.
FieldId Program::field(const std::string& key, FieldName&& made) {
  const auto [at, is_new] = field_ids_.try_emplace(key, static_cast<FieldId>(fields_.size()));
  if (is_new) fields_.push_back(std::move(made));
  return at->second;
}

FieldId Program::derived(FieldName::Kind kind, FieldId base, const std::string& member, int position) {
  FieldName made;
  made.kind = kind;
  made.base = base == kNoField ? 0 : base;
  made.member = member;
  made.position = position;
  made.relative = base == kNoField || fields_[base].relative;
  const std::string before = base == kNoField || fields_[base].kind == FieldName::Kind::kElement ? "" : fields_[base].name;
  switch (kind) {
    case FieldName::Kind::kElement: made.name = "."; break;
    case FieldName::Kind::kElements: made.name = before + "[]"; break;
    case FieldName::Kind::kPosition: made.name = before + "[" + std::to_string(position) + "]"; break;
    case FieldName::Kind::kInside:
      made.name = before.empty() ? member : before + "." + member;
      for (const std::string_view part : split(member, '.')) made.path.emplace_back(part);
      break;
    default: break;
  }
  return field("#" + std::to_string(static_cast<int>(kind)) + "\n" + std::to_string(base) + "\n" + std::to_string(position) + "\n" + member, std::move(made));
}

FieldId Program::field(std::string_view name) {
  FieldName made;
  made.name = std::string(name);
  for (const std::string_view part : split(name, '.')) made.path.emplace_back(part);
  return field("." + made.name, std::move(made));
}

FieldId Program::field(const Rule& rule, std::string_view name) {
  const std::vector<sigma::Place> all = places(rule.product, rule.category, rule.service, name);
  FieldName made;
  made.name = std::string(name);
  made.kind = FieldName::Kind::kAnyOf;
  std::string key = "?" + made.name;
  for (const sigma::Place& place : all) {
    FieldId id = field(place.name);
    if (!place.member.empty()) {
      FieldName member;
      member.name = place.name + "[" + place.member + "]";
      member.kind = FieldName::Kind::kMember;
      member.base = id;
      member.member = place.member;
      id = field("@" + std::to_string(id) + "\n" + place.member, std::move(member));
    }
    made.chain.push_back(id);
    key += "\n" + std::to_string(id);
  }
  if (made.chain.size() == 1) return made.chain.front();
  return field(key, std::move(made));
}

PredicateId Program::predicate(Predicate&& predicate) {
  const FieldName& shown = fields_[predicate.field];
  const bool keywords = predicate.field == kKeywords || shown.kind == FieldName::Kind::kScalars;
  const std::string field = keywords ? "any value" : shown.name;
  predicate.relative = shown.relative || fields_[predicate.other].relative;
  const std::string cased = predicate.cased ? " cased" : "";
  std::string& text = predicate.canonical;
  switch (predicate.test) {
    case Test::kEquals: text = field + " is" + cased + " " + quoted(predicate.text); break;
    case Test::kOneOf: {
      text = field + " in" + cased + " [";
      for (std::size_t i = 0; i < predicate.texts.size(); ++i) text += (i == 0 ? "" : ", ") + quoted(predicate.texts[i]);
      text += ']';
      break;
    }
    case Test::kLike: text = field + " like" + cased + (predicate.number.integer != 0 ? " windash " : " ") + quoted(predicate.text); break;
    case Test::kRegex:
      text = field + " re /" + predicate.text + "/" + (predicate.cased ? "" : "i") + (predicate.part == TimePart::kHour ? "s" : "");
      break;
    case Test::kNumber: text = field + " = " + number_text(predicate.number); break;
    case Test::kLess: text = field + " < " + number_text(predicate.number); break;
    case Test::kLessOrEqual: text = field + " <= " + number_text(predicate.number); break;
    case Test::kGreater: text = field + " > " + number_text(predicate.number); break;
    case Test::kGreaterOrEqual: text = field + " >= " + number_text(predicate.number); break;
    case Test::kTimePart: {
      static constexpr std::string_view kNames[] = {"minute", "hour", "day", "week", "month", "year"};
      text = std::string(kNames[static_cast<std::size_t>(predicate.part)]) + " of " + field + " = " + number_text(predicate.number);
      break;
    }
    case Test::kNetwork: text = field + " in network " + predicate.text; break;
    case Test::kNull: text = field + " is null"; break;
    case Test::kExists: text = field + (predicate.number.integer != 0 ? " exists" : " is absent"); break;
    case Test::kSameAs: text = field + " is" + cased + " field " + fields_[predicate.other].name; break;
    case Test::kContainsField: text = field + " contains" + cased + " field " + fields_[predicate.other].name; break;
    case Test::kStartsWithField: text = field + " starts with" + cased + " field " + fields_[predicate.other].name; break;
    case Test::kEndsWithField: text = field + " ends with" + cased + " field " + fields_[predicate.other].name; break;
  }
  // Field names are part of the text between fixed words, so two different tests could only share a text if a field's
  // name contained such words; the key keeps them apart by number.
  std::string key = std::to_string(predicate.field) + '/' + std::to_string(predicate.other) + '/' + std::to_string(predicate.indexed) + '/' + text;
  const auto [at, is_new] = predicate_ids_.try_emplace(std::move(key), static_cast<PredicateId>(predicates_.size()));
  if (is_new) predicates_.push_back(std::move(predicate));
  return at->second;
}

void Program::write(std::uint32_t index, std::string& out) const {
  const Node& node = nodes_[index];
  if (node.kind == Node::Kind::kTest) {
    out += predicates_[node.value].canonical;
    return;
  }
  if (node.kind == Node::Kind::kNot) {
    out += "not ";
    write(node.first, out);
    return;
  }
  if (node.kind == Node::Kind::kEach) {
    const Every& every = every_[node.value];
    out += fields_[every.field].name + "[" + std::string(name(every.quantifier)) + "] ";
    write(node.first, out);
    return;
  }
  if (node.kind == Node::Kind::kAtLeast) out += std::to_string(node.value) + " of ";
  out += '(';
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (i > 0) out += node.kind == Node::Kind::kAnd ? " and " : node.kind == Node::Kind::kOr ? " or " : ", ";
    write(node.first + i, out);
  }
  out += ')';
}

std::string Program::canonical(std::uint32_t node) const {
  std::string out;
  write(node, out);
  return out;
}

}  // namespace tocsin::rules::sigma
