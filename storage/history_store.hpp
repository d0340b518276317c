// The memory of decisions: one row for every change of an alert, incident, duty, task or silence, with what it
// was, what it became, who did it, why and when. Rows are only ever added.
//
// Each row carries a random salt. SHA-256 over salt and row is what goes into the ledger: the ledger thus holds
// every word of the row fast without containing any of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/bytes.hpp"
#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

// One change of one field. Values are the words of the API ("new", "acknowledged"); empty = there was none.
struct Change {
  std::int64_t id = 0;                    // given by the store
  std::string subject;                    // "alert", "incident", "duty", "task", "silence"
  std::int64_t subject_id = 0;
  std::optional<std::int64_t> incident;   // the incident whose timeline shows it
  Time time{};
  std::string by;                         // login; "tocsin" for what the engine does by itself
  std::string field;                      // "state", "assignee", "facts.encrypted", …
  std::string from;
  std::string to;
  std::string reason;
  std::string salt;                       // 16 random bytes as hex; given by the store if empty
};

class HistoryStore {
 public:
  static constexpr std::string_view kFamily = "history";
  static constexpr std::size_t kMaxRows = 5000;  // returned by one query, oldest first

  [[nodiscard]] static std::span<const Migration> migrations();

  // Adds the row and returns it with its id and salt. Error kTooLarge if the disk is full.
  [[nodiscard]] static Result<Change> add(Transaction& tx, Change change);

  // Oldest first. An unknown subject has an empty history.
  [[nodiscard]] static Result<std::vector<Change>> of(Reader& reader, std::string_view subject, std::int64_t id);
  // Everything on the incident's timeline: the incident, its duties, its tasks, and its alerts since they joined.
  [[nodiscard]] static Result<std::vector<Change>> of_incident(Reader& reader, std::int64_t incident);

  // SHA-256 over the salt and each field, every one preceded by its length (8 bytes, big-endian).
  [[nodiscard]] static Sha256 commitment(const Change& change);
};

}  // namespace tocsin::storage
