// The store itself: Argon2id as it is meant to be, its door for two, names, and the rule that what cannot be
// recorded does not happen. What users see of it is tested with the API.
#include "storage/user_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

const Time kNow = *parse_rfc3339("2026-11-23T10:00:00Z");

User person(const std::string& login, unsigned roles) {
  User user;
  user.login = login;
  user.name = login;
  user.roles = roles;
  return user;
}

TEST(PasswordHasher, IsArgon2idWithTwoPassesOver64MiB) {
  PasswordHasher hasher;
  const auto hash = hasher.hash("correct horse battery");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << *hash;
  EXPECT_TRUE(*hasher.verify(*hash, "correct horse battery"));
  EXPECT_FALSE(*hasher.verify(*hash, "correct horse batterz"));
  EXPECT_FALSE(hasher.outdated(*hash));
  EXPECT_TRUE(PasswordHasher(PasswordHasher::Cost{1, 8192}).outdated(*hash));
  EXPECT_NE(*hash, *hasher.hash("correct horse battery"));
  EXPECT_FALSE(*hasher.verify("", ""));
  EXPECT_FALSE(*hasher.verify("no hash", "x"));
}

TEST(PasswordHasher, LetsTwoInAndTwoWaitAndSendsTheOthersAway) {
  PasswordHasher hasher;
  std::atomic<int> done = 0, busy = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      const auto right = hasher.verify("", "guess");
      if (right) ++done;
      else if (right.error().code == Errc::kBusy) ++busy;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done + busy, 12);
  EXPECT_GE(done, 4);
  EXPECT_GE(busy, 1);
}

TEST(UserStore, WhatCannotBeRecordedDoesNotHappenButSomebodyCanStillLookIn) {
  TemporaryDirectory dir;
  auto database = Database::open(dir / "a.db").value();
  ASSERT_TRUE(database->migrate(UserStore::kFamily, UserStore::migrations()));
  PasswordHasher hasher(PasswordHasher::Cost{1, 8192});
  bool broken = false;
  UserStore store(*database, hasher,
                  [&](Transaction&, std::string_view, Time, std::string_view, const UserStore::Fields&) -> Result<void> {
                    if (broken) return fail(Errc::kUnavailable, "the ledger cannot be written");
                    return {};
                  });
  ASSERT_TRUE(store.set_password(person("ada", role::kAdmin), "correct horse battery", "test", kNow));
  broken = true;
  EXPECT_FALSE(store.invite(person("bob", role::kAnalyst), "ada", kNow));
  EXPECT_FALSE(store.create_token("t", role::kShipper, "ada", kNow));
  UserStore::Change change;
  change.roles = role::kAdmin | role::kApprover;
  EXPECT_FALSE(store.change("ada", change, "ada", kNow));
  EXPECT_TRUE(store.check_password("ada", "correct horse battery", kNow));
  broken = false;
  EXPECT_EQ(store.list()->size(), 1U);
  EXPECT_EQ(store.list()->front().roles, role::kAdmin);
  EXPECT_TRUE(store.tokens()->empty());
}

TEST(UserStore, ARehashFollowsNewParameters) {
  TemporaryDirectory dir;
  auto database = Database::open(dir / "a.db").value();
  ASSERT_TRUE(database->migrate(UserStore::kFamily, UserStore::migrations()));
  {
    PasswordHasher weak(PasswordHasher::Cost{1, 8192});
    UserStore store(*database, weak, {});
    ASSERT_TRUE(store.set_password(person("ada", role::kAdmin), "correct horse battery", "test", kNow));
  }
  PasswordHasher strong(PasswordHasher::Cost{1, 16384});
  UserStore store(*database, strong, {});
  const auto before = strong.hashes();
  EXPECT_TRUE(store.check_password("ada", "correct horse battery", kNow));
  EXPECT_EQ(strong.hashes() - before, 2U);
  EXPECT_TRUE(store.check_password("ada", "correct horse battery", kNow));
  EXPECT_EQ(strong.hashes() - before, 3U);
}

TEST(UserStore, KeepsAtMostSoManySessionsAndSweeps) {
  TemporaryDirectory dir;
  auto database = Database::open(dir / "a.db").value();
  ASSERT_TRUE(database->migrate(UserStore::kFamily, UserStore::migrations()));
  PasswordHasher hasher(PasswordHasher::Cost{1, 8192});
  UserStore store(*database, hasher, {});
  ASSERT_TRUE(store.set_password(person("ada", role::kAdmin), "correct horse battery", "test", kNow));
  std::vector<std::string> sessions;
  Time now = kNow;
  for (std::size_t i = 0; i < UserStore::kMaxSessionsPerUser + 3; ++i) {
    now += std::chrono::seconds{1};
    sessions.push_back(store.begin_session("ada", "", now).value());
  }
  EXPECT_FALSE(*store.session(sessions[0], now));
  EXPECT_FALSE(*store.session(sessions[2], now));
  EXPECT_TRUE(*store.session(sessions[3], now));
  EXPECT_TRUE(*store.session(sessions.back(), now));
  ASSERT_TRUE(store.sweep(now + UserStore::kSessionLife));
  EXPECT_EQ(*database->read([](Reader& r) { return r.number("SELECT count(*) FROM user_session"); }), 0);
}

TEST(UserStore, NamesAreNarrow) {
  for (const char* good : {"ada", "a", "0", "ada.lovelace@example.org", "a_b-c"}) EXPECT_TRUE(is_login(good)) << good;
  for (const char* bad : {"", "Ada", "a b", ".a", "-a", "\xc3\xa9", "a/b", "a\n"}) EXPECT_FALSE(is_login(bad)) << bad;
  EXPECT_TRUE(is_login(std::string(64, 'a')));
  EXPECT_FALSE(is_login(std::string(65, 'a')));
  EXPECT_TRUE(is_token_name("Web-1"));
  EXPECT_EQ(role_names(role::kAdmin | role::kAnalyst), (std::vector<std::string>{"analyst", "admin"}));
  EXPECT_EQ(role_from("king"), 0U);
}

}  // namespace
}  // namespace tocsin::storage
