// One decision as bytes: length-prefixed, with a version byte, so that there is exactly one way to write it
// and no question of canonical text. Layout: ops/docs/formats/ledger.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::storage {

// What was decided, sent, opened or proved. No personal data: pseudonyms, our own ids, hashes, counts.
struct Entry {
  std::string kind;  // "incident-opened", "notice-approved", "vault-opened", …
  Time time{};
  std::string by;    // login of who did it; "tocsin" for the engine itself
  std::vector<std::pair<std::string, std::string>> fields;  // in this order

  friend bool operator==(const Entry&, const Entry&) = default;
};

constexpr std::size_t kMaxEntryBytes = 65'535;  // C2SP tlog-tiles: a bundle gives each length 16 bits
constexpr std::size_t kEntrySaltBytes = 16;

// The bytes that are hashed into the tree. `salt` (16 random bytes, kept in the entry) makes the leaf hash say
// nothing about a guessable entry. Error kTooLarge.
[[nodiscard]] Result<std::string> encode_entry(const Entry& entry, std::string_view salt);
// The inverse; refuses anything that encode_entry would not write. Error kCorrupt.
[[nodiscard]] Result<Entry> decode_entry(std::string_view bytes);

}  // namespace tocsin::storage
