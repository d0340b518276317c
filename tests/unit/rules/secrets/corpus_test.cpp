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

TEST(Corpus, HeldOutAgain) {
  const Score all = score("holdout2.ndjson");
  EXPECT_GE(all.found, all.leaks * 95 / 100);
  EXPECT_EQ(all.alarms, 0);
}

TEST(Corpus, HeldOutThird) {
  const Score all = score("holdout3.ndjson");
  EXPECT_GE(all.leaks, 150);
  EXPECT_GE(all.clean, 150);
  EXPECT_GE(all.found, all.leaks * 95 / 100);
  EXPECT_EQ(all.alarms, 0);
}

TEST(Corpus, HeldOutFourth) {
  const Score all = score("holdout4.ndjson");
  EXPECT_GE(all.leaks, 150);
  EXPECT_GE(all.clean, 200);
  EXPECT_GE(all.found, all.leaks * 95 / 100);
  EXPECT_EQ(all.alarms, 0);
}

// One text of many lines gives what the lines give one by one; with contacts too, whose lines are found another way.
void read_as_one_text(bool contacts) {
  Options options;
  options.contacts = contacts;
  auto loaded = Scanner::load({}, options);
  ASSERT_TRUE(loaded) << loaded.error().text();
  std::string text;
  std::vector<std::string> single;
  const auto told = [](std::size_t line, const Hit& hit) {
    return std::to_string(line) + " " + std::string(hit.rule) + " " + std::to_string(hit.start) + "-" + std::to_string(hit.end);
  };
  for (const char* file : {"leaks.ndjson", "benign.ndjson", "holdout.ndjson", "holdout2.ndjson", "holdout3.ndjson", "holdout4.ndjson"}) {
    for (const Line& line : read_corpus(file)) {
      // What spans lines is cut there, and a key block would join them.
      if (line.text.find('\n') != std::string::npos || line.text.find("-----BEGIN") != std::string::npos) continue;
      std::vector<Hit> hits;
      loaded->scanner.scan(line.text, hits);
      for (const Hit& hit : hits) single.push_back(told(text.size(), hit));
      text += line.text + "\n";
    }
  }
  std::vector<LineHits> lines;
  EXPECT_EQ(loaded->scanner.scan_lines(text, {}, true, false, lines).bytes, text.size());
  std::vector<std::string> together;
  for (const auto& line : lines) {
    for (const Hit& hit : line.hits) together.push_back(told(line.start, hit));
  }
  EXPECT_EQ(together, single);
}

TEST(Corpus, ReadAsOneTextGivesTheSame) { read_as_one_text(false); }
TEST(Corpus, ReadAsOneTextGivesTheSameContacts) { read_as_one_text(true); }

// Whoever asks why a line with a naming word was left alone gets an answer.
TEST(Corpus, WhatIsSuppressedHasAReason) {
  auto loaded = Scanner::load({}, Options{});
  ASSERT_TRUE(loaded) << loaded.error().text();
  const std::pair<const char*, const char*> cases[] = {
      {"password=$1", "bound parameter"}, {"password=${DB_PASSWORD}", "variable"}, {"password=***", "masked"}, {"password=__REDACTED__", "masked"},
      {"password=null", "placeholder word"}, {"password=password", "the key's own name"}, {"password=self.password", "expression"},
      {"password: must not be empty", "prose"}, {"password_changed_at=2026-01-01", "identifier key"}, {"pass=12 fail=0", "count"},
      {"PWD=/home/anna", "path"}, {"PWD=/Users", "directory"}, {"password=/srv/app/db", "path"}, {"password=/run/secrets/db", "reference to a secret store"}, {"secret=2026-12-24", "date"}, {"api_key=ab1", "too short"},
      {"token=3fa85f64-5717-4562-b3fc-2c963f66afa6", "uuid"}, {"client_secret=https://id.example/secret", "path or address"},
      {"password: vault:secret/db", "reference to a secret store"}, {"Authorization: Digest username=x", "the scheme does not carry the secret"},
      {"pan=4111", "not laid out as that number"}, {"pesel=123", "not laid out as that number"}, {"pin=12", "not 4 to 8 digits"}, {"cvv=12", "not 3 or 4 digits"},
      {"password_hash=unknown", "not laid out as a digest"}, {"order_id=4111111111111111", "identifier key"}, {"at 4111111111111111 ns", "no word near it speaks of a card"},
      {"mysql -p*** shop", "masked"}, {"net use Z: \\\\s\\x ${PW} /user:a", "variable"},
  };
  for (const auto& [line, reason] : cases) {
    std::vector<Hit> hits;
    std::vector<Drop> drops;
    loaded->scanner.scan(line, hits, &drops);
    EXPECT_TRUE(hits.empty()) << line;
    EXPECT_TRUE(std::any_of(drops.begin(), drops.end(), [&](const Drop& drop) { return drop.reason == reason; }))
        << line << ": " << (drops.empty() ? "no reason at all" : drops[0].reason);
  }
}

// A check digit that does not hold, and a checksum of a token, lower the tier and never silence.
TEST(Corpus, ChecksDecideTheTierOnly) {
  auto loaded = Scanner::load({}, Options{});
  ASSERT_TRUE(loaded) << loaded.error().text();
  const std::tuple<const char*, Tier, const char*> cases[] = {
      {"pesel=44051401359", Tier::kVerified, "Poland, PESEL"},
      {"pesel=44051401358", Tier::kPattern, "Poland, PESEL, check digit does not hold"},
      {"ssn=536-90-4399", Tier::kStructure, "United States, SSN"},
      {"card_number=4111111111111112", Tier::kPattern, "card number, check digit does not hold"},
      {"card_number=4111111111111111", Tier::kVerified, "card number"},
      {"iban=DE88370400440532013000", Tier::kPattern, "IBAN, check digit does not hold"},
      {"nif=54362315K", Tier::kVerified, "Spain, DNI or NIE"},
      {"nif=501964843", Tier::kVerified, "Portugal, NIF"},
      {"t ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1yLcDC", Tier::kPattern, "GitHub token, checksum does not hold"},
  };
  for (const auto& [line, tier, note] : cases) {
    std::string text(line);
    std::vector<Hit> hits;
    loaded->scanner.scan(text, hits);
    ASSERT_EQ(hits.size(), 1U) << text;
    EXPECT_EQ(hits[0].tier, tier) << text;
    EXPECT_EQ(hits[0].note, note) << text;
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
