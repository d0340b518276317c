// The register on disk: which people a dataset holds, since when, until when; as pseudonyms. Ids, names and
// contacts are in the vault; values needed to evaluate conditions are keyed hashes.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/people.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::storage {

class RegisterStore {
 public:
  static constexpr std::string_view kFamily = "register";
  [[nodiscard]] static std::span<const Migration> migrations();

  // Keyed hashes of values, with the key of `keys` (purpose "register value").
  [[nodiscard]] static HashValue hash_with(std::shared_ptr<const Keys> keys);

  // Fills `registers` (empty before) from the database; ids come from the vault. `progress(done, total)` may be empty.
  [[nodiscard]] static Result<void> load(Reader& reader, const Vault& vault, Registers& registers,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

  // Writes what changed in `registers` since the last call; new people also go to the vault. Call it in the
  // transaction that stores the reaches, before ExposureStore::add.
  [[nodiscard]] static Result<void> save(Transaction& tx, Vault& vault, Registers& registers, Time now);

  // A person as others see them.
  struct Known {
    PersonNo no = 0;
    Pseudonym pseudonym;
    std::string dataset;
    Span valid;
    bool listed = false;  // in the register, not only seen in an event
    std::optional<Time> erased;
    std::string country, language;
  };
  [[nodiscard]] static Result<std::optional<Known>> find(Reader& reader, const Pseudonym& pseudonym);
  [[nodiscard]] static Result<std::optional<Known>> find(Reader& reader, std::string_view dataset, PersonNo no);
  [[nodiscard]] static Result<std::vector<std::string>> datasets(Reader& reader);
  // People of `dataset` at any moment of `when`.
  [[nodiscard]] static Result<std::uint64_t> count(Reader& reader, std::string_view dataset, const Span& when);

  // Numbers of those who were erased.
  [[nodiscard]] static Result<std::vector<PersonNo>> erased(Reader& reader, std::string_view dataset);

  // Marks a person erased (attributes go; pseudonym and number stay). The caller erases in the vault as well.
  [[nodiscard]] static Result<void> forget(Transaction& tx, const Pseudonym& pseudonym, Time now);
};

// How rows (register_rows.hpp: CSV with a header line, or NDJSON) become a register.
struct ImportOptions {
  std::string dataset;
  std::string key = "id";
  // contact field -> column of the file: {"name","full_name"}. Columns called name, email, phone, language,
  // country are recognised without it (any case).
  std::map<std::string, std::string> names;
  Time as_of{};              // the moment the file describes
  // It holds some of the people only: nobody leaves the register, and what the log says of the others goes on counting.
  // The register must have been imported whole before, with the same columns.
  bool partial = false;
  std::size_t max_errors = 100;  // told; the rest is counted
};

struct ImportReport {
  struct Bad {
    std::uint64_t line = 0;  // 1-based, of the record's first line
    std::string message;     // without the record's content
  };
  std::uint64_t records = 0, added = 0, changed = 0, unchanged = 0, gone = 0, bad = 0, erased = 0;
  std::vector<Bad> problems;
  std::vector<std::string> columns;   // all, in the file's order
};

inline constexpr std::size_t kMaxImportRecord = 64 * 1024;  // bytes of one record
inline constexpr std::size_t kMaxImportColumns = 256;

// Reads a register into `registers` (RegisterStore::save then writes it). People in the register but not in
// the file leave it as of `options.as_of`; a first import holds since always. A bad line is reported and skipped.
// Errors: kInvalid (no header, no such key column, not one good record); the register is then as it was.
[[nodiscard]] Result<ImportReport> import_register(std::istream& in, const ImportOptions& options, Registers& registers,
                                                   const std::function<void(std::uint64_t bytes)>& progress = {});

// One change of a register, told by the system that made it.
struct RegisterChange {
  enum class Op : std::uint8_t { kInsert, kUpdate, kDelete };
  Time time{};
  Op op = Op::kInsert;
  std::string id;
  People::Attributes attributes;  // as far as told
};

// A change may have been told a little before or after it took effect for others.
inline constexpr Duration kChangeSlack = std::chrono::seconds(60);

// Applies one change; the register must have been imported. Whoever comes is there from `time` less the slack, whoever goes
// until `time` plus it, and old and new values both match in between. A change older than the newest import widens the
// answer and narrows nothing: the import may already know it. Returns whether the person was known.
bool apply_change(People& people, const RegisterChange& change);

}  // namespace tocsin::storage
