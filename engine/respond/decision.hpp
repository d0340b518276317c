// One decision while it is being made: its changes become history rows, its ledger entry commits to them, and the
// consoles hear of it once it is on disk. Used inside respond only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/history_store.hpp"
#include "storage/ledger/entry.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::engine {

// Puts a decision into the ledger inside the transaction that makes it (Ledger::record). If it fails, nothing is
// decided.
using Recorder = std::function<Result<void>(storage::Transaction&, const storage::Entry&)>;
// Says that something changed (Feed::tell). Called after the commit; never blocks.
using Teller = std::function<void(std::string_view kind, std::string_view id)>;

// What the engine does by itself is done by this login; no user can have it.
inline constexpr std::string_view kTocsin = "tocsin";

class Decision {
 public:
  Decision(storage::Transaction& tx, Time now, std::string by, std::string reason)
      : tx_(tx), now_(now), by_(std::move(by)), reason_(std::move(reason)) {}

  [[nodiscard]] storage::Transaction& tx() const noexcept { return tx_; }
  [[nodiscard]] Time now() const noexcept { return now_; }
  [[nodiscard]] const std::string& by() const noexcept { return by_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

  // A change of one field: a history row. `reason` instead of the decision's own, `by` instead of its author.
  struct Why {
    std::optional<std::string> reason;
    std::optional<std::string> by;
  };
  [[nodiscard]] Result<void> change(std::string_view subject, std::int64_t id, std::optional<std::int64_t> incident,
                                    std::string_view field, std::string_view from, std::string_view to,
                                    const Why& why);
  [[nodiscard]] Result<void> change(std::string_view subject, std::int64_t id, std::optional<std::int64_t> incident,
                                    std::string_view field, std::string_view from, std::string_view to) {
    return change(subject, id, incident, field, from, to, Why());
  }
  // A field of the ledger entry; no personal data.
  void note(std::string name, std::string value) { notes_.emplace_back(std::move(name), std::move(value)); }
  void tell(std::string_view kind, std::string id) { messages_.emplace(kind, std::move(id)); }
  void tell(std::string_view kind, std::int64_t id) { messages_.emplace(kind, std::to_string(id)); }

  // Writes the ledger entry and lets the messages go after the commit. Call once, last.
  [[nodiscard]] Result<void> finish(std::string_view kind, const Recorder& record, const Teller& tell);
  // The same without an entry: for what the engine observes rather than decides.
  void finish_quietly(const Teller& tell);

 private:
  storage::Transaction& tx_;
  Time now_;
  std::string by_;
  std::string reason_;
  std::vector<std::pair<std::string, std::string>> notes_;
  std::vector<std::pair<std::string, std::string>> commitments_;
  std::set<std::pair<std::string, std::string>> messages_;
};

}  // namespace tocsin::engine
