// The block-wise search for digit runs against the obvious loop, at every alignment and over block borders.
#include "rules/secrets/digit_runs.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tocsin::rules::secrets {
namespace {

bool digit(std::string_view s, std::size_t i) { return i < s.size() && s[i] >= '0' && s[i] <= '9'; }
bool capital(std::string_view s, std::size_t i) { return i < s.size() && s[i] >= 'A' && s[i] <= 'Z'; }

std::vector<std::size_t> plain(std::string_view s) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!digit(s, i) || (i > 0 && digit(s, i - 1))) continue;
    std::size_t run = 0;
    while (digit(s, i + run)) ++run;
    const bool groups = run == 4 && digit(s, i + 5) && digit(s, i + 6) && digit(s, i + 7);
    const bool behind_capitals = run >= 2 && i >= 2 && capital(s, i - 1) && capital(s, i - 2);
    if (run >= 13 || groups || behind_capitals) out.push_back(i);
  }
  return out;
}

TEST(DigitRuns, SameAsTheObviousLoop) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const std::size_t size = random() % 300;
    while (text.size() < size) {
      switch (random() % 6) {
        case 0: text += "4111 1111 1111 1111"; break;
        case 1: text += "DE89"; break;
        case 2: text += std::string(random() % 22, static_cast<char>('0' + random() % 10)); break;
        case 3: text += "2026-11-23"; break;
        case 4: text += static_cast<char>(random() % 256); break;
        default: text += "xY 1Z-"[random() % 6];
      }
    }
    DigitRuns runs(text);
    std::vector<std::size_t> got;
    for (std::size_t at = runs.next(); at != DigitRuns::kNone; at = runs.next()) got.push_back(at);
    ASSERT_EQ(got, plain(text)) << text;
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
