// Every byte of every ledger file changed, every file cut at every length, and the attacks by name: verify must
// see each of them, and say which file it is.
#include "storage/ledger/verify.hpp"

#include <sqlite3.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/ledger/ledger.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

using ::testing::HasSubstr;

const Time kNow = from_micros(1'764'000'000'000'000);

// A ledger that was written and closed, its database open for reading.
class VerifyTest : public ::testing::Test {
 protected:
  void make(std::uint64_t first, std::uint64_t more) {
    auto db = Database::open(dir_ / "tocsin.db");
    ASSERT_TRUE(db);
    auto ledger = Ledger::open(**db, root(), dir_ / "keys", {"example.org/tocsin"});
    ASSERT_TRUE(ledger) << ledger.error().text();
    const auto record = [&](std::uint64_t count) {
      auto done = (*db)->write([&](Transaction& tx) -> Result<void> {
        for (std::uint64_t i = 0; i < count; ++i) {
          auto index = (*ledger)->record(tx, {"notice-sent", kNow, "tocsin", {{"n", std::to_string(i)}}});
          if (!index) return pass(std::move(index));
        }
        return {};
      });
      ASSERT_TRUE(done);
    };
    record(first);
    older_ = (*ledger)->head().checkpoint;
    if (more > 0) record(more);
    size_ = first + more;
    vkey_ = (*ledger)->vkey();
    ledger->reset();
    db->reset();
    auto reader = Database::open_read_only(dir_ / "tocsin.db");
    ASSERT_TRUE(reader);
    db_ = std::move(*reader);
    for (const auto& file : std::filesystem::recursive_directory_iterator(root())) {
      if (file.is_regular_file()) files_.push_back(file.path().lexically_relative(root()).generic_string());
    }
  }
  std::filesystem::path root() const { return dir_ / "ledger"; }

  LedgerVerdict verify(bool with_database, VerifyOptions options = {}) {
    auto verdict = verify_ledger(root(), with_database ? db_.get() : nullptr, options);
    EXPECT_TRUE(verdict) << verdict.error().text();
    return verdict ? *verdict : LedgerVerdict{};
  }
  // True if some damage names this file.
  static bool names(const LedgerVerdict& verdict, const std::string& file) {
    for (const auto& damage : verdict.damage) {
      if (damage.file == file) return true;
    }
    return false;
  }
  static std::string list(const LedgerVerdict& verdict) {
    std::string out;
    for (const auto& damage : verdict.damage) out += damage.text() + "\n";
    return out;
  }
  void sql(const std::string& text) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open((dir_ / "tocsin.db").c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << text;
    sqlite3_close(raw);
  }

  TemporaryDirectory dir_;
  std::unique_ptr<Database> db_;
  std::vector<std::string> files_;
  std::string older_, vkey_;
  std::uint64_t size_ = 0;
};

TEST_F(VerifyTest, finds_every_changed_byte_and_every_cut_of_a_small_ledger) {
  make(5, 2);
  ASSERT_TRUE(verify(true).well()) << list(verify(true));
  ASSERT_TRUE(verify(false).well()) << list(verify(false));
  ASSERT_EQ(files_.size(), 4U);  // vkey, checkpoint, one tile, one bundle
  std::size_t exact = 0, total = 0;
  for (const std::string& file : files_) {
    const std::string good = slurp(root() / file);
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
      spit(root() / file, changed);
      for (const bool with_database : {true, false}) {
        const LedgerVerdict verdict = verify(with_database);
        ASSERT_TRUE(names(verdict, file)) << file << " byte " << i << (with_database ? " with" : " without")
                                          << " database\n" << list(verdict);
        if (with_database && file.starts_with("tile/")) {
          ++total;
          for (const auto& damage : verdict.damage) exact += damage.file == file && damage.byte == i;
          EXPECT_EQ(verdict.damage.size(), 1U) << list(verdict);
        }
      }
    }
    for (std::size_t length = 0; length < good.size(); ++length) {
      spit(root() / file, good.substr(0, length));
      for (const bool with_database : {true, false}) {
        ASSERT_TRUE(names(verify(with_database), file)) << file << " cut at " << length;
      }
    }
    spit(root() / file, good + "x");
    ASSERT_TRUE(names(verify(true), file)) << file << " with a byte more";
    std::filesystem::remove(root() / file);
    for (const bool with_database : {true, false}) {
      ASSERT_TRUE(names(verify(with_database), file)) << file << " removed\n" << list(verify(with_database));
    }
    spit(root() / file, good);
  }
  EXPECT_EQ(exact, total) << "with the database, the changed byte itself is named";
  EXPECT_TRUE(verify(true).well());
}

TEST_F(VerifyTest, finds_changed_bytes_and_cuts_all_over_a_larger_ledger) {
  make(500, 800);  // five full tiles and one of 20; a second level
  ASSERT_TRUE(verify(true).well()) << list(verify(true));
  ASSERT_TRUE(verify(false).well()) << list(verify(false));
  std::size_t tries = 0;
  for (const std::string& file : files_) {
    const std::string good = slurp(root() / file);
    // A stride that is prime to the sizes of hashes and entries, so that every field of them is met.
    for (std::size_t i = tries % 7; i < good.size(); i += 1 + good.size() / 9) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ 0x10);
      spit(root() / file, changed);
      const bool with_database = ++tries % 2 == 0;
      ASSERT_TRUE(names(verify(with_database), file)) << file << " byte " << i << "\n" << list(verify(with_database));
      spit(root() / file, good.substr(0, i));
      ASSERT_TRUE(names(verify(!with_database), file)) << file << " cut at " << i;
    }
    std::filesystem::remove(root() / file);
    ASSERT_TRUE(names(verify(tries % 2 == 0), file)) << file << " removed";
    spit(root() / file, good);
  }
}

TEST_F(VerifyTest, names_the_attack) {
  make(5, 295);
  const std::string checkpoint = slurp(root() / "checkpoint");

  spit(root() / "checkpoint", older_);
  EXPECT_THAT(list(verify(true)), HasSubstr("checkpoint (entry 5): an older checkpoint was put back: it covers 5"));
  EXPECT_THAT(list(verify(false)), HasSubstr("an older checkpoint was put back"));
  spit(root() / "checkpoint", checkpoint);

  const std::string first = slurp(root() / "tile/0/000"), second = slurp(root() / "tile/0/001.p/44");
  std::string swapped = first;
  std::swap_ranges(swapped.begin(), swapped.begin() + 32, swapped.begin() + 32);
  spit(root() / "tile/0/000", swapped);
  EXPECT_TRUE(names(verify(false), "tile/0/000")) << "two hashes swapped";
  spit(root() / "tile/0/000", first);

  std::filesystem::remove(root() / "tile/entries/000");
  EXPECT_THAT(list(verify(false)), HasSubstr("tile/entries/000 (entry 0): the bundle is missing: entries 0 to 255"));
  spit(root() / "tile/entries/000", "");
  EXPECT_THAT(list(verify(true)), HasSubstr("tile/entries/000, byte 0 (entry 0): the bundle ends here"));
}

TEST_F(VerifyTest, compares_with_a_checkpoint_kept_elsewhere) {
  make(5, 2);
  EXPECT_TRUE(verify(true, {.checkpoint = older_}).well());
  const std::string newest = slurp(root() / "checkpoint");

  // The record cut back to an earlier, consistent state: only who kept a checkpoint can know.
  std::filesystem::create_directories(dir_ / "other");
  TemporaryDirectory cut;
  {
    auto db = Database::open(cut / "tocsin.db");
    std::filesystem::create_directories(cut / "keys");
    spit(cut / "keys/ledger.seed", slurp(dir_ / "keys/ledger.seed"));
    std::filesystem::permissions(cut / "keys/ledger.seed", std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    auto ledger = Ledger::open(**db, cut / "ledger", cut / "keys", {"example.org/tocsin"});
    ASSERT_TRUE(ledger) << ledger.error().text();
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE((*db)->write([&](Transaction& tx) { return (*ledger)->record(tx, {"other", kNow, "mallory", {}}); }));
    }
  }
  const auto check = [&](const std::string& kept) {
    return list(*verify_ledger(cut / "ledger", nullptr, {.checkpoint = kept}));
  };
  EXPECT_THAT(check(newest), HasSubstr("the record was cut: it once had 7 entries and now has 6"));
  EXPECT_THAT(check(older_), HasSubstr("the record was rewritten"));
}

TEST_F(VerifyTest, finds_changes_in_the_database) {
  make(5, 2);
  const struct {
    const char* name;
    const char* sql;
    const char* says;
  } table[] = {
      {"row-changed", "UPDATE ledger_entry SET bytes = x'01' WHERE idx = 3", "database (entry 3): the entry was changed"},
      {"row-removed", "DELETE FROM ledger_entry WHERE idx = 3", "database (entry 3): the entry is missing"},
      {"last-row-removed", "DELETE FROM ledger_entry WHERE idx = 6", "database (entry 6): the entry is missing"},
      {"rows-swapped", "UPDATE ledger_entry SET idx = 100 WHERE idx = 3; UPDATE ledger_entry SET idx = 3 WHERE idx = 4; UPDATE ledger_entry SET idx = 4 WHERE idx = 100", "database (entry 3): the entry was changed"},
      {"row-added", "INSERT INTO ledger_entry VALUES(7, x'01')", "database (entry 7): the entry stands beyond the stored size"},
      {"root-changed", "UPDATE ledger_head SET root = zeroblob(32)", "the stored root"},
      {"size-cut", "UPDATE ledger_head SET size = 5; DELETE FROM ledger_entry WHERE idx > 4", "the database is older than the signed checkpoint"},
      {"size-absurd", "UPDATE ledger_head SET size = 4611686018427387904", "the entries end here"},
      {"head-removed", "DELETE FROM ledger_head", "no head"},
      {"key-replaced", "UPDATE ledger_head SET vkey = 'x'", "signed with another key"},
  };
  db_.reset();
  const std::string good = slurp(dir_ / "tocsin.db");
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    spit(dir_ / "tocsin.db", good);
    sql(row.sql);
    auto reader = Database::open_read_only(dir_ / "tocsin.db");
    db_ = std::move(*reader);
    const LedgerVerdict verdict = verify(true);
    EXPECT_THAT(list(verdict), HasSubstr(row.says));
    db_.reset();
  }
}

TEST_F(VerifyTest, does_not_believe_a_record_signed_with_another_key) {
  make(5, 0);
  VerifyOptions options;
  auto other = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  options.key = *other;
  EXPECT_TRUE(names(verify(false, options), "checkpoint"));
  EXPECT_TRUE(names(verify(false, options), "vkey"));
  options.key = *VerifierKey::parse(vkey_);
  EXPECT_TRUE(verify(false, options).well());
}

TEST_F(VerifyTest, finds_files_that_do_not_belong) {
  make(5, 0);
  spit(root() / "notes.txt", "hello");
  EXPECT_TRUE(names(verify(true), "notes.txt"));
}

TEST(Verify, says_that_there_is_no_ledger) {
  auto verdict = verify_ledger("/nonexistent/ledger", nullptr, {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace tocsin::storage
