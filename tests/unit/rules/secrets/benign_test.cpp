// False alarms on benign generated logs: at most one in a million lines. A million lines where TOCSIN_LONG is set
// (ops/test --long), fewer in the plain test. TOCSIN_SEED takes other lines. TOCSIN_CORPUS_SHOW=1 prints the alarms; the lines hold no real secret.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "rules/secrets/scanner.hpp"
#include "tests/unit/rules/secrets/benign_lines.hpp"

namespace tocsin::rules::secrets {
namespace {

TEST(BenignLogs, RaiseNoAlarm) {
  constexpr int kPlain = 40'000, kLong = 1'000'000;
  const bool long_run = std::getenv("TOCSIN_LONG") != nullptr;
  const char* const asked = std::getenv("TOCSIN_CORPUS_SHOW");
  const bool show = asked != nullptr && *asked == '1';
  auto loaded = Scanner::load({}, Options{});
  ASSERT_TRUE(loaded) << loaded.error().text();
  const char* const seed = std::getenv("TOCSIN_SEED");
  BenignLines lines(seed == nullptr ? 2026 : std::strtoull(seed, nullptr, 10));
  std::vector<Hit> hits;
  int alarms = 0;
  const int count = long_run ? kLong : kPlain;
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    const std::string line = lines.next();
    bytes += line.size();
    hits.clear();
    loaded->scanner.scan(line, hits);
    for (const Hit& hit : hits) {
      ++alarms;
      if (show && alarms < 40) {
        std::printf("ALARM %s: '%s' in %s\n", std::string(hit.rule).c_str(), line.substr(hit.start, hit.end - hit.start).c_str(), line.c_str());
      }
    }
  }
  std::printf("%d lines, %zu bytes, %d false alarms\n", count, bytes, alarms);
  EXPECT_LE(alarms, long_run ? 1 : 0);
}

}  // namespace
}  // namespace tocsin::rules::secrets
