// WITH and FROM: relations become sources, sub-selects and CTEs are dissolved, joins restrict their sides.
#include "engine/sql/compiler.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::engine::sql {

void Compiler::with_clause(Tree with, Env& env) {
  if (!with) return;
  with.items("ctes", [&](Tree item) {
    const Tree cte = item.at("CommonTableExpr");
    Cte defined;
    defined.name = cte.text("ctename");
    defined.query = cte.at("ctequery");
    names(cte, "aliascolnames", defined.columns);
    defined.env = &env;
    env.ctes.push_back(std::move(defined));
    const std::string_view tag = env.ctes.back().query.tag();
    if (tag != "SelectStmt") {  // happens even if nobody refers to it
      Env inner;
      inner.outer = &env;
      inner.sees_outer_items = false;
      const Sub unread = modify(tag, env.ctes.back().query.content(), inner);
      (void)unread;
    }
  });
}

int Compiler::add_source(Tree range_var, Item& item) {
  if (statement.query.sources.size() >= kMaxSources) throw TooLarge{};
  Source source;
  source.relation = relation(range_var);
  source.only = !range_var.flag("inh");
  const Tree alias = range_var.at("alias");
  source.alias = alias.text("aliasname");
  item.renamed = alias.size("colnames") > 0;
  item.alias = source.alias.empty() ? source.relation.name : source.alias;
  item.schema = source.alias.empty() ? source.relation.schema : "";
  item.source = static_cast<int>(statement.query.sources.size());
  statement.query.sources.push_back(std::move(source));
  return item.source;
}

void Compiler::from_item(Tree node, Env& env, std::vector<int>& sources, bool nullable) {
  const Deeper deeper(*this);
  const std::string_view tag = node.tag();
  const Tree body = node.content();
  Item item;
  if (tag == "RangeVar") {
    Cte* cte = body.text("schemaname").empty() ? find_cte(&env, body.text("relname")) : nullptr;
    if (cte != nullptr) {
      use_cte(*cte, body, item, sources);
    } else {
      const int source = add_source(body, item);
      statement.query.sources[static_cast<std::size_t>(source)].nullable = nullable;
      sources.push_back(source);
    }
  } else if (tag == "RangeSubselect") {
    const Tree query = body.at("subquery").at("SelectStmt");
    Sub sub = select(query, &env, body.flag("lateral"));
    item.columns = std::move(sub.columns);
    rename(item, body.at("alias"));
    append(sources, sub.sources);
  } else if (tag == "JoinExpr") {
    join(body, env, sources, nullable);
    if (const Tree alias = body.at("alias")) {  // (a JOIN b …) AS j
      item.opaque = true;
      item.alias = alias.text("aliasname");
      for (const int source : sources) item.opaque_parts.push_back({source, "*", Use::kRow});
    } else {
      return;
    }
  } else if (tag == "RangeTableSample") {
    from_item(body.at("relation"), env, sources, nullable);
    return;
  } else {  // functions and the like: their arguments may be columns to the left
    item.opaque = true;
    LevelFlags flags;
    parts_of(body, env, Use::kRow, item.opaque_parts, flags, sources);
    item.alias = body.at("alias").text("aliasname");
  }
  env.items.push_back(std::move(item));
}

void Compiler::use_cte(Cte& cte, Tree range_var, Item& item, std::vector<int>& sources) {
  item.alias = cte.name;
  if (cte.running) {
    item.opaque = true;  // the recursion: its rows come from the part that is compiled anyway
  } else {
    cte.running = true;
    Sub sub;
    if (cte.query.tag() == "SelectStmt") {
      sub = select(cte.query.content(), cte.env, false);
    } else {
      Env inner;
      inner.outer = cte.env;
      inner.sees_outer_items = false;
      const std::size_t writes = statement.writes.size();
      sub = modify(cte.query.tag(), cte.query.content(), inner);
      statement.writes.resize(writes);  // counted where it was defined
    }
    cte.running = false;
    item.columns = std::move(sub.columns);
    append(sources, sub.sources);
    rename_columns(item, cte.columns);
  }
  rename(item, range_var.at("alias"));
}

void Compiler::join(Tree body, Env& env, std::vector<int>& sources, bool nullable) {
  const std::string_view type = body.text("jointype");
  const bool left_optional = type == "JOIN_RIGHT" || type == "JOIN_FULL";
  const bool right_optional = type == "JOIN_LEFT" || type == "JOIN_FULL";
  std::vector<int> left, right;
  const std::size_t first_item = env.items.size();
  from_item(body.at("larg"), env, left, nullable || left_optional);
  const std::size_t middle = env.items.size();
  from_item(body.at("rarg"), env, right, nullable || right_optional);
  std::vector<int> both = left;
  append(both, right);
  std::vector<int> conditions;
  if (const Tree quals = body.at("quals")) conditions.push_back(condition(quals, env, both));
  body.items("usingClause", [&](Tree name) {
    if (middle - first_item != 1 || env.items.size() - middle != 1) return;
    auto a = column_of(env.items[first_item], std::string(name.string()));
    auto b = column_of(env.items[middle], std::string(name.string()));
    if (a && b) conditions.push_back(same(std::move(*a), std::move(*b)));
  });
  for (const int condition : conditions) {
    if (!left_optional && !right_optional) restrict(both, condition);
    if (right_optional && !left_optional) restrict(right, condition);
    if (left_optional && !right_optional) restrict(left, condition);
  }
  for (const int s : both) {
    Source& source = statement.query.sources[static_cast<std::size_t>(s)];
    const bool optional = std::find(left.begin(), left.end(), s) != left.end() ? left_optional : right_optional;
    source.nullable = source.nullable || nullable || optional;
  }
  append(sources, both);
}

}  // namespace tocsin::engine::sql
