// Only a write that names its people by id, with values that the log shows, changes what the register says of them.
// Anything else makes a column useless (taint) or the register incomplete, which widens later answers.
#include "engine/exposure/register_changes.hpp"

#include <algorithm>

#include "engine/exposure/evaluate.hpp"
#include "engine/exposure/people_columns.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Kind;
using sql::Source;
using storage::People;
using storage::PersonNo;

namespace {

std::optional<std::string> text_of(const StatementLine& line, const sql::Value& v) {
  const Statement& st = line.access.statement;
  if (v.parameter > 0) {
    const auto at = static_cast<std::size_t>(v.parameter - 1);
    // The log shows NULL as an empty text too.
    if (!st.parameters_known || at >= st.parameters.size() || st.parameters[at].empty()) return std::nullopt;
    return st.parameters[at];
  }
  if (v.fractional) return v.text;
  if (!v.known) return std::nullopt;
  if (!v.null && v.text.empty()) return std::string(storage::kEmptyText);
  return v.text;
}

void insert(StatementLine& line, const sql::Write& w, const PersonColumn& key, People& people, bool already) {
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
    // MySQL cuts and rounds what does not fit, and triggers may change it: what stands there now is not known.
    if (is_mysql(line.access) && !already) people.obscure(no);
    // In MySQL a transaction may have been committed by a statement within it: what was inserted stays.
    line.state.doubt(people.dataset(), no);
    if (!known && line.session.transaction && !is_mysql(line.access)) line.session.added.emplace_back(people.dataset(), no);
  }
}

// The people whose rows a write surely meant: only where the statement names their ids.
struct Targets {
  std::vector<PersonNo> people;
  bool sure = false;  // each of them was met: the log counted as many rows as there are ids
};
Targets targets(StatementLine& line, const sql::Statement& s, const sql::Write& w, const PersonColumn& key,
                              const People& people) {
  const Parameters parameters{&line.access.statement.parameters, line.access.statement.parameters_known};
  EvaluationInput input{s.query, parameters, &people, line.when, {}, {}, line.state.options.max_ids, false};
  input.main_key = [](int) { return std::string(); };
  input.has_column = [](int, const std::string&) { return false; };
  input.mysql = is_mysql(line.access);
  const PeopleSet set = evaluate(input, w.source, key);
  if (set.all || !set.exact) return {};
  const Amount& rows = line.access.rows;
  return {set.people, rows.certainty == Certainty::kExact && rows.value == set.size()};
}

void update(StatementLine& line, const sql::Statement& s, const sql::Write& w, const PersonColumn& key, People& people,
            bool already) {
  const Time now = line.access.time;
  const auto [who, sure] = targets(line, s, w, key, people);
  People::Attributes values;
  std::vector<std::string> unknown;
  for (const auto& [column, value] : w.set) {
    if (column == key.column) line.state.depart(people.dataset());
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
  // Within a transaction the old values may come back, and a row that was not met still has them: they go on matching.
  const Time until = already || !sure || line.session.transaction ? storage::kForever : now + line.state.options.commit_slack;
  for (const PersonNo no : who) {
    people.change(no, now, until, values);
    if (std::any_of(unknown.begin(), unknown.end(), registered)) people.obscure(no);
  }
}

// Where not all who are named were met (other conditions, row-level security, a trigger) nobody knows who went: all stay.
void remove(StatementLine& line, const Targets& targets, People& people) {
  if (!targets.sure) {
    line.state.depart(people.dataset());
    return;
  }
  for (const PersonNo no : targets.people) {
    line.state.doubt(people.dataset(), no);
    if (line.session.transaction) line.session.removed.emplace_back(people.dataset(), no);
    else people.remove(no, line.access.time + line.state.options.commit_slack);
  }
}

void apply(StatementLine& line, const sql::Statement& s, const sql::Write& w, const PersonColumn& key, People& people) {
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
      line.state.depart(people.dataset());
      if (!already) people.mark_incomplete(now);
      for (const std::string& column : people.columns()) people.taint(column);
      return;
    case Kind::kUpdate: update(line, s, w, key, people, already); return;
    case Kind::kDelete:
      if (already) return;
      remove(line, targets(line, s, w, key, people), people);
      return;
    default: return;
  }
}

}  // namespace

void write(StatementLine& line, const sql::Statement& s) {
  const Access& access = line.access;
  if (line.state.warming || access.outcome == Outcome::kFailure || access.statement.audit_class != "WRITE") return;
  if (access.rows.certainty == Certainty::kExact && access.rows.value == 0) return;
  const bool named = access.statement.relation.empty() || access.resource.dataset.empty() || std::any_of(s.writes.begin(), s.writes.end(), [&](const sql::Write& w) {
    return w.source >= 0 && s.query.sources[static_cast<std::size_t>(w.source)].relation.name == last_part(access.resource.dataset);
  });
  if (!named) {  // through a view or by a rule: what became of the values is not followed
    unread_write(line);
    return;
  }
  for (const sql::Write& w : s.writes) {
    if (w.source < 0) continue;
    const Source& target = s.query.sources[static_cast<std::size_t>(w.source)];
    if (!access.resource.dataset.empty() && !access.statement.relation.empty() &&
        last_part(access.resource.dataset) != target.relation.name) {
      continue;
    }
    for (const PersonColumn& key : person_columns(line, s.query, static_cast<std::size_t>(w.source))) {
      People* people = line.state.registers.find(key.dataset);
      if (key.main && people != nullptr && people->registered()) apply(line, s, w, key, *people);
    }
  }
}

void unread_write(StatementLine& line) {
  const Access& access = line.access;
  if (line.state.warming || access.outcome == Outcome::kFailure || access.statement.audit_class != "WRITE") return;
  for (const PersonColumn& key : person_columns(line, access.resource.dataset)) {
    People* people = line.state.registers.find(key.dataset);
    if (!key.main || people == nullptr || !people->registered() || line.when.to <= people->as_of()) continue;
    line.state.depart(key.dataset);
    people->mark_incomplete(line.when.from);
    for (const std::string& column : people->columns()) people->taint(column);
  }
}

void emptied(StatementLine& line, const sql::Relation& relation) {
  for (const PersonColumn& key : person_columns(line, relation.text())) {
    if (key.main) line.state.depart(key.dataset);
  }
}

void lost_changes(ReaderState& state, Time when) {
  if (state.warming) return;
  for (const auto& [name, people] : state.registers.all()) {
    if (!people->registered() || when < people->as_of()) continue;
    people->mark_incomplete(when);
    for (const std::string& column : people->columns()) people->taint(column);
    state.disprove(name);
  }
}

}  // namespace tocsin::engine
