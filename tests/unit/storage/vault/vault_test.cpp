// The vault: what goes in comes out, what is erased never does, and nobody's record can pass for another's.
#include "storage/vault/vault.hpp"

#include <sqlite3.h>

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/base/bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Time kNow = from_micros(1'764'000'000'000'000);

// A database, keys and a vault that can be closed and opened again, as a restart does.
class VaultTest : public ::testing::Test {
 protected:
  void SetUp() override { start(); }

  void start() {
    auto db = Database::open(dir_ / "tocsin.db");
    ASSERT_TRUE(db) << db.error().text();
    db_ = std::move(*db);
    auto keys = Keys::open_or_create(dir_ / "keys");
    ASSERT_TRUE(keys) << keys.error().text();
    auto vault = Vault::open(*db_, *keys);
    ASSERT_TRUE(vault) << vault.error().text();
    vault_ = std::move(*vault);
  }
  void stop() {
    vault_.reset();
    db_.reset();
  }
  void restart() {
    stop();
    start();
  }
  Result<Vault::Put> put(std::string_view id, Fields fields) {
    return db_->write([&](Transaction& tx) { return vault_->put(tx, "patient", id, std::move(fields), kNow); });
  }
  Result<Fields> open(const Pseudonym& who) {
    return db_->read([&](Reader& r) { return vault_->open(r, who); });
  }
  Pseudonym who(std::string_view id) { return vault_->pseudonym("patient", id); }
  Result<void> erase(std::string_view id) {
    return db_->write([&](Transaction& tx) { return vault_->erase(tx, who(id), kNow); });
  }
  // Everything on disk, as a thief would get it.
  std::string all_bytes(bool with_keys) {
    std::string out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path())) {
      if (!entry.is_regular_file()) continue;
      if (!with_keys && entry.path().parent_path().filename() == "keys") continue;
      out += slurp(entry.path());
    }
    return out;
  }
  // Changes the files behind the vault's back.
  void tamper(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(raw);
  }

  TemporaryDirectory dir_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<Vault> vault_;
};

TEST_F(VaultTest, gives_back_what_was_put_after_a_restart_too) {
  const Fields fields{{"name", "Zoë Ångström"}, {"email", "zoe@example.org"}, {"phone", ""}, {"note", std::string(300, 'x')}};
  auto done = put("17", fields);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->added, 1U);
  for (int i = 0; i < 2; ++i) {
    auto back = open(who("17"));
    ASSERT_TRUE(back) << back.error().text();
    Fields want = fields;
    want["id"] = "17";
    EXPECT_EQ(*back, want);
    restart();
  }
}

TEST_F(VaultTest, replaces_the_fields_of_a_person_it_knows) {
  ASSERT_TRUE(put("17", {{"email", "old@example.org"}, {"phone", "1"}}));
  auto again = put("17", {{"email", "new@example.org"}});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->changed, 1U);
  EXPECT_EQ(*open(who("17")), (Fields{{"id", "17"}, {"email", "new@example.org"}}));
}

TEST_F(VaultTest, says_unknown_for_a_stranger) {
  auto nobody = open(who("17"));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Errc::kNotFound);
  EXPECT_THAT(nobody.error().message, StartsWith("unknown"));
  auto erased = erase("17");
  ASSERT_FALSE(erased);
  EXPECT_EQ(erased.error().code, Errc::kNotFound);
}

TEST_F(VaultTest, stores_nothing_readable) {
  ASSERT_TRUE(put("canary-id-4711", {{"name", "Canary Person"}, {"email", "canary@example.org"}}));
  stop();
  const std::string bytes = all_bytes(true);
  EXPECT_THAT(bytes, Not(HasSubstr("canary-id-4711")));
  EXPECT_THAT(bytes, Not(HasSubstr("Canary")));
  EXPECT_THAT(bytes, Not(HasSubstr("canary@")));
}

TEST_F(VaultTest, forgets_a_person_for_good) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  ASSERT_TRUE(put("18", {{"name", "B"}}));
  vault_.reset();  // so that the wrapped key can be looked at
  std::string wrapped;
  {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open((dir_ / "keys/keys.db").c_str(), &raw), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    auto keys = Keys::open(dir_ / "keys");
    const std::string sql = "SELECT wrapped FROM dek WHERE pseudonym = x'" + (*keys)->pseudonym("patient", "17").hex() + "'";
    ASSERT_EQ(sqlite3_prepare_v2(raw, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
    wrapped.assign(static_cast<const char*>(sqlite3_column_blob(statement, 0)),
                   static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
    sqlite3_finalize(statement);
    sqlite3_close(raw);
  }
  db_.reset();
  start();
  EXPECT_THAT(all_bytes(true), HasSubstr(wrapped));
  ASSERT_TRUE(erase("17"));
  // The key is gone from the live files and their logs when erase's write() returns, before any restart.
  EXPECT_THAT(all_bytes(true), Not(HasSubstr(wrapped)));
  for (int i = 0; i < 2; ++i) {
    auto gone = open(who("17"));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Errc::kNotFound);
    EXPECT_THAT(gone.error().message, StartsWith("erased"));
    EXPECT_TRUE(open(who("18")));
    auto list = db_->read([&](Reader& r) { return vault_->erased(r); });
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 1U);
    EXPECT_EQ((*list)[0].pseudonym, who("17"));
    EXPECT_EQ((*list)[0].at, kNow);
    restart();
  }
  EXPECT_TRUE(erase("17")) << "erasing twice is well";
}

TEST_F(VaultTest, does_not_let_an_import_bring_back_the_forgotten) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  ASSERT_TRUE(erase("17"));
  const Person people[] = {{"patient", "17", {{"name", "A"}}}, {"patient", "18", {{"name", "B"}}}};
  auto done = db_->write([&](Transaction& tx) { return vault_->put(tx, people, kNow); });
  ASSERT_TRUE(done);
  EXPECT_EQ(done->erased, 1U);
  EXPECT_EQ(done->added, 1U);
  EXPECT_FALSE(open(who("17")));
}

TEST_F(VaultTest, completes_an_erasure_that_a_crash_interrupted) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  const std::string person = who("17").hex();
  stop();
  // What the disk holds after the commit of an erasure and before its key was destroyed.
  tamper(dir_ / "tocsin.db", "DELETE FROM vault_record; INSERT INTO vault_erased VALUES(x'" + person + "', 'patient', 1, 0)");
  start();
  stop();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open((dir_ / "keys/keys.db").c_str(), &raw), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(raw, "SELECT count(*) FROM dek", -1, &statement, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_int(statement, 0), 0);
  sqlite3_finalize(statement);
  sqlite3_close(raw);
}

TEST_F(VaultTest, keeps_nothing_of_a_put_that_rolled_back) {
  auto failed = db_->write([&](Transaction& tx) -> Result<Vault::Put> {
    auto done = vault_->put(tx, "patient", "17", {{"name", "A"}}, kNow);
    if (!done) return done;
    return fail(Errc::kConflict, "no");
  });
  ASSERT_FALSE(failed);
  EXPECT_FALSE(open(who("17")));
  ASSERT_TRUE(put("17", {{"name", "B"}}));
  EXPECT_EQ((*open(who("17")))["name"], "B");
}

TEST_F(VaultTest, opens_everything_after_the_key_was_rotated) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  ASSERT_TRUE(vault_->rotate());
  ASSERT_TRUE(put("18", {{"name", "B"}}));
  ASSERT_TRUE(vault_->rotate());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(open(who("17")));
    EXPECT_TRUE(open(who("18")));
    restart();
  }
}

TEST_F(VaultTest, opens_for_a_reader_beside_a_running_engine) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  auto db = Database::open_read_only(dir_ / "tocsin.db");
  auto keys = Keys::open(dir_ / "keys");
  auto vault = Vault::open_read_only(*keys);
  ASSERT_TRUE(db && vault) << vault.error().text();
  auto fields = (*db)->read([&](Reader& r) { return (*vault)->open(r, (*keys)->pseudonym("patient", "17")); });
  ASSERT_TRUE(fields) << fields.error().text();
  EXPECT_EQ((*fields)["name"], "A");
  // A rotation in the other process is noticed.
  ASSERT_TRUE(vault_->rotate());
  fields = (*db)->read([&](Reader& r) { return (*vault)->open(r, (*keys)->pseudonym("patient", "17")); });
  EXPECT_TRUE(fields) << fields.error().text();
}

TEST_F(VaultTest, refuses_a_record_over_the_limit_and_changes_nothing) {
  const Person people[] = {{"patient", "17", {{"name", "A"}}},
                           {"patient", "18", {{"note", std::string(Vault::kMaxRecordBytes, 'x')}}}};
  auto done = db_->write([&](Transaction& tx) { return vault_->put(tx, people, kNow); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kTooLarge);
  EXPECT_FALSE(open(who("17")));
}

// Each row is an attack on the stored bytes; each must be noticed, none may show another person's data.
TEST_F(VaultTest, notices_tampering) {
  struct Attack {
    const char* name;
    const char* file;
    const char* sql;  // %A and %B: the pseudonyms of two people
  };
  const Attack attacks[] = {
      {"swapped-records", "tocsin.db",
       "CREATE TEMP TABLE t AS SELECT * FROM vault_record; UPDATE vault_record SET box = (SELECT box FROM t WHERE "
       "t.pseudonym <> vault_record.pseudonym)"},
      {"older-version-claimed", "tocsin.db", "UPDATE vault_record SET version = version + 1"},
      {"other-dataset-claimed", "tocsin.db", "UPDATE vault_record SET dataset = 'staff'"},
      {"truncated-box", "tocsin.db", "UPDATE vault_record SET box = substr(box, 1, length(box) - 1)"},
      {"empty-box", "tocsin.db", "UPDATE vault_record SET box = x''"},
      {"swapped-keys", "keys/keys.db",
       "CREATE TEMP TABLE t AS SELECT * FROM dek; UPDATE dek SET wrapped = (SELECT wrapped FROM t WHERE t.pseudonym "
       "<> dek.pseudonym), commitment = (SELECT commitment FROM t WHERE t.pseudonym <> dek.pseudonym)"},
      {"false-commitment", "keys/keys.db", "UPDATE dek SET commitment = zeroblob(16)"},
      {"truncated-key", "keys/keys.db", "UPDATE dek SET wrapped = substr(wrapped, 1, 40)"},
      {"unknown-epoch", "keys/keys.db", "UPDATE dek SET epoch = 99"},
  };
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  ASSERT_TRUE(put("18", {{"name", "B"}}));
  stop();
  const std::string db = slurp(dir_ / "tocsin.db"), keys_db = slurp(dir_ / "keys/keys.db");
  for (const Attack& attack : attacks) {
    SCOPED_TRACE(attack.name);
    spit(dir_ / "tocsin.db", db);
    spit(dir_ / "keys/keys.db", keys_db);
    tamper(dir_ / attack.file, attack.sql);
    start();
    for (const char* id : {"17", "18"}) {
      auto opened = open(who(id));
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, Errc::kCorrupt);
    }
    stop();
  }
}

TEST_F(VaultTest, does_not_start_with_a_foreign_root_key) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  stop();
  spit(dir_ / "keys/root.key", std::string(32, 'x'));
  auto db = Database::open(dir_ / "tocsin.db");
  auto keys = Keys::open(dir_ / "keys");
  auto vault = Vault::open(**db, *keys);
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().code, Errc::kCorrupt);
}

TEST_F(VaultTest, does_not_start_without_the_keys_of_its_people) {
  ASSERT_TRUE(put("17", {{"name", "A"}}));
  stop();
  std::filesystem::rename(dir_ / "keys", dir_ / "elsewhere");
  auto db = Database::open(dir_ / "tocsin.db");
  auto vault = Vault::open(**db, *Keys::open_or_create(dir_ / "keys"));
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().code, Errc::kConflict);
  EXPECT_THAT(vault.error().remedy, HasSubstr("keys.db"));
}

TEST_F(VaultTest, takes_ten_thousand_people_in_one_transaction) {
  std::vector<Person> people;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = std::to_string(i);
    people.push_back({"patient", id, {{"name", "Person " + id}, {"email", id + "@example.org"}, {"language", "en"}}});
  }
  const auto begin = std::chrono::steady_clock::now();
  auto done = db_->write([&](Transaction& tx) { return vault_->put(tx, people, kNow); });
  const auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->added, 10'000U);
  RecordProperty("milliseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  auto last = open(who("9999"));
  ASSERT_TRUE(last);
  EXPECT_EQ((*last)["email"], "9999@example.org");
}

}  // namespace
}  // namespace tocsin::storage
