// How far the engine has come: the number of the newest event whose effects are stored, what detection
// remembered at some event before, and which register files were imported in which form. Written in the transaction of the
// effects themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

class ProgressStore {
 public:
  static constexpr std::string_view kFamily = "progress";
  [[nodiscard]] static std::span<const Migration> migrations();

  // The newest event that is fully processed; 0 = none.
  [[nodiscard]] static Result<std::uint64_t> processed(Reader& reader);
  [[nodiscard]] static Result<void> set_processed(Transaction& tx, std::uint64_t seq);

  // What detection remembers, as it was after the event with that number. The bytes are the engine's.
  static constexpr std::string_view kWindows = "correlations";  // the windows of correlations
  static constexpr std::string_view kLearned = "learned";       // what exposure learned of sessions and relations; sealed
  static constexpr std::string_view kLogReaders = "log-readers";  // logs in which secrets stand, and who read them
  struct Snapshot {
    std::uint64_t seq = 0;
    std::string bytes;
  };
  [[nodiscard]] static Result<std::optional<Snapshot>> snapshot(Reader& reader, std::string_view name);
  [[nodiscard]] static Result<void> set_snapshot(Transaction& tx, std::string_view name, std::uint64_t seq, std::string_view bytes);

  // A note by name ("register:patient" → SHA-256 of the file); empty = none.
  [[nodiscard]] static Result<std::string> note(Reader& reader, std::string_view name);
  [[nodiscard]] static Result<void> set_note(Transaction& tx, std::string_view name, std::string_view value);
};

}  // namespace tocsin::storage
