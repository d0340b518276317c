// Everything of the ledger that is read from others: notes, checkpoints, keys, proofs, entries, bundles, names.
// Whatever is accepted must print back to the same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/ledger/ledger.hpp"
#include "storage/ledger/tiles.hpp"

using namespace tocsin;
using namespace tocsin::storage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const VerifierKey key =
      *VerifierKey::parse("tocsin.example/log+3376d26c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (auto parsed = VerifierKey::parse(bytes); parsed && parsed->text() != bytes) std::abort();
  if (auto text = open_note(bytes, key); text && !note_text(bytes)) std::abort();
  if (auto checkpoint = Checkpoint::parse(bytes); checkpoint && !bytes.starts_with(checkpoint->text())) std::abort();
  if (auto entry = decode_entry(bytes)) {
    auto again = encode_entry(*entry, bytes.substr(1, kEntrySaltBytes));
    if (bytes.size() <= kMaxEntryBytes && (!again || *again != bytes)) std::abort();
  }
  if (auto entries = parse_bundle(bytes)) {
    std::string again;
    for (const std::string_view entry : *entries) append_to_bundle(again, entry);
    if (again != bytes) std::abort();
  }
  if (auto name = TileName::parse(bytes); name && name->path() != bytes) std::abort();
  static_cast<void>(parse_tile(bytes));
  static_cast<void>(check_proof(bytes, key));
  return 0;
}
