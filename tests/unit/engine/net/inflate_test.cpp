// gzip as it arrives: whole, in bytes, glued, cut, damaged, and as a bomb.
#include "engine/net/inflate.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/unit/engine/net/gzip.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kCap = 64UL * 1024 * 1024;

TEST(Inflater, UnpacksInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  const std::string packed = test::gzip(text);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{17}, packed.size()}) {
    Inflater inflater(kCap);
    std::string out;
    for (std::size_t at = 0; at < packed.size(); at += piece) {
      ASSERT_TRUE(inflater.add(std::string_view(packed).substr(at, piece), out));
    }
    EXPECT_TRUE(inflater.finish());
    EXPECT_EQ(out, text);
  }
}

TEST(Inflater, TakesFilesThatAreGluedTogether) {
  Inflater inflater(kCap);
  std::string out;
  ASSERT_TRUE(inflater.add(test::gzip("one\n") + test::gzip("two\n"), out));
  EXPECT_TRUE(inflater.finish());
  EXPECT_EQ(out, "one\ntwo\n");
}

TEST(Inflater, SaysThatAFileWasCut) {
  const std::string packed = test::gzip(std::string(1000, 'x') + "end");
  for (std::size_t size = 0; size < packed.size(); ++size) {
    Inflater inflater(kCap);
    std::string out;
    ASSERT_TRUE(inflater.add(std::string_view(packed).substr(0, size), out)) << size;
    const auto finished = inflater.finish();
    ASSERT_FALSE(finished) << size;
    EXPECT_EQ(finished.error().code, Errc::kInvalid);
    EXPECT_NE(finished.error().message.find("cut off"), std::string::npos);
  }
}

TEST(Inflater, RefusesDamageAndWhatIsNotGzip) {
  std::string packed = test::gzip("some text that is long enough to be damaged");
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  for (const std::string& bytes : {packed, std::string("{\"plain\":1}"), test::gzip("a") + "rest"}) {
    Inflater inflater(kCap);
    std::string out;
    const auto added = inflater.add(bytes, out);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::kInvalid);
  }
}

TEST(Inflater, StopsABombBeforeItFillsTheMemory) {
  const std::string bomb = test::gzip(std::string(200UL * 1024 * 1024, '\0'));
  Inflater inflater(kCap);
  std::string out;
  const auto added = inflater.add(bomb, out);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::kTooLarge);
  EXPECT_LT(out.size(), 32UL * 1024 * 1024);
}

TEST(Inflater, StopsAtItsCap) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 104729LL) + "\n";
  Inflater inflater(1'000'000);
  std::string out;
  const auto added = inflater.add(test::gzip(text), out);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::kTooLarge);
  EXPECT_LE(out.size(), 1'000'000U);
}

}  // namespace
}  // namespace tocsin::engine
