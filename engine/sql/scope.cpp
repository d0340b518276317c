// A name that is not qualified may mean a column of any relation whose columns nobody knows: it counts for each of them,
// and a condition on it speaks of one source only where no other could be meant.
#include "engine/sql/scope.hpp"

#include <utility>

namespace tocsin::engine::sql {
namespace {

// Whether `name` surely is, may be, or cannot be a column of the item.
enum class Has { kNo, kMaybe, kYes };
// Whether `name` surely is, may be, or cannot be a column of the item.
Has has(const Item& item, std::string_view name) {
  if (item.source >= 0 || item.opaque) return Has::kMaybe;
  bool star = false;
  for (const Flow& c : item.columns) {
    if (c.name == name) return Has::kYes;
    star = star || c.name == "*";
  }
  return star ? Has::kMaybe : Has::kNo;
}

// The next level outwards whose items are visible.
const Env* next(const Env* env) {
  bool visible = env->sees_outer_items;
  env = env->outer;
  while (env != nullptr && !visible) {
    visible = env->sees_outer_items;
    env = env->outer;
  }
  return env;
}

bool has_items_outside(const Env* env) {
  for (env = next(env); env != nullptr; env = next(env)) {
    if (!env->items.empty()) return true;
  }
  return false;
}

Found find_unqualified(const std::string& name, const Env* env) {
  Found found;
  bool innermost = true;
  for (; env != nullptr; env = next(env)) {
    std::vector<const Item*> sure, maybe;
    for (const Item& item : env->items) {
      switch (has(item, name)) {
        case Has::kYes: sure.push_back(&item); break;
        case Has::kMaybe: maybe.push_back(&item); break;
        case Has::kNo: break;
      }
      if (item.alias == name) append(found.parts, parts_of_item(item, "*"));  // the whole row
    }
    const auto& here = sure.empty() ? maybe : sure;
    for (const Item* item : here) append(found.parts, parts_of_item(*item, name));
    if (innermost && !here.empty()) {
      Column column;
      column.name = name;
      column.certain = here.size() == 1 && (!sure.empty() || !has_items_outside(env));
      bool usable = true;
      for (const Item* item : here) {
        const auto one = column_of(*item, name);
        if (here.size() == 1) {
          if (!one) {
            usable = false;
          } else {
            const bool certain = column.certain && one->certain;
            column = *one;
            column.certain = certain;
          }
        } else if (one && one->name == name) {
          append(column.candidates, one->candidates);
        }
      }
      if (usable && !column.candidates.empty()) found.column = std::move(column);
      innermost = false;
    }
    if (!sure.empty()) break;
  }
  return found;
}

Found find_qualified(const std::string& schema, const std::string& alias, const std::string& name, const Env* env) {
  const Env* const innermost = env;
  for (; env != nullptr; env = next(env)) {
    for (const Item& item : env->items) {
      if (item.alias != alias) continue;
      if (!schema.empty() && !item.schema.empty() && item.schema != schema) continue;
      Found found;
      found.parts = parts_of_item(item, name);
      if (name != "*") found.column = column_of(item, name);
      return found;
    }
  }
  // excluded.x, a composite column (p.address).city, or something we do not know: it may be anything here.
  return find_unqualified(alias, innermost);
}

}  // namespace

std::optional<Column> column_of(const Item& item, const std::string& name) {
  Column column;
  column.certain = true;
  if (item.source >= 0 && !item.renamed) {
    column.candidates = {item.source};
    column.name = name;
    return column;
  }
  if (item.opaque || item.renamed) return std::nullopt;
  for (const Flow& c : item.columns) {
    if (c.name != name) continue;
    if (c.source < 0 || c.column == "*") return std::nullopt;
    column.candidates = {c.source};
    column.name = c.column;
    return column;
  }
  column.certain = false;
  column.name = name;
  for (const Flow& c : item.columns) {
    if (c.name == "*" && c.source >= 0) column.candidates.push_back(c.source);
    if (c.name == "*" && c.source < 0) return std::nullopt;
  }
  if (column.candidates.empty()) return std::nullopt;
  column.certain = column.candidates.size() == 1;
  return column;
}

std::vector<Part> parts_of_item(const Item& item, const std::string& name) {
  if (item.source >= 0) return {{item.source, item.renamed ? "*" : name, Use::kRow}};
  if (item.opaque) return item.opaque_parts;
  std::vector<Part> out;
  for (const Flow& c : item.columns) {
    if (name == "*" || c.name == name) append(out, c.parts);
  }
  if (!out.empty() || name == "*") return out;
  for (const Flow& c : item.columns) {
    if (c.name != "*") continue;
    for (Part part : c.parts) {
      if (part.column == "*" && c.source >= 0) part.column = name;
      out.push_back(std::move(part));
    }
  }
  return out;
}

Found find(Tree column_ref, const Env* env) {
  std::vector<std::string> path;
  column_ref.items("fields", [&](Tree field) {
    path.emplace_back(field.at("A_Star") ? std::string_view("*") : field.string());
  });
  if (path.empty()) return {};
  if (path.size() == 1 && path[0] == "*") {
    Found found;
    for (const Item& item : env->items) append(found.parts, parts_of_item(item, "*"));
    return found;
  }
  if (path.size() == 1) return find_unqualified(path[0], env);
  if (path.size() == 2) return find_qualified("", path[0], path[1], env);
  return find_qualified(path[path.size() - 3], path[path.size() - 2], path.back(), env);
}

Cte* find_cte(const Env* env, std::string_view name) {
  for (; env != nullptr; env = env->outer) {
    for (auto it = env->ctes.rbegin(); it != env->ctes.rend(); ++it) {
      if (it->name == name) return const_cast<Cte*>(&*it);
    }
  }
  return nullptr;
}

void rename(Item& item, Tree alias) {
  if (!alias) return;
  item.alias = alias.text("aliasname");
  std::vector<std::string> columns;
  alias.items("colnames", [&](Tree name) { columns.emplace_back(name.string()); });
  rename_columns(item, columns);
}

void rename_columns(Item& item, const std::vector<std::string>& columns) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i >= item.columns.size() || item.columns[i].name == "*") {
      // Which column gets the name cannot be told: any name may mean any of them.
      for (const Flow& column : item.columns) append(item.opaque_parts, column.parts);
      item.columns.clear();
      item.opaque = true;
      return;
    }
    item.columns[i].name = columns[i];
  }
}

std::vector<Column> lineage_columns(const Sub& sub) {
  std::vector<Column> out;
  for (const Flow& column : sub.columns) {
    if (column.source < 0) continue;
    Column c;
    c.candidates = {column.source};
    c.name = column.column;  // "*" stands for every column
    c.certain = true;
    out.push_back(std::move(c));
  }
  return out;
}

void forget_lineage(Sub& sub) {
  for (Flow& column : sub.columns) {
    if (column.name == "*" && column.source >= 0) column.name = "*";
    column.source = -1;
    column.column.clear();
  }
}

}  // namespace tocsin::engine::sql
