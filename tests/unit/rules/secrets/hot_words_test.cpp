// Hot words, wide or narrow, against the obvious loop; and what is remembered of keys against looking at every word.
#include "rules/secrets/hot_words.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "rules/base/text.hpp"
#include "rules/secrets/digit_runs.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/secrets/word_starts.hpp"

namespace tocsin::rules::secrets {
namespace {

template <class Finder>
std::vector<std::uint32_t> found_by(Finder finder, std::string_view text) {
  std::vector<std::uint32_t> out;
  finder(text, out);
  return out;
}

TEST(HotWords, EachWayFindsWhatTheObviousLoopFinds) {
  std::mt19937 random(5);
  ASSERT_GE(hot_word_finders().size(), 1U);
  std::size_t seen = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const std::size_t size = random() % 200;
    while (text.size() < size) {
      std::string piece(kHotWords[random() % kHotWords.size()]);
      for (char& c : piece) c = static_cast<char>(random() % 3 == 0 ? c - 32 : c);
      if (random() % 4 == 0) piece[random() % piece.size()] = static_cast<char>(piece[random() % piece.size()] ^ (1 << random() % 8));
      text += random() % 3 == 0 ? std::string(1, static_cast<char>(random() % 256)) : piece;
    }
    std::vector<std::uint32_t> want;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::size_t word = hot_word_of(to_lower(std::string_view(text).substr(at)));
      ASSERT_EQ(hot_word_at(text, at), word);
      if (word != kNoHotWord) want.push_back(static_cast<std::uint32_t>(at));
    }
    seen += want.size();
    for (const auto finder : hot_word_finders()) ASSERT_EQ(found_by(finder, text), want) << text;
  }
  EXPECT_GT(seen, 100'000U);
}

TEST(DigitMasks, EachWayMakesTheSame) {
  std::mt19937 random(6);
  for (int round = 0; round < 2'000; ++round) {
    std::string text(64 * (1 + random() % 5), '\0');
    for (char& c : text) c = random() % 2 == 0 ? static_cast<char>(random() % 256) : "09AZ/:@["[random() % 8];
    std::vector<DigitMasks> want(text.size() / 64);
    digit_makers().front()(text.data(), want.size(), want.data());
    for (const auto maker : digit_makers()) {
      std::vector<DigitMasks> got(want.size());
      maker(text.data(), got.size(), got.data());
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i].digits, want[i].digits);
        ASSERT_EQ(got[i].capitals, want[i].capitals);
      }
    }
  }
}

TEST(FindBytes, AllOfThem) {
  std::mt19937 random(7);
  for (int round = 0; round < 5'000; ++round) {
    std::string text(random() % 400, 'x');
    for (char& c : text) c = random() % 20 == 0 ? '\n' : static_cast<char>(random() % 256);
    std::vector<std::uint32_t> want;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') want.push_back(static_cast<std::uint32_t>(i));
    }
    ASSERT_EQ(found_by([](std::string_view t, std::vector<std::uint32_t>& out) { find_bytes(t, '\n', out); }, text), want);
  }
}

TEST(WordStarts, NeverRuleOutAWord) {
  const WordStarts starts({"secret", "act-", "000000", "dog"});
  const WordStarts longer({"secret", "act-", "000000"});
  EXPECT_TRUE(starts.possible("a dog"));
  EXPECT_FALSE(longer.possible("a dog"));
  EXPECT_FALSE(starts.possible("9f86d081884c7d659a2feaa0c55ad015"));
  EXPECT_TRUE(WordStarts({"ab"}).possible("x"));
  for (const std::string_view word : {"secret", "act-", "000000"}) {
    for (std::size_t before = 0; before < 5; ++before) EXPECT_TRUE(longer.possible(std::string(before, 'q') + std::string(word) + "z"));
  }
}

// Keys made of hot words and others, closed in every way, with values that count and values that do not.
std::string made_up_lines(std::mt19937& random, std::size_t lines) {
  constexpr std::array<std::string_view, 30> kParts = {"access", "auth", "api", "API", "Api", "aPi", "credential", "creds", "key", "passwd", "password", "secret", "token", "TOKEN",
                                                       "pass", "id", "type", "x", "oauth", "authorization", "changed", "count", "snyk", "apikey", "bearer", "basic", "jwt", "session", "a-rather-long-part-of-a-name", "ssn"};
  constexpr std::array<std::string_view, 8> kJoints = {"_", "-", ".", "", " ", "__", "%", "\xc3\xa9"};
  constexpr std::array<std::string_view, 16> kClosings = {"=", "=", "=", ":", "\":\"", "\": \"", " = ", "==", "=>", "::", " ", "\\\":\\\"", "=\"", "='", ", ", "\n"};
  constexpr std::array<std::string_view, 12> kValues = {"9f86d081884c7d65", "Xk3vQ9zLm2pR7tWb", "none", "********", "hunter2!", "2026-01-01", "bearer", "4b1dAa9Z", "zYx9 8765", "true", "secret.token_key=abcDEF123456", "c29tZSBiYXNlNjQgdGV4dCAxMjM0NQ=="};
  constexpr std::array<std::string_view, 9> kAfter = {" ", "\"", ",", ";", "&", "\n", "\r\n", "\\n", "\", \""};
  std::string out;
  for (std::size_t line = 0; line < lines; ++line) {
    out += "time=2026-11-23T14:00:00Z level=info ";
    for (std::size_t n = random() % 6; n > 0; --n) {
      if (random() % 5 == 0) out += "\"";
      for (std::size_t parts = 1 + random() % 4; parts > 0; --parts) {
        out += kParts[random() % kParts.size()];
        if (parts > 1) out += kJoints[random() % (random() % 4 == 0 ? kJoints.size() : 4)];
      }
      out += kClosings[random() % kClosings.size()];
      out += kValues[random() % kValues.size()];
      out += kAfter[random() % kAfter.size()];
    }
    out += "\n";
  }
  return out;
}

TEST(KeyLooks, AreWhatEachWordSays) {
  const RuleFile file{
      "f.toml",
      "[[rules]]\nid='generic-api-key'\nregex='''(?i)[\\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|passw(?:or)?d|secret|token)"
      "(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([\\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})"
      "(?:[\\x60'\"\\s;]|\\\\[nr]|$)'''\nkeywords=['access','auth','api','credential','creds','key','passwd','password','secret','token']\nentropy=2.5\n"
      "[[rules]]\nid='snyk'\nregex='''(?i)[\\w.-]{0,50}?(?:snyk[_.-]?(?:(?:api|oauth)[_.-]?)?(?:key|token))(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)"
      "[\\x60'\"\\s=]{0,5}([0-9a-z]{16})(?:[\\x60'\"\\s;]|\\\\[nr]|$)'''\nkeywords=['snyk']\n"};
  const auto loaded = [&](bool short_cuts) {
    Options options;
    options.short_cuts = short_cuts;
    return Scanner::load({&file, 1}, options).value().scanner;
  };
  const Scanner fast = loaded(true);
  const Scanner slow = loaded(false);
  std::mt19937 random(11);
  std::size_t hits = 0;
  for (int round = 0; round < 30; ++round) {
    const std::string text = made_up_lines(random, 40);
    const auto read = [&](const Scanner& scanner, bool together) {
      std::vector<std::string> out;
      const auto add = [&](std::size_t start, const std::vector<Hit>& found) {
        for (const auto& hit : found) {
          out.push_back(std::to_string(start + hit.start) + "-" + std::to_string(start + hit.end) + " " + std::string(hit.rule) + " " + hit.preview + hit.note);
        }
      };
      if (together) {
        std::vector<LineHits> lines;
        EXPECT_EQ(scanner.scan_lines(text, {}, true, false, lines).bytes, text.size());
        for (const auto& line : lines) {
          EXPECT_EQ(line.line, count_byte(std::string_view(text).substr(0, line.start), '\n'));
          add(line.start, line.hits);
        }
        return out;
      }
      for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = text.find('\n', start);
        std::string_view line = std::string_view(text).substr(start, end - start);
        if (line.ends_with('\r')) line.remove_suffix(1);
        std::vector<Hit> found;
        scanner.scan(line, found);
        add(start, found);
        start = end + 1;
      }
      return out;
    };
    const auto want = read(slow, false);
    ASSERT_EQ(read(fast, true), want) << text;
    ASSERT_EQ(read(fast, false), want) << text;
    hits += want.size();
  }
  EXPECT_GT(hits, 500U);
}

}  // namespace
}  // namespace tocsin::rules::secrets
