// The hand-made set against std::set, through insertions and erasures that collide.
#include "storage/journal/id_set.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace tocsin::storage {
namespace {

IdSet::Id id(std::uint64_t n) {
  IdSet::Id out{};
  out[0] = 1;
  std::memcpy(out.data() + 8, &n, sizeof(n));
  return out;
}

TEST(IdSet, agrees_with_an_ordinary_set) {
  std::mt19937_64 random(7);
  IdSet ours;
  std::set<std::uint64_t> theirs;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t n = random() % 3000;
    if (random() % 3 == 0) {
      ours.erase(id(n));
      theirs.erase(n);
    } else {
      EXPECT_EQ(ours.insert(id(n)), theirs.insert(n).second);
    }
    ASSERT_EQ(ours.size(), theirs.size());
  }
  for (std::uint64_t n = 0; n < 3000; ++n) EXPECT_EQ(ours.contains(id(n)), theirs.contains(n)) << n;
}

TEST(SeenIds, forgets_the_oldest_when_there_are_too_many) {
  SeenIds seen(1000, std::chrono::hours(1));
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    EXPECT_TRUE(seen.insert(id(n), Time{}));
    EXPECT_LE(seen.size(), 1000U);
    EXPECT_FALSE(seen.insert(id(n), Time{}));
  }
  EXPECT_TRUE(seen.contains(id(9'999 - 499))) << "at least one generation is remembered";
  EXPECT_FALSE(seen.contains(id(0)));
}

TEST(SeenIds, remembers_for_its_window) {
  SeenIds seen(1000, std::chrono::hours(1));
  seen.insert(id(1), Time{});
  seen.insert(id(2), Time{} + std::chrono::minutes(61));
  EXPECT_TRUE(seen.contains(id(1))) << "at least the window";
  seen.insert(id(3), Time{} + std::chrono::minutes(180));
  EXPECT_FALSE(seen.contains(id(1))) << "and not for ever";
}

}  // namespace
}  // namespace tocsin::storage
