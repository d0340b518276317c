// The ledger's life: staged with the decision, published after it, caught up after a crash, refusing when broken.
#include "storage/ledger/ledger.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/ledger/verify.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

using ::testing::HasSubstr;

const Time kNow = from_micros(1'764'000'000'000'000);

Entry entry(std::uint64_t i) {
  return {"alert-triaged", kNow + std::chrono::seconds(i), "anna", {{"alert", std::to_string(i)}, {"state", "closed"}}};
}

class LedgerTest : public ::testing::Test {
 protected:
  void start() {
    auto db = Database::open(dir_ / "tocsin.db");
    ASSERT_TRUE(db) << db.error().text();
    db_ = std::move(*db);
    auto ledger = Ledger::open(*db_, dir_ / "ledger", dir_ / "keys", {"example.org/tocsin"});
    ASSERT_TRUE(ledger) << ledger.error().text();
    ledger_ = std::move(*ledger);
  }
  void stop() {
    ledger_.reset();
    db_.reset();
  }
  void SetUp() override { start(); }

  Result<void> record(std::uint64_t count) {
    return db_->write([&](Transaction& tx) -> Result<void> {
      for (std::uint64_t i = 0; i < count; ++i) {
        auto index = ledger_->record(tx, entry(next_ + i));
        if (!index) return pass(std::move(index));
        EXPECT_EQ(*index, next_ + i);
      }
      return {};
    }).map([&] { next_ += count; });
  }
  LedgerVerdict verify() {
    auto verdict = verify_ledger(dir_ / "ledger", db_.get(), {});
    EXPECT_TRUE(verdict) << verdict.error().text();
    return verdict ? *verdict : LedgerVerdict{};
  }
  void expect_well(std::uint64_t size) {
    const LedgerVerdict verdict = verify();
    EXPECT_EQ(verdict.size, size);
    for (const auto& damage : verdict.damage) ADD_FAILURE() << damage.text();
  }

  TemporaryDirectory dir_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t next_ = 0;
};

TEST_F(LedgerTest, begins_with_the_signed_checkpoint_of_an_empty_tree) {
  EXPECT_EQ(ledger_->head().size, 0U);
  EXPECT_EQ(ledger_->head().root, empty_root());
  EXPECT_EQ(slurp(dir_ / "ledger/checkpoint"), ledger_->head().checkpoint);
  expect_well(0);
}

TEST_F(LedgerTest, publishes_what_was_recorded_before_write_returns) {
  for (const std::uint64_t count : std::initializer_list<std::uint64_t>{1, 1, 5, 248, 1, 2, 300, 1000}) {
    ASSERT_TRUE(record(count));
    EXPECT_EQ(ledger_->head().size, next_);
    auto key = VerifierKey::parse(ledger_->vkey());
    ASSERT_TRUE(key);
    auto text = open_note(slurp(dir_ / "ledger/checkpoint"), *key);
    ASSERT_TRUE(text) << text.error().text();
    EXPECT_EQ(Checkpoint::parse(*text)->size, next_);
    expect_well(next_);
  }
  stop();
  start();
  expect_well(next_);
  auto entries = db_->read([](Reader& r) { return Ledger::entries(r, 250, 10); });
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 10U);
  EXPECT_EQ((*entries)[0].index, 250U);
  EXPECT_EQ((*entries)[0].entry, entry(250));
}

TEST_F(LedgerTest, forgets_what_rolled_back) {
  ASSERT_TRUE(record(3));
  auto failed = db_->write([&](Transaction& tx) -> Result<void> {
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(ledger_->record(tx, entry(100 + i)));
    return fail(Errc::kConflict, "no");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(ledger_->head().size, 3U);
  ASSERT_TRUE(record(2));
  expect_well(5);
}

TEST_F(LedgerTest, proves_entries_to_anybody_with_its_key) {
  ASSERT_TRUE(record(300));
  auto key = VerifierKey::parse(ledger_->vkey());
  for (const std::uint64_t index : std::initializer_list<std::uint64_t>{0, 1, 255, 256, 299}) {
    auto proof = prove(dir_ / "ledger", index);
    ASSERT_TRUE(proof) << proof.error().text();
    auto proved = check_proof(*proof, *key);
    ASSERT_TRUE(proved) << proved.error().text();
    EXPECT_EQ(proved->entry, entry(index));
    EXPECT_EQ(proved->index, index);
    EXPECT_EQ(proved->size, 300U);
  }
  EXPECT_FALSE(prove(dir_ / "ledger", 300));
}

TEST_F(LedgerTest, refuses_a_proof_with_any_byte_changed) {
  ASSERT_TRUE(record(7));
  auto key = VerifierKey::parse(ledger_->vkey());
  const std::string proof = *ledger_->prove(4);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    std::string changed = proof;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(check_proof(changed, *key)) << "byte " << i;
    EXPECT_FALSE(check_proof(proof.substr(0, i), *key)) << "cut at " << i;
  }
}

TEST_F(LedgerTest, serves_tiles_of_earlier_sizes_too) {
  ASSERT_TRUE(record(5));
  const std::string five = *ledger_resource(dir_ / "ledger", "tile/0/000.p/5");
  ASSERT_TRUE(record(300));
  auto again = ledger_resource(dir_ / "ledger", "tile/0/000.p/5");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, five);
  EXPECT_EQ(ledger_resource(dir_ / "ledger", "tile/0/000")->size(), 8192U);
  EXPECT_EQ(*ledger_resource(dir_ / "ledger", "checkpoint"), ledger_->head().checkpoint);
  for (const char* bad : {"", "vkey", "tile/0/000.p/0", "../tocsin.db", "tile/../../tocsin.db", "tile/0/001.p/200"}) {
    EXPECT_FALSE(ledger_resource(dir_ / "ledger", bad)) << bad;
  }
}

TEST_F(LedgerTest, refuses_entries_over_the_limit) {
  auto done = db_->write([&](Transaction& tx) { return ledger_->record(tx, {"k", kNow, "b", {{"f", std::string(65'520, 'x')}}}); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kTooLarge);
  EXPECT_TRUE(record(1));
}

TEST(Entry, reads_back_what_it_wrote_and_nothing_else) {
  const std::string salt(kEntrySaltBytes, 's');
  const Entry full{"kind", kNow, "by", {{"a", "1"}, {"", ""}, {"a", std::string(1000, 'x')}}};
  for (const Entry& e : {full, Entry{}}) {
    const std::string bytes = *encode_entry(e, salt);
    EXPECT_EQ(*decode_entry(bytes), e);
    for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(decode_entry(bytes.substr(0, i))) << i;
    EXPECT_FALSE(decode_entry(bytes + "x"));
    EXPECT_FALSE(decode_entry("\x02" + bytes.substr(1)));
  }
}

// --- crashes: what the disk holds when the process died at that point ---

TEST_F(LedgerTest, catches_up_after_a_crash_between_commit_and_publication) {
  ASSERT_TRUE(record(3));
  stop();
  std::filesystem::copy(dir_ / "ledger", dir_ / "before", std::filesystem::copy_options::recursive);
  start();
  ASSERT_TRUE(record(600));
  const std::string checkpoint = ledger_->head().checkpoint;
  stop();
  std::filesystem::remove_all(dir_ / "ledger");
  std::filesystem::rename(dir_ / "before", dir_ / "ledger");
  spit(dir_ / "ledger/.tmp-1-2", "half a fi");
  start();
  // Ed25519 is deterministic: the same bytes are signed again.
  EXPECT_EQ(ledger_->head().checkpoint, checkpoint);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "ledger/.tmp-1-2"));
  expect_well(603);
}

TEST_F(LedgerTest, catches_up_after_a_crash_between_tiles_and_checkpoint) {
  ASSERT_TRUE(record(3));
  const std::string old = slurp(dir_ / "ledger/checkpoint");
  const std::string tile = slurp(dir_ / "ledger/tile/0/000.p/3"), bundle = slurp(dir_ / "ledger/tile/entries/000.p/3");
  ASSERT_TRUE(record(2));
  stop();
  spit(dir_ / "ledger/checkpoint", old);
  spit(dir_ / "ledger/tile/0/000.p/3", tile);
  spit(dir_ / "ledger/tile/entries/000.p/3", bundle);
  start();
  expect_well(5);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "ledger/tile/0/000.p/3"));
}

// --- attacks on a stopped engine: it must not start, and above all not sign ---

TEST_F(LedgerTest, does_not_start_on_a_forged_past) {
  struct Attack {
    const char* name;
    std::function<void()> act;
  };
  const auto sql = [&](const char* text) {
    sqlite3* raw = nullptr;
    sqlite3_open((dir_ / "tocsin.db").c_str(), &raw);
    EXPECT_EQ(sqlite3_exec(raw, text, nullptr, nullptr, nullptr), SQLITE_OK) << text;
    sqlite3_close(raw);
  };
  ASSERT_TRUE(record(10));
  stop();
  std::filesystem::copy(dir_ / "tocsin.db", dir_ / "old.db");
  start();
  ASSERT_TRUE(record(10));
  stop();
  std::filesystem::copy(dir_ / "ledger", dir_ / "good-ledger", std::filesystem::copy_options::recursive);
  std::filesystem::copy(dir_ / "tocsin.db", dir_ / "good.db");
  const std::string seed = slurp(dir_ / "keys/ledger.seed");
  const auto flip = [&](const char* file, std::size_t at) {
    std::string bytes = slurp(dir_ / file);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    spit(dir_ / file, bytes);
  };
  const Attack attacks[] = {
      {"database-rolled-back", [&] { std::filesystem::copy(dir_ / "old.db", dir_ / "tocsin.db", std::filesystem::copy_options::overwrite_existing); }},
      {"checkpoint-removed", [&] { std::filesystem::remove(dir_ / "ledger/checkpoint"); }},
      {"ledger-removed", [&] { std::filesystem::remove_all(dir_ / "ledger"); }},
      {"tile-changed", [&] { flip("ledger/tile/0/000.p/20", 40); }},
      {"entry-changed", [&] { flip("ledger/tile/entries/000.p/20", 40); }},
      {"signature-changed", [&] { flip("ledger/checkpoint", slurp(dir_ / "ledger/checkpoint").size() - 10); }},
      {"size-changed", [&] { flip("ledger/checkpoint", 20); }},
      {"head-rewritten", [&] { sql("UPDATE ledger_head SET root = zeroblob(32)"); }},
      {"entry-added-without-root", [&] { sql("UPDATE ledger_head SET size = 21; INSERT INTO ledger_entry VALUES(20, x'00')"); }},
      {"seed-replaced", [&] { spit(dir_ / "keys/ledger.seed", std::string(32, 'x')); }},
      {"seed-removed", [&] { std::filesystem::remove(dir_ / "keys/ledger.seed"); }},
  };
  for (const Attack& attack : attacks) {
    SCOPED_TRACE(attack.name);
    std::filesystem::remove_all(dir_ / "ledger");
    std::filesystem::copy(dir_ / "good-ledger", dir_ / "ledger", std::filesystem::copy_options::recursive);
    std::filesystem::copy(dir_ / "good.db", dir_ / "tocsin.db", std::filesystem::copy_options::overwrite_existing);
    spit(dir_ / "keys/ledger.seed", seed);
    ::chmod((dir_ / "keys/ledger.seed").c_str(), 0600);
    attack.act();
    const std::string checkpoint = slurp(dir_ / "ledger/checkpoint");
    auto db = Database::open(dir_ / "tocsin.db");
    ASSERT_TRUE(db) << db.error().text();
    auto ledger = Ledger::open(**db, dir_ / "ledger", dir_ / "keys", {"example.org/tocsin"});
    bool refused = !ledger;
    if (ledger) {
      // A changed head without new entries is met at the latest when something is to be recorded.
      refused = !(*db)->write([&](Transaction& tx) { return (*ledger)->record(tx, entry(1)); });
    }
    EXPECT_TRUE(refused);
    EXPECT_EQ(slurp(dir_ / "ledger/checkpoint"), checkpoint) << "something was signed";
  }
}

TEST_F(LedgerTest, keeps_its_name) {
  ASSERT_TRUE(record(1));
  stop();
  auto db = Database::open(dir_ / "tocsin.db");
  auto renamed = Ledger::open(**db, dir_ / "ledger", dir_ / "keys", {"example.org/other"});
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().code, Errc::kConflict);
  auto same = Ledger::open(**db, dir_ / "ledger", dir_ / "keys", {});
  ASSERT_TRUE(same) << same.error().text();
  EXPECT_EQ((*same)->origin(), "example.org/tocsin");
}

TEST_F(LedgerTest, refuses_to_record_while_it_cannot_publish_and_recovers) {
  ASSERT_TRUE(record(1));
  // A file where a folder must be: publishing fails whoever runs this test.
  std::filesystem::rename(dir_ / "ledger/tile", dir_ / "tile-away");
  spit(dir_ / "ledger/tile", "");
  ASSERT_TRUE(record(1)) << "committed before anybody could know";
  EXPECT_FALSE(ledger_->healthy());
  EXPECT_THAT(ledger_->trouble(), HasSubstr("tile"));
  auto refused = record(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_EQ(ledger_->head().size, 1U);
  std::filesystem::remove(dir_ / "ledger/tile");
  std::filesystem::rename(dir_ / "tile-away", dir_ / "ledger/tile");
  ASSERT_TRUE(record(1));
  EXPECT_TRUE(ledger_->healthy());
  expect_well(3);
}

TEST_F(LedgerTest, is_verified_while_it_grows) {
  ASSERT_TRUE(record(250));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) {
      if (!record(i % 7 == 0 ? 40 : 1)) break;
    }
    done = true;
  });
  auto reader = Database::open_read_only(dir_ / "tocsin.db");
  ASSERT_TRUE(reader);
  int checks = 0;
  do {
    auto verdict = verify_ledger(dir_ / "ledger", reader->get(), {});
    EXPECT_TRUE(verdict);
    if (verdict) {
      for (const auto& damage : verdict->damage) ADD_FAILURE() << damage.text();
    }
    ++checks;
  } while (!done);
  writer.join();
  EXPECT_GT(checks, 1);
}

}  // namespace
}  // namespace tocsin::storage
