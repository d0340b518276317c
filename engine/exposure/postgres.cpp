// Chooses the statements of a message that the line is about by pgaudit's COMMAND and relation.
#include "engine/exposure/postgres.hpp"

#include <algorithm>

#include "engine/exposure/answer.hpp"
#include "engine/exposure/copies.hpp"
#include "engine/exposure/register_changes.hpp"
#include "engine/exposure/settings.hpp"
#include "engine/exposure/statements.hpp"

namespace tocsin::engine {

using sql::Kind;

namespace {

bool is_catalog_relation(std::string_view dataset) {
  return dataset.starts_with("pg_catalog.") || dataset.starts_with("information_schema.") ||
         dataset.starts_with("pg_toast.");
}

// pgaudit's COMMAND that a statement kind leads to.
bool fits(std::string_view command, const sql::Statement& s) {
  const Kind kind = s.kind;
  if (command.empty()) return true;
  if (command == "COPY") return kind == Kind::kCopyOut || kind == Kind::kCopyIn;
  if (command == "DECLARE CURSOR") return kind == Kind::kDeclare;
  if (command == "FETCH" || command == "MOVE") return kind == Kind::kFetch || kind == Kind::kMove;
  if (command == "CLOSE CURSOR" || command == "CLOSE CURSOR ALL") return kind == Kind::kClose;
  if (command == "PREPARE") return kind == Kind::kPrepare;
  if (command == "EXECUTE") return kind == Kind::kExecute;
  if (command.starts_with("DEALLOCATE")) return kind == Kind::kDeallocate;
  if (command == "SET") return kind == Kind::kSet;
  if (command == "RESET") return kind == Kind::kReset;
  if (command == "BEGIN" || command == "START TRANSACTION") return kind == Kind::kBegin;
  if (command == "COMMIT") return kind == Kind::kCommit;
  if (command == "ROLLBACK") return kind == Kind::kRollback || kind == Kind::kRollbackTo;
  if (command == "EXPLAIN") return kind == Kind::kExplain;
  if (command == "CREATE TABLE") return kind == Kind::kCreateTable;
  if (command == "CREATE VIEW") return kind == Kind::kCreateView;
  if (command == "SELECT") {
    return kind == Kind::kSelect || kind == Kind::kCopyOut || kind == Kind::kPrepare || kind == Kind::kDeclare ||
           kind == Kind::kCreateAs || kind == Kind::kInsert || kind == Kind::kUpdate || kind == Kind::kDelete ||
           kind == Kind::kMerge || kind == Kind::kExplain || kind == Kind::kExecute || kind == Kind::kRefresh;
  }
  if (command == "INSERT" || command == "UPDATE" || command == "DELETE" || command == "MERGE") {
    return !s.writes.empty();
  }
  return true;
}

// A table that the text does not name, in a statement that reads a view: the view rests on it.
void learn_bases(StatementLine& line, const sql::Reading& reading, const std::vector<std::size_t>& chosen) {
  const Access& access = line.access;
  if (line.session.views.empty() || access.statement.relation_type != "TABLE") return;
  for (const std::size_t i : chosen) {
    if (names_relation(reading.statements[i].query, access.resource.dataset)) return;
  }
  for (const std::string& view : line.session.views) {
    if (line.catalogue.definitions(view) == nullptr) line.catalogue.set_bases(view, access.resource.dataset);
  }
}

// Which statements of the message this line is about.
std::vector<std::size_t> choose(const std::vector<sql::Statement>& statements, const Access& access) {
  std::vector<std::size_t> fitting, naming;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (!fits(access.outcome == Outcome::kFailure ? "" : std::string_view(access.statement.command), statements[i])) continue;
    fitting.push_back(i);
    if (names_relation(statements[i].query, access.resource.dataset)) naming.push_back(i);
  }
  if (fitting.size() > 1 && !naming.empty()) return naming;
  return fitting;
}

void without_text(StatementLine& line) {
  const Access& access = line.access;
  const std::string& command = access.statement.command;
  const bool returning = command == "INSERT" || command == "UPDATE" || command == "DELETE";  // for all that is known
  const bool reading = access.statement.audit_class == "READ" || command == "FETCH" || command == "EXECUTE" || returning;
  if (reading) by_relation(line, "the log does not show the statement");
}

void unread(StatementLine& line, const Error& error) {
  const Access& access = line.access;
  unread_write(line);
  if (access.outcome == Outcome::kFailure && (nothing_was_read(access.error) || error.code == Errc::kInvalid)) return;
  // What does not parse may have lost its end.
  const bool returning = access.statement.audit_class == "WRITE" &&
                         (error.code == Errc::kInvalid || may_return(access.statement.text));
  const bool reading = access.statement.audit_class == "READ" || access.statement.command == "FETCH" ||
                       access.statement.command == "EXECUTE" || access.outcome == Outcome::kFailure || returning;
  if (reading) {
    by_relation(line, error.message);
  } else if (hide_made(line, "whose data it holds is not known, as the statement that made it was not understood (" + error.message + ")")) {
    Reach reach = blank(line, "", statement_key(line) + "/made");
    reach.way = "select";
    reach.at_least = 0;
    reach.reason = "Whose data a table or view holds from here on is not known: " + error.message + ".";
    emit(line, std::move(reach));
  }
}

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// A byte that is no UTF-8 has become U+FFFD: the log is in another encoding, or damaged.
bool garbled(const Statement& st) {
  return st.relation.find(kReplacement) != std::string::npos || st.text.find(kReplacement) != std::string::npos ||
         std::any_of(st.parameters.begin(), st.parameters.end(), [&](const std::string& p) { return p.find(kReplacement) != std::string::npos; });
}

}  // namespace

void read_gap(ReaderState& state, Access& access, std::vector<Reach>& out) {
  Session& s = state.session(access);
  const Time since = s.last_known ? s.last : access.time - state.options.unknown_start;
  // Whatever the session was in the middle of may have been ended or begun anew.
  s.cursors.clear();
  s.prepared.clear();
  s.deferred.reset();
  lost_changes(state, since);
  StatementLine line{state, access, s, state.catalogue(access), {since, access.time}, out};
  Reach reach = blank(line, "", statement_key(line) + "/gap");
  reach.first = since;
  reach.way = "gap";
  reach.at_least = 0;
  reach.reason = access.error + (access.error == "1" ? " record of this session is" : " records of this session are") +
                 " missing from the log: whom they reached is not known, nor what they changed in a register.";
  emit(line, std::move(reach));
}

void read_postgres(StatementLine& line) {
  Access& access = line.access;
  const Statement& st = access.statement;
  if (st.command == "???") {  // pgaudit's second line for a view
    if (st.relation_type == "VIEW") line.session.views.insert(access.resource.dataset);
    return;
  }
  if (is_catalog_relation(access.resource.dataset)) return;
  if (st.text.empty()) {
    touch(line, nullptr);
    without_text(line);
    return;
  }
  if (garbled(st)) {
    if (st.relation.find(kReplacement) != std::string::npos) access.resource.dataset.clear();  // not even its name
    touch(line, nullptr);
    unread(line, {Errc::kUnsupported, "the log shows its text in an unknown encoding", {}, {}});
    return;
  }
  if (const std::string odd = odd_reason(line); !odd.empty()) {
    touch(line, nullptr);
    unread(line, {Errc::kUnsupported, odd, {}, {}});
    // What it sets is noted all the same: nothing of it can narrow an answer.
    if (auto reading = sql::read(st.text); reading && access.outcome != Outcome::kFailure) {
      for (const sql::Statement& s : (*reading)->statements) note_settings(line, s);
    }
    return;
  }
  auto reading = sql::read(st.text);
  touch(line, reading ? reading->get() : nullptr);
  if (!reading) {
    unread(line, reading.error());
    return;
  }
  if (st.relation_type == "VIEW") line.session.views.insert(access.resource.dataset);
  if (st.relation_type == "FOREIGN TABLE" && !line.catalogue.foreign(access.resource.dataset)) line.catalogue.set_foreign(access.resource.dataset, {});
  if (st.relation_type == "TABLE" || st.relation_type == "VIEW") line.catalogue.see_relation(access.resource.dataset);
  std::vector<std::size_t> chosen = choose((*reading)->statements, access);
  learn_bases(line, **reading, chosen);
  for (const std::size_t i : chosen) read_statement(line, *reading, i, chosen.size() > 1);
}

}  // namespace tocsin::engine
