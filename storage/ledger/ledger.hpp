// The record that cannot be rewritten: every decision is a leaf of one RFC 6962 Merkle tree whose root is
// signed (Ed25519) as a C2SP checkpoint and laid out as C2SP tlog-tiles, so that other people's tools can check
// it. Formats: ops/docs/formats/ledger.md.
//
//   auto ledger = Ledger::open(db, "data/ledger", "data/keys", {.origin = "example.org/tocsin"});
//   db.write([&](Transaction& tx) -> Result<void> {
//     auto index = ledger->record(tx, {.kind = "alert-triaged", .time = now, .by = "anna",
//                                      .fields = {{"alert", id}, {"state", "false_positive"}}});
//     if (!index) return pass(std::move(index));
//     return store_the_decision(tx);
//   });   // here the decision and its entry are on disk, and the signed checkpoint covers them
//
// An entry is staged in the transaction of the decision itself: one happens with the other. After the commit,
// bundles, tiles and then the checkpoint are written (temporary file, fsync, rename, fsync of the directory).
// If that fails, the ledger is unhealthy and record() refuses: nothing is decided or sent that cannot be
// published. The next publish that works makes it healthy again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/ledger/entry.hpp"
#include "storage/ledger/note.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

class Ledger {
 public:
  struct Options {
    // The log's name in its checkpoints and key: a URL without scheme. Fixed when the ledger is made; empty =
    // the stored one, or kDefaultOrigin.
    std::string origin;
  };
  static constexpr std::string_view kDefaultOrigin = "localhost/tocsin";

  // The state that is published: what GET /v1/ledger shows.
  struct Head {
    std::uint64_t size = 0;
    Hash root{};
    std::string checkpoint;  // the signed note; empty while nothing was ever recorded
  };

  // Opens or makes the ledger in `dir` with the signing seed `keys_dir`/ledger.seed (made if absent), creates
  // its tables in `db`, and publishes entries that were committed but not yet published. `db` MUST outlive it.
  // Errors: kCorrupt if the files do not fit the stored size and root (fatal: restore, or find out who changed
  // them with `tocsin ledger verify`), kConflict if the seed or origin is not the one this ledger was made with.
  [[nodiscard]] static Result<std::unique_ptr<Ledger>> open(Database& db, const std::filesystem::path& dir,
                                                            const std::filesystem::path& keys_dir, Options options);
  ~Ledger();

  // Stages an entry; returns its index (0-based). It is in the ledger if and only if `tx` commits; callers MUST
  // NOT act on it before. No personal data in entries: pseudonyms, ids of our own, hashes, counts. Errors:
  // kUnavailable (unhealthy), kTooLarge (entry over kMaxEntryBytes). Call only inside db.write.
  [[nodiscard]] Result<std::uint64_t> record(Transaction& tx, const Entry& entry);

  // False after a failed publication. Thread-safe.
  [[nodiscard]] bool healthy() const noexcept;
  // Why it is not healthy, for a person; empty if it is. Thread-safe.
  [[nodiscard]] std::string trouble() const;
  // Tries again to publish what is committed (housekeeping calls this while unhealthy). MUST NOT be called
  // inside db.write or from after_commit.
  [[nodiscard]] Result<void> publish();

  [[nodiscard]] Head head() const;  // thread-safe
  [[nodiscard]] const std::string& origin() const noexcept;
  [[nodiscard]] const std::string& vkey() const noexcept;  // the verifier key, to be given to anybody

  // Entries from index `from`, oldest first, at most `limit`.
  struct Stored {
    std::uint64_t index = 0;
    Entry entry;
  };
  [[nodiscard]] static Result<std::vector<Stored>> entries(Reader& reader, std::uint64_t from, std::size_t limit);

  // Signs `text` (which ends with a newline) as a note of this log: for notices that people can check.
  [[nodiscard]] std::string sign(std::string_view text) const;

  // A C2SP .tlog-proof that entry `index` is in the published tree; the entry itself is its "extra" line.
  [[nodiscard]] Result<std::string> prove(std::uint64_t index) const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The resource of the tlog-tiles interface named by `path` ("checkpoint", "tile/0/x001/067.p/8",
// "tile/entries/000") from the ledger's directory: the bytes to be served. A partial tile of an earlier size is
// cut from the larger one that took its place. Error kNotFound for anything that is not such a path or not
// there. Serve "tile/entries/…" only to users of the console: entries name operators. Thread-safe.
[[nodiscard]] Result<std::string> ledger_resource(const std::filesystem::path& dir, std::string_view path);

// A .tlog-proof for entry `index`, made from the files alone (works beside a running engine).
[[nodiscard]] Result<std::string> prove(const std::filesystem::path& dir, std::uint64_t index);

// Checks a .tlog-proof that carries its entry against a verifier key. Returns the entry and where it stands.
struct Proved {
  std::uint64_t index = 0;
  std::uint64_t size = 0;
  Hash root{};
  Entry entry;
};
[[nodiscard]] Result<Proved> check_proof(std::string_view proof, const VerifierKey& key);

}  // namespace tocsin::storage
