// Statements as a whole: which kind each is, what it holds, what its result gives away.
#include "engine/sql/compiler.hpp"

#include <algorithm>
#include <utility>

#include "engine/sql/utility.hpp"

namespace tocsin::engine::sql {
namespace {

Tree into_clause(Tree select) {
  if (const Tree into = select.at("intoClause")) return into;
  if (const Tree left = select.at("larg")) return into_clause(left);
  return {};
}

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (name == "*") {
    names.assign(1, name);
  } else if (std::find(names.begin(), names.end(), name) == names.end() &&
             (names.empty() || names.front() != "*")) {
    names.push_back(name);
  }
}

}  // namespace

void Compiler::run(Tree node) {
  statement.kind = Kind::kOther;
  top(node.tag(), node.content(), statement.kind);
  if (statement.inner == Kind::kOther) statement.inner = statement.kind;
}

void Compiler::top(std::string_view tag, Tree body, Kind& kind) {
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
void Compiler::holder(std::string_view tag, Tree body, Kind& kind) {
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

void Compiler::made_as(Tree into) {
  statement.target = relation(into.at("rel"));
  statement.temporary = into.at("rel").text("relpersistence") == "t";
  names(into, "colNames", statement.target_columns);
}

void Compiler::copy(Tree body, Kind& kind) {
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

void Compiler::utility(std::string_view tag, Tree body, Kind& kind) {
  const ValueReader read = [this](Tree node, bool looked_at) {
    Value v = value(node);
    if (looked_at) pin(std::exchange(v.literal, 0));
    return v;
  };
  compile_utility(tag, body, read, statement, kind);
}

// Turns the outermost result into the uses of the sources.
void Compiler::finish(Sub sub, Tree select) {
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

Result<Statement> compile(Tree node, std::string_view text, ReadOptions options) {
  Compiler compiler(text, options);
  try {
    compiler.run(node);
  } catch (const TooLarge&) {
    return fail(Errc::kTooLarge, "the statement is nested too deeply or names too many relations", {},
                "its exposure is graded by the log alone");
  }
  Statement& statement = compiler.statement;
  if (!compiler.staged_parts.empty()) {
    statement.staged = compiler.staged_outputs;
    for (const Part& part : compiler.staged_parts) {
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
