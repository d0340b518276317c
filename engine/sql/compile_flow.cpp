// The target list: what of the sources flows into each column of a result, and as what (a row, a value, a number).
#include "engine/sql/compiler.hpp"

#include <utility>

#include "engine/sql/functions.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine::sql {
namespace {

// What a value of use `inner` becomes when an expression uses it as `outer`.
Use combine(Use inner, Use outer) {
  if (inner == Use::kNone || outer == Use::kNone) return Use::kNone;
  if (inner == Use::kStatistic || outer == Use::kStatistic) return Use::kStatistic;
  if (inner == Use::kExistence || outer == Use::kRow) return inner;
  if (outer == Use::kValue) return inner == Use::kCollected ? Use::kCollected : Use::kValue;
  return outer;
}

std::string function_name(Tree call) {
  std::string last;
  call.items("funcname", [&](Tree part) { last = to_lower(part.string()); });
  return last;
}

std::string default_name(Tree val) {
  const std::string_view tag = val.tag();
  if (tag == "ColumnRef") {
    std::string last;
    val.content().items("fields", [&](Tree field) { last = field.string(); });
    return last;
  }
  if (tag == "TypeCast") return default_name(val.content().at("arg"));
  if (tag == "FuncCall") return function_name(val.content());
  return "?column?";
}

FunctionKind kind_of(Tree call) {
  std::vector<std::string> path;
  call.items("funcname", [&](Tree part) { path.push_back(to_lower(part.string())); });
  if (path.empty() || (path.size() > 1 && path.front() != "pg_catalog")) return FunctionKind::kUnknown;
  return function_kind(path.back());
}

Use use_in_call(Tree call, Use use, LevelFlags& flags) {
  const FunctionKind kind = kind_of(call);
  if (call.at("over")) {
    flags.window = true;
    const bool number = kind == FunctionKind::kRanking || function_name(call) == "count";
    return combine(use, number ? Use::kStatistic : Use::kCollected);
  }
  switch (kind) {
    case FunctionKind::kStatistic: flags.aggregate = true; return Use::kStatistic;
    case FunctionKind::kValue: flags.aggregate = true; return combine(use, Use::kValue);
    case FunctionKind::kScalar: return use;
    case FunctionKind::kRanking:
    case FunctionKind::kUnknown: break;
  }
  flags.unknown_function = true;
  if (flags.unknown_is_scalar) return use;
  flags.aggregate = true;  // it may be one
  return combine(use, Use::kCollected);
}

}  // namespace

// A column outside every function that could be an aggregate.
bool Compiler::has_plain_column(Tree node) {
  if (!node) return false;
  const std::string_view tag = node.tag();
  if (tag == "ColumnRef") return true;
  if (tag == "SubLink") return false;
  if (tag == "FuncCall" && !node.content().at("over") && kind_of(node.content()) != FunctionKind::kScalar) return false;
  bool found = false;
  node.children([&](Tree child) { found = found || has_plain_column(child); });
  return found;
}

void Compiler::targets(Tree node, const char* list, Env& env, LevelFlags& flags, Sub& sub) {
  node.items(list, [&](Tree item) {
    const Tree target = item.at("ResTarget");
    const Tree val = target.at("val");
    if (expand_star(val, env, sub)) return;
    Flow column;
    column.name = target.text("name");
    if (column.name.empty()) column.name = default_name(val);
    parts_of(val, env, Use::kRow, column.parts, flags, sub.sources);
    if (val.tag() == "ColumnRef") {
      const Found found = find(val.content(), &env);
      if (found.column && found.column->certain && found.column->candidates.size() == 1) {
        column.source = found.column->candidates.front();
        column.column = found.column->name;
      }
    }
    sub.columns.push_back(std::move(column));
  });
}

// `*` and `alias.*` become the columns they stand for, as far as these are known.
bool Compiler::expand_star(Tree val, Env& env, Sub& sub) {
  if (val.tag() != "ColumnRef") return false;
  std::vector<std::string> path;
  val.content().items("fields", [&](Tree field) {
    path.emplace_back(field.at("A_Star") ? std::string_view("*") : field.string());
  });
  if (path.empty() || path.back() != "*") return false;
  bool done = false;
  for (const Item& item : env.items) {
    if (path.size() > 1 && item.alias != path[path.size() - 2]) continue;
    done = true;
    if (item.source >= 0) {
      sub.columns.push_back({"*", {{item.source, "*", Use::kRow}}, item.renamed ? -1 : item.source, "*"});
    } else if (item.opaque) {
      sub.columns.push_back({"*", item.opaque_parts, -1, {}});
    } else {
      append(sub.columns, item.columns);
    }
  }
  return done;
}

// What of the sources flows into the value of an expression.
void Compiler::parts_of(Tree node, Env& env, Use use, std::vector<Part>& out, LevelFlags& flags, std::vector<int>& sources) {
  if (!node) return;
  const Deeper deeper(*this);
  const std::string_view tag = node.tag();
  if (tag == "ColumnRef") {
    for (Part part : find(node.content(), &env).parts) {
      part.use = combine(part.use, use);
      out.push_back(std::move(part));
    }
    if (out.size() > kMaxPredicates) throw TooLarge{};
    return;
  }
  if (tag == "SubLink") {
    sub_link(node.content(), env, use, out, flags, sources);
    return;
  }
  if (tag == "FuncCall") {
    const std::string name = function_name(node.content());
    if (reads_elsewhere(name)) statement.query.elsewhere = name;
    if (name == "set_config") set_config(node.content());
    statement.query.calls = true;
    use = use_in_call(node.content(), use, flags);
  }
  node.children([&](Tree child) { parts_of(child, env, use, out, flags, sources); });
}

void Compiler::set_config(Tree call) {
  std::vector<Value> args;
  call.items("args", [&](Tree arg) { args.push_back(value(arg)); });
  for (Value& arg : args) pin(std::exchange(arg.literal, 0));
  if (statement.settings.size() >= kMaxSources) throw TooLarge{};
  // A name that the statement does not show: any setting.
  const bool named = !args.empty() && args[0].known && args[0].parameter == 0;
  statement.settings.push_back({named ? args[0].text : "", args.size() > 1 ? args[1] : Value{}});
}

void Compiler::sub_link(Tree link, Env& env, Use use, std::vector<Part>& out, LevelFlags& flags, std::vector<int>& sources) {
  parts_of(link.at("testexpr"), env, use, out, flags, sources);
  const Sub sub = select(link.at("subselect").at("SelectStmt"), &env);
  append(sources, sub.sources);
  for (const int s : sub.sources) statement.query.sources[static_cast<std::size_t>(s)].nullable = true;  // no row is NULL
  const std::string_view type = link.text("subLinkType");
  Use inside = Use::kStatistic;  // EXISTS, IN, ANY, ALL: one bit
  if (type == "EXPR_SUBLINK" || type == "ROWCOMPARE_SUBLINK" || type == "MULTIEXPR_SUBLINK") inside = use;
  if (type == "ARRAY_SUBLINK") inside = combine(use, Use::kCollected);
  for (const Flow& column : sub.columns) {
    for (Part part : column.parts) {
      part.use = combine(part.use, inside);
      out.push_back(std::move(part));
    }
  }
}

// A result without any value of the sources still says that rows are there, or how many.
void Compiler::presence(const std::vector<int>& sources, const LevelFlags& flags, Sub& sub) {
  if (sources.empty()) return;
  bool shows = false;
  for (const Flow& column : sub.columns) {
    for (const Part& part : column.parts) shows = shows || part.use > Use::kStatistic;
  }
  if (shows) return;
  if (sub.columns.empty()) sub.columns.push_back({});
  for (const int source : sources) {
    sub.columns.front().parts.push_back({source, "", flags.aggregate ? Use::kStatistic : Use::kExistence});
  }
}

}  // namespace tocsin::engine::sql
