// Tables for the ground floor: times, text from strangers, encodings.
#include <gtest/gtest.h>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/base/time.hpp"

namespace tocsin {
namespace {

TEST(Time, ReadsAndWritesRfc3339) {
  struct Row { const char* name; const char* in; const char* out; };
  const Row rows[] = {
      {"zulu", "2026-11-23T14:55:50Z", "2026-11-23T14:55:50Z"},
      {"millis", "2026-11-23T14:55:50.158Z", "2026-11-23T14:55:50.158Z"},
      {"nanos are cut", "2026-11-23T14:55:50.123456789Z", "2026-11-23T14:55:50.123456Z"},
      {"offset", "2026-11-23T14:55:50+01:00", "2026-11-23T13:55:50Z"},
      {"short offset", "2026-11-23 14:55:50-0230", "2026-11-23T17:25:50Z"},
      {"postgres", "2026-11-23 14:55:50.158 UTC", "2026-11-23T14:55:50.158Z"},
      {"leap day", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
  };
  for (const Row& row : rows) {
    const auto t = parse_rfc3339(row.in);
    ASSERT_TRUE(t) << row.name;
    EXPECT_EQ(format_rfc3339(*t), row.out) << row.name;
  }
  for (const char* bad : {"", "2026", "2026-02-29T00:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T14:55:50",
                          "2026-11-23T14:55:50.Z", "2026-11-23T14:55:50 CET", "2026-11-23T14:55:50+1"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
  EXPECT_TRUE(parse_rfc3339("2026-11-23T14:55:50", true));
}

TEST(Text, RepairsAndShowsHostileText) {
  EXPECT_TRUE(is_utf8("Åberg"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_EQ(to_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(printable("a\x1b[31mb\n\xFF\xE2\x80\xAE"), "a\\u001b[31mb\\n\\xff\\u202e");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
  EXPECT_EQ(nearest("lisen", {"listen", "data", "rules"}), "listen");
  EXPECT_EQ(nearest("zzz", {"listen"}), "");
}

TEST(Bytes, EncodeByTheBook) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::pair<const char*, const char*> rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
                                                     {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : rows) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
  EXPECT_FALSE(from_base64("Zg="));
  EXPECT_FALSE(from_base64("Z===A"));
  EXPECT_EQ(from_hex("00fF"), std::string("\0\xff", 2));
  EXPECT_FALSE(from_hex("0"));
}

}  // namespace
}  // namespace tocsin
