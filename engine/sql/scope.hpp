// What names mean while a statement is compiled: the relations, sub-selects and CTEs that are visible at each level,
// and which columns of which sources a name may stand for.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/reading.hpp"
#include "engine/sql/tree.hpp"

namespace tocsin::engine::sql {

// A value of a source that goes into a column of a (sub-)result.
struct Part {
  int source;
  std::string column;  // "*" = all
  Use use;
};

// A column of a (sub-)result: what flows into it, and what it simply is, if it is simply something.
struct Flow {
  std::string name;
  std::vector<Part> parts;
  int source = -1;
  std::string column;
};

// One entry of FROM.
struct Item {
  std::string alias;
  std::string schema;            // of a relation that has no alias
  int source = -1;               // a relation
  bool renamed = false;          // alias with column names: names say nothing
  bool opaque = false;           // a function, or a recursion: any name may be its column
  std::vector<Flow> columns;  // of a sub-select
  std::vector<Part> opaque_parts;
};

// A common table expression, compiled where it is used.
struct Cte {
  std::string name;
  Tree query;
  std::vector<std::string> columns;
  const struct Env* env = nullptr;
  bool running = false;
};

// The names visible at one level.
struct Env {
  const Env* outer = nullptr;
  bool sees_outer_items = true;  // false for a sub-select in FROM that is not LATERAL
  std::deque<Item> items;
  std::deque<Cte> ctes;
};

// The result of a (sub-)select.
struct Sub {
  std::vector<Flow> columns;
  std::vector<int> sources;  // all inside, also those that only filter
  bool barrier = false;
  bool aggregate = false;
  bool one_to_one = false;
  std::optional<Ordering> order;
};

// What a name stands for.
struct Found {
  std::vector<Part> parts;
  std::optional<Column> column;  // what a condition may say
};

// What the reference stands for at this level: every source that it may mean.
[[nodiscard]] Found find(Tree column_ref, const Env* env);

// The item's column of that name, as far as a condition may speak of it.
[[nodiscard]] std::optional<Column> column_of(const Item& item, const std::string& name);
// What flows into the item's column of that name ("*": into any).
[[nodiscard]] std::vector<Part> parts_of_item(const Item& item, const std::string& name);

// A CTE by that name, and whether it is being compiled right now (a recursion).
[[nodiscard]] Cte* find_cte(const Env* env, std::string_view name);

// Gives the item the name, and its columns the names, of an alias.
void rename(Item& item, Tree alias);
void rename_columns(Item& item, const std::vector<std::string>& columns);

// The columns of the result that simply are columns of a source.
[[nodiscard]] std::vector<Column> lineage_columns(const Sub& sub);
// No column of the result is simply a column of a source any more.
void forget_lineage(Sub& sub);

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace tocsin::engine::sql
