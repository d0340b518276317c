// Sessions and catalogues are found or made; reaches get what the line says about who and when.
#include "engine/exposure/reader_state.hpp"

#include <algorithm>

namespace tocsin::engine {

using storage::Grade;
using storage::People;
using storage::PersonNo;

namespace {

constexpr std::size_t kMaxRemembered = 10'000;  // people of a reach that is kept for the next line of its statement

}  // namespace

Session& ReaderState::session(const Access& access) {
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

void ReaderState::forget(const Session& session) {
  const auto found = by_id.find(session.id);
  if (found == by_id.end()) return;
  const auto at = found->second;
  by_id.erase(found);
  sessions.erase(at);
}

bool ReaderState::kept(const std::string& dataset) const {
  const DatasetSpec* spec = map.find(dataset);
  const storage::People* people = registers.find(dataset);
  if (spec == nullptr || !spec->kept || people == nullptr || !people->registered()) return false;
  const auto found = disproved.find(dataset);
  return found == disproved.end() || found->second < people->as_of();
}

void ReaderState::disprove(const std::string& dataset) {
  if (const storage::People* people = registers.find(dataset); people != nullptr) disproved[dataset] = people->as_of();
}

namespace {

std::string leaving(const std::string& dataset) { return '\x1f' + dataset; }

}  // namespace

bool ReaderState::departed(const std::string& dataset) const {
  const storage::People* people = registers.find(dataset);
  const auto found = disproved.find(leaving(dataset));
  return found != disproved.end() && (people == nullptr || found->second >= people->as_of());
}

void ReaderState::depart(const std::string& dataset) {
  if (const storage::People* people = registers.find(dataset); people != nullptr && !warming) disproved[leaving(dataset)] = people->as_of();
}

bool ReaderState::doubtful(const std::string& dataset, PersonNo no) const {
  const auto found = doubtful_.find(dataset);
  return found != doubtful_.end() && found->second.people.count(no) > 0;
}

void ReaderState::doubt(const std::string& dataset, PersonNo no) {
  const storage::People* people = registers.find(dataset);
  if (people == nullptr || warming) return;
  Doubtful& all = doubtful_[dataset];
  if (all.as_of != people->as_of()) all = {people->as_of(), {}};
  constexpr std::size_t kMaxDoubtful = 100'000;
  if (all.people.size() >= kMaxDoubtful) depart(dataset);
  else all.people.insert(no);
}

std::map<std::string, Time> ReaderState::doubts() const {
  std::map<std::string, Time> out = disproved;
  for (const auto& [dataset, all] : doubtful_) {
    if (!all.people.empty()) out[leaving(dataset)] = std::max(out[leaving(dataset)], all.as_of);
  }
  return out;
}

Catalogue& ReaderState::catalogue(const Access& access) {
  const std::string key = access.origin.source + '\x1f' + access.resource.store;
  return catalogues.try_emplace(key, options.max_relations).first->second;
}

bool is_mysql(const Access& access) {
  return access.resource.system == "mariadb" || access.resource.system == "mysql";
}

storage::Span window(const ReaderState& state, const Session& s, const Access& access) {
  storage::Span out;
  out.to = access.time;
  out.from = s.before_known ? s.before : access.time - state.options.unknown_start;
  if (s.transaction) out.from = std::min(out.from, *s.transaction);
  out.from = std::min(out.from, out.to);
  return out;
}

std::string_view last_part(std::string_view relation) {
  const std::size_t dot = relation.rfind('.');
  return dot == std::string_view::npos ? relation : relation.substr(dot + 1);
}

bool names_relation(const sql::Query& query, std::string_view relation) {
  return std::any_of(query.sources.begin(), query.sources.end(), [&](const sql::Source& s) {
    return s.relation.text() == relation || (s.relation.schema.empty() && s.relation.name == last_part(relation));
  });
}

bool nothing_was_read(std::string_view error) {
  return error.starts_with("permission denied") || error.starts_with("refused before reading") || error.starts_with("syntax error") ||
         error.starts_with("must be owner") ||
         ((error.starts_with("relation ") || error.starts_with("column ") || error.starts_with("schema ") ||
           error.starts_with("role ") || error.starts_with("database ")) &&
          error.ends_with("does not exist"));
}

std::string with_commas(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

std::string people_word(std::uint64_t n) { return n == 1 ? "1 person" : with_commas(n) + " people"; }

Names names_of(const StatementLine& line) {
  return {line.access.statement.relation.empty() ? std::string_view() : std::string_view(line.access.resource.dataset), line.session.id};
}

std::string qualified(const StatementLine& line, const sql::Relation& relation) {
  const std::string& logged = line.access.resource.dataset;
  if (relation.schema.empty() && !logged.empty() && last_part(logged) == relation.name) return logged;
  return relation.text();
}

std::string statement_key(const StatementLine& line) {
  const Access& a = line.access;
  if (a.statement.number > 0 && !a.actor.session.empty()) {
    return a.origin.source + "/" + a.actor.session + "/" + std::to_string(a.statement.number);
  }
  if (!a.event_id.empty()) return a.origin.source + "/event/" + a.event_id;
  return a.origin.source + "/line/" + a.origin.file + ":" + std::to_string(a.origin.line) + "/" + std::to_string(a.origin.seq);
}

Reach blank(const StatementLine& line, const std::string& dataset, std::string key) {
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

void emit(StatementLine& line, Reach reach) {
  Access& access = line.access;
  reach.last = access.time;
  if (access.subjects.empty() && reach.grade == Grade::kExact) {
    const People* people = line.state.registers.find(reach.dataset);
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
  if (!line.state.warming || line.state.reporting) line.out.push_back(std::move(reach));
}

void name_resource(StatementLine& line, const sql::Query& query) {
  if (!line.access.resource.dataset.empty()) return;
  const sql::Source* best = nullptr;
  for (const sql::Source& s : query.sources) {
    if (s.relation.is_catalog()) continue;
    if (best == nullptr || s.use > best->use) best = &s;
  }
  if (best == nullptr) return;
  line.access.resource.dataset = best->relation.text();
  if (line.access.resource.columns.empty()) line.access.resource.columns = best->columns;
}

}  // namespace tocsin::engine
