// Saving and restoring: what comes back is whole and goes on; what was changed on the way does not come back at all.
// And the ledger's commands, by what they print and how they exit.
#include "engine/app/backup.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/app/cli.hpp"
#include "storage/journal/journal.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/ledger/verify.hpp"
#include "storage/vault/vault.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

using ::testing::HasSubstr;

const Time kNow = from_micros(1'764'000'000'000'000);

// A data directory as an engine would have it, open.
struct World {
  explicit World(const std::filesystem::path& at) : dir(at) {
    std::filesystem::create_directories(dir);
    db = std::move(*storage::Database::open(dir / "tocsin.db"));
    keys = *storage::Keys::open_or_create(dir / "keys");
    vault = std::move(*storage::Vault::open(*db, keys));
    auto opened = storage::Ledger::open(*db, dir / "ledger", dir / "keys", {"example.org/tocsin"});
    if (!opened) ADD_FAILURE() << opened.error().text();
    ledger = std::move(*opened);
    journal = std::move(*storage::Journal::open(dir / "journal", clock, {}));
  }
  void act(const std::string& id) {
    auto done = db->write([&](storage::Transaction& tx) -> Result<void> {
      auto put = vault->put(tx, "patient", id, {{"name", "Person " + id}}, kNow);
      if (!put) return pass(std::move(put));
      auto index = ledger->record(tx, {"person-added", kNow, "tocsin", {{"n", id}}});
      if (!index) return pass(std::move(index));
      return {};
    });
    EXPECT_TRUE(done) << done.error().text();
    storage::Record record;
    record.source = "s";
    record.payload = id;
    EXPECT_TRUE(journal->append(std::span(&record, 1)));
  }
  std::filesystem::path dir;
  FixedClock clock{kNow};
  std::unique_ptr<storage::Database> db;
  std::shared_ptr<const storage::Keys> keys;
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::Ledger> ledger;
  std::unique_ptr<storage::Journal> journal;
};

std::size_t events_in(const storage::Journal& journal) {
  auto cursor = journal.read_from(1);
  storage::JournalRecord record;
  std::size_t out = 0;
  while (true) {
    auto more = cursor->next(record);
    if (!more || !*more) return out;
    ++out;
  }
}

class BackupTest : public ::testing::Test {
 protected:
  Result<BackupSummary> save(bool with_keys, bool replace = false) {
    BackupOptions options;
    options.data = dir_ / "data";
    options.with_keys = with_keys;
    options.replace = replace;
    return write_backup(options, file(), kNow);
  }
  std::filesystem::path file() const { return dir_ / "saved.tar"; }
  TemporaryDirectory dir_;
};

TEST_F(BackupTest, brings_everything_back_from_beside_a_running_engine) {
  World world(dir_ / "data");
  for (int i = 0; i < 60; ++i) world.act(std::to_string(i));
  auto saved = save(true);
  ASSERT_TRUE(saved) << saved.error().text();
  world.act("later");
  auto restored = restore_backup(file(), dir_ / "back", {});
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_EQ(restored->files, saved->files);
  {
    auto db = storage::Database::open_read_only(dir_ / "back/tocsin.db");
    auto verdict = storage::verify_ledger(dir_ / "back/ledger", db->get(), {});
    ASSERT_TRUE(verdict);
    for (const auto& damage : verdict->damage) ADD_FAILURE() << damage.text();
    EXPECT_EQ(verdict->size, 60U);
  }
  World back(dir_ / "back");
  EXPECT_EQ(events_in(*back.journal), 60U);
  auto fields = back.db->read([&](storage::Reader& r) { return back.vault->open(r, back.vault->pseudonym("patient", "17")); });
  ASSERT_TRUE(fields) << fields.error().text();
  EXPECT_EQ((*fields)["name"], "Person 17");
  back.act("goes on");
  EXPECT_EQ(back.ledger->head().size, 61U);
}

TEST_F(BackupTest, is_consistent_while_the_engine_writes) {
  World world(dir_ / "data");
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) world.act(std::to_string(i));
  });
  // However this test ends, the writer ends before it.
  const std::shared_ptr<void> end(nullptr, [&](void*) {
    stop = true;
    writer.join();
  });
  for (int i = 0; i < 5; ++i) {
    auto saved = save(true, true);
    EXPECT_TRUE(saved) << saved.error().text();
    const auto back_dir = dir_ / ("back" + std::to_string(i));
    auto restored = restore_backup(file(), back_dir, {});
    EXPECT_TRUE(restored) << restored.error().text();
    ASSERT_TRUE(std::filesystem::exists(back_dir / "tocsin.db"));
    World back(back_dir);
    // The journal is taken last, so it has every event that the database could know of.
    EXPECT_GE(events_in(*back.journal) + 1, back.ledger->head().size);
    auto verdict = storage::verify_ledger(back_dir / "ledger", back.db.get(), {});
    ASSERT_TRUE(verdict);
    for (const auto& damage : verdict->damage) ADD_FAILURE() << damage.text();
  }
}

TEST_F(BackupTest, gives_no_name_away_without_the_keys) {
  World world(dir_ / "data");
  world.act("canary-4711");
  ASSERT_TRUE(save(false));
  const std::string bytes = slurp(file());
  EXPECT_THAT(bytes, HasSubstr("tocsin.db"));
  EXPECT_THAT(bytes, ::testing::Not(HasSubstr("Person canary")));
  EXPECT_THAT(bytes, ::testing::Not(HasSubstr("keys/root.key")));
  EXPECT_THAT(bytes, ::testing::Not(HasSubstr(slurp(dir_ / "data/keys/root.key"))));
  EXPECT_THAT(bytes, ::testing::Not(HasSubstr(slurp(dir_ / "data/keys/ledger.seed"))));
}

TEST_F(BackupTest, does_not_replace_what_is_there) {
  World world(dir_ / "data");
  world.act("1");
  ASSERT_TRUE(save(false));
  auto again = save(false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kConflict);
  EXPECT_TRUE(save(false, true));
  auto onto = restore_backup(file(), dir_ / "data", {});
  ASSERT_FALSE(onto);
  EXPECT_EQ(onto.error().code, Errc::kConflict);
  std::filesystem::create_directories(dir_ / "empty");
  EXPECT_TRUE(restore_backup(file(), dir_ / "empty", {}));
}

TEST_F(BackupTest, refuses_a_damaged_archive_and_leaves_nothing) {
  {
    World world(dir_ / "data");
    for (int i = 0; i < 3; ++i) world.act(std::to_string(i));
  }
  ASSERT_TRUE(save(true));
  const std::string good = slurp(file());
  std::size_t padding = 0;
  for (std::size_t i = 0; i < good.size(); i += 997) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    spit(file(), changed);
    auto done = restore_backup(file(), dir_ / "back", {});
    if (done) {
      // Only bytes that carry nothing: padding, in headers and between members, and the zeros at the end.
      EXPECT_TRUE(good[i] == '\0' || good[i] == ' ') << i;
      ++padding;
      std::filesystem::remove_all(dir_ / "back");
    }
    EXPECT_FALSE(std::filesystem::exists(dir_ / "back"));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "back.restoring"));
  }
  EXPECT_LT(padding, good.size() / 997 / 4);
  for (std::size_t i = 0; i + 2 * 512 < good.size(); i += 9001) {
    spit(file(), good.substr(0, i));
    EXPECT_FALSE(restore_backup(file(), dir_ / "back", {})) << "cut at " << i;
  }
}

TEST_F(BackupTest, takes_no_name_that_leads_elsewhere) {
  World world(dir_ / "data");
  world.act("1");
  ASSERT_TRUE(save(false));
  const std::string good = slurp(file());
  for (const char* name : {"tocsin-backup/../../evil", "/etc/evil", "tocsin-backup/keys/../x", "tocsin-backup/other", "evil",
                           "tocsin-backup/journal/../../x.tsg", "tocsin-backup/ledger/tile/../../../x"}) {
    std::string changed = good;
    std::fill_n(changed.begin(), 100, '\0');
    std::copy_n(name, std::strlen(name), changed.begin());
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? 32U : static_cast<unsigned char>(changed[i]);
    char text[8];
    std::snprintf(text, sizeof(text), "%06o", sum);
    std::copy_n(text, 7, changed.begin() + 148);
    spit(file(), changed);
    auto done = restore_backup(file(), dir_ / "back", {});
    ASSERT_FALSE(done) << name;
    EXPECT_THAT(done.error().message, HasSubstr("not one of ours")) << name;
  }
}

TEST_F(BackupTest, says_that_there_is_nothing_to_save) {
  auto done = save(false);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kNotFound);
}

// --- the command line ---

struct Answer {
  int status = 0;
  std::string out;
};

Answer tocsin(std::vector<std::string> arguments) {
  const FixedClock clock{kNow};
  Context context{clock, "tocsin"};
  CLI::App app;
  add_ledger(app, context);
  add_backup(app, context);
  std::reverse(arguments.begin(), arguments.end());
  Answer answer;
  ::testing::internal::CaptureStdout();
  try {
    app.parse(arguments);
    answer.status = context.exit_status;
  } catch (const CLI::Error&) {
    answer.status = kUsage;
  }
  answer.out = ::testing::internal::GetCapturedStdout();
  return answer;
}

TEST_F(BackupTest, transcripts_of_the_ledger_commands) {
  std::string vkey;
  const std::string data = (dir_ / "data").string();
  {
    World world(dir_ / "data");
    for (int i = 0; i < 3; ++i) world.act(std::to_string(i));
    vkey = world.ledger->vkey();
    // Beside a running engine.
    EXPECT_EQ(tocsin({"ledger", "verify", "--data", data}).status, kAllWell);
  }
  Answer answer = tocsin({"ledger", "verify", "--data", data, "--vkey", vkey});
  EXPECT_EQ(answer.status, kAllWell);
  EXPECT_THAT(answer.out, HasSubstr("The record is whole: 3 entries"));
  EXPECT_THAT(answer.out, HasSubstr("the database agrees"));
  answer = tocsin({"ledger", "verify", "--data", data, "--json"});
  EXPECT_THAT(answer.out, HasSubstr("\"well\":true,\"size\":3"));

  answer = tocsin({"ledger", "checkpoint", "--data", data});
  EXPECT_EQ(answer.out, slurp(dir_ / "data/ledger/checkpoint"));
  spit(dir_ / "kept", answer.out);
  EXPECT_EQ(tocsin({"ledger", "verify", "--data", data, "--checkpoint", (dir_ / "kept").string()}).status, kAllWell);

  answer = tocsin({"ledger", "show", "--data", data, "--from", "1", "--json"});
  EXPECT_EQ(answer.status, kAllWell);
  EXPECT_EQ(answer.out,
            R"({"index":1,"time":"2025-11-24T16:00:00Z","kind":"person-added","by":"tocsin","fields":{"n":"1"}})" "\n"
            R"({"index":2,"time":"2025-11-24T16:00:00Z","kind":"person-added","by":"tocsin","fields":{"n":"2"}})" "\n");

  const std::string proof = (dir_ / "one.tlog-proof").string();
  EXPECT_EQ(tocsin({"ledger", "prove", "1", "--data", data, "-o", proof}).status, kAllWell);
  answer = tocsin({"ledger", "check", proof, "--vkey", vkey});
  EXPECT_EQ(answer.status, kAllWell);
  EXPECT_THAT(answer.out, HasSubstr("The proof holds: this is entry 1 of a record of 3"));
  EXPECT_EQ(tocsin({"ledger", "prove", "3", "--data", data}).status, kFoundWrong);
  EXPECT_EQ(tocsin({"ledger", "prove"}).status, kUsage);

  std::string bytes = slurp(dir_ / "data/ledger/tile/entries/000.p/3");
  bytes[30] = static_cast<char>(bytes[30] ^ 1);
  spit(dir_ / "data/ledger/tile/entries/000.p/3", bytes);
  answer = tocsin({"ledger", "verify", "--data", data});
  EXPECT_EQ(answer.status, kFoundWrong);
  EXPECT_EQ(answer.out, "THE RECORD IS DAMAGED.\ntile/entries/000.p/3, byte 30 (entry 0): the entry was changed\n");
  answer = tocsin({"ledger", "verify", "--data", data, "--json"});
  EXPECT_EQ(answer.status, kFoundWrong);
  EXPECT_THAT(answer.out, HasSubstr(R"("damage":[{"file":"tile/entries/000.p/3","byte":30,"entry":0)"));
  EXPECT_EQ(tocsin({"ledger", "verify", "--data", (dir_ / "nowhere").string()}).status, kFoundWrong);
}

}  // namespace
}  // namespace tocsin::engine
