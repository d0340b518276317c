// Tables are gathered by query number until the statement's own line comes. Where the text does not tell which of
// them a row is about (views, functions, refused syntax), everyone in all of them.
#include "engine/exposure/mariadb.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "engine/exposure/answer.hpp"
#include "engine/exposure/people_columns.hpp"
#include "engine/exposure/register_changes.hpp"
#include "engine/exposure/statements.hpp"
#include "engine/sql/mysql.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Kind;
using sql::Query;
using sql::Source;
using sql::Use;
using storage::People;

namespace {

constexpr std::size_t kMaxOpened = 16;          // statements of a session that wait for their line
constexpr std::size_t kMaxOpenedTables = 1000;  // of one statement

bool is_server_table(std::string_view database) {
  return database == "mysql" || database == "information_schema" || database == "performance_schema" || database == "sys";
}

// A name that stands for tables which the text does not name: a view. What it rests on is among the tables opened.
void learn_mysql_bases(StatementLine& line, const std::string& name, const Session::Opened& opened) {
  const std::vector<std::string>& tables = opened.read.empty() ? line.session.locked : opened.read;
  if (tables.empty() || line.catalogue.definitions(name) != nullptr) return;
  const auto holds = [&](const std::vector<std::string>& list, const std::string& what) {
    return std::find(list.begin(), list.end(), what) != list.end();
  };
  if (holds(tables, name) || holds(opened.written, name)) return;
  for (const std::string& table : tables) line.catalogue.set_bases(name, table);
}

// `target` now holds what `tables` held, in columns nobody knows.
void opaque_copy(StatementLine& line, const std::string& target, const std::vector<std::string>& tables) {
  for (const std::string& table : std::set<std::string>(tables.begin(), tables.end())) {
    if (table == target || table.find('"') != std::string::npos) continue;
    std::string text = "create table t as select json_agg(p) from \"" + table + "\" p";
    auto reading = sql::read(text);
    if (reading) line.catalogue.add_copy(target, definition(line, {std::move(*reading), 0, std::move(text), false}, true));
  }
}

// Everyone in the datasets of the tables that were read.
void tables_only(StatementLine& line, const Session::Opened& opened, const std::string& why, std::optional<std::uint64_t> rows = std::nullopt) {
  if (line.access.outcome == Outcome::kFailure && nothing_was_read(line.access.error)) return;
  for (const std::string& table : std::set<std::string>(opened.read.begin(), opened.read.end())) {
    Query named;
    named.sources.emplace_back();
    named.sources.front().relation.name = table;
    named.sources.front().use = Use::kRow;
    named.sources.front().columns = {"*"};
    named.outputs.push_back({"*", 0, "*"});
    if (rows) named.limit = rows;
    QueryRun run{named, {}, line.when, "select", statement_key(line) + "/" + table};
    if (line.access.resource.dataset.empty()) line.access.resource.dataset = table;
    line.unread_reason = why;
    answer(line, run);
    line.unread_reason.clear();
  }
}

// Tables opened more often than the text names them: read within a view, a function or a trigger. Their rows may
// have come back by its value.
void hidden_tables(StatementLine& line, const sql::Statement& s, const Session::Opened& opened) {
  if (line.access.outcome == Outcome::kFailure) return;
  const bool copies = !s.staged.empty();
  if (s.query.outputs.empty() && !copies) return;
  if (!copies && s.kind != Kind::kSelect && s.kind != Kind::kInsert && s.kind != Kind::kDelete && s.kind != Kind::kUpdate) return;
  Expanded expanded;
  const bool needed = needs_expansion(s.query, line.catalogue, names_of(line));
  if (needed) expanded = expand(s.query, line.catalogue, names_of(line));
  const Query& query = needed ? expanded.query : s.query;
  std::map<std::string, int> more;
  for (const std::string& table : opened.read) ++more[table];
  for (const Source& source : query.sources) --more[source.relation.name];
  std::vector<std::string> hidden;
  for (const auto& [table, count] : more) {
    if (count > 0) hidden.push_back(table);
  }
  if (hidden.empty()) return;
  // Two indexes of one table are two reads of it: where the text calls nothing and each relation that it names is a table
  // which was read, nothing else can have read one of them once more.
  const bool all_tables = std::all_of(s.query.sources.begin(), s.query.sources.end(), [&](const Source& source) {
    return std::find(opened.read.begin(), opened.read.end(), source.relation.name) != opened.read.end();
  });
  const bool all_named = std::all_of(hidden.begin(), hidden.end(), [&](const std::string& table) {
    return std::any_of(s.query.sources.begin(), s.query.sources.end(), [&](const Source& source) { return source.relation.name == table; });
  });
  if (s.kind == Kind::kSelect && !s.query.calls && all_tables && all_named) return;
  if (copies) {
    opaque_copy(line, s.target.name, hidden);
    return;
  }
  Session::Opened part;
  part.read = std::move(hidden);
  tables_only(line, part, "it was read through a view or function whose definition is not in the log");
}

// MySQL's log counts nothing and a COMMIT may be automatic, so a DELETE is never believed and an UPDATE makes its
// columns useless; both leave the set wider.
void careful_write(StatementLine& line, const sql::Statement& s) {
  if (line.state.warming || line.access.outcome == Outcome::kFailure) return;
  for (const sql::Write& w : s.writes) {
    if (w.source < 0) continue;
    for (const PersonColumn& key : person_columns(line, s.query, static_cast<std::size_t>(w.source))) {
      People* people = line.state.registers.find(key.dataset);
      if (!key.main || people == nullptr || !people->registered() || line.when.to <= people->as_of()) continue;
      for (const auto& [column, value] : w.set) {
        if (column == key.column) people->mark_incomplete(line.when.from);
        for (const std::string& known : people->columns()) {
          if (iequals(known, column)) people->taint(known);
        }
      }
    }
  }
  line.access.statement.audit_class.clear();  // write() leaves it alone
}

// A table of people that was written in a way which nobody could follow.
void unseen_writes(StatementLine& line, const Session::Opened& opened, const sql::MysqlReading* m) {
  if (line.state.warming || line.access.outcome == Outcome::kFailure) return;
  for (const std::string& table : std::set<std::string>(opened.written.begin(), opened.written.end())) {
    const bool followed = m != nullptr && std::any_of(m->reading->statements.begin(), m->reading->statements.end(), [&](const sql::Statement& s) {
      return std::any_of(s.writes.begin(), s.writes.end(), [&](const sql::Write& w) {
        return w.source >= 0 && s.query.sources[static_cast<std::size_t>(w.source)].relation.name == table;
      });
    });
    if (followed) continue;
    // A trigger, function or procedure filled it, from whatever was read or written beside it.
    for (const std::vector<std::string>* list : {&opened.read, &opened.written}) {
      for (const std::string& from : *list) {
        if (from != table && !person_columns(line, from).empty() && person_columns(line, table).empty()) line.catalogue.feed(table, from);
      }
    }
    for (const PersonColumn& key : person_columns(line, table)) {
      People* people = line.state.registers.find(key.dataset);
      if (!key.main || people == nullptr || !people->registered() || line.when.to <= people->as_of()) continue;
      people->mark_incomplete(line.when.from);
      for (const std::string& column : people->columns()) people->taint(column);
    }
  }
}

void unread_mysql(StatementLine& line, const Session::Opened& opened, const std::string& why, const std::string& target) {
  const std::string& word = line.access.operation;
  static const std::set<std::string_view> kNoRows = {"SHOW", "EXPLAIN", "DESCRIBE", "DESC", "USE", "GRANT", "REVOKE", "ALTER", "DROP",
                                                     "CREATE", "LOCK", "UNLOCK", "FLUSH", "ANALYZE", "CHECK", "CHECKSUM", "OPTIMIZE",
                                                     "REPAIR", "RENAME", "TRUNCATE", "COMMIT", "ROLLBACK", "BEGIN", "START", "PREPARE",
                                                     "DEALLOCATE", "KILL", "RESET", "SAVEPOINT"};
  const bool reads = kNoRows.count(word) == 0;
  const bool returns = line.access.statement.cut || may_return(line.access.statement.text);
  if (reads && opened.read.empty() && opened.written.empty()) {
    // After LOCK TABLES no tables are logged; else nothing tells what it read.
    Session::Opened locked;
    locked.read = line.session.locked;
    const bool writes = word == "SET" || word == "INSERT" || word == "UPDATE" || word == "REPLACE" || word == "LOAD";
    if (!locked.read.empty()) tables_only(line, locked, why);
    else if (!writes || returns) by_relation(line, why);
  } else if (reads) {
    Session::Opened all = opened;
    if (word == "UPDATE" || (!returns && (word == "INSERT" || word == "REPLACE" || word == "DELETE"))) all.read.clear();
    if (returns) all.read.insert(all.read.end(), all.written.begin(), all.written.end());
    tables_only(line, all, why);
  }
  if (!target.empty() && line.access.outcome != Outcome::kFailure) opaque_copy(line, target, opened.read);
  unseen_writes(line, opened, nullptr);
}

void mysql_query(StatementLine& line, const sql::MysqlReading& m, Session::Opened opened) {
  Access& access = line.access;
  if (m.for_update) {  // what the text names was read; anything more was written
    for (const sql::Statement& s : m.reading->statements) {
      for (const Source& source : s.query.sources) {
        const auto at = std::find(opened.written.begin(), opened.written.end(), source.relation.name);
        if (at == opened.written.end()) continue;
        opened.read.push_back(*at);
        opened.written.erase(at);
      }
    }
  }
  for (std::size_t i = 0; i < m.reading->statements.size(); ++i) {
    const sql::Statement& s = m.reading->statements[i];
    if (s.kind == Kind::kTruncate || s.kind == Kind::kOther) continue;
    access.statement.command = s.kind == Kind::kCreateTable ? "CREATE TABLE" : "";
    access.statement.audit_class = s.writes.empty() ? "" : "WRITE";
    for (const Source& source : s.query.sources) {
      if (!source.relation.is_catalog()) learn_mysql_bases(line, source.relation.name, opened);
    }
    if (s.kind == Kind::kDelete || s.kind == Kind::kUpdate) careful_write(line, s);
    line.mysql_way = m.outfile ? "outfile" : m.dump ? "mysqldump" : "";
    read_statement(line, m.reading, i, false);
    line.mysql_way.clear();
    hidden_tables(line, s, opened);
  }
  unseen_writes(line, opened, &m);
}

void mysql_statement(StatementLine& line, const Session::Opened& opened) {
  Access& access = line.access;
  const bool failed = access.outcome == Outcome::kFailure;
  access.statement.parameters_known = false;
  if (failed && nothing_was_read(access.error)) {
    if (const auto read = sql::read_mysql(access.statement.text); read->reading) {
      for (const sql::Statement& s : read->reading->statements) name_resource(line, s.query);
    }
    return;
  }
  if (access.statement.cut || access.statement.text.empty() || line.session.other_modes) {
    const char* why = line.session.other_modes     ? "its session changed sql_mode, so the text may mean something else"
                      : access.statement.cut ? "the log cut the statement at its limit"
                                             : "the log does not show the statement";
    unread_mysql(line, opened, why, access.statement.cut ? sql::read_mysql(access.statement.text)->target : std::string());
    return;
  }
  const auto read = sql::read_mysql(access.statement.text);
  const sql::MysqlReading& m = *read;
  if (!m.modes.empty()) {
    for (const char* mode : {"ansi", "ANSI", "backslash", "BACKSLASH", "pipes", "PIPES", "oracle", "ORACLE", "db2", "DB2"}) {
      line.session.other_modes = line.session.other_modes || m.modes.find(mode) != std::string::npos;
    }
  }
  switch (m.kind) {
    case sql::MysqlKind::kNothing: break;
    case sql::MysqlKind::kRefused: unread_mysql(line, opened, m.reason, m.target); break;
    case sql::MysqlKind::kLock:
      line.session.locked = opened.read;
      line.session.locked.insert(line.session.locked.end(), opened.written.begin(), opened.written.end());
      for (const std::string& name : m.relations) learn_mysql_bases(line, name, opened);
      break;
    case sql::MysqlKind::kUnlock: line.session.locked.clear(); break;
    case sql::MysqlKind::kOpaque:
      tables_only(line, opened, "what the statement does with the rows cannot be told", m.one_row ? std::optional<std::uint64_t>(1) : std::nullopt);
      unseen_writes(line, opened, nullptr);
      break;
    case sql::MysqlKind::kQuery:
      if (m.reading) mysql_query(line, m, opened);
      break;
  }
}

// A statement whose own line is not in the log: its tables are all there is.
void let_go(ReaderState& state, Session& s, std::map<std::uint64_t, Session::Opened>::iterator at, const Access& access, std::vector<Reach>& out) {
  Session::Opened opened = std::move(at->second);
  Access stand_in = access;
  stand_in.statement = {};
  stand_in.statement.number = at->first;
  stand_in.origin = opened.origin;
  stand_in.subjects.clear();
  stand_in.outcome = Outcome::kSuccess;
  s.opened.erase(at);
  StatementLine line{state, stand_in, s, state.catalogue(access), {opened.time, access.time + std::chrono::seconds(1)}, out};
  tables_only(line, opened, "the log does not show the statement");
  unseen_writes(line, opened, nullptr);
}

void open_table(ReaderState& state, Session& s, const Access& access, std::vector<Reach>& out) {
  const std::string& command = access.statement.command;
  if (command != "READ" && command != "WRITE") return;
  Session::Opened& opened = s.opened[access.statement.number];
  if (opened.time == Time{}) {
    opened.time = s.last_known ? s.last : access.time;
    opened.origin = access.origin;
  }
  auto& tables = command == "READ" ? opened.read : opened.written;
  if (tables.size() < kMaxOpenedTables) tables.push_back(to_lower(access.resource.dataset));
  if (s.opened.size() > kMaxOpened) let_go(state, s, s.opened.begin(), access, out);
}

}  // namespace

void read_mariadb(ReaderState& state, Access& access, std::vector<Reach>& out) {
  Session& s = state.session(access);
  const std::uint64_t number = access.statement.number;
  if (access.statement.audit_class == "TABLE") {
    if (is_server_table(access.resource.store)) return;
    open_table(state, s, access, out);
    return;
  }
  // Only the statement itself, not one within it, leaves its line later: what it called and did not log is over.
  Session::Opened opened;
  if (auto found = s.opened.extract(number); !found.empty()) opened = std::move(found.mapped());
  while (!s.opened.empty() && number > 0 && s.opened.rbegin()->first > number) let_go(state, s, std::prev(s.opened.end()), access, out);
  if (number == 0 || number != s.number) begin_statement(state, s, access);
  StatementLine line{state, access, s, state.catalogue(access), window(state, s, access), out};
  // Times are whole seconds: the statement ended before the next one.
  line.when.to = access.time + std::chrono::seconds(1) - Duration(1);
  if (opened.time != Time{}) line.when.from = std::min(line.when.from, opened.time);
  mysql_statement(line, opened);
  s.last = access.time;
  s.last_known = true;
}

void end_mariadb_session(ReaderState& state, const Access& access, std::vector<Reach>& out) {
  Session& s = state.session(access);
  while (!s.opened.empty()) let_go(state, s, s.opened.begin(), access, out);
  state.forget(s);
}

}  // namespace tocsin::engine
