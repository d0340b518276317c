// Who the pseudonyms are: each person's id, name and contacts, encrypted under a key of that person's own, so
// that erasing a person is destroying one key. Format and reasons: ops/docs/formats/vault.md.
//
//   auto vault = Vault::open(db, keys);                                     // once, at start
//   db.write([&](Transaction& tx) { return vault->put(tx, people, now); });  // thousands at a time
//   db.read([&](Reader& r) { return vault->open(r, pseudonym); });          // -> {"id": "17", "name": …}
//   db.write([&](Transaction& tx) { return vault->erase(tx, pseudonym, now); });
//
// Two files hold it: the encrypted records are in the main database, the wrapped keys in KEYS/keys.db. A key is
// durable before the transaction that needs it commits; an erasure is durable before its key is destroyed. A
// crash in between leaves an unused key, or an erasure that the next start completes; never a readable person
// who should be erased for good, never a record without its key.
//
// Rule for callers: opening a record is itself an act to be recorded. Write the ledger entry first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::storage {

// Named values about a person: "id" (as the register has it; put adds it), "name", "email", "phone",
// "language", "country", and whatever else the register holds.
using Fields = std::map<std::string, std::string, std::less<>>;

// One person to be kept.
struct Person {
  std::string dataset;
  std::string id;
  Fields fields;
};

class Vault {
 public:
  static constexpr std::size_t kMaxRecordBytes = 64 * 1024;  // of one person's fields, packed

  struct Put {
    std::uint64_t added = 0;
    std::uint64_t changed = 0;  // known before; the new fields replace the old ones
    std::uint64_t erased = 0;   // asked to be forgotten: not stored again
  };
  struct Erasure {
    Pseudonym pseudonym;
    std::string dataset;
    Time at{};
  };

  // The vault of `db`, whose wrapped keys are in `keys->directory()`/keys.db (made if absent). Creates the
  // tables, and completes erasures that a crash interrupted. `db` MUST outlive the vault.
  [[nodiscard]] static Result<std::unique_ptr<Vault>> open(Database& db, std::shared_ptr<const Keys> keys);
  // For commands beside a running engine: only exists(), open() and erased() work.
  [[nodiscard]] static Result<std::unique_ptr<Vault>> open_read_only(std::shared_ptr<const Keys> keys);
  ~Vault();

  [[nodiscard]] const Keys& keys() const noexcept { return *keys_; }
  [[nodiscard]] Pseudonym pseudonym(std::string_view dataset, std::string_view id) const {
    return keys_->pseudonym(dataset, id);
  }

  // Keeps these people. Call with many at a time: each call syncs keys.db once, whatever its number.
  // If the transaction rolls back, nothing readable remains. Errors: kTooLarge (a record over the limit,
  // nothing was done), kIo.
  [[nodiscard]] Result<Put> put(Transaction& tx, std::span<const Person> people, Time now);
  [[nodiscard]] Result<Put> put(Transaction& tx, std::string_view dataset, std::string_view id, Fields fields,
                                Time now);

  // The person's fields, "id" among them. Errors: kNotFound ("unknown" or "erased": see is_erased), kCorrupt
  // (the record is not the one that was stored for this pseudonym).
  [[nodiscard]] Result<Fields> open(Reader& reader, const Pseudonym& pseudonym) const;

  [[nodiscard]] Result<bool> exists(Reader& reader, const Pseudonym& pseudonym) const;
  [[nodiscard]] Result<bool> is_erased(Reader& reader, const Pseudonym& pseudonym) const;

  // Makes a person unreadable for ever: the record goes with this transaction, the key right after its commit
  // and before write() returns, and with it every old copy of the record. Call settle() afterwards: it clears
  // the write-ahead logs, and the key if that failed. The pseudonym stays, and leads to nobody. Error kNotFound
  // if it is not known; erasing twice is well.
  [[nodiscard]] Result<void> erase(Transaction& tx, const Pseudonym& pseudonym, Time now);

  // Completes erasures: destroys keys that are still there and truncates both write-ahead logs. Runs at open;
  // call it after erasing and from housekeeping. MUST NOT be called inside db.write. Returns the keys that it
  // destroyed. Error kBusy if a reader still needs a log: try again.
  [[nodiscard]] Result<std::uint64_t> settle(Database& db);

  // All erasures, oldest first.
  [[nodiscard]] Result<std::vector<Erasure>> erased(Reader& reader) const;

  // A new key-encryption key: re-wraps every person's key under it and destroys the old one.
  [[nodiscard]] Result<void> rotate();

  // A consistent copy of keys.db, for `tocsin backup --with-keys`.
  [[nodiscard]] Result<void> copy_keys_to(const std::filesystem::path& file);

 private:
  struct Impl;
  Vault(std::shared_ptr<const Keys> keys, std::unique_ptr<Impl> impl);
  std::shared_ptr<const Keys> keys_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::storage
