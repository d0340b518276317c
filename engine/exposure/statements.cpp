// One switch over the kinds of statements; what cannot be said at once (a FETCH's rows, an EXECUTE's text) is kept in
// the session.
#include "engine/exposure/statements.hpp"

#include <algorithm>
#include <utility>

#include "engine/exposure/answer.hpp"
#include "engine/exposure/copies.hpp"
#include "engine/exposure/register_changes.hpp"
#include "engine/exposure/settings.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Kind;
using sql::Source;
using sql::Use;

namespace {

// Writes what was put off, with the values of the EXECUTE or, if none came, without.
void apply_deferred(ReaderState& state, Session& s, const std::vector<std::string>* values) {
  Session::Deferred d = std::move(*s.deferred);
  s.deferred.reset();
  if (values != nullptr) {
    d.access.statement.parameters = *values;
    d.access.statement.parameters_known = true;
  }
  std::vector<Reach> unused;
  StatementLine line{state, d.access, s, state.catalogue(d.access), d.when, unused};
  write(line, d.said.statement());
}

std::string copy_way(const Access& access) {
  return iequals(access.via, "pg_dump") || iequals(access.client.user_agent, "pg_dump") ? "pg_dump" : "copy";
}

void end_transaction(StatementLine& line, bool rolled_back) {
  Session& s = line.session;
  if (rolled_back && !line.state.warming) {
    for (const auto& [dataset, no] : s.added) line.state.registers.of(dataset).remove(no, line.access.time);
  }
  if (!rolled_back && !line.state.warming) {
    for (const auto& [dataset, no] : s.removed) line.state.registers.of(dataset).remove(no, line.access.time + line.state.options.commit_slack);
  }
  s.added.clear();
  s.removed.clear();
  settle_dropped(line, rolled_back);
  s.transaction.reset();
  std::erase_if(s.cursors, [](const auto& entry) { return !entry.second.hold; });
}

void prepare(StatementLine& line, KnownStatement said, const std::string& name) {
  Session& s = line.session;
  if (s.prepared.size() >= line.state.options.max_prepared && s.prepared.count(name) == 0) s.prepared.erase(s.prepared.begin());
  s.prepared[name] = {std::move(said), line.access.origin};
}

void declare(StatementLine& line, KnownStatement said, const std::string& name) {
  Session& s = line.session;
  if (s.cursors.size() >= line.state.options.max_cursors && s.cursors.count(name) == 0) s.cursors.erase(s.cursors.begin());
  Session::Cursor cursor;
  cursor.said = std::move(said);
  cursor.parameters = line.access.statement.parameters;
  cursor.parameters_known = line.access.statement.parameters_known;
  cursor.key = statement_key(line) + "/" + name;
  cursor.origin = line.access.origin;
  cursor.from = line.when.from;
  cursor.hold = line.access.statement.text.find("HOLD") != std::string::npos ||
                line.access.statement.text.find("hold") != std::string::npos;
  name_resource(line, cursor.said.statement().query);
  s.cursors[name] = std::move(cursor);
  line.access.action = Action::kQuery;
}

void fetch(StatementLine& line, const sql::Statement& s) {
  Access& access = line.access;
  const auto found = line.session.cursors.find(s.name);
  if (access.outcome == Outcome::kFailure && nothing_was_read(access.error)) return;
  if (found == line.session.cursors.end()) {
    if (access.outcome == Outcome::kFailure) return;
    Reach reach = blank(line, "", statement_key(line));
    reach.way = "cursor";
    reach.at_least = 0;
    if (!s.all) reach.at_most = s.count;
    reach.reason = "Rows were fetched from a cursor whose declaration is not in the log";
    emit(line, std::move(reach));
    return;
  }
  Session::Cursor& cursor = found->second;
  if (cursor.fetched == 0 && !cursor.all) cursor.first = access.time;
  cursor.all = cursor.all || s.all;
  cursor.jumped = cursor.jumped || s.jumps;
  cursor.fetched += std::min<std::uint64_t>(s.count, UINT64_MAX / 4 - std::min(cursor.fetched, UINT64_MAX / 4));
  access.action = Action::kRead;
  const sql::Statement& declared = cursor.said.statement();
  storage::Span when{std::min(cursor.from, line.when.from), access.time};
  QueryRun run{declared.query, {&cursor.parameters, cursor.parameters_known}, when, copy_way(access) == "pg_dump" ? "pg_dump" : "cursor", cursor.key};
  if (!cursor.all) run.most_rows = cursor.fetched;
  run.jumped = cursor.jumped;
  run.first = cursor.first;
  run.also.push_back(cursor.origin);
  answer(line, run);
}

void execute(StatementLine& line, const sql::Statement& s) {
  std::vector<std::string> values;
  bool known = true;
  for (const sql::Value& v : s.arguments) {
    known = known && v.known && v.parameter == 0;
    values.push_back(v.text);
  }
  if (line.session.deferred) apply_deferred(line.state, line.session, known ? &values : nullptr);
  // The lines with the prepared text came first, if the log has them: this one only supports them.
  if (!line.session.reaches.empty()) {
    for (Reach reach : std::vector<Reach>(line.session.reaches)) {
      reach.origin = line.access.origin;
      emit(line, std::move(reach));
    }
    return;
  }
  if (!line.session.rows.empty()) return;  // they came, and said that nobody was reached
  const auto found = line.session.prepared.find(s.name);
  if (found == line.session.prepared.end()) {
    if (line.access.outcome == Outcome::kFailure) return;
    Reach reach = blank(line, "", statement_key(line));
    reach.way = "prepared";
    reach.at_least = 0;
    reach.reason = "A prepared statement was executed whose text is not in the log";
    emit(line, std::move(reach));
    return;
  }
  const sql::Statement& prepared = found->second.said.statement();
  if (prepared.query.outputs.empty()) return;
  QueryRun run{prepared.query, {&values, known}, line.when, "prepared", statement_key(line)};
  run.also.push_back(found->second.origin);
  answer(line, run);
}

// Whether the log's row count is that of the rows the client got. Within INSERT … SELECT … RETURNING and in
// CTEs that write, lines count rows of parts.
bool counts_result(const sql::Statement& s, const Access& access) {
  if (s.writes.empty()) return true;
  const bool plain_write = s.kind == Kind::kInsert || s.kind == Kind::kUpdate || s.kind == Kind::kDelete;
  return plain_write && s.writes.size() == 1 && access.statement.audit_class == "WRITE";
}

// `index`: which of the message's statements it is; they share one text, and with a simple message one number.
void query(StatementLine& line, const sql::Statement& s, const std::string& way, std::size_t index, bool several) {
  Access& access = line.access;
  const bool failed = access.outcome == Outcome::kFailure;
  if (s.query.key_share) return;  // PostgreSQL's own foreign-key check
  if (failed && nothing_was_read(access.error)) {
    name_resource(line, s.query);
    return;
  }
  const std::size_t text = std::hash<std::string>{}(access.statement.text);
  QueryRun run{s.query,
               {&access.statement.parameters, access.statement.parameters_known},
               line.when,
               failed ? "failed" : way,
               statement_key(line) + "/" + std::to_string(text) + (several ? "/" + std::to_string(index) : "")};
  // Without row counts a cursor's query has a line when it is declared: the FETCHes, if they are logged, say how much of it.
  if (s.kind == Kind::kDeclare) run.key = statement_key(line) + "/" + s.name;
  run.failed = failed;
  run.several = several;
  run.place = s.to_program ? "program" : s.to_file ? "file" : "";
  if (access.rows.certainty == Certainty::kExact && counts_result(s, access)) {
    auto& most = line.session.rows[text];
    most = std::max(most, access.rows.value);
    run.rows = most;
  } else if (const auto seen = line.session.rows.find(text); seen != line.session.rows.end()) {
    run.rows = seen->second;
  }
  if (s.kind == Kind::kCopyOut) access.action = Action::kExport;
  if (s.kind == Kind::kPrepare) {
    const auto prepared = line.session.prepared.find(s.name);
    if (prepared != line.session.prepared.end()) run.also.push_back(prepared->second.origin);
  }
  answer(line, run);
}

void other(StatementLine& line) {
  const Statement& st = line.access.statement;
  if (st.audit_class == "READ" && !st.relation.empty()) by_relation(line, "it was read inside a function or block");
}

}  // namespace

void begin_statement(ReaderState& state, Session& s, const Access& access) {
  if (s.deferred) apply_deferred(state, s, nullptr);
  s.number = access.statement.number;
  s.before = s.last;
  s.before_known = s.last_known;
  s.rows.clear();
  s.reaches.clear();
  s.staged.clear();
  s.touched.clear();
  s.views.clear();
}

bool may_return(std::string_view text) {
  constexpr std::string_view kWord = "returning", kReplacement = "\xEF\xBF\xBD";
  for (std::size_t start = 0; start + kWord.size() <= text.size(); ++start) {
    std::size_t letter = 0;
    for (std::size_t at = start; letter < kWord.size() && at < text.size(); ++letter) {
      if (text.compare(at, kReplacement.size(), kReplacement) == 0) at += kReplacement.size();
      else if ((text[at] | 0x20) == kWord[letter]) ++at;
      else break;
    }
    if (letter == kWord.size()) return true;
  }
  return false;
}

KnownStatement said(const StatementLine& line, const ReadingPtr& reading, const sql::Statement& s) {
  return {reading, static_cast<std::size_t>(&s - reading->statements.data()), line.access.statement.text, is_mysql(line.access)};
}

Definition definition(const StatementLine& line, KnownStatement said, bool copy) {
  Definition d;
  d.said = std::move(said);
  d.copy = copy;
  d.parameters = line.access.statement.parameters;
  d.parameters_known = line.access.statement.parameters_known;
  d.taken = line.when;
  return d;
}

void read_statement(StatementLine& line, const ReadingPtr& reading, std::size_t index, bool several) {
  const sql::Statement& s = reading->statements[index];
  Access& access = line.access;
  const bool failed = access.outcome == Outcome::kFailure;
  const std::string& command = access.statement.command;
  if (command != "PREPARE") {  // writes count wherever they stand: in CTEs, prepared, under EXPLAIN ANALYZE
    if (!s.writes.empty()) {
      if (s.kind == Kind::kPrepare && !access.statement.parameters_known && access.statement.audit_class == "WRITE") {
        line.session.deferred = Session::Deferred{access, said(line, reading, s), line.when};
      } else {
        write(line, s);
      }
    }
    follow_copies(line, reading, s);
  }
  if (!failed) note_settings(line, s);
  switch (s.kind) {
    case Kind::kSet:
    case Kind::kReset:
    case Kind::kDefaults: return;
    case Kind::kBegin:
      if (!line.session.transaction) line.session.transaction = line.when.from;
      return;
    case Kind::kCommit:
    case Kind::kRollback: end_transaction(line, s.kind == Kind::kRollback); return;
    case Kind::kRollbackTo: return;  // part of the transaction; what it took back stays counted
    case Kind::kCreateTable:
    case Kind::kCreateForeign:
    case Kind::kCreateView:
    case Kind::kDrop:
    case Kind::kRename:
    case Kind::kAlterTable:
    case Kind::kRule:
    case Kind::kRefresh: change_relations(line, reading, s); return;
    case Kind::kPrepare:
      if (command == "PREPARE") {
        if (!failed) prepare(line, said(line, reading, s), s.name);
        return;
      }
      if (s.inner != Kind::kCreateAs && !s.query.outputs.empty()) query(line, s, "prepared", index, several);
      return;
    case Kind::kDeallocate:
      if (s.name.empty()) line.session.prepared.clear();
      else line.session.prepared.erase(s.name);
      return;
    case Kind::kDeclare:
      if (command == "DECLARE CURSOR" || command.empty()) {
        if (!failed) declare(line, said(line, reading, s), s.name);
        return;
      }
      query(line, s, "cursor", index, several);
      return;
    case Kind::kFetch: fetch(line, s); return;
    case Kind::kMove:
      if (const auto moved = line.session.cursors.find(s.name); moved != line.session.cursors.end()) moved->second.jumped = true;
      return;
    case Kind::kClose:
      if (s.name.empty()) line.session.cursors.clear();
      else line.session.cursors.erase(s.name);
      return;
    case Kind::kExecute: execute(line, s); return;
    case Kind::kExplain: return;  // a plan, no rows
    case Kind::kCreateAs: return;
    case Kind::kCopyOut: query(line, s, copy_way(access), index, several); return;
    case Kind::kCopyIn: return;
    case Kind::kInsert:
    case Kind::kUpdate:
    case Kind::kDelete:
    case Kind::kMerge:
      if (!s.query.outputs.empty()) query(line, s, "returning", index, several);
      return;
    case Kind::kSelect: query(line, s, line.mysql_way.empty() ? "select" : line.mysql_way, index, several); return;
    case Kind::kTruncate:
      for (const sql::Relation& r : s.dropped) emptied(line, r);
      return;
    case Kind::kCall:
    case Kind::kOther: other(line); return;
  }
}

}  // namespace tocsin::engine
