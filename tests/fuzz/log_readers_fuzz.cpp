// Kept knowledge of readers of logs from a stranger: restoring must refuse, and leave nothing, or give what goes on without a
// fault and is the same when it is kept and restored again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/detect/log_readers.hpp"
#include "storage/people.hpp"

using namespace tocsin;
using namespace tocsin::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const storage::Registers* const registers = [] {
    auto* out = new storage::Registers(storage::process_hash());
    for (const char* id : {"1", "2", "3"}) static_cast<void>(out->of("patient").see(id));
    return out;
  }();
  const auto fresh = [] {
    LogReaders out;
    out.add_place("db", LogPlace::parse("ops.db_log").value());
    return out;
  };
  LogReaders readers = fresh();
  const std::string nothing = readers.save();
  if (!readers.restore(std::string_view(reinterpret_cast<const char*>(data), size), *registers)) {
    if (readers.save() != nothing) std::abort();
    return 0;
  }
  const std::string kept = readers.save();
  LogReaders twin = fresh();
  if (!twin.restore(kept, *registers) || twin.save() != kept) std::abort();
  std::vector<LogReaders::Told> told;
  Access access;
  access.action = Action::kRead;
  access.actor.account = "mallory";
  access.resource.dataset = "ops.db_log";
  readers.read(access, told);
  Reach about;
  about.dataset = "patient";
  about.people = {0, 2};
  readers.stood("db", "the log", {"secret/db/personal", "title", "IBAN", Time{}}, &about, told);
  static_cast<void>(readers.readers_of("db"));
  return 0;
}
