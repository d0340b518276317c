// Transactions commit whole or not at all, migrations run once, and one process owns the file.
#include "storage/sqlite/database.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

const Migration kTables[] = {{1, "CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT); CREATE INDEX t_v ON t(v);"}};

TEST(Database, CommitsWhatSucceedsAndRollsBackWhatFails) {
  const TemporaryDirectory dir;
  auto db = Database::open(dir / "a.db").value();
  ASSERT_TRUE(db->migrate("t", kTables));
  bool told = false;
  auto wrote = db->write([&](Transaction& tx) -> Result<void> {
    tx.after_commit([&] { told = true; });
    return tx.run("INSERT INTO t(k, v) VALUES(?1, ?2)", 1, "one");
  });
  ASSERT_TRUE(wrote) << wrote.error().text();
  EXPECT_TRUE(told);

  auto failed = db->write([&](Transaction& tx) -> Result<void> {
    if (auto r = tx.run("INSERT INTO t(k, v) VALUES(?1, ?2)", 2, std::string("two")); !r) return r;
    return fail(Errc::kConflict, "changed my mind");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::kConflict);

  auto values = db->read([](Reader& r) {
    return r.rows<std::string>("SELECT v FROM t ORDER BY k", [](const Columns& c) { return c.text(0); });
  });
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, std::vector<std::string>{"one"});
}

TEST(Database, AQueryMayRunInsideTheMapperOfTheSameQuery) {
  const TemporaryDirectory dir;
  auto db = Database::open(dir / "a.db").value();
  ASSERT_TRUE(db->migrate("t", kTables));
  auto total = db->write([&](Transaction& tx) -> Result<int> {
    for (int i = 0; i < 3; ++i) {
      if (auto r = tx.run("INSERT INTO t(k, v) VALUES(?1, '')", i); !r) return pass(std::move(r));
    }
    int pairs = 0;
    auto outer = tx.each("SELECT k FROM t", [&](const Columns&) {
      static_cast<void>(tx.each("SELECT k FROM t", [&](const Columns&) { ++pairs; return true; }, {}));
      return true;
    }, {});
    if (!outer) return pass(std::move(outer));
    return pairs;
  });
  ASSERT_TRUE(total);
  EXPECT_EQ(*total, 9);
}

TEST(Database, MigratesOnceAndRefusesANewerFile) {
  const TemporaryDirectory dir;
  {
    auto db = Database::open(dir / "a.db").value();
    ASSERT_TRUE(db->migrate("t", kTables));
    ASSERT_TRUE(db->migrate("t", kTables));
  }
  auto db = Database::open(dir / "a.db").value();
  auto older = db->migrate("t", {});
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Errc::kUnsupported);
}

TEST(Database, BelongsToOneProcessAtATime) {
  const TemporaryDirectory dir;
  auto db = Database::open(dir / "a.db").value();
  auto second = Database::open(dir / "a.db");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace tocsin::storage
