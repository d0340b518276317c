// What register, exposed, who-saw and forget share: one data directory, opened for questions about people.
#include "engine/app/people_desk.hpp"

#include <span>
#include <utility>

#include "engine/app/data_folder.hpp"
#include "storage/exposure_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {

using namespace storage;

namespace {

Result<void> must_exist(const std::filesystem::path& data) {
  std::error_code ec;
  if (std::filesystem::exists(data / "tocsin.db", ec)) return {};
  return fail(Errc::kNotFound, "there is no Tocsin data here", data.string(),
              "name the data directory with --data, or fill it with 'tocsin serve' or 'tocsin replay --data'");
}

}  // namespace

Result<PeopleDesk> PeopleDesk::open(const std::filesystem::path& data, const std::filesystem::path& keys, bool create) {
  if (!create) {
    if (auto there = must_exist(data); !there) return pass(std::move(there));
  }
  if (auto folder = open_data_folder(data); !folder) return pass(std::move(folder));
  PeopleDesk desk;
  auto db = Database::open(data / "tocsin.db");
  if (!db) {
    Error error = std::move(db).error();
    if (error.code == Errc::kUnavailable) {
      error.remedy = "an engine is running here: use its console or API, stop it, or ask with --pseudonyms";
    }
    return tl::unexpected<Error>(std::move(error));
  }
  desk.db = std::move(*db);
  for (const auto& [family, steps] : {std::pair{RegisterStore::kFamily, RegisterStore::migrations()},
                                      std::pair{ExposureStore::kFamily, ExposureStore::migrations()}}) {
    if (auto done = desk.db->migrate(family, steps); !done) return pass(std::move(done));
  }
  auto opened = create ? Keys::open_or_create(keys) : Keys::open(keys);
  if (!opened) return pass(std::move(opened));
  desk.keys = std::move(*opened);
  auto vault = Vault::open(*desk.db, desk.keys);
  if (!vault) return pass(std::move(vault));
  desk.vault = std::move(*vault);
  auto ledger = Ledger::open(*desk.db, data / "ledger", keys, {});
  if (!ledger) return pass(std::move(ledger));
  desk.ledger = std::move(*ledger);
  return desk;
}

Result<PeopleDesk> PeopleDesk::open_pseudonyms(const std::filesystem::path& data) {
  if (auto there = must_exist(data); !there) return pass(std::move(there));
  PeopleDesk desk;
  auto db = Database::open_read_only(data / "tocsin.db");
  if (!db) return pass(std::move(db));
  desk.db = std::move(*db);
  return desk;
}

Result<std::optional<Time>> time_option(const std::string& text, const char* option) {
  if (text.empty()) return std::optional<Time>();
  auto time = parse_rfc3339(text, true);
  if (!time && text.size() == 10) time = parse_rfc3339(text + "T00:00:00Z");
  if (!time) {
    return fail(Errc::kInvalid, std::string(option) + " is not a time", text, "write it as 2026-11-23T14:55:50Z");
  }
  return std::optional<Time>(*time);
}

}  // namespace tocsin::engine
