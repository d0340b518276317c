// Keys: made once, kept from others, the same answer for the same question and no other.
#include "storage/vault/keys.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

TEST(Keys, are_made_once_and_found_again) {
  const TemporaryDirectory dir;
  auto first = Keys::open_or_create(dir / "keys");
  ASSERT_TRUE(first) << first.error().text();
  auto second = Keys::open(dir / "keys");
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ((*first)->pseudonym("patient", "17"), (*second)->pseudonym("patient", "17"));
  EXPECT_EQ((*first)->mac("p", "x"), (*second)->mac("p", "x"));
  struct stat info {};
  ASSERT_EQ(::stat((dir / "keys/root.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((dir / "keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(Keys, are_not_made_by_reading) {
  const TemporaryDirectory dir;
  auto keys = Keys::open(dir / "keys");
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Errc::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(dir / "keys"));
}

TEST(Keys, that_others_may_read_are_refused) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(Keys::open_or_create(dir.path()));
  ::chmod((dir / "root.key").c_str(), 0640);
  auto keys = Keys::open(dir.path());
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Errc::kForbidden);
  EXPECT_THAT(keys.error().remedy, ::testing::StartsWith("chmod 600"));
}

TEST(Keys, of_the_wrong_length_are_refused_and_left_alone) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(Keys::open_or_create(dir.path()));
  const std::string cut = slurp(dir / "root.key").substr(0, 31);
  spit(dir / "root.key", cut);
  auto keys = Keys::open_or_create(dir.path());
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Errc::kCorrupt);
  EXPECT_EQ(slurp(dir / "root.key"), cut);
}

TEST(Keys, give_different_answers_to_different_questions) {
  const TemporaryDirectory dir;
  auto keys = Keys::open_or_create(dir.path());
  ASSERT_TRUE(keys);
  // Without length prefixes these pairs would be the same bytes.
  EXPECT_NE((*keys)->pseudonym("ab", "c"), (*keys)->pseudonym("a", "bc"));
  EXPECT_NE((*keys)->mac("ab", "c"), (*keys)->mac("a", "bc"));
  EXPECT_NE((*keys)->mac("portal", "x"), (*keys)->mac("session", "x"));
  EXPECT_NE((*keys)->pseudonym("patient", "1"), (*keys)->pseudonym("patient", "01"));
  EXPECT_NE((*keys)->fingerprint("hunter2"), (*keys)->fingerprint("hunter3"));
  const TemporaryDirectory other;
  auto others = Keys::open_or_create(other.path());
  ASSERT_TRUE(others);
  EXPECT_NE((*keys)->pseudonym("patient", "1"), (*others)->pseudonym("patient", "1"));
}

TEST(Pseudonym, reads_what_it_writes_and_nothing_else) {
  const Pseudonym who{{1, 2, 3}};
  EXPECT_EQ(Pseudonym::from_hex(who.hex()), who);
  EXPECT_EQ(Pseudonym::from_bytes(who.view()), who);
  for (const char* bad : {"", "00", "0102", "zz02030000000000000000000000000x", "010203000000000000000000000000"}) {
    EXPECT_FALSE(Pseudonym::from_hex(bad)) << bad;
  }
}

TEST(Seal, opens_for_its_key_and_purpose_only) {
  const TemporaryDirectory folder, elsewhere;
  auto keys = Keys::open_or_create(folder.path()), others = Keys::open_or_create(elsewhere.path());
  ASSERT_TRUE(keys && others);
  const std::string sealed = (*keys)->seal("one purpose", "select * from patient");
  EXPECT_EQ(sealed.find("patient"), std::string::npos);
  EXPECT_EQ(*(*keys)->unseal("one purpose", sealed), "select * from patient");
  EXPECT_NE(sealed, (*keys)->seal("one purpose", "select * from patient"));
  EXPECT_EQ((*keys)->unseal("another", sealed).error().code, Errc::kCorrupt);
  EXPECT_EQ((*others)->unseal("one purpose", sealed).error().code, Errc::kCorrupt);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE((*keys)->unseal("one purpose", changed)) << i;
    EXPECT_FALSE((*keys)->unseal("one purpose", sealed.substr(0, i))) << i;
  }
}

TEST(Compare, in_constant_time_agrees_with_ordinary_comparison) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace tocsin::storage
