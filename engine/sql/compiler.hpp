// The compiler of one statement, whose parts stand in files of their own: one pass over the parse tree that dissolves
// sub-selects, CTEs and joins into a flat list of sources with the conditions that surely hold for them. Where SQL
// leaves a doubt (an unqualified name in a join, an unknown function) the doubt goes to the wider side: a reference
// counts for every source it may mean, a condition narrows only a source it surely means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/compile.hpp"
#include "engine/sql/scope.hpp"

namespace tocsin::engine::sql {

struct TooLarge {};  // thrown by the compiler only, caught in compile()

// What was seen in the expressions of one level.
struct LevelFlags {
  bool aggregate = false;
  bool window = false;
  bool unknown_function = false;
  bool unknown_is_scalar = false;  // a plain column without GROUP BY: no function here can be an aggregate
};

class Compiler {
 public:
  Compiler(std::string_view text, ReadOptions options) : text_(text), options_(options) {}
  void run(Tree node);

  Statement statement;
  // What the statement puts into its target, as if that were its result (INSERT … SELECT, UPDATE … FROM).
  std::vector<Output> staged_outputs;
  std::vector<Part> staged_parts;

 private:
  struct Deeper {  // one level of the tree, for as long as it lives
    explicit Deeper(Compiler& c) : compiler(c) {
      if (++compiler.depth_ > kMaxDepth) throw TooLarge{};
    }
    ~Deeper() { --compiler.depth_; }
    Compiler& compiler;
  };

  // Statements (compile.cpp).
  void top(std::string_view tag, Tree body, Kind& kind);
  void holder(std::string_view tag, Tree body, Kind& kind);
  void made_as(Tree into);
  void copy(Tree body, Kind& kind);
  void utility(std::string_view tag, Tree body, Kind& kind);
  void finish(Sub sub, Tree select);

  // Selects, grouping and order (compile_select.cpp).
  Sub select(Tree node, const Env* outer, bool sees_outer_items = true);
  void values_row(Tree row, Env& env, Sub& sub);
  Sub set_operation(Tree node, Env& env);
  void merge_rows(const Sub& sub, const std::vector<Column>& by);
  void grouping(Tree node, Env& env, bool grouped, const LevelFlags& flags, const Sub& sub);
  std::optional<Ordering> ordering(Tree node, Env& env, const Sub& sub);

  // WITH and FROM (compile_from.cpp).
  void with_clause(Tree with, Env& env);
  int add_source(Tree range_var, Item& item);
  void from_item(Tree node, Env& env, std::vector<int>& sources, bool nullable);
  void use_cte(Cte& cte, Tree range_var, Item& item, std::vector<int>& sources);
  void join(Tree body, Env& env, std::vector<int>& sources, bool nullable);

  // What flows into results (compile_flow.cpp).
  void targets(Tree node, const char* list, Env& env, LevelFlags& flags, Sub& sub);
  bool expand_star(Tree val, Env& env, Sub& sub);
  void parts_of(Tree node, Env& env, Use use, std::vector<Part>& out, LevelFlags& flags, std::vector<int>& sources);
  void set_config(Tree call);
  void sub_link(Tree link, Env& env, Use use, std::vector<Part>& out, LevelFlags& flags, std::vector<int>& sources);
  static bool has_plain_column(Tree node);
  static void presence(const std::vector<int>& sources, const LevelFlags& flags, Sub& sub);

  // Conditions (compile_condition.cpp): each gives the place of its predicate in the query.
  int add(Predicate predicate);
  int always();
  int same(Column a, Column b);
  void restrict(const std::vector<int>& sources, int predicate);
  void filter_only(Tree node, Env& env, std::vector<int>& sources);
  int condition(Tree node, Env& env, std::vector<int>& sources);
  int predicate(Tree node, Env& env);
  int negated(int of);
  int only_then(int of);
  int is_null(Column c);
  std::optional<Column> column(Tree node, Env& env);
  int comparison(Tree expr, Env& env);
  int equals_any(Tree left, Tree right, Env& env);
  int between(Tree left, Tree right, Env& env);
  int rows_equal(Tree left, Tree right, Env& env);
  int compare(Column c, const std::string& op, Value v);
  int in_list(Tree left, Tree list, const char* key, Env& env);

  // Values (compile_value.cpp).
  std::optional<std::string> integer(Tree constant) const;
  Value value(Tree node) const;
  int literal_of(Tree constant) const;
  void pin(int literal) const;
  static bool usable(const Value& v) { return v.known || v.fractional || v.parameter > 0; }  // it can be compared
  static bool all_digits(std::string_view text);

  // Writes (compile_write.cpp).
  Sub modify(std::string_view tag, Tree body, Env& env);
  void flows_in(Tree node, const std::string& column, int target, Env& env, Sub& sub);
  void insert(Tree body, Env& env, Write& write, Sub& sub);

  // Names.
  static std::string last_name(Tree type);  // of a type: "int4" of pg_catalog.int4
  static Relation relation(Tree range_var) {
    return {std::string(range_var.text("schemaname")), std::string(range_var.text("relname"))};
  }
  static void names(Tree node, const char* key, std::vector<std::string>& out) {
    node.items(key, [&](Tree name) { out.emplace_back(name.string()); });
  }

  std::string_view text_;
  ReadOptions options_;
  std::size_t depth_ = 0;
};

}  // namespace tocsin::engine::sql
