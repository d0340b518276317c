// The API's handlers over a data directory that no engine uses.
#include "engine/app/people_front.hpp"

#include "engine/api/incidents.hpp"
#include "engine/api/people.hpp"
#include "engine/app/config.hpp"
#include "engine/app/local_routes.hpp"
#include "engine/app/people_desk.hpp"
#include "engine/app/people_source.hpp"
#include "engine/app/state.hpp"

namespace tocsin::engine {
namespace {

struct Standing {
  PeopleDesk desk;
  ExposedPeople people;
  std::unique_ptr<LawCounsel> counsel;
  std::unique_ptr<Respond> respond;
};

Result<Front> open_here(const PeopleQuestion& q, const Clock& clock) {
  DatasetMap datasets;
  if (!q.config.empty()) {
    auto loaded = load_config(q.config);
    if (!loaded) return pass(std::move(loaded));
    if (!loaded->mistakes.empty()) return fail(Errc::kInvalid, describe(loaded->mistakes.front(), q.config));
    datasets = dataset_map(loaded->config);
  }
  auto desk = q.pseudonyms ? PeopleDesk::open_pseudonyms(q.data) : PeopleDesk::open(q.data, q.keys.empty() ? q.data / "keys" : q.keys, false);
  if (!desk) return pass(std::move(desk));
  auto counsel = LawCounsel::built_in();
  if (!counsel) return pass(std::move(counsel));
  auto standing = std::make_shared<Standing>(Standing{std::move(*desk), ExposedPeople(std::move(datasets)), std::move(*counsel), nullptr});
  Respond::Deps deps{.database = *standing->desk.db, .clock = clock, .counsel = *standing->counsel, .people = &standing->people};
  standing->respond = std::make_unique<Respond>(std::move(deps));
  auto router = std::make_shared<Router>();
  add_local_routes(*router);
  add_people_routes(*router, PeopleApi{*standing->desk.db, standing->people, clock, standing->desk.vault.get(), standing->desk.ledger.get()});
  add_incident_people_routes(*router, WorkflowApi{*standing->respond, Surroundings()});
  return Front(standing, router);
}

}  // namespace

Result<Front> people_front(const PeopleQuestion& question, const Clock& clock) {
  return front_for(question.data, [&] { return open_here(question, clock); });
}

}  // namespace tocsin::engine
