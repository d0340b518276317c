// The ids of the event, or the one in the object's name, are the set; an event about a dataset that names nobody
// may be about anyone in it.
#include "engine/exposure/named_people.hpp"

#include <algorithm>

#include "engine/exposure/evaluate.hpp"

namespace tocsin::engine {

using storage::Grade;
using storage::People;

namespace {

void named_people(StatementLine& line, const std::string& dataset) {
  Access& access = line.access;
  People& people = line.state.registers.of(dataset);
  Reach reach = blank(line, dataset, statement_key(line) + "/" + dataset);
  for (const std::string& id : access.subjects) {
    if (reach.people.size() >= line.state.options.max_ids) break;
    const std::string canonical = canonical_id(id, &people);
    if (!line.state.warming) reach.people.push_back(people.see(canonical));
    else if (const auto no = people.find(canonical)) reach.people.push_back(*no);
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

}  // namespace

void read_event(ReaderState& state, Access& access, std::vector<Reach>& out) {
  if (access.outcome == Outcome::kFailure || (state.warming && !state.reporting)) return;
  if (access.action == Action::kAuthenticate || access.action == Action::kConfigure) return;
  Session unused;
  Catalogue& known = state.catalogue(access);
  unused.before = access.time;
  unused.before_known = true;
  StatementLine line{state, access, unused, known, {access.time, access.time}, out};
  if (access.rows.certainty == Certainty::kExact && access.rows.value == 0) return;
  std::string dataset;
  if (const auto persons = state.map.persons_of(access.resource.dataset); !persons.empty()) dataset = persons.front().dataset;
  else if (state.map.find(access.resource.dataset) != nullptr) dataset = access.resource.dataset;
  if (access.subjects.empty()) {
    if (auto named = state.map.person_of(access.resource)) {
      access.subjects.push_back(std::move(named->second));
      dataset = std::move(named->first);
    } else if (dataset.empty() && access.action == Action::kList) {
      dataset = state.map.listed(access.resource);
    }
  }
  if (!access.subjects.empty()) {
    if (dataset.empty()) {
      if (state.map.configured() && state.map.specs().size() == 1 && access.resource.dataset.empty()) dataset = state.map.specs().front().name;
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
  const People* people = state.registers.find(dataset);
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

void read_replication(ReaderState& state, Access& access, std::vector<Reach>& out) {
  Session& s = state.session(access);
  StatementLine line{state, access, s, state.catalogue(access), {access.time, storage::kForever}, out};  // until it ends, which no log tells
  std::vector<std::string> datasets;
  for (const DatasetSpec& spec : state.map.specs()) {
    if (!spec.tables.empty()) datasets.push_back(spec.name);
  }
  if (!state.map.configured()) {
    for (const auto& [name, people] : state.registers.all()) {
      if (people->registered()) datasets.push_back(name);
    }
  }
  const std::string key = statement_key(line) + "/replication";
  for (const std::string& dataset : datasets) {
    const People* people = state.registers.find(dataset);
    Reach reach = blank(line, dataset, key + "/" + dataset);
    reach.grade = Grade::kBound;
    reach.whole = true;
    reach.way = "replication";
    reach.fields = {"*"};
    reach.collected = true;
    reach.known = people == nullptr ? 0 : people->count({access.time, access.time});
    reach.at_least = 0;
    reach.reason = "A connection for replication reads the whole database: anyone in " + dataset + ", " + with_commas(reach.known) + " known at that time, and whoever comes later.";
    emit(line, std::move(reach));
  }
  if (!datasets.empty()) return;
  Reach reach = blank(line, "", key);
  reach.way = "replication";
  reach.at_least = 0;
  reach.reason = "A connection for replication reads the whole database; whose data that is nobody has told.";
  emit(line, std::move(reach));
}

}  // namespace tocsin::engine
