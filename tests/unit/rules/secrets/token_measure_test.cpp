// The tokens of a text, by a small vocabulary of our own, and betterleaks' question about them.
#include "rules/secrets/token_measure.hpp"

#include <gtest/gtest.h>

#include <random>

#include "rules/base/bytes.hpp"
#include "rules/secrets/filter_expr.hpp"
#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {
namespace {

// Tokens in the order of their ranks. Single bytes that are not named are tokens all the same.
std::string vocabulary(std::initializer_list<std::string_view> tokens) {
  std::string out;
  int rank = 0;
  for (const auto token : tokens) out += to_base64(token) + " " + std::to_string(rank++) + "\n";
  return out;
}

TokenMeasure measure(std::initializer_list<std::string_view> tokens, std::string_view words = "") {
  auto read = TokenMeasure::read(vocabulary(tokens), words);
  EXPECT_TRUE(read) << (read ? "" : read.error().text());
  return std::move(*read);
}

TEST(TokenMeasure, CutsAsTheEncodingDoes) {
  // No merges but none: a piece of n bytes has n tokens, unless the whole piece is a token. So each token below that is
  // counted once shows where the text is cut.
  const auto m = measure({"hello", " world", "'LL", "123", "45", " !?\n", "  ", " x", "\n\n", "\t", "é", "日本", ".key"});
  struct Case {
    const char* text;
    std::size_t tokens;
    const char* why;
  };
  const Case cases[] = {
      {"", 0, "nothing"},
      {"hello", 1, "a word"},
      {"hello world", 2, "the blank belongs to the word behind it"},
      {"hello'LL", 2, "an apostrophe ending in any case"},
      {"12345", 2, "digits in threes"},
      {"hello !?\n", 2, "signs take a blank before and line ends behind them"},
      {"   x", 2, "the last of several blanks belongs to what follows"},
      {"hello  ", 2, "blanks at the end stay together"},
      {"\n\n", 1, "line ends stay together"},
      {"\tq", 2, "one character that is no letter may stand before a word; merged nowhere, so two"},
      {" 45", 2, "a blank before digits stands alone"},
      {"é日本", 7, "letters of all scripts are one piece; its é is a token, of the other six bytes no two are"},
      {"日本", 1, "which may be one token"},
      {".key", 1, "a point before a word belongs to it"},
      {"..key", 5, "of two points the signs take both"},
      {"\xff", 3, "a byte that is no UTF-8 counts as U+FFFD"},
      {"\xe3\x80\x80x", 4, "the ideographic blank is a character before a word like any other"},
  };
  for (const auto& c : cases) EXPECT_EQ(m.count(c.text), c.tokens) << '"' << c.text << "\": " << c.why;
}

TEST(TokenMeasure, MergesTheLowestRankFirst) {
  // "bc" before "ab": so "abc" is a + bc, and "abcd" can never become ab + cd.
  const auto m = measure({"bc", "ab", "cd", "bcd", "aa"});
  EXPECT_EQ(m.count("abc"), 2U);
  EXPECT_EQ(m.count("abcd"), 2U) << "bc, then bcd";
  EXPECT_EQ(m.count("ab"), 1U);
  EXPECT_EQ(m.count("aaa"), 2U) << "of two equal pairs the first";
  EXPECT_EQ(m.count("aaaa"), 2U);
  EXPECT_EQ(m.count("xyz"), 3U);
}

// The obvious loop: find the lowest pair, merge it, begin again.
std::size_t plainly(const std::vector<std::string>& ranked, const std::string& piece) {
  if (std::find(ranked.begin(), ranked.end(), piece) != ranked.end()) return 1;
  std::vector<std::string> parts;
  for (const char c : piece) parts.emplace_back(1, c);
  for (;;) {
    std::size_t best = ranked.size(), at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto rank = static_cast<std::size_t>(std::find(ranked.begin(), ranked.end(), parts[i] + parts[i + 1]) - ranked.begin());
      if (rank < best) best = rank, at = i;
    }
    if (best == ranked.size()) return parts.size();
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

TEST(TokenMeasure, AgreesWithTheObviousLoop) {
  std::mt19937 random(4);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> ranked;
    std::string text;
    while (ranked.size() < 40) {
      std::string token;
      for (std::size_t n = 2 + random() % 4; token.size() < n;) token += static_cast<char>('a' + random() % 3);
      if (std::find(ranked.begin(), ranked.end(), token) != ranked.end()) continue;
      text += to_base64(token) + " " + std::to_string(ranked.size()) + "\r\n";
      ranked.push_back(token);
    }
    const auto m = TokenMeasure::read(text, "");
    ASSERT_TRUE(m);
    std::string piece;
    for (std::size_t n = 1 + random() % 60; piece.size() < n;) piece += static_cast<char>('a' + random() % 3);
    ASSERT_EQ(m->count(piece), plainly(ranked, piece)) << piece;
  }
}

TEST(TokenMeasure, WhatFailsTheQuestion) {
  // Bytes per token: of "abab…" 2.0 with "ab", 4.0 with "abab".
  const auto pairs = measure({"ab"}, "horse\nlamp\nOak\nco-op\n");
  const auto fours = measure({"ab", "abab"}, "");
  EXPECT_FALSE(pairs.fails_efficiency("abababababab")) << "2.0 is below 2.5";
  EXPECT_TRUE(fours.fails_efficiency("abababababab")) << "4.0 is not";
  EXPECT_TRUE(pairs.fails_efficiency("q9HORSEzz1")) << "a word of five letters, in any case, anywhere";
  EXPECT_FALSE(pairs.fails_efficiency("q9lampzz1x77"));
  EXPECT_FALSE(pairs.fails_efficiency("")) << "no tokens, no answer";
  // Shorter than twelve bytes with a word of four letters: 2.1 is enough; without it 2.5.
  const auto tiny = measure({"ab", "abab"}, "lamp\n");
  EXPECT_FALSE(tiny.fails_efficiency("ababcdcd")) << "1.6";
  const auto tiny_word = measure({"la", "mp", "lamp", "ab", "99"}, "lamp\n");
  EXPECT_TRUE(tiny_word.fails_efficiency("lampab99x")) << "9 bytes, lampab merges no further than lamp ab x 99: 9/4 = 2.25, and lamp is a word";
  const auto tiny_plain = measure({"la", "mp", "lamp", "ab", "99"}, "");
  EXPECT_FALSE(tiny_plain.fails_efficiency("lampab99x")) << "2.25 without a word is below 2.5";
  // Line breaks count only in longer ones.
  EXPECT_TRUE(fours.fails_efficiency("abab\nabab\n"));
  EXPECT_FALSE(pairs.has_word("co-op", 4)) << "only words of letters are words";
  EXPECT_TRUE(pairs.has_word("xOAKx", 3));
}

TEST(TokenMeasure, RefusesWhatIsNoVocabulary) {
  struct Case {
    std::string text;
    const char* says;
  };
  const Case cases[] = {
      {"", "no tokens"},
      {"YQ== 0\nnonsense\n", "line 2"},
      {"YQ== x\n", "line 1"},
      {"YQ== 1 2\n", "line 1"},
      {"!!!! 1\n", "line 1"},
      {" 1\n", "line 1"},
      {"YQ== 4294967296\n", "line 1"},
      {"YQ== -1\n", "line 1"},
  };
  for (const auto& c : cases) {
    const auto read = TokenMeasure::read(c.text, "");
    ASSERT_FALSE(read) << c.text;
    EXPECT_NE(read.error().message.find(c.says), std::string::npos) << read.error().message;
  }
  EXPECT_EQ(TokenMeasure::read(std::string(TokenMeasure::kMaxFile + 1, 'a'), "").error().code, Errc::kTooLarge);
}

TEST(TokenMeasure, DecidesTheFilterOfARule) {
  const RuleFile file{"t.toml", "[[rules]]\nid='r'\nregex='''key=(\\w+)'''\nfilter='''failsTokenEfficiency(finding[\"secret\"])'''\n"};
  const auto found = [&](std::shared_ptr<const TokenMeasure> tokens, const std::string& line, std::size_t notes) {
    Options options;
    options.own_pack = false;
    options.tokens = std::move(tokens);
    auto loaded = Scanner::load({&file, 1}, options);
    EXPECT_TRUE(loaded);
    EXPECT_EQ(loaded->diagnostics.size(), notes) << "without a vocabulary it is said";
    std::vector<Hit> hits;
    loaded->scanner.scan(line, hits);
    return hits.size();
  };
  const auto tokens = std::make_shared<const TokenMeasure>(measure({"ab", "abab"}));
  EXPECT_EQ(found(nullptr, "key=abababababab", 1), 1U);
  EXPECT_EQ(found(tokens, "key=abababababab", 0), 0U);
  EXPECT_EQ(found(tokens, "key=q8Zr41LmX0aa", 0), 1U);
}

}  // namespace
}  // namespace tocsin::rules::secrets
