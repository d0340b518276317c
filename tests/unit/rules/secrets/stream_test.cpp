// Streams: the same findings however the bytes are cut, the same as record by record, and bounded memory.
#include "rules/secrets/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tocsin::rules::secrets {
namespace {

const Scanner& scanner() {
  static const Scanner loaded = [] {
    const RuleFile file{"t.toml",
                        "[[rules]]\nid='generic-api-key'\nregex='''(?i)[\\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|"
                        "passw(?:or)?d|secret|token)(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}"
                        "([\\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})(?:[\\x60'\"\\s;]|\\\\[nr]|$)'''\nkeywords=['key','token']\nentropy=3.0\n"};
    return Scanner::load({&file, 1}, Options{}).value().scanner;
  }();
  return loaded;
}

std::string shown(std::uint64_t line, const Hit& hit) {
  return std::to_string(line) + ":" + std::to_string(hit.start) + "-" + std::to_string(hit.end) + " " + std::string(hit.rule) + " " + hit.preview;
}

// Findings of a text that comes in pieces of the given sizes (the rest in one).
std::vector<std::string> streamed(std::string_view text, const std::vector<std::size_t>& cuts, std::size_t* most_held = nullptr) {
  std::vector<std::string> out;
  const std::string_view all = text;
  Stream stream(scanner(), Scanner::Place{}, true, [&](const Stream::Line& line) {
    EXPECT_TRUE(line.offset == 0 || all.at(line.offset - 1) == '\n');
    EXPECT_EQ(static_cast<std::uint64_t>(std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(line.offset), '\n')) + 1, line.number);
    for (const auto& hit : line.hits) out.push_back(shown(line.number, hit));
    for (const auto& drop : line.drops) out.push_back(std::to_string(line.number) + ":" + std::to_string(drop.start) + " dropped " + drop.reason);
  });
  for (const std::size_t cut : cuts) {
    stream.feed(text.substr(0, cut));
    text.remove_prefix(std::min(cut, text.size()));
    if (most_held != nullptr) *most_held = std::max(*most_held, stream.held());
  }
  stream.feed(text);
  if (most_held != nullptr) *most_held = std::max(*most_held, stream.held());
  stream.finish();
  // A long line may come in several calls, each with its hits and then its drops.
  std::sort(out.begin(), out.end());
  return out;
}

const std::string kKeyBlock =
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq9qHlTl8x2y3FzJk4vN5sWgYt0aBcDeFgHiJkLmNoPqRs\n"
    "tUvWxYz0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV\n-----END RSA PRIVATE KEY-----";

const std::vector<std::string> kShort = {
    "password=hunter2x\nnothing here\r\n{\"token\":\"a8Fk2LmQ9xZt4RbN\"}\r\n",
    "a\n\n\npassword=hunter2x",
    "x=4111 1111 1111 1111\niban DE89370400440532013000 end\ncard 4111-1111-1111-1111",
    "before\n" + kKeyBlock + "\napi_key = 'q8Zr41LmX0aaPt5Wk2Vb'\n",
    kKeyBlock + "\n" + kKeyBlock,
    "-----BEGIN RSA PRIVATE KEY-----\npassword=hunter2x\nno end\n",
    "-----BEGIN X-----\npassword=hunter2x\n-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----",
    "to\xe2\x84\xaa" "en=q8Zr41LmX0aaPt5Wk2Vb api_\xe2\x84\xaa" "ey=q8Zr41LmX0aaPt5Wk2Vc\npassword=hunter2x\n",
    "\n\n",
    "",
};

TEST(Stream, SameAtEverySplitPoint) {
  for (const auto& text : kShort) {
    const auto whole = streamed(text, {});
    EXPECT_EQ(streamed(text, std::vector<std::size_t>(text.size(), 1)), whole) << "byte by byte: " << text;
    for (std::size_t first = 0; first <= text.size(); ++first) {
      ASSERT_EQ(streamed(text, {first}), whole) << "cut at " << first << ": " << text;
      for (std::size_t second = 1; first + second <= text.size(); second += 7) {
        ASSERT_EQ(streamed(text, {first, second}), whole) << "cut at " << first << " and " << first + second << ": " << text;
      }
    }
  }
}

// Lines of all lengths, some far longer than a window, some with line ends of Windows, key blocks with and without end.
std::string long_text(std::mt19937& random) {
  std::string out;
  const std::size_t parts = 3 + random() % 12;
  for (std::size_t i = 0; i < parts; ++i) {
    switch (random() % 7) {
      case 0: out += std::string(random() % 90'000, 'x'); break;
      case 1: out += kKeyBlock; break;
      case 2: out += "-----BEGIN PRIVATE KEY-----\n" + std::string(random() % 20'000, 'y'); break;
      case 3: out += "4111 1111 1111 1111"; break;
      case 4:
        for (int k = 0; k < 3000; ++k) out += " password=hunter" + std::to_string(random() % 1000);
        break;
      case 5: out += "key=" + std::to_string(random()) + "aBcDeFgHiJ" + std::string(random() % 200, 'z'); break;
      default: out += "GET /login?password=Sommer2026&x=1"; break;
    }
    out += random() % 3 == 0 ? " " : random() % 3 == 0 ? "\r\n" : "\n";
  }
  return out;
}

TEST(Stream, SameAtRandomSplitsOfLongTexts) {
  std::mt19937 random(17);
  for (int round = 0; round < 25; ++round) {
    const std::string text = long_text(random);
    const auto whole = streamed(text, {});
    for (int n = 0; n < 4; ++n) {
      std::vector<std::size_t> cuts;
      const std::size_t most = n == 0 ? 100 : n == 1 ? 5'000 : 70'000;
      for (std::size_t at = 0; at < text.size(); at += cuts.back()) cuts.push_back(1 + random() % most);
      std::size_t held = 0;
      ASSERT_EQ(streamed(text, cuts, &held), whole) << "round " << round;
      EXPECT_LE(held, Stream::kMaxHeld);
    }
  }
}

TEST(Stream, SameAsRecordByRecord) {
  std::mt19937 random(4);
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    switch (random() % 6) {
      case 0: text += "password=hunter" + std::to_string(random() % 100); break;
      case 1: text += "time=2026-11-23 level=info card=4111111111111111"; break;
      case 2: text += std::string(random() % 300, 'a') + " token=a8Fk2LmQ9xZt4RbN" + std::to_string(random()); break;
      case 3: text += "to\xe2\x84\xaa" "en=q8Zr41LmX0aaPt5Wk2Vb"; break;
      default: text += "GET /index.html HTTP/1.1 200 1234 \"https://shop.example/\""; break;
    }
    text += '\n';
  }
  std::vector<std::string> want;
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    ++number;
    std::vector<Hit> hits;
    scanner().scan(std::string_view(text).substr(at, end - at), hits);
    for (const auto& hit : hits) want.push_back(shown(number, hit));
    at = end + 1;
  }
  std::vector<std::string> got;
  Stream stream(scanner(), Scanner::Place{}, false, [&](const Stream::Line& line) {
    for (const auto& hit : line.hits) got.push_back(shown(line.number, hit));
  });
  stream.feed(text);
  stream.finish();
  EXPECT_GT(want.size(), 1000U);
  EXPECT_EQ(got, want);
}

TEST(Stream, WhatIsNoLongerThanTheOverlapIsSeenWhole) {
  const std::string secret = " password=hunter2x ";
  for (std::size_t at = Scanner::kWindow - 40; at < Scanner::kWindow + 40; ++at) {
    const std::string text = std::string(at, '.') + secret + std::string(50'000, '.');
    const auto found = streamed(text, {});
    ASSERT_EQ(std::count_if(found.begin(), found.end(), [](const auto& line) { return line.find("tocsin.password-field") != std::string::npos; }), 1) << at;
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
