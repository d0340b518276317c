// Recall and precision of the own pack on the corpus in tests/corpus/secrets (see its README), by shape.
// TOCSIN_CORPUS_SHOW=1 prints every miss and every false alarm; the corpus holds no real secret.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {
namespace {

struct Mark {
  Kind kind;
  std::size_t start = 0, end = 0;
};

struct Line {
  std::string shape;
  std::string text;
  std::vector<Mark> marks;
  int number = 0;
};

// Takes the marks out of a line and notes where they stood.
Line unmarked(std::string shape, std::string_view marked, int number) {
  Line out{std::move(shape), {}, {}, number};
  const auto eat = [&](std::string_view mark) {
    if (!marked.starts_with(mark)) return false;
    marked.remove_prefix(mark.size());
    return true;
  };
  while (!marked.empty()) {
    if (eat("⟦")) {
      out.marks.push_back({Kind::kSecret, out.text.size(), 0});
    } else if (eat("⟪")) {
      out.marks.push_back({Kind::kPersonal, out.text.size(), 0});
    } else if (eat("⟧") || eat("⟫")) {
      out.marks.back().end = out.text.size();
    } else if (!eat("‖")) {
      out.text += marked.front();
      marked.remove_prefix(1);
    }
  }
  return out;
}

std::vector<Line> read_corpus(const char* name) {
  std::ifstream in(std::string(TOCSIN_SOURCE_DIR) + "/tests/corpus/secrets/" + name);
  std::vector<Line> out;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    const auto object = boost::json::parse(text).as_object();
    out.push_back(unmarked(std::string(object.at("shape").as_string()), std::string_view(object.at("line").as_string()), number));
  }
  return out;
}

struct Score {
  int leaks = 0, found = 0, exact = 0, clean = 0, alarms = 0;
};

Score score(const char* file) {
  auto loaded = Scanner::load({}, Options{});
  EXPECT_TRUE(loaded) << loaded.error().text();
  const char* const asked = std::getenv("TOCSIN_CORPUS_SHOW");
  const bool show = asked != nullptr && *asked == '1';
  std::map<std::string, Score> shapes;
  std::vector<Hit> hits;
  std::vector<Drop> drops;
  for (const Line& line : read_corpus(file)) {
    Score& shape = shapes[line.shape];
    hits.clear();
    drops.clear();
    loaded->scanner.scan(line.text, hits, &drops);
    if (line.marks.empty()) ++shape.clean;
    for (const Mark& mark : line.marks) {
      ++shape.leaks;
      const auto covering = [&](const Hit& hit) { return hit.kind == mark.kind && hit.start <= mark.start && hit.end >= mark.end; };
      const bool found = std::any_of(hits.begin(), hits.end(), covering);
      shape.found += found ? 1 : 0;
      shape.exact += std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) {
        return hit.kind == mark.kind && hit.start == mark.start && hit.end == mark.end;
      }) ? 1 : 0;
      if (!found && show) {
        std::string why;
        for (const Drop& drop : drops) why += " [" + std::string(drop.rule) + ": " + drop.reason + "]";
        std::printf("MISSED %s:%d (%s) %s%s\n", file, line.number, line.shape.c_str(), line.text.c_str(), why.c_str());
      }
    }
    for (const Hit& hit : hits) {
      const bool touches = std::any_of(line.marks.begin(), line.marks.end(),
                                       [&](const Mark& mark) { return hit.start < mark.end && hit.end > mark.start; });
      if (touches) continue;
      ++shape.alarms;
      if (show) {
        std::printf("ALARM %s:%d (%s) %s: %s in %s\n", file, line.number, line.shape.c_str(), std::string(hit.rule).c_str(),
                    line.text.substr(hit.start, hit.end - hit.start).c_str(), line.text.c_str());
      }
    }
  }
  Score all;
  std::printf("%-24s %6s %6s %6s %8s %6s %7s\n", file, "leaks", "found", "exact", "recall", "clean", "alarms");
  for (const auto& [name, one] : shapes) {
    std::printf("  %-22s %6d %6d %6d %7.1f%% %6d %7d\n", name.c_str(), one.leaks, one.found, one.exact,
                one.leaks == 0 ? 100.0 : 100.0 * one.found / one.leaks, one.clean, one.alarms);
    all.leaks += one.leaks, all.found += one.found, all.exact += one.exact, all.clean += one.clean, all.alarms += one.alarms;
  }
  std::printf("  %-22s %6d %6d %6d %7.1f%% %6d %7d  precision %.2f%%\n", "all", all.leaks, all.found, all.exact,
              all.leaks == 0 ? 100.0 : 100.0 * all.found / all.leaks, all.clean, all.alarms,
              all.found + all.alarms == 0 ? 100.0 : 100.0 * all.found / (all.found + all.alarms));
  return all;
}

TEST(Corpus, LeaksAreFound) {
  const Score all = score("leaks.ndjson");
  EXPECT_GE(all.leaks, 400);
  EXPECT_GE(all.found, all.leaks * 95 / 100);
  EXPECT_EQ(all.alarms, 0);
}

TEST(Corpus, LookAlikesAreLeftAlone) {
  const Score all = score("benign.ndjson");
  EXPECT_GE(all.clean, 400);
  EXPECT_EQ(all.leaks, 0);
  EXPECT_EQ(all.alarms, 0);
}

TEST(Corpus, HeldOut) {
  const Score all = score("holdout.ndjson");
  EXPECT_GE(all.leaks, 100);
  EXPECT_GE(all.clean, 100);
  EXPECT_GE(all.found, all.leaks * 95 / 100);
  EXPECT_EQ(all.alarms, 0);
}

}  // namespace
}  // namespace tocsin::rules::secrets
