// How far a key reaches: sixteen bytes at once against byte by byte.
#include <gtest/gtest.h>

#include <random>

#include "rules/secrets/extract_reader.hpp"

namespace tocsin::rules::secrets {
namespace {

TEST(KeySpan, TheQuickLookIsTheSame) {
  constexpr std::string_view kStem = "token";
  const std::vector<std::string> pieces = {"a", "Z", "9", "_", "-", ".", " ", "=", ":", "\"", "%", "%3F", "\\", "\\u0022", "\\n", "/", "@", "[", "`", "{", "\xc3\xa9",
                                           "\uff1a", "access", "_id", ".key", "long_name_of_a_key"};
  std::mt19937 random(3);
  std::size_t wide = 0;
  for (int n = 0; n < 200'000; ++n) {
    std::string text;
    const auto some = [&] {
      for (std::size_t i = random() % 6; i > 0; --i) text += pieces[random() % pieces.size()];
    };
    text.append(random() % 24, ' ');
    some();
    const auto start = static_cast<std::uint32_t>(text.size());
    text += kStem;
    some();
    text.append(random() % 24, ' ');
    const auto end = static_cast<std::uint32_t>(start + kStem.size());
    const KeySpan quick = key_span(text, {start, end, StemKind::kKey, true});
    const KeySpan plain = key_span(text, {start, end, StemKind::kKey, false});
    ASSERT_EQ(quick.start, plain.start) << text;
    ASSERT_EQ(quick.end, plain.end) << text;
    wide += quick.end - quick.start > kStem.size() ? 1U : 0U;
  }
  EXPECT_GT(wide, 100'000U);
}

}  // namespace
}  // namespace tocsin::rules::secrets
