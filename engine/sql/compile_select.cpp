// SELECT: set operations, VALUES, GROUP BY and DISTINCT (rows that become one), ORDER BY.
#include "engine/sql/compiler.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::engine::sql {

Sub Compiler::select(Tree node, const Env* outer, bool sees_outer_items) {
  const Deeper deeper(*this);
  Env env;
  env.outer = outer;
  env.sees_outer_items = sees_outer_items;
  with_clause(node.at("withClause"), env);
  if (node.at("larg")) return set_operation(node, env);
  Sub sub;
  std::size_t from_items = 0;
  bool plain_from = true;
  node.items("fromClause", [&](Tree from) {
    ++from_items;
    plain_from = plain_from && from.tag() == "RangeVar";
    from_item(from, env, sub.sources, false);
  });
  const std::vector<int> from_sources = sub.sources;
  node.items("valuesLists", [&](Tree row) { values_row(row, env, sub); });
  LevelFlags flags;
  const bool grouped = node.size("groupClause") > 0;
  if (!grouped && !options_.loose_grouping) node.items("targetList", [&](Tree t) { flags.unknown_is_scalar |= has_plain_column(t.at("ResTarget").at("val")); });
  targets(node, "targetList", env, flags, sub);
  presence(from_sources, flags, sub);
  if (const Tree where = node.at("whereClause")) restrict(sub.sources, condition(where, env, sub.sources));
  for (const char* clause : {"havingClause", "limitCount", "limitOffset"}) filter_only(node.at(clause), env, sub.sources);
  for (const char* clause : {"sortClause", "groupClause", "windowClause"}) {
    node.items(clause, [&](Tree t) { filter_only(t, env, sub.sources); });
  }
  grouping(node, env, grouped, flags, sub);
  sub.aggregate = flags.aggregate && !grouped;
  sub.barrier = flags.window;
  if (sub.barrier) forget_lineage(sub);
  sub.order = ordering(node, env, sub);
  sub.one_to_one = from_items == 1 && plain_from && from_sources.size() == 1 && env.items.size() == 1 &&
                   env.items.front().source >= 0 && !grouped && !flags.aggregate && !flags.unknown_function &&
                   node.size("distinctClause") == 0;
  return sub;
}

void Compiler::values_row(Tree row, Env& env, Sub& sub) {
  std::size_t at = 0;
  LevelFlags flags;
  row.at("List").items("items", [&](Tree cell) {
    if (sub.columns.size() <= at) sub.columns.push_back({"column" + std::to_string(at + 1), {}, -1, {}});
    parts_of(cell, env, Use::kRow, sub.columns[at].parts, flags, sub.sources);
    ++at;
  });
}

Sub Compiler::set_operation(Tree node, Env& env) {
  Sub left = select(node.at("larg"), &env);
  Sub right = select(node.at("rarg"), &env);
  const bool except = node.text("op") == "SETOP_EXCEPT";
  const bool dedup = !node.flag("all");
  if (dedup) {
    merge_rows(left, lineage_columns(left));
    merge_rows(right, lineage_columns(right));
  }
  Sub sub;
  sub.columns = std::move(left.columns);
  if (!except) {
    // Columns pair by position; where a star hides positions, everything may flow anywhere.
    if (sub.columns.size() == right.columns.size()) {
      for (std::size_t i = 0; i < sub.columns.size(); ++i) {
        auto& parts = sub.columns[i].parts;
        parts.insert(parts.end(), right.columns[i].parts.begin(), right.columns[i].parts.end());
      }
    } else if (!sub.columns.empty()) {
      for (Flow& column : sub.columns) {
        for (const Flow& other : right.columns) {
          column.parts.insert(column.parts.end(), other.parts.begin(), other.parts.end());
        }
      }
    }
  }
  sub.sources = std::move(left.sources);
  sub.sources.insert(sub.sources.end(), right.sources.begin(), right.sources.end());
  sub.barrier = true;
  forget_lineage(sub);
  for (const char* clause : {"limitCount", "limitOffset"}) filter_only(node.at(clause), env, sub.sources);
  return sub;
}

void Compiler::merge_rows(const Sub& sub, const std::vector<Column>& by) {
  for (const int s : sub.sources) {
    Source& source = statement.query.sources[static_cast<std::size_t>(s)];
    if (source.merged) {
      source.group_by.clear();
    } else {
      source.group_by = by;
    }
    source.merged = true;
  }
}

void Compiler::grouping(Tree node, Env& env, bool grouped, const LevelFlags& flags, const Sub& sub) {
  if (grouped) {
    std::vector<Column> by;
    bool sets = false;
    node.items("groupClause", [&](Tree item) {
      if (item.tag() == "ColumnRef") {
        if (auto found = find(item.content(), &env).column) by.push_back(std::move(*found));
      } else if (item.tag() == "A_Const") {
        const auto at = item.content().at("ival").number("ival");
        pin(literal_of(item.content()));
        if (at >= 1 && static_cast<std::size_t>(at) <= sub.columns.size()) {
          const Flow& column = sub.columns[static_cast<std::size_t>(at - 1)];
          if (column.source >= 0) by.push_back({{column.source}, column.column, true});
        }
      } else if (item.tag() == "GroupingSet") {
        sets = true;
      }
    });
    merge_rows(sub, sets ? std::vector<Column>{} : by);
  } else if (flags.aggregate) {
    merge_rows(sub, {});
  }
  bool plain_distinct = false;
  if (node.size("distinctClause") == 1) {
    node.items("distinctClause", [&](Tree item) { plain_distinct = item.tag().empty(); });
  }
  if (plain_distinct) merge_rows(sub, lineage_columns(sub));
}

// The first column by which rows are sorted. Later ones only order rows that are equal in it.
std::optional<Ordering> Compiler::ordering(Tree node, Env& env, const Sub& sub) {
  Tree first;
  node.items("sortClause", [&](Tree item) {
    if (!first) first = item.at("SortBy");
  });
  if (!first) return std::nullopt;
  const std::string_view way = first.text("sortby_dir");
  if (way == "SORTBY_USING") return std::nullopt;
  Ordering out;
  out.descending = way == "SORTBY_DESC";
  const Tree by = first.at("node");
  if (by.tag() == "ColumnRef") {
    // A name of the result goes before a name of the source: it may be a computed column.
    std::string name;
    by.content().items("fields", [&](Tree field) { name = field.string(); });
    const bool plain = by.content().size("fields") == 1;
    const Flow* named = nullptr;
    bool several = false;
    for (const Flow& column : sub.columns) {
      if (!plain || column.name != name) continue;
      several = several || named != nullptr;
      named = &column;
    }
    if (several) return std::nullopt;
    if (named != nullptr) {
      if (named->source < 0 || named->column == "*") return std::nullopt;
      out.column = {{named->source}, named->column, true};
      return out;
    }
    auto found = find(by.content(), &env).column;
    if (!found || found->cast) return std::nullopt;
    out.column = std::move(*found);
    return out;
  }
  if (by.tag() == "A_Const") {  // ORDER BY 2
    pin(literal_of(by.content()));
    const auto at = by.content().at("ival").number("ival");
    const bool stars = std::any_of(sub.columns.begin(), sub.columns.end(), [](const Flow& c) { return c.name == "*"; });
    if (stars || at < 1 || static_cast<std::size_t>(at) > sub.columns.size()) return std::nullopt;
    const Flow& column = sub.columns[static_cast<std::size_t>(at - 1)];
    if (column.source < 0 || column.column == "*") return std::nullopt;
    out.column = {{column.source}, column.column, true};
    return out;
  }
  return std::nullopt;
}

}  // namespace tocsin::engine::sql
