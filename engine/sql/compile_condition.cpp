// WHERE, ON and HAVING as predicates with three truths.
#include "engine/sql/compiler.hpp"

#include <utility>

namespace tocsin::engine::sql {
namespace {

std::string operator_name(Tree expr) {
  std::vector<std::string> path;
  expr.items("name", [&](Tree part) { path.emplace_back(part.string()); });
  if (path.empty() || (path.size() > 1 && path.front() != "pg_catalog")) return "";
  return path.back();
}

}  // namespace

int Compiler::add(Predicate predicate) {
  if (statement.query.predicates.size() >= kMaxPredicates) throw TooLarge{};
  statement.query.predicates.push_back(std::move(predicate));
  return static_cast<int>(statement.query.predicates.size()) - 1;
}

int Compiler::always() { return add({}); }

int Compiler::same(Column a, Column b) {
  Predicate p;
  p.op = Op::kSame;
  p.column = std::move(a);
  p.other = std::move(b);
  return add(std::move(p));
}

void Compiler::restrict(const std::vector<int>& sources, int predicate) {
  if (statement.query.predicates[static_cast<std::size_t>(predicate)].op == Op::kTrue) {
    statement.query.undecided = true;
    return;
  }
  for (const int s : sources) statement.query.sources[static_cast<std::size_t>(s)].filters.push_back(predicate);
}

// Compiles sub-selects that only filter, so that their relations are known to be named.
void Compiler::filter_only(Tree node, Env& env, std::vector<int>& sources) {
  if (!node) return;
  const Deeper deeper(*this);
  if (node.tag() == "SubLink") {
    const Sub sub = select(node.content().at("subselect").at("SelectStmt"), &env);
    append(sources, sub.sources);
    filter_only(node.content().at("testexpr"), env, sources);
    return;
  }
  statement.query.calls = statement.query.calls || node.tag() == "FuncCall";
  node.children([&](Tree child) { filter_only(child, env, sources); });
}

int Compiler::condition(Tree node, Env& env, std::vector<int>& sources) {
  std::vector<int> inside;
  filter_only(node, env, inside);
  const int out = predicate(node, env);
  append(sources, inside);
  return out;
}

// A predicate may be read as true or, under NOT, as false. Where only a part of a condition is understood (or NULL
// makes it false and not NULL) it is kept as "that part, and something nobody knows": then its failing says nothing.
int Compiler::predicate(Tree node, Env& env) {
  const Deeper deeper(*this);
  const std::string_view tag = node.tag();
  const Tree body = node.content();
  if (tag == "BoolExpr") {
    const std::string_view op = body.text("boolop");
    Predicate p;
    p.op = op == "NOT_EXPR" ? Op::kNot : op == "AND_EXPR" ? Op::kAnd : Op::kOr;
    body.items("args", [&](Tree arg) { p.args.push_back(predicate(arg, env)); });
    if (p.op == Op::kNot && p.args.size() != 1) return always();
    return add(std::move(p));
  }
  if (tag == "NullTest") {
    auto c = column(body.at("arg"), env);
    if (!c || body.flag("argisrow")) return always();
    const int null = is_null(std::move(*c));
    return body.text("nulltesttype") == "IS_NOT_NULL" ? negated(null) : null;
  }
  if (tag == "BooleanTest") {
    const std::string_view how = body.text("booltesttype");
    if (how == "IS_TRUE") return only_then(predicate(body.at("arg"), env));
    if (how == "IS_FALSE") return only_then(negated(predicate(body.at("arg"), env)));
    return always();
  }
  if (tag == "A_Const" && (body.flag("isnull") || (body.at("boolval") && !body.at("boolval").flag("boolval")))) {
    Predicate never;
    never.op = Op::kFalse;
    return body.flag("isnull") ? only_then(add(std::move(never))) : add(std::move(never));
  }
  if (tag == "ColumnRef") {  // WHERE active
    auto c = column(node, env);
    if (!c) return always();
    Value yes;
    yes.known = yes.boolean = true;
    yes.text = "true";
    return compare(std::move(*c), "=", std::move(yes));
  }
  if (tag != "A_Expr") return always();
  return comparison(body, env);
}

int Compiler::negated(int of) {
  Predicate p;
  p.op = Op::kNot;
  p.args.push_back(of);
  return add(std::move(p));
}

// `of` holds whenever the whole does; of its failing nothing is known.
int Compiler::only_then(int of) {
  Predicate p;
  p.op = Op::kAnd;
  p.args = {of, always()};
  return add(std::move(p));
}

int Compiler::is_null(Column c) {
  Predicate p;
  p.op = Op::kNull;
  p.column = std::move(c);
  return add(std::move(p));
}

std::optional<Column> Compiler::column(Tree node, Env& env) {
  if (node.tag() == "TypeCast") {  // id::text = '42' says the same as id = 42
    const Tree type = node.content().at("typeName");
    if (type.number("typemod") != -1 || type.size("arrayBounds") > 0 || last_name(type) != "text") return std::nullopt;
    auto inner = column(node.content().at("arg"), env);
    if (inner) inner->cast = true;
    return inner;
  }
  if (node.tag() != "ColumnRef") return std::nullopt;
  return find(node.content(), &env).column;
}

int Compiler::comparison(Tree expr, Env& env) {
  const std::string_view kind = expr.text("kind");
  const std::string op = operator_name(expr);
  const Tree left = expr.at("lexpr"), right = expr.at("rexpr");
  if (kind == "AEXPR_OP") {
    if (left.tag() == "RowExpr" && right.tag() == "RowExpr") {
      if (op == "=") return rows_equal(left, right, env);
      return op == "<>" ? negated(rows_equal(left, right, env)) : always();
    }
    auto a = column(left, env), b = column(right, env);
    if (op == "=" && a && b) return same(std::move(*a), std::move(*b));
    if (a && !b) return compare(std::move(*a), op, value(right));
    if (b && !a) {
      const std::string turned = op == "<" ? ">" : op == ">" ? "<" : op == "<=" ? ">=" : op == ">=" ? "<=" : op;
      if (op.starts_with("~~") || op.starts_with("!~~")) return always();
      return compare(std::move(*b), turned, value(left));
    }
    return always();
  }
  if (kind == "AEXPR_NOT_DISTINCT" || kind == "AEXPR_DISTINCT") {
    const bool distinct = kind == "AEXPR_DISTINCT";
    auto a = column(left, env), b = column(right, env);
    if (a && b) return distinct ? always() : only_then(same(std::move(*a), std::move(*b)));
    if (!a && !b) return always();
    Column c = a ? std::move(*a) : std::move(*b);
    Value v = value(a ? right : left);
    if (v.null) return distinct ? negated(is_null(std::move(c))) : is_null(std::move(c));
    // The value of a parameter may be NULL, which the log does not tell from an empty text.
    if (!v.known || v.parameter > 0) return always();
    const int equal = compare(c, "=", std::move(v));
    Predicate both;
    both.op = Op::kAnd;
    both.args = {equal, negated(is_null(std::move(c)))};
    const int not_distinct = add(std::move(both));
    return distinct ? negated(not_distinct) : not_distinct;
  }
  if (kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE") {
    auto c = column(left, env);
    Value pattern = value(right);
    if (!c || !usable(pattern)) return always();
    Predicate p;
    p.op = Op::kLike;
    p.column = std::move(*c);
    p.fold = kind == "AEXPR_ILIKE";
    p.values.push_back(std::move(pattern));
    const int like = add(std::move(p));
    return op.starts_with("!") ? negated(like) : like;
  }
  if (kind == "AEXPR_IN") {
    const int in = op == "=" || op == "<>" ? in_list(left, right.at("List"), "items", env) : always();
    return op == "<>" ? negated(in) : in;
  }
  if ((kind == "AEXPR_OP_ANY" && op == "=") || (kind == "AEXPR_OP_ALL" && op == "<>")) {
    const int any = equals_any(left, right, env);
    return kind == "AEXPR_OP_ALL" ? negated(any) : any;
  }
  if (kind == "AEXPR_BETWEEN" || kind == "AEXPR_NOT_BETWEEN") {
    const int within = between(left, right, env);
    return kind == "AEXPR_BETWEEN" ? within : negated(within);
  }
  return always();
}

int Compiler::equals_any(Tree left, Tree right, Env& env) {
  if (right.tag() == "A_ArrayExpr") return in_list(left, right.content(), "elements", env);
  if (right.tag() == "TypeCast" && right.content().at("arg").tag() == "A_ArrayExpr") {
    return in_list(left, right.content().at("arg").content(), "elements", env);
  }
  auto c = column(left, env);
  Value list = value(right);
  if (!c || (!list.known && list.parameter == 0)) return always();
  list.array = true;
  Predicate p;
  p.op = Op::kIn;
  p.column = std::move(*c);
  p.values.push_back(std::move(list));
  return add(std::move(p));
}

int Compiler::between(Tree left, Tree right, Env& env) {
  auto c = column(left, env);
  std::vector<Value> ends;
  right.at("List").items("items", [&](Tree end) { ends.push_back(value(end)); });
  if (!c || ends.size() != 2) return always();
  Predicate p;
  if (usable(ends[0]) && usable(ends[1])) {
    p.op = Op::kRange;
    p.column = std::move(*c);
    p.low = std::move(ends[0]);
    p.high = std::move(ends[1]);
  } else {  // one end is not known: two comparisons, as SQL says
    p.op = Op::kAnd;
    p.args.push_back(compare(*c, ">=", ends[0]));
    p.args.push_back(compare(std::move(*c), "<=", ends[1]));
  }
  return add(std::move(p));
}

int Compiler::rows_equal(Tree left, Tree right, Env& env) {
  std::vector<Tree> a, b;
  left.content().items("args", [&](Tree t) { a.push_back(t); });
  right.content().items("args", [&](Tree t) { b.push_back(t); });
  if (a.size() != b.size()) return always();
  Predicate p;
  p.op = Op::kAnd;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto x = column(a[i], env), y = column(b[i], env);
    if (x && y) p.args.push_back(same(std::move(*x), std::move(*y)));
    else if (x) p.args.push_back(compare(std::move(*x), "=", value(b[i])));
    else if (y) p.args.push_back(compare(std::move(*y), "=", value(a[i])));
    else p.args.push_back(always());
  }
  return add(std::move(p));
}

int Compiler::compare(Column c, const std::string& op, Value v) {
  if (!usable(v)) return always();
  Predicate p;
  p.column = std::move(c);
  if (op == "=" || op == "<>") {
    p.op = Op::kIn;
    p.values.push_back(std::move(v));
    if (op == "<>") return negated(add(std::move(p)));
  } else if (op == "~~" || op == "!~~" || op == "~~*" || op == "!~~*") {
    p.op = Op::kLike;
    p.fold = op.ends_with('*');
    p.values.push_back(std::move(v));
    if (op.starts_with('!')) return negated(add(std::move(p)));
  } else if (op == "<" || op == "<=") {
    p.op = Op::kRange;
    p.high = std::move(v);
    p.high_open = op == "<";
  } else if (op == ">" || op == ">=") {
    p.op = Op::kRange;
    p.low = std::move(v);
    p.low_open = op == ">";
  } else {
    return always();
  }
  return add(std::move(p));
}

int Compiler::in_list(Tree left, Tree list, const char* key, Env& env) {
  auto c = column(left, env);
  if (!c) return always();
  Predicate p;
  p.op = Op::kIn;
  p.column = std::move(*c);
  bool all = true;
  list.items(key, [&](Tree item) {
    p.values.push_back(value(item));
    all = all && usable(p.values.back());
  });
  return all && !p.values.empty() ? add(std::move(p)) : always();
}

}  // namespace tocsin::engine::sql
