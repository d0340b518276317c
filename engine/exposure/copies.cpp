// Three degrees of knowing: the statement that filled a relation (its conditions hold for the copy too), the relations
// that were read when it was filled (anybody in them), or nothing (its readers are told that it is not known).
#include "engine/exposure/copies.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/exposure/evaluate.hpp"
#include "engine/exposure/people_columns.hpp"
#include "engine/exposure/register_changes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Kind;
using sql::Source;
using sql::Use;

namespace {

constexpr std::size_t kMaxTouched = 256;  // relations of one statement

bool failed(const StatementLine& line) { return line.access.outcome == Outcome::kFailure; }

// The name under which the catalogue knows a relation that is made or changed.
std::string known_as(StatementLine& line, const sql::Relation& relation, bool temporary) {
  const std::string of_session = line.session.id + '\x1f' + relation.name;
  if (temporary || relation.schema.starts_with("pg_temp")) return of_session;
  if (!relation.schema.empty()) return relation.text();
  const std::string name = qualified(line, relation);
  if (!line.access.statement.relation.empty() && last_part(line.access.resource.dataset) == relation.name) {
    if (name.starts_with("pg_temp")) return of_session;
    line.catalogue.adopt(relation.name, name);
  } else {
    line.catalogue.unsure(name);
  }
  return name;
}

// Those that a name may mean, if something is known of them.
std::vector<std::string> meant(const StatementLine& line, const sql::Relation& relation) { return line.catalogue.resolve(relation, names_of(line)); }

// A value that goes from a row of a person into a row of the same person says nothing of anybody else.
bool own_values(const StatementLine& line, const sql::Statement& s, const sql::Write& w) {
  if (w.kind != Kind::kUpdate || w.source < 0) return false;
  const auto persons = [&](int i) { return person_columns(line, s.query, static_cast<std::size_t>(i)); };
  EvaluationInput input{s.query, {}, nullptr, line.when, {}, {}, 0, false};
  input.main_key = [](int) { return std::string(); };
  input.has_column = [](int, const std::string&) { return false; };
  for (std::size_t i = 0; i < s.query.sources.size(); ++i) {
    const Source& from = s.query.sources[i];
    if (from.staged <= Use::kStatistic) continue;
    for (const PersonColumn& theirs : persons(static_cast<int>(i))) {
      const auto targets = persons(w.source);
      const bool own = std::any_of(targets.begin(), targets.end(), [&](const PersonColumn& mine) {
        return mine.dataset == theirs.dataset && same_person(input, w.source, mine, static_cast<int>(i), theirs);
      });
      if (!own) return false;
    }
    if (persons(static_cast<int>(i)).empty() && !meant(line, from.relation).empty()) return false;
  }
  return true;
}

bool copies_anything(const sql::Statement& s) {
  return std::any_of(s.query.sources.begin(), s.query.sources.end(), [](const Source& source) { return source.staged > Use::kStatistic; });
}

void create_table(StatementLine& line, const ReadingPtr& reading, const sql::Statement& s) {
  if (line.access.statement.command != "CREATE TABLE") return;
  const std::string name = known_as(line, s.target, s.temporary);
  const Catalogue::Entry* before = line.catalogue.find(name);
  // IF NOT EXISTS may have made nothing; a DROP in the same transaction may be taken back.
  const bool fresh = before == nullptr || !before->stands_for_more() || (!s.if_not_exists && !line.session.transaction);
  if (fresh) line.catalogue.set_columns(name, s.target_columns);
  else line.catalogue.forget_order(name);
  std::erase(line.session.dropped, name);
  std::vector<std::string> parents;
  for (const sql::Relation& parent : s.parents) parents.push_back(parent.text());
  if (!parents.empty()) line.catalogue.set_parents(name, std::move(parents));
  if (s.bound.strategy != 0 && fresh) line.catalogue.set_partition(name, said(line, reading, s));
  line.catalogue.set_partition_column(name, fresh ? s.partition_column : "");
}

void attach(StatementLine& line, const ReadingPtr& reading, const sql::Statement& s) {
  const std::string name = known_as(line, s.target, false);
  std::vector<std::string> parents;
  for (const sql::Relation& parent : s.parents) {
    parents.push_back(parent.text());
    // What the child holds is shown by the parent from now on.
    const Catalogue::Entry* child = line.catalogue.find(name);
    if (child != nullptr && child->stands_for_more()) line.catalogue.feed(parent.text(), name);
  }
  line.catalogue.set_parents(name, std::move(parents));
  if (s.bound.strategy != 0) line.catalogue.set_partition(name, said(line, reading, s));
}

void rename(StatementLine& line, const sql::Statement& s) {
  const bool keep = line.session.transaction.has_value();
  if (s.target.name.empty()) {  // a schema
    std::vector<std::string> inside;
    for (const auto& [name, entry] : line.catalogue.entries()) {
      if (name.starts_with(s.target.schema + ".")) inside.push_back(name);
    }
    for (const std::string& name : inside) line.catalogue.rename(name, s.new_name + name.substr(s.target.schema.size()), keep);
    return;
  }
  const std::vector<std::string> all = meant(line, s.target);
  for (const std::string& name : all) {
    const std::size_t at = name.find_last_of(std::string_view(".\x1f"));
    const std::string place = at == std::string::npos ? "" : name.substr(0, at + 1);
    std::string to;
    if (!s.new_schema.empty()) to = sql::Relation{s.new_schema, s.target.name}.text();
    else to = place + s.new_name;
    line.catalogue.rename(name, to, keep || all.size() > 1);
  }
}

// RI_FKey_cascade and its like: PostgreSQL's own, which only set the column that refers.
bool keeps_references(std::string_view text) {
  return (text.starts_with("UPDATE ONLY \"") || text.starts_with("DELETE FROM ONLY \"")) && text.find("OPERATOR(pg_catalog.") != std::string_view::npos;
}

// Whether rows of `relation` are about people, or it holds others' data.
bool holds_people(const StatementLine& line, const std::string& relation) {
  const Catalogue::Entry* entry = line.catalogue.find(relation);
  return (entry != nullptr && (entry->stands_for_more() || !entry->bases.empty())) || !person_columns(line, relation).empty();
}

// Rows of both are about the people of the same datasets: what is written there is about whom the row names.
bool same_people(const StatementLine& line, const std::string& written, const std::string& read) {
  const Catalogue::Entry* entry = line.catalogue.find(read);
  if (entry != nullptr && entry->stands_for_more()) return false;
  const std::vector<PersonColumn> there = person_columns(line, written), here = person_columns(line, read);
  return std::all_of(here.begin(), here.end(), [&](const PersonColumn& p) {
    return std::any_of(there.begin(), there.end(), [&](const PersonColumn& q) { return q.dataset == p.dataset && q.certain; });
  });
}

// The name after CREATE … TABLE or VIEW in a text that cannot be read; empty if that does not show it.
sql::Relation made_name(std::string_view text) {
  std::size_t at = 0;
  const auto word = [&]() -> std::string {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
    const std::size_t from = at;
    if (at < text.size() && text[at] == '"') {
      const std::size_t end = text.find('"', at + 1);
      at = end == std::string_view::npos ? text.size() : end + 1;
      return end == std::string_view::npos ? "" : std::string(text.substr(from, at - from));
    }
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_' || text[at] == '$' || static_cast<unsigned char>(text[at]) >= 0x80)) ++at;
    return to_lower(text.substr(from, at - from));
  };
  constexpr int kWords = 12;
  for (int i = 0; i < kWords; ++i) {
    const std::string w = word();
    if (w.empty()) return {};
    if (w != "table" && w != "view" && w != "into") continue;
    std::string name = word();
    while (name == "if" || name == "not" || name == "exists" || name == "temp" || name == "temporary" || name == "unlogged" || name == "table") name = word();
    sql::Relation out;
    if (at < text.size() && text[at] == '.') {
      ++at;
      out.schema = std::exchange(name, word());
    }
    out.name = name;
    for (std::string* part : {&out.schema, &out.name}) {
      if (part->starts_with('"')) *part = part->substr(1, part->size() - 2);
    }
    return out;
  }
  return {};
}

bool makes_a_relation(const Statement& st) {
  return st.command.starts_with("CREATE TABLE") || st.command == "SELECT INTO" || st.command.starts_with("CREATE VIEW") ||
         st.command.starts_with("CREATE MATERIALIZED VIEW") || st.command.starts_with("CREATE FOREIGN TABLE");
}

}  // namespace

void follow_copies(StatementLine& line, const ReadingPtr& reading, const sql::Statement& s) {
  if (failed(line)) return;
  for (const sql::Write& w : s.writes) {  // a column of a copy is no longer what was copied
    if (w.source < 0 || w.set.empty()) continue;
    std::vector<std::string> columns;
    for (const auto& [column, value] : w.set) columns.push_back(column);
    for (const std::string& name : meant(line, s.query.sources[static_cast<std::size_t>(w.source)].relation)) line.catalogue.change(name, columns);
  }
  const std::uint64_t text = std::hash<std::string>{}(line.access.statement.text) + static_cast<std::uint64_t>(&s - reading->statements.data());
  auto& noted = line.session.staged;
  const bool again = std::find(noted.begin(), noted.end(), text) != noted.end();
  if (s.kind == Kind::kCreateAs && s.inner == Kind::kExecute) {  // CREATE TABLE … AS EXECUTE q(5)
    const auto found = line.session.prepared.find(s.name);
    const std::string name = known_as(line, s.target, s.temporary);
    if (again) return;
    noted.push_back(text);
    if (found == line.session.prepared.end()) {
      line.catalogue.hide(name, "it was made by a prepared statement whose text is not in the log");
      return;
    }
    Definition d = definition(line, found->second.said, true);
    d.parameters.clear();
    d.parameters_known = true;
    for (const sql::Value& v : s.arguments) {
      d.parameters_known = d.parameters_known && v.known && v.parameter == 0;
      d.parameters.push_back(v.text);
    }
    line.catalogue.add_copy(name, std::move(d));
    return;
  }
  if (s.staged.empty() || !copies_anything(s)) return;
  std::vector<std::string> targets;
  if (s.kind == Kind::kCreateAs || s.inner == Kind::kCreateAs) {
    targets.push_back(known_as(line, s.target, s.temporary));
    std::erase(line.session.dropped, targets.front());
  } else {
    for (const sql::Write& w : s.writes) {
      if (w.source < 0 || w.kind == Kind::kDelete || own_values(line, s, w)) continue;
      const sql::Relation& relation = s.query.sources[static_cast<std::size_t>(w.source)].relation;
      std::vector<std::string> all = meant(line, relation);
      if (all.empty()) all.push_back(known_as(line, relation, false));
      targets.insert(targets.end(), all.begin(), all.end());
    }
  }
  if (again || noted.size() >= kMaxTouched) return;
  noted.push_back(text);
  for (const std::string& name : targets) line.catalogue.add_copy(name, definition(line, said(line, reading, s), true));
}

void change_relations(StatementLine& line, const ReadingPtr& reading, const sql::Statement& s) {
  if (failed(line)) return;
  if (s.kind == Kind::kDrop || s.kind == Kind::kRename || s.kind == Kind::kAlterTable || s.kind == Kind::kRule) {
    emptied(line, s.target);
    for (const sql::Relation& r : s.dropped) emptied(line, r);
  }
  switch (s.kind) {
    case Kind::kCreateTable: create_table(line, reading, s); return;
    case Kind::kCreateForeign: line.catalogue.set_foreign(qualified(line, s.target), s.remote); return;
    case Kind::kCreateView: {
      const std::string name = known_as(line, s.target, s.temporary);
      // CREATE OR REPLACE in a transaction may be taken back: the view is both.
      if (line.session.transaction && line.catalogue.definitions(name) != nullptr) line.catalogue.add_copy(name, definition(line, said(line, reading, s), false));
      else line.catalogue.define(name, definition(line, said(line, reading, s), false));
      return;
    }
    case Kind::kRename: rename(line, s); return;
    case Kind::kAlterTable:
      if (s.guarded) line.catalogue.guard(known_as(line, s.target, false));
      if (!s.parents.empty()) attach(line, reading, s);
      for (const std::string& name : meant(line, s.target)) {
        line.catalogue.change(name, s.altered);
        if (!s.altered.empty()) line.catalogue.forget_order(name);
      }
      return;
    case Kind::kRule:
      if (!s.altered.empty()) line.catalogue.hide(known_as(line, s.target, false), "a rule decides what it shows");
      return;
    case Kind::kDrop:
      for (const sql::Relation& r : s.dropped) {
        for (const std::string& name : meant(line, r)) {
          if (!line.session.transaction) line.catalogue.drop(name);
          else if (line.session.dropped.size() < kMaxTouched) line.session.dropped.push_back(name);
        }
      }
      return;
    case Kind::kRefresh:
      for (const std::string& name : meant(line, s.target)) line.catalogue.extend(name, line.access.time);
      return;
    default: return;
  }
}

void settle_dropped(StatementLine& line, bool rolled_back) {
  if (!rolled_back) {
    for (const std::string& name : line.session.dropped) line.catalogue.drop(name);
  }
  line.session.dropped.clear();
}

void touch(StatementLine& line, const sql::Reading* reading) {
  const Access& access = line.access;
  const Statement& st = access.statement;
  const bool writes = st.audit_class == "WRITE" && st.command != "DELETE" && st.command != "TRUNCATE TABLE" && st.command != "TRUNCATE";
  if (st.relation.empty() || (st.audit_class != "READ" && st.audit_class != "WRITE") || failed(line)) return;
  if (keeps_references(st.text)) return;
  Session::Touch now{access.resource.dataset, std::hash<std::string>{}(st.text), writes, false};
  if (reading != nullptr) {
    for (const sql::Statement& s : reading->statements) {
      if (s.query.key_share) return;  // PostgreSQL's own check of a foreign key
      now.told = now.told || std::any_of(s.writes.begin(), s.writes.end(), [&](const sql::Write& w) {
        return w.source >= 0 && s.query.sources[static_cast<std::size_t>(w.source)].relation.name == last_part(now.relation);
      });
    }
  }
  auto& touched = line.session.touched;
  if (std::find(touched.begin(), touched.end(), now) != touched.end()) return;
  if (touched.size() >= kMaxTouched) {
    if (writes) line.catalogue.hide(now.relation, "a statement that filled it read more tables than are followed");
    return;
  }
  const auto flows = [&](const Session::Touch& from, const Session::Touch& to) {
    if (!to.written || from.relation == to.relation || (to.told && from.text == to.text)) return;
    if (!holds_people(line, from.relation) || same_people(line, to.relation, from.relation)) return;
    line.catalogue.feed(to.relation, from.relation);
  };
  for (const Session::Touch& other : touched) {
    flows(other, now);
    flows(now, other);
  }
  touched.push_back(std::move(now));
}

bool hide_made(StatementLine& line, const std::string& why) {
  const Statement& st = line.access.statement;
  if (!makes_a_relation(st)) return false;
  std::string name = st.relation.empty() ? "" : line.access.resource.dataset;
  if (name.empty()) {
    const sql::Relation made = made_name(st.text);
    if (!made.name.empty()) name = known_as(line, made, false);
  }
  line.catalogue.hide(name, why);  // "": some relation or other
  return true;
}

}  // namespace tocsin::engine
