// `tocsin forget`: makes a person unreadable for ever. The key is destroyed; what was recorded stays verifiable. An engine
// that runs on the data does it (Front), else this process.
#include <cstdio>
#include <string>

#include <boost/json.hpp>

#include "engine/api/url.hpp"
#include "engine/app/cli.hpp"
#include "engine/app/register_front.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

struct Arguments {
  std::filesystem::path data, keys;
  std::string dataset, subject, reason;
};

Result<std::string> forget(const Arguments& a, const Clock& clock) {
  if (trim(a.reason).empty()) return fail(Errc::kInvalid, "--reason must say why", {}, "it is kept in the ledger; name nobody in it");
  auto front = register_front(a.data, a.keys, false, clock);
  if (!front) return pass(std::move(front));
  auto answer = front->post("/v1/local/registers/" + percent_encode(a.dataset) + "/erase", {{"subject", a.subject}, {"reason", a.reason}});
  if (!answer) return pass(std::move(answer));
  return std::string(answer->at("pseudonym").as_string());
}

}  // namespace

void add_forget(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("forget", "erase a person: destroy the key to everything stored about them; works beside a running engine");
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
    std::printf("erased %s\n", done->c_str());
    std::fprintf(stderr, "tocsin: raw events that mention the person stay in the journal until they expire\n");
  });
}

}  // namespace tocsin::engine
