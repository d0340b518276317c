// The compiler: one pass over the parse tree that dissolves sub-selects, CTEs and joins into a flat list of
// sources with the conditions that surely hold for them. Where SQL leaves a doubt (an unqualified name in a
// join, an unknown function) the doubt goes to the wider side: a reference counts for every source it may
// mean, a condition narrows only a source it surely means.
#include "engine/sql/compile.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <set>
#include <utility>

#include "engine/sql/bind.hpp"
#include "engine/sql/functions.hpp"
#include "engine/sql/utility.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine::sql {
namespace {

struct TooLarge {};  // thrown inside this file only, caught in compile()

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

struct Item {
  std::string alias;
  std::string schema;            // of a relation that has no alias
  int source = -1;               // a relation
  bool renamed = false;          // alias with column names: names say nothing
  bool opaque = false;           // a function, or a recursion: any name may be its column
  std::vector<Flow> columns;  // of a sub-select
  std::vector<Part> opaque_parts;
};

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

struct Sub {
  std::vector<Flow> columns;
  std::vector<int> sources;  // all inside, also those that only filter
  bool barrier = false;
  bool aggregate = false;
  bool one_to_one = false;
  std::optional<Ordering> order;
};

struct LevelFlags {
  bool aggregate = false;
  bool window = false;
  bool unknown_function = false;
  bool unknown_is_scalar = false;  // a plain column without GROUP BY: no function here can be an aggregate
};

// What a value of use `inner` becomes when an expression uses it as `outer`.
Use combine(Use inner, Use outer) {
  if (inner == Use::kNone || outer == Use::kNone) return Use::kNone;
  if (inner == Use::kStatistic || outer == Use::kStatistic) return Use::kStatistic;
  if (inner == Use::kExistence || outer == Use::kRow) return inner;
  if (outer == Use::kValue) return inner == Use::kCollected ? Use::kCollected : Use::kValue;
  return outer;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class Compiler {
 public:
  Compiler(std::string_view text, ReadOptions options) : text_(text), options_(options) {}
  Statement statement;

  void run(Tree node) {
    statement.kind = Kind::kOther;
    top(node.tag(), node.content(), statement.kind);
    if (statement.inner == Kind::kOther) statement.inner = statement.kind;
  }

 private:
  // ------------------------------------------------------------------ statements
  void top(std::string_view tag, Tree body, Kind& kind) {
    if (tag == "SelectStmt") {
      kind = Kind::kSelect;
      const Tree into = into_clause(body);
      finish(select(body, nullptr), body);
      if (into) {
        kind = Kind::kCreateAs;
        statement.inner = Kind::kSelect;
        made_as(into);
      }
    } else if (tag == "InsertStmt" || tag == "UpdateStmt" || tag == "DeleteStmt" || tag == "MergeStmt") {
      Env env;
      Sub sub = modify(tag, body, env);
      kind = statement.writes.empty() ? Kind::kOther : statement.writes.back().kind;
      if (kind == Kind::kInsert) {
        statement.target = relation(body.at("relation"));
        statement.target_columns = statement.writes.back().columns;
      }
      finish(std::move(sub), Tree());
    } else if (tag == "CopyStmt") {
      copy(body, kind);
    } else if (tag == "DeclareCursorStmt" || tag == "PrepareStmt" || tag == "ExplainStmt" || tag == "ViewStmt" ||
               tag == "CreateTableAsStmt") {
      holder(tag, body, kind);
    } else {
      utility(tag, body, kind);
    }
  }

  // Statements that hold another one.
  void holder(std::string_view tag, Tree body, Kind& kind) {
    Kind inner = Kind::kOther;
    const Tree held = body.at("query");
    if (held.tag() == "SelectStmt" || held.tag() == "InsertStmt" || held.tag() == "UpdateStmt" ||
        held.tag() == "DeleteStmt" || held.tag() == "MergeStmt" || held.tag() == "CreateTableAsStmt") {
      top(held.tag(), held.content(), inner);
    } else if (held.tag() == "ExecuteStmt") {
      utility(held.tag(), held.content(), inner);
    }
    statement.inner = inner;
    if (tag == "DeclareCursorStmt") {
      kind = Kind::kDeclare;
      statement.name = body.text("portalname");
    } else if (tag == "PrepareStmt") {
      kind = Kind::kPrepare;
      statement.name = body.text("name");
    } else if (tag == "ExplainStmt") {
      kind = Kind::kExplain;
      body.items("options", [&](Tree option) {
        if (option.at("DefElem").text("defname") == "analyze") statement.analyze = true;
      });
    } else if (tag == "ViewStmt") {
      kind = Kind::kCreateView;
      statement.target = relation(body.at("view"));
      statement.temporary = body.at("view").text("relpersistence") == "t";
      names(body, "aliases", statement.target_columns);
    } else {
      kind = Kind::kCreateAs;
      made_as(body.at("into"));
    }
  }

  void made_as(Tree into) {
    statement.target = relation(into.at("rel"));
    statement.temporary = into.at("rel").text("relpersistence") == "t";
    names(into, "colNames", statement.target_columns);
  }

  void copy(Tree body, Kind& kind) {
    const bool from = body.flag("is_from");
    kind = from ? Kind::kCopyIn : Kind::kCopyOut;
    statement.to_program = body.flag("is_program");
    statement.to_file = !statement.to_program && !body.text("filename").empty();
    if (const Tree query = body.at("query")) {
      Kind inner = Kind::kOther;
      top(query.tag(), query.content(), inner);
      statement.inner = inner;
      return;
    }
    Item item;
    const int source = add_source(body.at("relation"), item);
    Source& copied = statement.query.sources[static_cast<std::size_t>(source)];
    if (from) {
      copied.written = true;
      statement.target = copied.relation;
      Write write;
      write.kind = Kind::kCopyIn;
      write.source = source;
      statement.writes.push_back(std::move(write));
      return;
    }
    copied.use = Use::kRow;
    body.items("attlist", [&](Tree name) { copied.columns.emplace_back(name.string()); });
    if (copied.columns.empty()) copied.columns.emplace_back("*");
    for (const std::string& column : copied.columns) statement.query.outputs.push_back({column, source, column});
    statement.query.one_to_one = true;
  }

  void utility(std::string_view tag, Tree body, Kind& kind) {
    const ValueReader read = [this](Tree node, bool looked_at) {
      Value v = value(node);
      if (looked_at) pin(std::exchange(v.literal, 0));
      return v;
    };
    compile_utility(tag, body, read, statement, kind);
  }

  static Tree into_clause(Tree select) {
    if (const Tree into = select.at("intoClause")) return into;
    if (const Tree left = select.at("larg")) return into_clause(left);
    return {};
  }

  // Turns the outermost result into the uses of the sources.
  void finish(Sub sub, Tree select) {
    Query& query = statement.query;
    for (const Flow& column : sub.columns) {
      for (const Part& part : column.parts) {
        Source& source = query.sources[static_cast<std::size_t>(part.source)];
        source.use = std::max(source.use, part.use);
        if (part.use >= Use::kValue) add_name(source.columns, part.column);
      }
      query.outputs.push_back({column.name, column.source, column.column});
    }
    query.barrier = sub.barrier;
    query.aggregate = sub.aggregate;
    query.one_to_one = sub.one_to_one;
    query.order = std::move(sub.order);
    if (!select) return;
    const Tree count = select.at("limitCount");
    query.limited = static_cast<bool>(count) || static_cast<bool>(select.at("limitOffset"));
    query.offset = static_cast<bool>(select.at("limitOffset"));
    if (query.offset) query.skipped = value(select.at("limitOffset"));
    if (count && select.text("limitOption") == "LIMIT_OPTION_COUNT") {
      const Value limit = value(count);
      if (limit.parameter > 0) query.limit_parameter = limit;
      pin(limit.literal);
      if (limit.known && limit.parameter == 0 && all_digits(limit.text) && limit.text.size() < 19) {
        query.limit = std::stoull(limit.text);
      }
    }
    bool constants = true;
    for (const Flow& column : sub.columns) {
      for (const Part& part : column.parts) constants = constants && part.use == Use::kExistence;
    }
    select.items("lockingClause", [&](Tree lock) {
      query.order.reset();  // SKIP LOCKED, and rows that changed while the lock was waited for
      if (constants && lock.at("LockingClause").text("strength") == "LCS_FORKEYSHARE") query.key_share = true;
    });
  }

  static void add_name(std::vector<std::string>& names, const std::string& name) {
    if (name == "*") {
      names.assign(1, name);
    } else if (std::find(names.begin(), names.end(), name) == names.end() &&
               (names.empty() || names.front() != "*")) {
      names.push_back(name);
    }
  }

  // ------------------------------------------------------------------ selects
  struct Deeper {
    explicit Deeper(Compiler& c) : compiler(c) {
      if (++compiler.depth_ > kMaxDepth) throw TooLarge{};
    }
    ~Deeper() { --compiler.depth_; }
    Compiler& compiler;
  };

  Sub select(Tree node, const Env* outer, bool sees_outer_items = true) {
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

  void values_row(Tree row, Env& env, Sub& sub) {
    std::size_t at = 0;
    LevelFlags flags;
    row.at("List").items("items", [&](Tree cell) {
      if (sub.columns.size() <= at) sub.columns.push_back({"column" + std::to_string(at + 1), {}, -1, {}});
      parts_of(cell, env, Use::kRow, sub.columns[at].parts, flags, sub.sources);
      ++at;
    });
  }

  Sub set_operation(Tree node, Env& env) {
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

  static void forget_lineage(Sub& sub) {
    for (Flow& column : sub.columns) {
      if (column.name == "*" && column.source >= 0) column.name = "*";
      column.source = -1;
      column.column.clear();
    }
  }

  void with_clause(Tree with, Env& env) {
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

  // ------------------------------------------------------------------ FROM
  int add_source(Tree range_var, Item& item) {
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

  // A CTE by that name, and whether it is being compiled right now (a recursion).
  static Cte* find_cte(const Env* env, std::string_view name) {
    for (; env != nullptr; env = env->outer) {
      for (auto it = env->ctes.rbegin(); it != env->ctes.rend(); ++it) {
        if (it->name == name) return const_cast<Cte*>(&*it);
      }
    }
    return nullptr;
  }

  void from_item(Tree node, Env& env, std::vector<int>& sources, bool nullable) {
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

  void use_cte(Cte& cte, Tree range_var, Item& item, std::vector<int>& sources) {
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

  static void rename(Item& item, Tree alias) {
    if (!alias) return;
    item.alias = alias.text("aliasname");
    std::vector<std::string> columns;
    alias.items("colnames", [&](Tree name) { columns.emplace_back(name.string()); });
    rename_columns(item, columns);
  }

  static void rename_columns(Item& item, const std::vector<std::string>& columns) {
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

  template <class T>
  static void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  void join(Tree body, Env& env, std::vector<int>& sources, bool nullable) {
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

  // ------------------------------------------------------------------ names
  struct Found {
    std::vector<Part> parts;
    std::optional<Column> column;  // what a condition may say
  };

  static std::optional<Column> column_of(const Item& item, const std::string& name) {
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

  static std::vector<Part> parts_of_item(const Item& item, const std::string& name) {
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

  // Whether `name` surely is, may be, or cannot be a column of the item.
  enum class Has { kNo, kMaybe, kYes };
  static Has has(const Item& item, std::string_view name) {
    if (item.source >= 0 || item.opaque) return Has::kMaybe;
    bool star = false;
    for (const Flow& c : item.columns) {
      if (c.name == name) return Has::kYes;
      star = star || c.name == "*";
    }
    return star ? Has::kMaybe : Has::kNo;
  }

  // The next level outwards whose items are visible.
  static const Env* next(const Env* env) {
    bool visible = env->sees_outer_items;
    env = env->outer;
    while (env != nullptr && !visible) {
      visible = env->sees_outer_items;
      env = env->outer;
    }
    return env;
  }

  static bool has_items_outside(const Env* env) {
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
    Found found = find_unqualified(alias, first_env_);
    return found;
  }

  Found find(Tree column_ref, const Env* env) {
    std::vector<std::string> path;
    column_ref.items("fields", [&](Tree field) {
      path.emplace_back(field.at("A_Star") ? std::string_view("*") : field.string());
    });
    first_env_ = env;
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

  // ------------------------------------------------------------------ the target list
  void targets(Tree node, const char* list, Env& env, LevelFlags& flags, Sub& sub) {
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
  bool expand_star(Tree val, Env& env, Sub& sub) {
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

  static std::string default_name(Tree val) {
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

  static std::string function_name(Tree call) {
    std::string last;
    call.items("funcname", [&](Tree part) { last = to_lower(part.string()); });
    return last;
  }

  static FunctionKind kind_of(Tree call) {
    std::vector<std::string> path;
    call.items("funcname", [&](Tree part) { path.push_back(to_lower(part.string())); });
    if (path.empty() || (path.size() > 1 && path.front() != "pg_catalog")) return FunctionKind::kUnknown;
    return function_kind(path.back());
  }

  // A column outside every function that could be an aggregate.
  static bool has_plain_column(Tree node) {
    if (!node) return false;
    const std::string_view tag = node.tag();
    if (tag == "ColumnRef") return true;
    if (tag == "SubLink") return false;
    if (tag == "FuncCall" && !node.content().at("over") && kind_of(node.content()) != FunctionKind::kScalar) return false;
    bool found = false;
    children(node, [&](Tree child) { found = found || has_plain_column(child); });
    return found;
  }

  template <class Each>
  static void children(Tree node, Each&& each) {
    simdjson::dom::object object;
    simdjson::dom::array array;
    if (!node) return;
    if (node.element().get(object) == simdjson::SUCCESS) {
      for (auto field : object) {
        if (field.value.is_object() || field.value.is_array()) each(Tree(field.value));
      }
    } else if (node.element().get(array) == simdjson::SUCCESS) {
      for (simdjson::dom::element item : array) {
        if (item.is_object() || item.is_array()) each(Tree(item));
      }
    }
  }

  // What of the sources flows into the value of an expression.
  void parts_of(Tree node, Env& env, Use use, std::vector<Part>& out, LevelFlags& flags, std::vector<int>& sources) {
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
      use = use_in_call(node.content(), use, flags);
    }
    children(node, [&](Tree child) { parts_of(child, env, use, out, flags, sources); });
  }

  void set_config(Tree call) {
    std::vector<Value> args;
    call.items("args", [&](Tree arg) { args.push_back(value(arg)); });
    for (Value& arg : args) pin(std::exchange(arg.literal, 0));
    if (statement.settings.size() >= kMaxSources) throw TooLarge{};
    // A name that the statement does not show: any setting.
    const bool named = !args.empty() && args[0].known && args[0].parameter == 0;
    statement.settings.push_back({named ? args[0].text : "", args.size() > 1 ? args[1] : Value{}});
  }

  static Use use_in_call(Tree call, Use use, LevelFlags& flags) {
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

  void sub_link(Tree link, Env& env, Use use, std::vector<Part>& out, LevelFlags& flags, std::vector<int>& sources) {
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
  static void presence(const std::vector<int>& sources, const LevelFlags& flags, Sub& sub) {
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

  // ------------------------------------------------------------------ GROUP BY, DISTINCT
  static std::vector<Column> lineage_columns(const Sub& sub) {
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

  void merge_rows(const Sub& sub, const std::vector<Column>& by) {
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

  void grouping(Tree node, Env& env, bool grouped, const LevelFlags& flags, const Sub& sub) {
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

  // ------------------------------------------------------------------ ORDER BY
  // The first column by which rows are sorted. Later ones only order rows that are equal in it.
  std::optional<Ordering> ordering(Tree node, Env& env, const Sub& sub) {
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

  // ------------------------------------------------------------------ conditions
  int add(Predicate predicate) {
    if (statement.query.predicates.size() >= kMaxPredicates) throw TooLarge{};
    statement.query.predicates.push_back(std::move(predicate));
    return static_cast<int>(statement.query.predicates.size()) - 1;
  }
  int always() { return add({}); }
  int same(Column a, Column b) {
    Predicate p;
    p.op = Op::kSame;
    p.column = std::move(a);
    p.other = std::move(b);
    return add(std::move(p));
  }

  void restrict(const std::vector<int>& sources, int predicate) {
    if (statement.query.predicates[static_cast<std::size_t>(predicate)].op == Op::kTrue) {
      statement.query.undecided = true;
      return;
    }
    for (const int s : sources) statement.query.sources[static_cast<std::size_t>(s)].filters.push_back(predicate);
  }

  // Compiles sub-selects that only filter, so that their relations are known to be named.
  void filter_only(Tree node, Env& env, std::vector<int>& sources) {
    if (!node) return;
    const Deeper deeper(*this);
    if (node.tag() == "SubLink") {
      const Sub sub = select(node.content().at("subselect").at("SelectStmt"), &env);
      append(sources, sub.sources);
      filter_only(node.content().at("testexpr"), env, sources);
      return;
    }
    children(node, [&](Tree child) { filter_only(child, env, sources); });
  }

  int condition(Tree node, Env& env, std::vector<int>& sources) {
    std::vector<int> inside;
    filter_only(node, env, inside);
    const int out = predicate(node, env);
    append(sources, inside);
    return out;
  }

  // A predicate may be read as true or, under NOT, as false. Where only a part of a condition is understood (or NULL
  // makes it false and not NULL) it is kept as "that part, and something nobody knows": then its failing says nothing.
  int predicate(Tree node, Env& env) {
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

  int negated(int of) {
    Predicate p;
    p.op = Op::kNot;
    p.args.push_back(of);
    return add(std::move(p));
  }

  // `of` holds whenever the whole does; of its failing nothing is known.
  int only_then(int of) {
    Predicate p;
    p.op = Op::kAnd;
    p.args = {of, always()};
    return add(std::move(p));
  }

  int is_null(Column c) {
    Predicate p;
    p.op = Op::kNull;
    p.column = std::move(c);
    return add(std::move(p));
  }

  static std::string operator_name(Tree expr) {
    std::vector<std::string> path;
    expr.items("name", [&](Tree part) { path.emplace_back(part.string()); });
    if (path.empty() || (path.size() > 1 && path.front() != "pg_catalog")) return "";
    return path.back();
  }

  std::optional<Column> column(Tree node, Env& env) {
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

  static std::string last_name(Tree type) {
    std::string last;
    type.items("names", [&](Tree part) { last = part.string(); });
    return last;
  }

  int comparison(Tree expr, Env& env) {
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

  int equals_any(Tree left, Tree right, Env& env) {
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

  int between(Tree left, Tree right, Env& env) {
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

  static bool usable(const Value& v) { return v.known || v.fractional || v.parameter > 0; }

  int rows_equal(Tree left, Tree right, Env& env) {
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

  int compare(Column c, const std::string& op, Value v) {
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

  int in_list(Tree left, Tree list, const char* key, Env& env) {
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

  // ------------------------------------------------------------------ values
  // libpg_query prints an integer only if it is above zero: what it leaves out is 0 or, where a minus stands, the
  // number behind it. nullopt if the text does not show which (-(5), - -5).
  std::optional<std::string> integer(Tree constant) const {
    const std::int64_t printed = constant.at("ival").number("ival");
    if (printed != 0) return std::to_string(printed);
    const auto at = static_cast<std::size_t>(std::max<std::int64_t>(constant.number("location"), 0));
    const std::string_view rest = text_.substr(std::min(at, text_.size()));
    const bool minus = rest.starts_with('-');
    const std::string_view number = minus ? trim(rest.substr(1)) : rest;
    const std::size_t digits = std::min(number.find_first_not_of("0123456789"), number.size());
    const std::size_t first = number.substr(0, digits).find_first_not_of('0');
    if (digits == 0 || (!minus && first != std::string_view::npos)) return std::nullopt;
    if (first == std::string_view::npos) return "0";
    return "-" + std::string(number.substr(first, digits - first));
  }

  // Where the compiler looks at the text of a value, and does not only hand it on, it must pin the constant.
  Value value(Tree node) const {
    Value out;
    const std::string_view tag = node.tag();
    const Tree body = node.content();
    if (tag == "ParamRef") {
      out.parameter = static_cast<int>(body.number("number"));
    } else if (tag == "A_Const") {
      out.known = true;
      out.literal = literal_of(body);
      if (body.at("sval")) {
        out.text = body.at("sval").text("sval");
        out.quoted = true;
      } else if (body.at("fval")) {
        out.text = body.at("fval").text("fval");
        out.known = all_digits(out.text) || (out.text.size() > 1 && out.text[0] == '-' && all_digits(std::string_view(out.text).substr(1)));
        out.fractional = !out.known;
      } else if (body.at("boolval")) {
        out.text = body.at("boolval").flag("boolval") ? "true" : "false";
        out.boolean = true;
      } else if (body.flag("isnull")) {
        out.null = true;
      } else if (body.at("ival")) {
        if (auto number = integer(body)) out.text = std::move(*number);
        else out.known = false;
      } else {
        out.known = false;
      }
    } else if (tag == "TypeCast") {
      const Tree type = body.at("typeName");
      static const std::set<std::string> kSafe = {"int2", "int4", "int8", "text", "varchar", "uuid", "date", "numeric",
                                                  "citext", "oid"};
      const bool array = type.size("arrayBounds") > 0;
      if (type.number("typemod") == -1 && kSafe.count(last_name(type)) > 0) {
        out = value(body.at("arg"));
        out.array = out.array || array;
      }
    }
    return out;
  }

  // The constant of the text that an A_Const is; negative if the parser has put the minus before it in.
  int literal_of(Tree constant) const {
    return options_.literals == nullptr ? 0 : literal_at(*options_.literals, constant);
  }

  void pin(int literal) const {
    if (literal != 0) (*options_.literals)[static_cast<std::size_t>(std::abs(literal)) - 1].pinned = true;
  }

  // ------------------------------------------------------------------ writes
  Sub modify(std::string_view tag, Tree body, Env& env) {
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
  void flows_in(Tree node, const std::string& column, int target, Env& env, Sub& sub) {
    LevelFlags flags;
    Flow flow;
    flow.name = column;
    parts_of(node, env, Use::kRow, flow.parts, flags, sub.sources);
    std::erase_if(flow.parts, [&](const Part& part) { return part.source == target; });  // the row's own values
    if (flow.parts.empty()) return;
    append(staged_parts_, flow.parts);
    statement_outputs_.push_back({column, -1, {}});
    sub.columns.push_back(std::move(flow));
  }

  void insert(Tree body, Env& env, Write& write, Sub& sub) {
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
        statement_outputs_.push_back({column.name, column.source, column.column});
        for (const Part& part : column.parts) staged_parts_.push_back(part);
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

  // ------------------------------------------------------------------ small things
  static Relation relation(Tree range_var) {
    return {std::string(range_var.text("schemaname")), std::string(range_var.text("relname"))};
  }
  static void names(Tree node, const char* key, std::vector<std::string>& out) {
    node.items(key, [&](Tree name) { out.emplace_back(name.string()); });
  }

 public:
  // INSERT … SELECT: the query that fills the target, as if it were the result.
  std::vector<Output> statement_outputs_;
  std::vector<Part> staged_parts_;

 private:
  std::string_view text_;
  ReadOptions options_;
  std::size_t depth_ = 0;
  const Env* first_env_ = nullptr;
};

}  // namespace

Result<Statement> compile(Tree node, std::string_view text, ReadOptions options) {
  Compiler compiler(text, options);
  try {
    compiler.run(node);
  } catch (const TooLarge&) {
    return fail(Errc::kTooLarge, "the statement is nested too deeply or names too many relations", {},
                "its exposure is graded by the log alone");
  }
  Statement& statement = compiler.statement;
  if (!compiler.staged_parts_.empty()) {
    statement.staged = compiler.statement_outputs_;
    for (const Part& part : compiler.staged_parts_) {
      Source& source = statement.query.sources[static_cast<std::size_t>(part.source)];
      source.staged = std::max(source.staged, part.use);
    }
  }
  if (statement.kind == Kind::kCreateAs || statement.inner == Kind::kCreateAs) {
    statement.staged = statement.query.outputs;
    for (Source& source : statement.query.sources) source.staged = source.use;
  }
  return std::move(statement);
}

}  // namespace tocsin::engine::sql
