// One statement leaves several lines in a log (one per relation, one for a COPY around a sub-select, one for an
// EXECUTE): all lines of one statement lead to the same reach, whose key makes the later replace the earlier.
// What a line cannot say (the rows of a FETCH, the query behind an EXECUTE) is remembered per session.
#include "engine/exposure/reader.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "engine/exposure/catalogue.hpp"
#include "engine/exposure/evaluate.hpp"
#include "engine/exposure/session.hpp"
#include "engine/sql/mysql.hpp"
#include "engine/sql/reading.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Kind;
using sql::Query;
using sql::Source;
using sql::Use;
using storage::Grade;
using storage::People;
using storage::PersonNo;

namespace {

using ReadingPtr = std::shared_ptr<const sql::Reading>;

constexpr std::size_t kMaxRemembered = 10'000;  // people of a reach that is kept for the next line of its statement

std::string_view last_part(std::string_view relation) {
  const std::size_t dot = relation.rfind('.');
  return dot == std::string_view::npos ? relation : relation.substr(dot + 1);
}

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

bool names_relation(const Query& query, std::string_view relation) {
  return std::any_of(query.sources.begin(), query.sources.end(), [&](const Source& s) {
    return s.relation.text() == relation || (s.relation.schema.empty() && s.relation.name == last_part(relation));
  });
}

// A refusal before anything was read.
bool nothing_was_read(std::string_view error) {
  return error.starts_with("permission denied") || error.starts_with("refused before reading") || error.starts_with("syntax error") ||
         error.starts_with("must be owner") ||
         ((error.starts_with("relation ") || error.starts_with("column ") || error.starts_with("schema ") ||
           error.starts_with("role ") || error.starts_with("database ")) &&
          error.ends_with("does not exist"));
}

// Whether anything but joins decides which rows come.
bool has_conditions(const Query& query) {
  for (const Source& s : query.sources) {
    if (s.use <= Use::kStatistic) continue;
    for (const int filter : s.filters) {
      if (query.predicates[static_cast<std::size_t>(filter)].op != sql::Op::kSame) return true;
    }
  }
  return false;
}

// A statement that may hand rows to another database.
bool calls_dblink(std::string_view text) {
  const std::size_t at = text.find("dblink");
  return at != std::string_view::npos && text.find('(', at) != std::string_view::npos;
}

bool uses_anything(const Query& query) {
  return std::any_of(query.sources.begin(), query.sources.end(),
                     [](const Source& s) { return s.use > Use::kStatistic; });
}

std::string with_commas(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string people_word(std::uint64_t n) { return n == 1 ? "1 person" : with_commas(n) + " people"; }

}  // namespace

struct ExposureReader::Impl {
  DatasetMap map;
  storage::Registers& registers;
  Options options;
  std::map<std::string, Catalogue> catalogues;  // by source and database
  std::list<Session> sessions;                  // most recent first
  std::unordered_map<std::string, std::list<Session>::iterator> by_id;
  bool warming = false;

  Impl(DatasetMap m, storage::Registers& r, Options o) : map(std::move(m)), registers(r), options(o) {}

  // ------------------------------------------------------------------ sessions and catalogues
  Session& session(const Access& access) {
    std::string id = access.origin.source + '\x1f' + access.actor.session;
    const auto found = by_id.find(id);
    if (found != by_id.end()) {
      sessions.splice(sessions.begin(), sessions, found->second);
      return sessions.front();
    }
    sessions.emplace_front();
    sessions.front().id = id;
    by_id.emplace(std::move(id), sessions.begin());
    if (sessions.size() > options.max_sessions) {
      by_id.erase(sessions.back().id);
      sessions.pop_back();
    }
    return sessions.front();
  }

  Catalogue& catalogue(const Access& access) {
    const std::string key = access.origin.source + '\x1f' + access.resource.store;
    return catalogues.try_emplace(key, options.max_relations).first->second;
  }

  static bool is_mysql(const Access& access) {
    return access.resource.system == "mariadb" || access.resource.system == "mysql";
  }

  // ------------------------------------------------------------------ one access
  struct Line {
    Access& access;
    Session& session;
    Catalogue& catalogue;
    storage::Span when;
    std::vector<Reach>& out;
  };

  void name(Access& access) const {
    if (const auto places = options.persons.find(access.origin.source); places != options.persons.end()) name_person(places->second, access);
  }

  void read(Access& access, std::vector<Reach>& out) {
    name(access);
    if (access.statement.text.empty() && access.statement.command.empty()) {
      if (access.action == Action::kAuthenticate && !access.actor.session.empty()) {
        Session& s = session(access);
        s.last = access.time;
        s.last_known = true;
      } else if (access.operation == "DISCONNECT" && !access.actor.session.empty()) {
        end_session(access, out);
      } else {
        read_event(access, out);
      }
      return;
    }
    if (is_mysql(access)) {
      read_mysql(access, out);
      return;
    }
    Session& s = session(access);
    if (access.statement.number == 0 || access.statement.number != s.number) begin_statement(s, access);
    Line line{access, s, catalogue(access), window(s, access), out};
    if (access.actor.role.empty()) access.actor.role = s.role;
    name(access);  // the role may name the person
    read_sql(line);
    s.last = access.time;
    s.last_known = true;
  }

  void begin_statement(Session& s, const Access& access) {
    if (s.deferred) apply_deferred(s, nullptr);
    s.number = access.statement.number;
    s.before = s.last;
    s.before_known = s.last_known;
    s.rows.clear();
    s.reaches.clear();
    s.staged = false;
    s.views.clear();
  }

  // Writes what was put off, with the values of the EXECUTE or, if none came, without.
  void apply_deferred(Session& s, const std::vector<std::string>* values) {
    Session::Deferred d = std::move(*s.deferred);
    s.deferred.reset();
    if (values != nullptr) {
      d.access.statement.parameters = *values;
      d.access.statement.parameters_known = true;
    }
    std::vector<Reach> unused;
    Line line{d.access, s, catalogue(d.access), d.when, unused};
    write(line, d.said.statement());
  }

  // The moments whose state of the database the statement may have seen: not before the record that precedes it
  // in its session (or the transaction's beginning), not after its own record.
  storage::Span window(const Session& s, const Access& access) const {
    storage::Span out;
    out.to = access.time;
    out.from = s.before_known ? s.before : access.time - options.unknown_start;
    if (s.transaction) out.from = std::min(out.from, *s.transaction);
    out.from = std::min(out.from, out.to);
    return out;
  }

  // ------------------------------------------------------------------ SQL
  void read_sql(Line& line) {
    Access& access = line.access;
    const Statement& st = access.statement;
    if (st.command == "???") {  // pgaudit's second line for a view
      if (st.relation_type == "VIEW") line.session.views.insert(access.resource.dataset);
      return;
    }
    if (is_catalog_relation(access.resource.dataset)) return;
    if (st.text.empty()) {
      without_text(line);
      return;
    }
    auto reading = sql::read(st.text);
    if (!reading) {
      unread(line, reading.error());
      return;
    }
    if (st.relation_type == "VIEW") line.session.views.insert(access.resource.dataset);
    if (st.relation_type == "TABLE" || st.relation_type == "VIEW") line.catalogue.see_relation(access.resource.dataset);
    std::vector<std::size_t> chosen = choose((*reading)->statements, access);
    learn_bases(line, **reading, chosen);
    for (const std::size_t i : chosen) one(line, *reading, i, chosen.size() > 1);
  }

  // A table that the text does not name, in a statement that reads a view: the view rests on it.
  static void learn_bases(Line& line, const sql::Reading& reading, const std::vector<std::size_t>& chosen) {
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
  static std::vector<std::size_t> choose(const std::vector<sql::Statement>& statements, const Access& access) {
    std::vector<std::size_t> fitting, naming;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      if (!fits(access.outcome == Outcome::kFailure ? "" : std::string_view(access.statement.command), statements[i])) continue;
      fitting.push_back(i);
      if (names_relation(statements[i].query, access.resource.dataset)) naming.push_back(i);
    }
    if (fitting.size() > 1 && !naming.empty()) return naming;
    return fitting;
  }

  void one(Line& line, const ReadingPtr& reading, std::size_t index, bool several) {
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
      if (!s.staged.empty()) stage(line, reading, s);
    }
    switch (s.kind) {
      case Kind::kSet:
        if (failed) return;
        if (s.name == "role") line.session.role = s.setting == "none" ? "" : s.setting;
        if (s.name == "session_authorization") line.session.role = s.setting;
        if (s.name == "search_path") set_search_path(line.session, s.setting);
        return;
      case Kind::kReset:
        if (failed) return;
        if (s.name.empty() || s.name == "role" || s.name == "session_authorization") line.session.role.clear();
        if (s.name.empty() || s.name == "search_path") line.session.search_path.clear();
        return;
      case Kind::kBegin:
        if (!line.session.transaction) line.session.transaction = line.when.from;
        return;
      case Kind::kCommit:
      case Kind::kRollback: end_transaction(line, s.kind == Kind::kRollback); return;
      case Kind::kRollbackTo: return;  // part of the transaction; what it took back stays counted
      case Kind::kCreateTable: create_table(line, s); return;
      case Kind::kCreateView:
        if (!failed) line.catalogue.define(s.target.text(), definition(line, said(line, reading, s), false));
        return;
      case Kind::kDrop:
        for (const sql::Relation& r : s.dropped) line.catalogue.drop(r.text());
        return;
      case Kind::kRename:
        line.catalogue.rename(s.target.text(), sql::Relation{s.target.schema, s.new_name}.text());
        return;
      case Kind::kPrepare:
        if (command == "PREPARE") {
          if (!failed) prepare(line, said(line, reading, s), s.name);
          return;
        }
        if (s.inner != Kind::kCreateAs && !s.query.outputs.empty()) query(line, reading, s, "prepared", several);
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
        query(line, reading, s, "cursor", several);
        return;
      case Kind::kFetch: fetch(line, s); return;
      case Kind::kMove: return;
      case Kind::kClose:
        if (s.name.empty()) line.session.cursors.clear();
        else line.session.cursors.erase(s.name);
        return;
      case Kind::kExecute: execute(line, s); return;
      case Kind::kExplain: return;  // a plan, no rows
      case Kind::kCreateAs:
        if (s.inner == Kind::kExecute) stage_prepared(line, s);
        return;
      case Kind::kCopyOut: query(line, reading, s, copy_way(access), several); return;
      case Kind::kCopyIn: return;
      case Kind::kInsert:
      case Kind::kUpdate:
      case Kind::kDelete:
      case Kind::kMerge:
        if (!s.query.outputs.empty()) query(line, reading, s, "returning", several);
        return;
      case Kind::kSelect: query(line, reading, s, mysql_way_.empty() ? "select" : mysql_way_, several); return;
      case Kind::kRefresh: line.catalogue.extend(s.target.text(), access.time); return;
      case Kind::kTruncate:
      case Kind::kCall:
      case Kind::kOther: other(line); return;
    }
  }

  static std::string copy_way(const Access& access) {
    return iequals(access.via, "pg_dump") || iequals(access.client.user_agent, "pg_dump") ? "pg_dump" : "copy";
  }

  static void set_search_path(Session& s, const std::string& setting) {
    s.search_path.clear();
    for (const std::string_view part : split(setting, ',')) {
      if (!trim(part).empty()) s.search_path.emplace_back(trim(part));
    }
  }

  void end_transaction(Line& line, bool rolled_back) {
    Session& s = line.session;
    if (rolled_back && !warming) {
      for (const auto& [dataset, no] : s.added) registers.of(dataset).remove(no, line.access.time);
    }
    if (!rolled_back && !warming) {
      for (const auto& [dataset, no] : s.removed) registers.of(dataset).remove(no, line.access.time + options.commit_slack);
    }
    s.added.clear();
    s.removed.clear();
    s.transaction.reset();
    std::erase_if(s.cursors, [](const auto& entry) { return !entry.second.hold; });
  }

  void create_table(Line& line, const sql::Statement& s) {
    if (line.access.outcome == Outcome::kFailure || line.access.statement.command != "CREATE TABLE") return;
    const std::string name = qualified(line, s.target);
    line.catalogue.set_columns(name, s.target_columns);
    std::vector<std::string> parents;
    for (const sql::Relation& parent : s.parents) parents.push_back(parent.text());
    if (!parents.empty()) line.catalogue.set_parents(name, std::move(parents));
  }

  // The log names relations with their schema; the statement may not.
  static std::string qualified(const Line& line, const sql::Relation& relation) {
    const std::string& logged = line.access.resource.dataset;
    if (relation.schema.empty() && !logged.empty() && last_part(logged) == relation.name) return logged;
    return relation.text();
  }

  static KnownStatement said(const Line& line, const ReadingPtr& reading, const sql::Statement& s) {
    return {reading, static_cast<std::size_t>(&s - reading->statements.data()), line.access.statement.text, is_mysql(line.access)};
  }

  static Definition definition(const Line& line, KnownStatement said, bool copy) {
    Definition d;
    d.said = std::move(said);
    d.copy = copy;
    d.parameters = line.access.statement.parameters;
    d.parameters_known = line.access.statement.parameters_known;
    d.taken = line.when;
    return d;
  }

  void stage(Line& line, const ReadingPtr& reading, const sql::Statement& s) {
    if (line.session.staged || line.access.outcome == Outcome::kFailure) return;
    const bool people = std::any_of(s.query.sources.begin(), s.query.sources.end(),
                                    [](const Source& source) { return source.staged > Use::kStatistic; });
    if (!people) return;
    line.session.staged = true;
    line.catalogue.add_copy(s.target.text(), definition(line, said(line, reading, s), true));
  }

  // CREATE TABLE … AS EXECUTE q(5).
  void stage_prepared(Line& line, const sql::Statement& s) {
    const auto found = line.session.prepared.find(s.name);
    if (line.session.staged || line.access.outcome == Outcome::kFailure || found == line.session.prepared.end()) return;
    line.session.staged = true;
    Definition d = definition(line, found->second.said, true);
    d.parameters.clear();
    d.parameters_known = true;
    for (const sql::Value& v : s.arguments) {
      d.parameters_known = d.parameters_known && v.known && v.parameter == 0;
      d.parameters.push_back(v.text);
    }
    line.catalogue.add_copy(s.target.text(), std::move(d));
  }

  void prepare(Line& line, KnownStatement said, const std::string& name) {
    Session& s = line.session;
    if (s.prepared.size() >= options.max_prepared && s.prepared.count(name) == 0) s.prepared.erase(s.prepared.begin());
    s.prepared[name] = {std::move(said), line.access.origin};
  }

  void declare(Line& line, KnownStatement said, const std::string& name) {
    Session& s = line.session;
    if (s.cursors.size() >= options.max_cursors && s.cursors.count(name) == 0) s.cursors.erase(s.cursors.begin());
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

  void fetch(Line& line, const sql::Statement& s) {
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
    cursor.fetched += std::min<std::uint64_t>(s.count, UINT64_MAX / 4 - std::min(cursor.fetched, UINT64_MAX / 4));
    access.action = Action::kRead;
    const sql::Statement& declared = cursor.said.statement();
    storage::Span when{std::min(cursor.from, line.when.from), access.time};
    Run run{declared.query, {&cursor.parameters, cursor.parameters_known}, when, copy_way(access) == "pg_dump" ? "pg_dump" : "cursor", cursor.key};
    if (!cursor.all) run.most_rows = cursor.fetched;
    run.first = cursor.first;
    run.also.push_back(cursor.origin);
    evaluate_query(line, run);
  }

  void execute(Line& line, const sql::Statement& s) {
    std::vector<std::string> values;
    bool known = true;
    for (const sql::Value& v : s.arguments) {
      known = known && v.known && v.parameter == 0;
      values.push_back(v.text);
    }
    if (line.session.deferred) apply_deferred(line.session, known ? &values : nullptr);
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
    Run run{prepared.query, {&values, known}, line.when, "prepared", statement_key(line)};
    run.also.push_back(found->second.origin);
    evaluate_query(line, run);
  }

  // ------------------------------------------------------------------ a query that gives rows to the client
  struct Run {
    const Query& query;
    Parameters parameters;
    storage::Span when;
    std::string way;
    std::string key;
    std::optional<std::uint64_t> rows;       // exactly that many rows left
    std::optional<std::uint64_t> most_rows;  // at most that many
    Time first{};
    bool failed = false;
    std::string place;
    std::vector<Origin> also;
    bool several = false;  // one of several statements of a message: which one is not known
  };

  void query(Line& line, const ReadingPtr&, const sql::Statement& s, const std::string& way, bool several) {
    Access& access = line.access;
    const bool failed = access.outcome == Outcome::kFailure;
    if (s.query.key_share) return;  // PostgreSQL's own foreign-key check
    if (failed && nothing_was_read(access.error)) {
      name_resource(line, s.query);
      return;
    }
    const std::size_t text = std::hash<std::string>{}(access.statement.text);
    Run run{s.query,
            {&access.statement.parameters, access.statement.parameters_known},
            line.when,
            failed ? "failed" : way,
            statement_key(line) + "/" + std::to_string(text)};
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
    evaluate_query(line, run);
  }

  // Whether the log's row count is that of the rows the client got. Within INSERT … SELECT … RETURNING and in
  // CTEs that write, lines count rows of parts.
  static bool counts_result(const sql::Statement& s, const Access& access) {
    if (s.writes.empty()) return true;
    const bool plain_write = s.kind == Kind::kInsert || s.kind == Kind::kUpdate || s.kind == Kind::kDelete;
    return plain_write && s.writes.size() == 1 && access.statement.audit_class == "WRITE";
  }

  // Everything about one dataset that a query reached.
  struct Tally {
    PeopleSet set{false, true, false, false, {}, {}};
    bool any = false;
    bool collected = false, unbounded = false, main = false, existence = true, certain_row = false;
    std::uint64_t values = 0;  // of min and max
    std::vector<std::pair<int, PersonColumn>> classes;  // one member per class of equal persons
    std::vector<std::string> fields;
    bool opaque = false;  // through a view whose definition is not known
    std::optional<storage::Span> taken;
  };

  void evaluate_query(Line& line, Run& run) {
    name_resource(line, run.query);
    if (run.rows && *run.rows == 0 && !run.failed) return;  // nothing came back
    line.catalogue.see_columns(run.query);
    Expanded expanded;
    const bool needed = needs_expansion(run.query, line.catalogue);
    if (needed) expanded = expand(run.query, line.catalogue);
    const Query& query = needed ? expanded.query : run.query;
    const auto taken = [&](std::size_t i) {
      return needed && i < expanded.taken.size() ? expanded.taken[i] : std::optional<storage::Span>();
    };

    std::vector<std::vector<PersonColumn>> persons(query.sources.size());
    for (std::size_t i = 0; i < query.sources.size(); ++i) {
      if (query.sources[i].relation.is_catalog()) continue;
      persons[i] = person_columns(line, query, i);
    }
    std::map<std::string, Tally> tallies;
    bool missing = false;
    for (std::size_t i = 0; i < query.sources.size(); ++i) {
      if (query.sources[i].use == Use::kNone) continue;
      for (const PersonColumn& key : persons[i]) {
        add_source(line, run, query, static_cast<int>(i), key, persons, taken(i), tallies[key.dataset], missing);
      }
    }
    unnamed_relation(line, run, query, tallies);
    for (auto& [dataset, tally] : tallies) {
      if (tally.any) conclude(line, run, query, dataset, tally, missing, needed && expanded.through_view,
                              needed && expanded.through_copy);
    }
  }

  void add_source(Line& line, const Run& run, const Query& query, int i, const PersonColumn& key,
                  const std::vector<std::vector<PersonColumn>>& persons, std::optional<storage::Span> taken,
                  Tally& tally, bool& missing) {
    const Source& source = query.sources[static_cast<std::size_t>(i)];
    const People* people = registers.find(key.dataset);
    EvaluationInput input{query, run.parameters, people, taken ? *taken : run.when, {}, {}, options.max_ids, false};
    input.mysql = is_mysql(line.access);
    input.main_key = [&](int s) -> std::string {
      for (const PersonColumn& p : persons[static_cast<std::size_t>(s)]) {
        if (p.dataset == key.dataset && p.main) return p.column;
      }
      return "";
    };
    input.has_column = [&](int s, const std::string& column) {
      const auto* known = line.catalogue.columns(query.sources[static_cast<std::size_t>(s)].relation.text());
      return known != nullptr && std::find(known->begin(), known->end(), column) != known->end();
    };
    PeopleSet set = key.column.empty() ? PeopleSet{} : evaluate(input, i, key);
    missing = missing || input.parameter_missing;
    // A number about many is about nobody; about exactly one named person it is about that person.
    if (source.use == Use::kStatistic && !(set.exact && !set.all && set.size() == 1)) return;

    if (!tally.any) {
      tally.set = std::move(set);
    } else {
      tally.set = unite(std::move(tally.set), std::move(set));
    }
    tally.any = true;
    if (taken) tally.taken = tally.taken ? storage::Span{std::min(tally.taken->from, taken->from), std::max(tally.taken->to, taken->to)} : *taken;
    tally.main = tally.main || key.main;
    tally.collected = tally.collected || source.use == Use::kCollected || source.use == Use::kStatistic;
    tally.existence = tally.existence && source.use == Use::kExistence;
    if (source.use == Use::kValue) tally.values += std::max<std::size_t>(1, source.columns.size());
    if (source.use != Use::kValue && source.merged && !grouped_by_person(input, i, key)) tally.unbounded = true;
    if (key.column.empty()) tally.opaque = true;
    if (source.use >= Use::kExistence && source.use != Use::kCollected && !source.nullable &&
        !query.aggregate && !key.column.empty() && !taken) {
      tally.certain_row = true;
    }
    if (source.use != Use::kValue) {
      const bool known_class = std::any_of(tally.classes.begin(), tally.classes.end(), [&](const auto& c) {
        return same_person(input, c.first, c.second, i, key);
      });
      if (!known_class) tally.classes.emplace_back(i, key);
    }
    const std::string relation = source.relation.text();
    for (const std::string& column : source.columns) {
      add_fields(line, tally.fields, relation, column, key.main);
    }
  }

  // "*" as the columns it stands for, where the table is known.
  void add_fields(const Line& line, std::vector<std::string>& fields, const std::string& relation,
                  const std::string& column, bool main) const {
    const auto add = [&](const std::string& name) {
      std::string field = main ? name : std::string(last_part(relation)) + "." + name;
      if (std::find(fields.begin(), fields.end(), field) == fields.end() && fields.size() < 200) {
        fields.push_back(std::move(field));
      }
    };
    if (column != "*") {
      add(column);
      return;
    }
    const auto* columns = line.catalogue.columns(relation);
    if (columns != nullptr && line.catalogue.columns_complete(relation)) {
      for (const std::string& c : *columns) add(c);
      return;
    }
    add("*");
  }

  // A table that the log names but the text does not: it was read through a view or a function.
  void unnamed_relation(Line& line, const Run& run, const Query& query, std::map<std::string, Tally>& tallies) {
    const Access& access = line.access;
    const std::string& relation = access.resource.dataset;
    if (access.statement.relation.empty() || access.statement.relation_type == "VIEW") return;
    if (access.statement.audit_class != "READ" || names_relation(query, relation)) return;
    if (!query.sources.empty() && !uses_anything(query)) return;  // only counted
    Query named;
    named.sources.emplace_back();
    named.sources.front().relation.name = relation;
    for (const PersonColumn& key : person_columns(line, named, 0)) {
      Tally& tally = tallies[key.dataset];
      tally.any = true;
      tally.opaque = tally.unbounded = true;
      tally.set = PeopleSet{};
      add_fields(line, tally.fields, relation, "*", key.main);
    }
    (void)run;
  }

  std::vector<PersonColumn> person_columns(const Line& line, const Query& query, std::size_t i) {
    std::vector<PersonColumn> out = person_columns_as_written(line, query, i);
    if (is_mysql(line.access)) {
      for (PersonColumn& p : out) p.column = to_lower(p.column);
    }
    return out;
  }

  std::vector<PersonColumn> person_columns_as_written(const Line& line, const Query& query, std::size_t i) {
    const sql::Relation& written = query.sources[i].relation;
    std::string relation = qualified(line, written);
    if (written.schema.empty() && relation == written.name && !line.session.search_path.empty()) {
      for (const std::string& schema : line.session.search_path) {
        const std::string candidate = sql::Relation{schema, written.name}.text();
        if (line.catalogue.knows(candidate)) {
          relation = candidate;
          break;
        }
      }
    }
    std::vector<PersonColumn> out = persons_named_by(line, query, i, relation);
    for (const std::string& parent : line.catalogue.parents(relation)) {
      for (PersonColumn& p : persons_named_by(line, query, i, parent)) out.push_back(std::move(p));
    }
    if (out.empty()) {
      for (const std::string& base : line.catalogue.bases(relation)) {
        Query named;
        named.sources.emplace_back();
        named.sources.front().relation.name = base;
        for (PersonColumn& p : persons_named_by(line, named, 0, base)) {
          p.column.clear();  // which column of the view names them is not known
          p.main = false;
          out.push_back(std::move(p));
        }
      }
    }
    return out;
  }

  std::vector<PersonColumn> persons_named_by(const Line& line, const Query& query, std::size_t i,
                                             const std::string& relation) {
    std::vector<PersonColumn> out = map.persons_of(relation);
    if (map.configured()) return out;
    // Unconfigured: columns called <dataset>_id name people of a relation that exists; else the table is its own.
    std::set<std::string> columns;
    if (const auto* known = line.catalogue.columns(relation)) columns.insert(known->begin(), known->end());
    for (const std::string& c : query.sources[i].columns) columns.insert(c);
    for (const std::string& column : columns) {
      if (!column.ends_with("_id") || column.size() == 3) continue;
      const std::string dataset = column.substr(0, column.size() - 3);
      const People* people = registers.find(dataset);
      if (dataset == relation || !((people != nullptr && people->registered()) || line.catalogue.knows(dataset))) continue;
      out.push_back({dataset, column, false, true});
    }
    const People* own = registers.find(relation);
    if (own != nullptr && own->registered()) {
      out.push_back({relation, "id", true, true});
    } else if (out.empty() && line.catalogue.definitions(relation) == nullptr &&
               line.catalogue.bases(relation).empty() && line.session.views.count(relation) == 0) {
      out.push_back({relation, "id", true, columns.count("id") > 0});
    }
    return out;
  }

  // ------------------------------------------------------------------ from a tally to a reach
  void conclude(Line& line, const Run& run, const Query& query, const std::string& dataset, Tally& tally,
                bool parameter_missing, bool through_view, bool through_copy) {
    const People* people = registers.find(dataset);
    const bool register_known = people != nullptr && people->registered();
    const storage::Span when = tally.taken ? *tally.taken : run.when;
    PeopleSet set = std::move(tally.set);
    std::string fell_back;
    std::optional<std::uint64_t> estimate;
    if (!set.all && !set.exact) {
      const std::uint64_t before = set.size();
      check_against_rows(run, query, set, fell_back);
      if (set.all) estimate = before;
    }

    Reach reach = blank(line, dataset, run.key + "/" + dataset);
    reach.first = run.first != Time{} ? run.first : line.access.time;
    reach.way = through_view && run.way == "select" ? "view" : run.way;
    reach.place = run.place;
    if (reach.place.empty() && calls_dblink(line.access.statement.text)) reach.place = "database";
    reach.rows = run.rows;
    reach.collected = tally.collected;
    reach.paged = query.limited && (set.all || !set.exact);
    reach.estimate = estimate;
    reach.also = run.also;
    reach.narrowed = set.all && has_conditions(query);
    reach.known_all = register_known && !people->incomplete_since();
    reach.fields = tally.fields;
    reach.known = people == nullptr ? 0 : people->count(when);
    reach.known_from = when.from;
    std::optional<std::uint64_t> size;
    if (set.all) {
      reach.whole = true;
      reach.grade = Grade::kBound;
      if (reach.known_all) size = reach.known;
    } else {
      reach.grade = set.exact ? Grade::kExact : Grade::kDerived;
      size = set.size();
      reach.people = numbers(dataset, set);
    }
    bound(run, query, tally, set, size, reach);
    reach.reason = explain(line, run, query, tally, set, reach, register_known, parameter_missing, fell_back,
                           through_copy);
    emit(line, std::move(reach));
  }

  // A set that rests on the register must not be smaller than what the log counted; where nothing was counted,
  // attributes are not enough to exclude anybody.
  static void check_against_rows(const Run& run, const Query& query, PeopleSet& set, std::string& why) {
    const bool comparable = query.one_to_one && run.rows && !run.several;
    if (comparable && set.size() < *run.rows) {
      why = "the register gives fewer people than rows came back";
    } else if (run.rows && *run.rows > 0 && set.size() == 0) {
      why = "the register gives nobody, but rows came back";
    } else if (set.attribute && !comparable) {
      why = "the condition is on other columns than the key, and the log does not allow to check the register's answer";
    } else {
      return;
    }
    set = PeopleSet{};
  }

  std::vector<PersonNo> numbers(const std::string& dataset, const PeopleSet& set) {
    std::vector<PersonNo> out = set.people;
    if (!set.strangers.empty() && !warming) {
      People& people = registers.of(dataset);
      for (const std::string& id : set.strangers) out.push_back(people.see(id));
      std::sort(out.begin(), out.end());
      out.erase(std::unique(out.begin(), out.end()), out.end());
    }
    return out;
  }

  static void bound(const Run& run, const Query& query, const Tally& tally, const PeopleSet& set,
                    std::optional<std::uint64_t> size, Reach& reach) {
    reach.at_most = size;
    std::optional<std::uint64_t> rows = run.rows ? run.rows : run.most_rows;
    if (query.limit && !query.barrier && (!rows || *query.limit < *rows)) rows = query.limit;
    if (run.failed && !query.limit) rows.reset();
    if (rows && !tally.collected && !tally.unbounded && !tally.opaque) {
      const std::uint64_t each = std::max<std::uint64_t>(tally.classes.size(), tally.classes.empty() ? 0 : 1) + tally.values;
      const std::uint64_t most = *rows > UINT64_MAX / std::max<std::uint64_t>(each, 1) ? UINT64_MAX : *rows * each;
      reach.at_most = size ? std::min(*size, most) : most;
    }
    reach.at_least = 0;
    if (!run.rows || *run.rows == 0 || run.failed || run.several) return;
    if (query.one_to_one && tally.main && !tally.unbounded && !tally.collected && !tally.opaque) {
      reach.at_least = *run.rows;
    } else if (tally.certain_row && !query.barrier) {
      reach.at_least = 1;
    }
    if (!set.all) reach.at_least = std::min(*reach.at_least, static_cast<std::uint64_t>(set.size()));
    if (reach.at_most) reach.at_least = std::min(*reach.at_least, *reach.at_most);
  }

  std::string explain(const Line& line, const Run& run, const Query& query, const Tally& tally, const PeopleSet& set,
                      const Reach& reach, bool register_known, bool parameter_missing, const std::string& fell_back,
                      bool through_copy) const {
    std::string out;
    const std::string known = register_known ? ", " + with_commas(reach.known) + " known at that time" : "";
    if (!set.all) {
      out = set.exact ? "The statement names the ids of " + people_word(set.size())
                      : "The conditions of the statement, applied to the register as of then, give " +
                            people_word(set.size());
    } else if (run.failed) {
      out = "The statement failed, perhaps after rows had been delivered: anyone in " + reach.dataset + known;
    } else if (!unread_reason_.empty()) {
      out = "Anyone in " + reach.dataset + known + ": " + unread_reason_;
    } else if (tally.opaque) {
      out = "The table was read through a view or function whose definition is not in the log: anyone in " +
            reach.dataset + known;
    } else {
      const bool narrowed = query.limited || reach.narrowed || (run.most_rows && reach.at_most && *reach.at_most < reach.known);
      if (run.rows && reach.at_most && *reach.at_most < reach.known) {
        out = "Which people the rows are about is not in the log: anyone in " + reach.dataset + known;
      } else if (narrowed) {
        out = "The condition does not tell the people apart: anyone in " + reach.dataset + known;
      } else {
        const char* what = run.way == "copy"      ? "COPY of the whole table"
                           : run.way == "pg_dump" ? "pg_dump of the whole table"
                           : run.way == "cursor"  ? "A cursor over the whole table"
                           : run.way == "mysqldump" ? "mysqldump of the whole table"
                           : run.way == "outfile" ? "The whole table was written to a file on the server"
                                                  : "The whole table";
        out = std::string(what) + ": every person in " + reach.dataset + known;
      }
    }
    if (set.all && reach.at_most && (!register_known || *reach.at_most < reach.known)) {
      out += "; at most " + people_word(*reach.at_most);
    }
    if (!fell_back.empty()) out += "; " + fell_back;
    if (parameter_missing && set.all) out += "; the values of the parameters are not in the log";
    if (set.all && register_known && !reach.known_all) out += "; people may have been added whom the register does not know";
    if (through_copy) out += "; by way of a copy made earlier";
    if (tally.collected && !run.failed) out += "; one row may hold many people";
    (void)line;
    return out + ".";
  }

  // ------------------------------------------------------------------ reaches
  static std::string statement_key(const Line& line) {
    const Access& a = line.access;
    if (a.statement.number > 0 && !a.actor.session.empty()) {
      return a.origin.source + "/" + a.actor.session + "/" + std::to_string(a.statement.number);
    }
    if (!a.event_id.empty()) return a.origin.source + "/event/" + a.event_id;
    return a.origin.source + "/line/" + a.origin.file + ":" + std::to_string(a.origin.line) + "/" + std::to_string(a.origin.seq);
  }

  static Reach blank(const Line& line, const std::string& dataset, std::string key) {
    const Access& a = line.access;
    Reach r;
    r.key = std::move(key);
    r.statement_key = statement_key(line);
    r.source = a.origin.source;
    r.origin = a.origin;
    r.first = r.last = a.time;
    r.known_from = line.when.from;
    r.actor = a.actor.shown();
    r.account = a.actor.account;
    r.role = a.actor.role;
    r.session = a.actor.session;
    r.application = a.via;
    r.client_ip = a.client.ip;
    r.dataset = dataset;
    return r;
  }

  void emit(Line& line, Reach reach) {
    Access& access = line.access;
    reach.last = access.time;
    if (access.subjects.empty() && reach.grade == Grade::kExact) {
      const People* people = registers.find(reach.dataset);
      constexpr std::size_t kMaxSubjects = 1000;  // of one access; the reach has them all
      for (const PersonNo no : reach.people) {
        if (people == nullptr || access.subjects.size() >= kMaxSubjects) break;
        access.subjects.push_back(people->at(no).id);
      }
    }
    if (access.resource.columns.empty()) access.resource.columns = reach.fields;
    auto& known = line.session.reaches;
    const auto same = std::find_if(known.begin(), known.end(), [&](const Reach& r) { return r.key == reach.key; });
    if (same != known.end()) {
      reach.first = std::min(reach.first, same->first);
      *same = reach;
    } else if (known.size() < 64 && reach.people.size() <= kMaxRemembered) {
      known.push_back(reach);
    }
    if (!warming) line.out.push_back(std::move(reach));
  }

  // What the statement is about, where the log does not name it.
  static void name_resource(Line& line, const Query& query) {
    if (!line.access.resource.dataset.empty()) return;
    const Source* best = nullptr;
    for (const Source& s : query.sources) {
      if (s.relation.is_catalog()) continue;
      if (best == nullptr || s.use > best->use) best = &s;
    }
    if (best == nullptr) return;
    line.access.resource.dataset = best->relation.text();
    if (line.access.resource.columns.empty()) line.access.resource.columns = best->columns;
  }

  // ------------------------------------------------------------------ MariaDB: statement lines and table lines
  static constexpr std::size_t kMaxOpened = 16;         // statements of a session that wait for their line
  static constexpr std::size_t kMaxOpenedTables = 1000;  // of one statement

  static bool is_server_table(std::string_view database) {
    return database == "mysql" || database == "information_schema" || database == "performance_schema" || database == "sys";
  }

  void read_mysql(Access& access, std::vector<Reach>& out) {
    Session& s = session(access);
    const std::uint64_t number = access.statement.number;
    if (access.statement.audit_class == "TABLE") {
      if (is_server_table(access.resource.store)) return;
      open_table(s, access, out);
      return;
    }
    // Only the statement itself, not one within it, leaves its line later: what it called and did not log is over.
    Session::Opened opened;
    if (auto found = s.opened.extract(number); !found.empty()) opened = std::move(found.mapped());
    while (!s.opened.empty() && number > 0 && s.opened.rbegin()->first > number) let_go(s, std::prev(s.opened.end()), access, out);
    if (number == 0 || number != s.number) begin_statement(s, access);
    Line line{access, s, catalogue(access), window(s, access), out};
    // Times are whole seconds: the statement ended before the next one.
    line.when.to = access.time + std::chrono::seconds(1) - Duration(1);
    if (opened.time != Time{}) line.when.from = std::min(line.when.from, opened.time);
    mysql_statement(line, opened);
    s.last = access.time;
    s.last_known = true;
  }

  void open_table(Session& s, const Access& access, std::vector<Reach>& out) {
    const std::string& command = access.statement.command;
    if (command != "READ" && command != "WRITE") return;
    Session::Opened& opened = s.opened[access.statement.number];
    if (opened.time == Time{}) {
      opened.time = s.last_known ? s.last : access.time;
      opened.origin = access.origin;
    }
    auto& tables = command == "READ" ? opened.read : opened.written;
    if (tables.size() < kMaxOpenedTables) tables.push_back(to_lower(access.resource.dataset));
    if (s.opened.size() > kMaxOpened) let_go(s, s.opened.begin(), access, out);
  }

  void end_session(const Access& access, std::vector<Reach>& out) {
    Session& s = session(access);
    while (!s.opened.empty()) let_go(s, s.opened.begin(), access, out);
    by_id.erase(s.id);
    sessions.pop_front();
  }

  // A statement whose own line is not in the log: its tables are all there is.
  void let_go(Session& s, std::map<std::uint64_t, Session::Opened>::iterator at, const Access& access, std::vector<Reach>& out) {
    Session::Opened opened = std::move(at->second);
    Access stand_in = access;
    stand_in.statement = {};
    stand_in.statement.number = at->first;
    stand_in.origin = opened.origin;
    stand_in.subjects.clear();
    stand_in.outcome = Outcome::kSuccess;
    s.opened.erase(at);
    Line line{stand_in, s, catalogue(access), {opened.time, access.time + std::chrono::seconds(1)}, out};
    tables_only(line, opened, "the log does not show the statement");
    unseen_writes(line, opened, nullptr);
  }

  void mysql_statement(Line& line, const Session::Opened& opened) {
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

  void mysql_query(Line& line, const sql::MysqlReading& m, Session::Opened opened) {
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
      mysql_way_ = m.outfile ? "outfile" : m.dump ? "mysqldump" : "";
      one(line, m.reading, i, false);
      mysql_way_.clear();
      hidden_tables(line, s, opened);
    }
    unseen_writes(line, opened, &m);
  }

  // A name that stands for tables which the text does not name: a view. What it rests on is among the tables opened.
  void learn_mysql_bases(Line& line, const std::string& name, const Session::Opened& opened) {
    const std::vector<std::string>& tables = opened.read.empty() ? line.session.locked : opened.read;
    if (tables.empty() || line.catalogue.definitions(name) != nullptr) return;
    const auto holds = [&](const std::vector<std::string>& list, const std::string& what) {
      return std::find(list.begin(), list.end(), what) != list.end();
    };
    if (holds(tables, name) || holds(opened.written, name)) return;
    for (const std::string& table : tables) line.catalogue.set_bases(name, table);
  }

  // Tables opened more often than the text names them: read within a view, a function or a trigger. Their rows may
  // have come back by its value.
  void hidden_tables(Line& line, const sql::Statement& s, const Session::Opened& opened) {
    if (line.access.outcome == Outcome::kFailure) return;
    const bool copies = !s.staged.empty();
    if (s.query.outputs.empty() && !copies) return;
    if (!copies && s.kind != Kind::kSelect && s.kind != Kind::kInsert && s.kind != Kind::kDelete && s.kind != Kind::kUpdate) return;
    Expanded expanded;
    const bool needed = needs_expansion(s.query, line.catalogue);
    if (needed) expanded = expand(s.query, line.catalogue);
    const Query& query = needed ? expanded.query : s.query;
    std::map<std::string, int> more;
    for (const std::string& table : opened.read) ++more[table];
    for (const Source& source : query.sources) --more[source.relation.name];
    std::vector<std::string> hidden;
    for (const auto& [table, count] : more) {
      if (count > 0) hidden.push_back(table);
    }
    if (hidden.empty()) return;
    if (copies) {
      opaque_copy(line, s.target.name, hidden);
      return;
    }
    Session::Opened part;
    part.read = std::move(hidden);
    tables_only(line, part, "it was read through a view or function whose definition is not in the log");
  }

  // `target` now holds what `tables` held, in columns nobody knows.
  void opaque_copy(Line& line, const std::string& target, const std::vector<std::string>& tables) {
    for (const std::string& table : std::set<std::string>(tables.begin(), tables.end())) {
      if (table == target || table.find('"') != std::string::npos) continue;
      std::string text = "create table t as select json_agg(p) from \"" + table + "\" p";
      auto reading = sql::read(text);
      if (reading) line.catalogue.add_copy(target, definition(line, {std::move(*reading), 0, std::move(text), false}, true));
    }
  }

  void unread_mysql(Line& line, const Session::Opened& opened, const std::string& why, const std::string& target) {
    const std::string& word = line.access.operation;
    static const std::set<std::string_view> kNoRows = {"SHOW", "EXPLAIN", "DESCRIBE", "DESC", "USE", "GRANT", "REVOKE", "ALTER", "DROP",
                                                       "CREATE", "LOCK", "UNLOCK", "FLUSH", "ANALYZE", "CHECK", "CHECKSUM", "OPTIMIZE",
                                                       "REPAIR", "RENAME", "TRUNCATE", "COMMIT", "ROLLBACK", "BEGIN", "START", "PREPARE",
                                                       "DEALLOCATE", "KILL", "RESET", "SAVEPOINT"};
    const bool reads = kNoRows.count(word) == 0;
    if (reads && opened.read.empty() && opened.written.empty()) {
      // After LOCK TABLES no tables are logged; else nothing tells what it read.
      Session::Opened locked;
      locked.read = line.session.locked;
      const bool may_read = word != "SET" && word != "INSERT" && word != "UPDATE" && word != "REPLACE" && word != "LOAD";
      if (!locked.read.empty()) tables_only(line, locked, why);
      else if (may_read) by_relation(line, why);
    } else if (reads) {
      Session::Opened all = opened;
      const bool returns = to_lower(line.access.statement.text).find("returning") != std::string::npos || line.access.statement.cut;
      if (word == "UPDATE" || (!returns && (word == "INSERT" || word == "REPLACE" || word == "DELETE"))) all.read.clear();
      if (returns) all.read.insert(all.read.end(), all.written.begin(), all.written.end());
      tables_only(line, all, why);
    }
    if (!target.empty() && line.access.outcome != Outcome::kFailure) opaque_copy(line, target, opened.read);
    unseen_writes(line, opened, nullptr);
  }

  // Everyone in the datasets of the tables that were read.
  void tables_only(Line& line, const Session::Opened& opened, const std::string& why, std::optional<std::uint64_t> rows = std::nullopt) {
    if (line.access.outcome == Outcome::kFailure && nothing_was_read(line.access.error)) return;
    for (const std::string& table : std::set<std::string>(opened.read.begin(), opened.read.end())) {
      Query named;
      named.sources.emplace_back();
      named.sources.front().relation.name = table;
      named.sources.front().use = Use::kRow;
      named.sources.front().columns = {"*"};
      named.outputs.push_back({"*", 0, "*"});
      if (rows) named.limit = rows;
      Run run{named, {}, line.when, "select", statement_key(line) + "/" + table};
      if (line.access.resource.dataset.empty()) line.access.resource.dataset = table;
      unread_reason_ = why;
      evaluate_query(line, run);
      unread_reason_.clear();
    }
  }

  // MySQL's log counts nothing and a COMMIT may be automatic, so a DELETE is never believed and an UPDATE makes its
  // columns useless; both leave the set wider.
  void careful_write(Line& line, const sql::Statement& s) {
    if (warming || line.access.outcome == Outcome::kFailure) return;
    for (const sql::Write& w : s.writes) {
      if (w.source < 0) continue;
      for (const PersonColumn& key : person_columns(line, s.query, static_cast<std::size_t>(w.source))) {
        People* people = registers.find(key.dataset);
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
  void unseen_writes(Line& line, const Session::Opened& opened, const sql::MysqlReading* m) {
    if (warming || line.access.outcome == Outcome::kFailure) return;
    for (const std::string& table : std::set<std::string>(opened.written.begin(), opened.written.end())) {
      const bool followed = m != nullptr && std::any_of(m->reading->statements.begin(), m->reading->statements.end(), [&](const sql::Statement& s) {
        return std::any_of(s.writes.begin(), s.writes.end(), [&](const sql::Write& w) {
          return w.source >= 0 && s.query.sources[static_cast<std::size_t>(w.source)].relation.name == table;
        });
      });
      if (followed) continue;
      Query named;
      named.sources.emplace_back();
      named.sources.front().relation.name = table;
      for (const PersonColumn& key : person_columns(line, named, 0)) {
        People* people = registers.find(key.dataset);
        if (!key.main || people == nullptr || !people->registered() || line.when.to <= people->as_of()) continue;
        people->mark_incomplete(line.when.from);
        for (const std::string& column : people->columns()) people->taint(column);
      }
    }
  }

  std::string mysql_way_;      // of the statement in work, if it is not a plain select
  std::string unread_reason_;  // why only the table is known

  // ------------------------------------------------------------------ lines that cannot be read as SQL
  void without_text(Line& line) {
    const Access& access = line.access;
    const bool reading = access.statement.audit_class == "READ" || access.statement.command == "FETCH" ||
                         access.statement.command == "EXECUTE";
    if (reading) by_relation(line, "the log does not show the statement");
  }

  void unread(Line& line, const Error& error) {
    const Access& access = line.access;
    if (access.outcome == Outcome::kFailure && (nothing_was_read(access.error) || error.code == Errc::kInvalid)) return;
    const bool reading = access.statement.audit_class == "READ" || access.statement.command == "FETCH" ||
                         access.statement.command == "EXECUTE" || access.outcome == Outcome::kFailure;
    if (reading) by_relation(line, error.message);
  }

  void other(Line& line) {
    const Statement& st = line.access.statement;
    if (st.audit_class == "READ" && !st.relation.empty()) by_relation(line, "it was read inside a function or block");
  }

  // Only the relation (if any) and the row count are known.
  void by_relation(Line& line, const std::string& why) {
    const Access& access = line.access;
    if (access.rows.certainty == Certainty::kExact && access.rows.value == 0) return;
    const std::string key = statement_key(line);
    if (access.resource.dataset.empty()) {
      Reach reach = blank(line, "", key);
      reach.way = "select";
      reach.at_least = 0;
      reach.reason = "People may have been reached, but the log does not say in which dataset: " + why + ".";
      emit(line, std::move(reach));
      return;
    }
    Query named;
    named.sources.emplace_back();
    named.sources.front().relation.name = access.resource.dataset;
    for (const PersonColumn& person : person_columns(line, named, 0)) {
      const People* people = registers.find(person.dataset);
      Reach reach = blank(line, person.dataset, key + "/" + person.dataset);
      reach.known_all = people != nullptr && people->registered() && !people->incomplete_since();
      reach.grade = Grade::kBound;
      reach.whole = true;
      reach.way = "select";
      reach.fields = {"*"};
      reach.known = people == nullptr ? 0 : people->count(line.when);
      reach.at_least = 0;
      reach.collected = true;
      if (reach.known_all) reach.at_most = reach.known;
      if (access.rows.certainty == Certainty::kExact) reach.rows = access.rows.value;
      reach.reason = "Anyone in " + person.dataset + ", " + with_commas(reach.known) + " known at that time: " + why + ".";
      emit(line, std::move(reach));
    }
  }

  // ------------------------------------------------------------------ writes keep the register true
  void write(Line& line, const sql::Statement& s) {
    const Access& access = line.access;
    if (warming || access.outcome == Outcome::kFailure || access.statement.audit_class != "WRITE") return;
    if (access.rows.certainty == Certainty::kExact && access.rows.value == 0) return;
    for (const sql::Write& w : s.writes) {
      if (w.source < 0) continue;
      const Source& target = s.query.sources[static_cast<std::size_t>(w.source)];
      if (!access.resource.dataset.empty() && !access.statement.relation.empty() &&
          last_part(access.resource.dataset) != target.relation.name) {
        continue;
      }
      for (const PersonColumn& key : person_columns(line, s.query, static_cast<std::size_t>(w.source))) {
        People* people = registers.find(key.dataset);
        if (key.main && people != nullptr && people->registered()) apply(line, s, w, key, *people);
      }
    }
  }

  void apply(Line& line, const sql::Statement& s, const sql::Write& w, const PersonColumn& key, People& people) {
    const Time now = line.access.time;
    const bool already = std::max(now, line.when.to) <= people.as_of();  // the register was taken later: it may already know
    switch (w.kind) {
      case Kind::kCopyIn:
        if (!already) people.mark_incomplete(now);
        return;
      case Kind::kInsert:
        if (w.from_query) {
          if (!already) people.mark_incomplete(now);
        } else {
          insert(line, w, key, people, already);
        }
        if (w.upsert) {
          for (const std::string& column : people.columns()) people.taint(column);
        }
        return;
      case Kind::kMerge:
        if (!already) people.mark_incomplete(now);
        for (const std::string& column : people.columns()) people.taint(column);
        return;
      case Kind::kUpdate: update(line, s, w, key, people, already); return;
      case Kind::kDelete:
        if (already) return;
        for (const PersonNo no : targets(line, s, w, key, people)) {
          if (line.session.transaction) line.session.removed.emplace_back(people.dataset(), no);
          else people.remove(no, now + options.commit_slack);
        }
        return;
      default: return;
    }
  }

  // The people whose rows a write surely meant: only where the statement names their ids.
  std::vector<PersonNo> targets(Line& line, const sql::Statement& s, const sql::Write& w, const PersonColumn& key,
                                const People& people) {
    const Parameters parameters{&line.access.statement.parameters, line.access.statement.parameters_known};
    EvaluationInput input{s.query, parameters, &people, line.when, {}, {}, options.max_ids, false};
    input.main_key = [](int) { return std::string(); };
    input.has_column = [](int, const std::string&) { return false; };
    input.mysql = is_mysql(line.access);
    const PeopleSet set = evaluate(input, w.source, key);
    return !set.all && set.exact ? set.people : std::vector<PersonNo>();
  }

  void update(Line& line, const sql::Statement& s, const sql::Write& w, const PersonColumn& key, People& people,
              bool already) {
    const Time now = line.access.time;
    const std::vector<PersonNo> who = targets(line, s, w, key, people);
    People::Attributes values;
    std::vector<std::string> unknown;
    for (const auto& [column, value] : w.set) {
      if (column == key.column) people.mark_incomplete(now);  // ids change: nothing holds any more
      if (const auto text = text_of(line, value)) values.emplace_back(column, *text);
      else unknown.push_back(column);
    }
    const auto registered = [&](const std::string& c) {
      return std::find(people.columns().begin(), people.columns().end(), c) != people.columns().end();
    };
    if (who.empty() || (line.access.rows.certainty == Certainty::kExact && line.access.rows.value > who.size())) {
      for (const auto& [column, value] : w.set) {
        if (registered(column)) people.taint(column);
      }
      return;
    }
    // Within a transaction the old values may come back: they go on matching.
    const Time until = already || line.session.transaction ? storage::kForever : now + options.commit_slack;
    for (const PersonNo no : who) {
      people.change(no, now, until, values);
      if (std::any_of(unknown.begin(), unknown.end(), registered)) people.obscure(no);
    }
  }

  static std::optional<std::string> text_of(const Line& line, const sql::Value& v) {
    const Statement& st = line.access.statement;
    if (v.parameter > 0) {
      const auto at = static_cast<std::size_t>(v.parameter - 1);
      if (!st.parameters_known || at >= st.parameters.size()) return std::nullopt;
      return st.parameters[at];
    }
    if (!v.known) return std::nullopt;
    return v.text;
  }

  void insert(Line& line, const sql::Write& w, const PersonColumn& key, People& people, bool already) {
    const Time now = line.access.time;
    std::vector<std::string> columns = w.columns;
    if (columns.empty() && line.catalogue.columns_complete(line.access.resource.dataset)) {
      columns = *line.catalogue.columns(line.access.resource.dataset);
    }
    const auto at = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), key.column) - columns.begin());
    for (const auto& row : w.rows) {
      const auto id = at < columns.size() && at < row.size() ? text_of(line, row[at]) : std::nullopt;
      if (!id) {
        if (!already) people.mark_incomplete(now);
        continue;
      }
      People::Attributes attributes;
      for (std::size_t c = 0; c < columns.size() && c < row.size(); ++c) {
        if (c == at) continue;
        if (const auto text = text_of(line, row[c])) attributes.emplace_back(columns[c], *text);
      }
      const bool complete = std::all_of(people.columns().begin(), people.columns().end(), [&](const std::string& c) {
        return c == key.column ||
               std::any_of(attributes.begin(), attributes.end(), [&](const auto& a) { return a.first == c; });
      });
      const std::string canonical = canonical_id(*id, &people);
      const bool known = people.find(canonical).has_value();
      const PersonNo no = people.add(canonical, now, attributes, complete);
      for (const auto& [column, value] : attributes) {
        if (iequals(column, "country")) people.set_place(no, value, people.at(no).language);
        if (iequals(column, "language")) people.set_place(no, people.at(no).country, value);
      }
      // In MySQL a transaction may have been committed by a statement within it: what was inserted stays.
      if (!known && line.session.transaction && !is_mysql(line.access)) line.session.added.emplace_back(people.dataset(), no);
    }
  }

  // ------------------------------------------------------------------ events that name people themselves
  void read_event(Access& access, std::vector<Reach>& out) {
    if (access.outcome == Outcome::kFailure || warming) return;
    if (access.action == Action::kAuthenticate || access.action == Action::kConfigure) return;
    Session unused;
    Catalogue& known = catalogue(access);
    unused.before = access.time;
    unused.before_known = true;
    Line line{access, unused, known, {access.time, access.time}, out};
    if (access.rows.certainty == Certainty::kExact && access.rows.value == 0) return;
    std::string dataset;
    if (const auto persons = map.persons_of(access.resource.dataset); !persons.empty()) dataset = persons.front().dataset;
    else if (map.find(access.resource.dataset) != nullptr) dataset = access.resource.dataset;
    if (access.subjects.empty()) {
      if (auto named = map.person_of(access.resource)) {
        access.subjects.push_back(std::move(named->second));
        dataset = std::move(named->first);
      } else if (dataset.empty() && access.action == Action::kList) {
        dataset = map.listed(access.resource);
      }
    }
    if (!access.subjects.empty()) {
      if (dataset.empty()) {
        if (map.configured() && map.specs().size() == 1 && access.resource.dataset.empty()) dataset = map.specs().front().name;
        else dataset = access.resource.dataset.empty() ? "person" : access.resource.dataset;
      }
      named_people(line, dataset);
      return;
    }
    if (dataset.empty()) return;
    const bool reads = access.action == Action::kRead || access.action == Action::kQuery ||
                       access.action == Action::kList || access.action == Action::kExport ||
                       access.action == Action::kShare;
    if (!reads) return;
    const People* people = registers.find(dataset);
    Reach reach = blank(line, dataset, statement_key(line) + "/" + dataset);
    reach.grade = Grade::kBound;
    reach.whole = true;
    reach.way = "event";
    reach.fields = access.resource.columns;
    reach.known = people == nullptr ? 0 : people->count(line.when);
    reach.at_least = 0;
    reach.known_all = people != nullptr && people->registered() && !people->incomplete_since();
    if (reach.known_all) reach.at_most = reach.known;
    if (access.rows.certainty == Certainty::kExact) {
      reach.rows = access.rows.value;
      reach.at_most = std::min(reach.at_most.value_or(UINT64_MAX), access.rows.value);
    }
    reach.reason = "The event does not say whom it reached: anyone in " + dataset + ", " + with_commas(reach.known) +
                   " known at that time.";
    out.push_back(std::move(reach));
  }

  void named_people(Line& line, const std::string& dataset) {
    Access& access = line.access;
    People& people = registers.of(dataset);
    Reach reach = blank(line, dataset, statement_key(line) + "/" + dataset);
    for (const std::string& id : access.subjects) {
      if (reach.people.size() >= options.max_ids) break;
      reach.people.push_back(people.see(canonical_id(id, &people)));
    }
    std::sort(reach.people.begin(), reach.people.end());
    reach.people.erase(std::unique(reach.people.begin(), reach.people.end()), reach.people.end());
    reach.grade = Grade::kExact;
    reach.way = "event";
    reach.fields = access.resource.columns;
    reach.known = people.count(line.when);
    reach.at_least = reach.at_most = reach.people.size();
    reach.reason = "The event names " + people_word(reach.people.size()) + ".";
    line.out.push_back(std::move(reach));
  }
};

ExposureReader::ExposureReader(DatasetMap map, storage::Registers& registers, Options options)
    : impl_(std::make_unique<Impl>(std::move(map), registers, options)) {}
ExposureReader::~ExposureReader() = default;

void ExposureReader::read(Access& access, std::vector<Reach>& out) { impl_->read(access, out); }

void ExposureReader::warm(Access& access) {
  std::vector<Reach> unused;
  impl_->warming = true;
  impl_->read(access, unused);
  impl_->warming = false;
}

const DatasetMap& ExposureReader::map() const noexcept { return impl_->map; }

}  // namespace tocsin::engine
