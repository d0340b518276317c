// INSERT, UPDATE, DELETE and MERGE: what they write, from whom it comes, and what RETURNING shows.
#include "engine/sql/compiler.hpp"

#include <utility>

namespace tocsin::engine::sql {

Sub Compiler::modify(std::string_view tag, Tree body, Env& env) {
  const Deeper deeper(*this);
  with_clause(body.at("withClause"), env);
  Sub sub;
  Item item;
  const int target = add_source(body.at("relation"), item);
  statement.query.sources[static_cast<std::size_t>(target)].written = true;
  sub.sources.push_back(target);
  env.items.push_back(std::move(item));
  Write write;
  write.source = target;
  if (tag == "InsertStmt") {
    insert(body, env, write, sub);
  } else {
    write.kind = tag == "UpdateStmt" ? Kind::kUpdate : tag == "DeleteStmt" ? Kind::kDelete : Kind::kMerge;
    const char* from = tag == "DeleteStmt" ? "usingClause" : "fromClause";
    body.items(from, [&](Tree f) { from_item(f, env, sub.sources, false); });
    if (const Tree source = body.at("sourceRelation")) from_item(source, env, sub.sources, true);
    body.items("targetList", [&](Tree t) {
      const Tree set = t.at("ResTarget");
      write.set.emplace_back(set.text("name"), value(set.at("val")));
      flows_in(set.at("val"), std::string(set.text("name")), target, env, sub);
    });
    body.items("mergeWhenClauses", [&](Tree when) {
      const Tree clause = when.at("MergeWhenClause");
      std::vector<std::string> columns;
      clause.items("targetList", [&](Tree t) {
        const Tree set = t.at("ResTarget");
        columns.emplace_back(set.text("name"));
        if (set.at("val")) flows_in(set.at("val"), columns.back(), target, env, sub);
        if (clause.text("commandType") == "CMD_UPDATE") write.set.emplace_back(set.text("name"), Value{});
      });
      std::size_t at = 0;
      clause.items("values", [&](Tree cell) {
        flows_in(cell, at < columns.size() ? columns[at] : "*", target, env, sub);
        ++at;
      });
    });
    filter_only(body.at("joinCondition"), env, sub.sources);  // what does not match is inserted: it narrows nothing
    if (const Tree where = body.at("whereClause")) restrict(sub.sources, condition(where, env, sub.sources));
  }
  statement.writes.push_back(std::move(write));
  LevelFlags flags;
  flags.unknown_is_scalar = true;  // RETURNING allows no aggregate
  if (body.size("returningList") > 0) {
    const std::vector<Flow> selected = std::exchange(sub.columns, {});
    targets(body, "returningList", env, flags, sub);
    presence({target}, flags, sub);
    // What was inserted from a query is shown too.
    if (!sub.columns.empty()) {
      for (const Flow& column : selected) append(sub.columns.front().parts, column.parts);
    }
  } else {
    sub.columns.clear();
  }
  return sub;
}

// A value that goes into a column of the table that is written: readers of that table reach whom it is about.
void Compiler::flows_in(Tree node, const std::string& column, int target, Env& env, Sub& sub) {
  LevelFlags flags;
  Flow flow;
  flow.name = column;
  parts_of(node, env, Use::kRow, flow.parts, flags, sub.sources);
  std::erase_if(flow.parts, [&](const Part& part) { return part.source == target; });  // the row's own values
  if (flow.parts.empty()) return;
  append(staged_parts, flow.parts);
  staged_outputs.push_back({column, -1, {}});
  sub.columns.push_back(std::move(flow));
}

void Compiler::insert(Tree body, Env& env, Write& write, Sub& sub) {
  write.kind = Kind::kInsert;
  body.items("cols", [&](Tree c) { write.columns.emplace_back(c.at("ResTarget").text("name")); });
  write.upsert = body.at("onConflictClause").text("action") == "ONCONFLICT_UPDATE";
  statement.query.sources[static_cast<std::size_t>(write.source)].inserted = !write.upsert;
  body.at("onConflictClause").items("targetList", [&](Tree t) {
    const Tree set = t.at("ResTarget");
    flows_in(set.at("val"), std::string(set.text("name")), write.source, env, sub);
  });
  const Tree select_node = body.at("selectStmt").at("SelectStmt");
  if (!select_node) return;
  if (select_node.size("valuesLists") == 0) {
    write.from_query = true;
    Env inner;
    inner.outer = &env;
    inner.sees_outer_items = false;
    Sub selected = select(select_node, &inner, false);
    sub.columns = selected.columns;
    append(sub.sources, selected.sources);
    for (const Flow& column : selected.columns) {
      staged_outputs.push_back({column.name, column.source, column.column});
      for (const Part& part : column.parts) staged_parts.push_back(part);
    }
    return;
  }
  select_node.items("valuesLists", [&](Tree row) {
    std::vector<Value> cells;
    row.at("List").items("items", [&](Tree cell) {
      const std::string column = cells.size() < write.columns.size() ? write.columns[cells.size()] : "*";
      cells.push_back(value(cell));
      flows_in(cell, column, write.source, env, sub);
    });
    write.rows.push_back(std::move(cells));
  });
  // The rows that RETURNING shows are the inserted ones.
  for (std::size_t c = 0; c < write.columns.size(); ++c) {
    Predicate p;
    p.op = Op::kIn;
    p.column = {{write.source}, write.columns[c], true};
    bool all = !write.upsert;
    for (const auto& row : write.rows) {
      if (c < row.size() && usable(row[c])) p.values.push_back(row[c]);
      else all = false;
    }
    if (all) restrict({write.source}, add(std::move(p)));
  }
}

}  // namespace tocsin::engine::sql
