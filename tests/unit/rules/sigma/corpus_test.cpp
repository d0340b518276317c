// The public rules, where they are at hand: all load but those that need a placeholder table.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

std::filesystem::path shared_data() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  return named != nullptr ? std::filesystem::path(named) : std::filesystem::path(TOCSIN_SOURCE_DIR) / "../shared/data";
}

TEST(Corpus, LoadsWholeExceptForRulesThatNeedPlaceholders) {
  const std::filesystem::path folder = shared_data() / "sigma-rules/sigma";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the public rules are not at " << folder;
  const auto sources = read_rule_files({&folder, 1});
  ASSERT_TRUE(sources.has_value()) << sources.error().text();
  const Loaded loaded = load(*sources);
  std::map<std::string, int> rejected;
  std::map<std::string, int> warned;
  for (const Report& report : loaded.reports) {
    for (const Remark& remark : report.remarks) {
      if (report.status == Status::kRejected) {
        ++rejected[remark.code];
        if (remark.code != "missing-placeholder") ADD_FAILURE() << report.file << ":" << report.line << ": " << remark.code << ": " << remark.message;
      } else {
        ++warned[remark.code];
      }
    }
  }
  for (const auto& [code, count] : rejected) std::printf("rejected %s: %d\n", code.c_str(), count);
  for (const auto& [code, count] : warned) std::printf("warned %s: %d\n", code.c_str(), count);
  std::printf("%zu documents, %zu rules loaded, %zu distinct tests, %zu fields\n", loaded.reports.size(), loaded.engine->rules().size(),
              loaded.engine->program().predicates().size(), loaded.engine->program().fields().size());
  EXPECT_EQ(loaded.reports.size(), 3780U);
  EXPECT_EQ(loaded.engine->rules().size() + static_cast<std::size_t>(rejected["missing-placeholder"]), 3780U);
}

TEST(Corpus, LoadsWholeWithATableOfPlaceholders) {
  const std::filesystem::path folder = shared_data() / "sigma-rules/sigma";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the public rules are not at " << folder;
  const auto sources = read_rule_files({&folder, 1});
  ASSERT_TRUE(sources.has_value()) << sources.error().text();
  // The refusals name what the table must hold; a rule may need several.
  LoadOptions options;
  Loaded loaded = load(*sources, options);
  for (int round = 0; round < 5 && loaded.count(Status::kRejected) > 0; ++round) {
    for (const Report& report : loaded.reports) {
      if (report.status != Status::kRejected) continue;
      const std::string& message = report.remarks.front().message;
      const std::size_t first = message.find('%'), last = message.rfind('%');
      ASSERT_LT(first, last) << report.text();
      options.placeholders[message.substr(first + 1, last - first - 1)] = {"one", "two*"};
    }
    loaded = load(*sources, options);
  }
  EXPECT_EQ(loaded.count(Status::kRejected), 0U);
  EXPECT_EQ(loaded.engine->rules().size(), 3780U);
  EXPECT_GE(options.placeholders.size(), 20U);
}

}  // namespace
}  // namespace tocsin::rules::sigma
