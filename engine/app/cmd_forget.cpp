// `tocsin forget`: makes a person unreadable for ever. The key is destroyed; what was recorded stays verifiable.
#include <cstdio>
#include <string>

#include "engine/app/cli.hpp"
#include "engine/app/people_desk.hpp"
#include "rules/base/text.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

struct Arguments {
  std::filesystem::path data, keys;
  std::string dataset, subject, reason;
};

Result<storage::Pseudonym> forget(const Arguments& a, const Clock& clock) {
  if (trim(a.reason).empty()) return fail(Errc::kInvalid, "--reason must say why", {}, "it is kept in the ledger; name nobody in it");
  auto desk = PeopleDesk::open(a.data, a.keys, false);
  if (!desk) {
    Error error = std::move(desk).error();
    if (error.code == Errc::kUnavailable) error.remedy = "stop the engine that runs here, then repeat the command";
    return tl::unexpected<Error>(std::move(error));
  }
  const storage::Pseudonym pseudonym = desk->keys->pseudonym(a.dataset, trim(a.subject));
  auto known = desk->db->read([&](storage::Reader& r) { return storage::RegisterStore::find(r, pseudonym); });
  if (!known) return pass(std::move(known));
  if (!*known) return fail(Errc::kNotFound, "nobody by that id is known in " + a.dataset, {}, "check --dataset and the id");
  const Time now = clock.now();
  auto done = desk->db->write([&](storage::Transaction& tx) -> Result<void> {
    storage::Entry entry{"person-erased", now, kCommandLine,
                         {{"dataset", a.dataset}, {"pseudonym", pseudonym.hex()}, {"reason", a.reason}}};
    auto recorded = desk->ledger->record(tx, entry);
    if (!recorded) return pass(std::move(recorded));
    if (auto row = storage::RegisterStore::forget(tx, pseudonym, now); !row) return row;
    return desk->vault->erase(tx, pseudonym, now);
  });
  if (!done) return pass(std::move(done));
  auto settled = desk->vault->settle(*desk->db);
  if (!settled) return pass(std::move(settled));
  return pseudonym;
}

}  // namespace

void add_forget(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("forget", "erase a person: destroy the key to everything stored about them");
  auto a = std::make_shared<Arguments>();
  add_data_option(*command, a->data);
  command->add_option("--keys", a->keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
  command->add_option("--dataset", a->dataset, "the register that holds the person")->required();
  command->add_option("--reason", a->reason, "why; kept in the ledger, so name nobody in it")->required();
  command->add_option("SUBJECT", a->subject, "the person's id, as the register has it")->required();
  command->callback([a, &context] {
    if (a->keys.empty()) a->keys = a->data / "keys";
    auto done = forget(*a, context.clock);
    if (!done) {
      context.exit_status = report(done.error());
      return;
    }
    std::printf("erased %s\n", done->hex().c_str());
    std::fprintf(stderr, "tocsin: raw events that mention the person stay in the journal until they expire\n");
  });
}

}  // namespace tocsin::engine
