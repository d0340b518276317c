// The handlers over a data directory that no engine uses; the registers are loaded when a change first wants them.
#include "engine/app/register_front.hpp"

#include <optional>

#include "engine/app/local_routes.hpp"
#include "engine/app/people_desk.hpp"
#include "engine/app/register_routes.hpp"
#include "storage/progress_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {

namespace {

struct Standing {
  PeopleDesk desk;
  storage::Registers registers;
  bool loaded = false;
};

Result<Front> open_here(const std::filesystem::path& data, const std::filesystem::path& keys, bool create, const Clock& clock) {
  auto desk = PeopleDesk::open(data, keys, create);
  if (!desk) {
    Error error = std::move(desk).error();
    if (error.code == Errc::kUnavailable) error.remedy = "an engine runs here and takes no commands: stop it first, or name the register in its configuration (datasets: register:)";
    return tl::unexpected<Error>(std::move(error));
  }
  if (auto ready = desk->db->migrate(storage::ProgressStore::kFamily, storage::ProgressStore::migrations()); !ready) return pass(std::move(ready));
  storage::Registers registers(storage::RegisterStore::hash_with(desk->keys));
  auto standing = std::make_shared<Standing>(Standing{std::move(*desk), std::move(registers)});
  auto alone = [s = standing.get()](bool loaded, const RegisterDesk::Work& work) -> Result<void> {
    if (loaded && !s->loaded) {
      auto done = s->desk.db->read([&](storage::Reader& reader) { return storage::RegisterStore::load(reader, *s->desk.vault, s->registers); });
      if (!done) return done;
      s->loaded = true;
    }
    return work(s->registers);
  };
  auto router = std::make_shared<Router>();
  add_local_routes(*router);
  add_register_routes(*router, RegisterDesk{*standing->desk.db, *standing->desk.vault, *standing->desk.ledger, standing->desk.keys, clock, std::move(alone), {}});
  return Front(standing, router);
}

}  // namespace

Result<Front> register_front(const std::filesystem::path& data, const std::filesystem::path& keys, bool create, const Clock& clock) {
  return front_for(data, [&] { return open_here(data, keys, create, clock); });
}

}  // namespace tocsin::engine
