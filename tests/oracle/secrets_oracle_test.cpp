// The scanner against the oracle: gitleaks' file alone, its semantics, every record a fragment. Corpus, texts made from
// each rule's own regex, and damaged ones. Prints how many rules met how many texts.
#include "tests/oracle/secrets_oracle.hpp"

#include <gtest/gtest.h>
#include <re2/re2.h>
#include <toml++/toml.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "rules/secrets/entropy.hpp"
#include "rules/secrets/generic_key.hpp"
#include "rules/secrets/needles.hpp"
#include "rules/secrets/regex_refusal.hpp"
#include "rules/secrets/regex_tree.hpp"
#include "rules/secrets/ruleset.hpp"
#include "rules/secrets/scanner.hpp"
#include "tests/oracle/secrets_generator.hpp"

namespace tocsin::rules::secrets {
namespace {

namespace fs = std::filesystem;

fs::path shared() {
  if (const char* named = std::getenv("TOCSIN_SHARED_DATA")) return named;
  return fs::path(TOCSIN_SOURCE_DIR) / "../shared/data";
}

std::optional<std::string> read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// How much is generated: TOCSIN_ORACLE_ROUNDS for long runs.
std::size_t rounds(std::size_t usual) {
  const char* named = std::getenv("TOCSIN_ORACLE_ROUNDS");
  return named == nullptr ? usual : static_cast<std::size_t>(std::strtoull(named, nullptr, 10));
}

std::vector<OracleFinding> scanned(const Scanner& scanner, std::string_view text) {
  std::vector<Hit> hits;
  scanner.scan(text, hits);
  std::vector<OracleFinding> out;
  for (const auto& hit : hits) out.push_back({std::string(hit.rule), hit.start, hit.end});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string described(const std::vector<OracleFinding>& findings, std::string_view text) {
  std::string out;
  for (const auto& f : findings) out += "\n    " + f.rule + " [" + std::string(text.substr(f.start, f.end - f.start)) + "] at " + std::to_string(f.start);
  return out;
}

// Compares, and counts what it compared.
class Comparison {
 public:
  Comparison(const std::string& toml, const std::string& name) : oracle(toml) {
    const RuleFile file{name, toml};
    Options options;
    options.own_pack = false;
    scanner.emplace(Scanner::load({&file, 1}, options).value().scanner);
  }

  void text(std::string_view input) {
    ++inputs;
    const auto want = oracle.scan(input);
    const auto got = scanned(*scanner, input);
    for (const auto& f : want) ++found[f.rule];
    if (got == want) return;
    if (++differences > 5) return;
    ADD_FAILURE() << "text:\n" << input << "\n  oracle:" << described(want, input) << "\n  scanner:" << described(got, input);
  }

  void print(const char* what) const {
    std::size_t findings = 0;
    for (const auto& [rule, n] : found) findings += n;
    std::printf("[ compared ] %s: %zu rules x %zu texts, %zu findings of %zu rules, %zu differences\n", what, oracle.rules().size(), inputs, findings,
                found.size(), differences);
  }

  SecretsOracle oracle;
  std::optional<Scanner> scanner;
  std::size_t inputs = 0;
  std::size_t differences = 0;
  std::map<std::string, std::size_t> found;
};

// Every text of the repository's own corpora: samples of the packs, fuzz corpora, files of leaks and look-alikes.
std::vector<std::string> corpus() {
  std::vector<std::string> out;
  const fs::path root(TOCSIN_SOURCE_DIR);
  for (const auto& entry : fs::directory_iterator(root / "rules/packs/secrets")) {
    if (entry.path().extension() != ".toml") continue;
    const toml::table table = toml::parse_file(entry.path().string());
    if (const auto* rules = table["rules"].as_array()) {
      for (const auto& rule : *rules) {
        for (const char* kind : {"match", "clean"}) {
          if (const auto* samples = rule.as_table()->at_path(std::string("samples.") + kind).as_array()) {
            for (const auto& sample : *samples) out.push_back(sample.value_or(std::string()));
          }
        }
      }
    }
  }
  for (const char* folder : {"tests/fuzz/corpus", "tests/corpus", "tests/unit/rules/secrets"}) {
    std::error_code ec;
    for (auto it = fs::recursive_directory_iterator(root / folder, ec); !ec && it != fs::recursive_directory_iterator(); it.increment(ec)) {
      if (!it->is_regular_file() || it->file_size() > 1 << 20 || it->path().extension() == ".cpp" || it->path().extension() == ".txt.cmake") continue;
      if (auto text = read(it->path())) {
        if (text->size() < 64 << 10) out.push_back(*text);
        std::size_t at = 0;
        while (at < text->size()) {
          const auto end = std::min(text->find('\n', at), text->size());
          out.push_back(text->substr(at, end - at));
          at = end + 1;
        }
      }
    }
  }
  return out;
}

class Gitleaks : public ::testing::Test {
 protected:
  void SetUp() override {
    toml = read(shared() / "secret-rules/gitleaks/gitleaks.toml");
    if (!toml) GTEST_SKIP() << "gitleaks.toml is not at hand";
  }
  std::optional<std::string> toml;
};

TEST_F(Gitleaks, EqualOnTheCorpus) {
  Comparison comparison(*toml, "gitleaks.toml");
  for (const auto& text : corpus()) comparison.text(text);
  EXPECT_GT(comparison.inputs, 300U);
  comparison.print("corpus");
}

TEST_F(Gitleaks, EqualOnTextsMadeFromEachRule) {
  Comparison comparison(*toml, "gitleaks.toml");
  std::mt19937 random(20'261'123);
  for (const auto& rule : comparison.oracle.rules()) {
    const auto tree = read_regex(rule.regex);
    ASSERT_TRUE(tree) << rule.id << ": the regex is not read";
    const RE2 regex(rule.regex, RE2::Quiet);
    std::size_t matching = 0;
    constexpr std::size_t kSamples = 20;
    const std::size_t samples = rounds(kSamples);
    for (std::size_t n = 0; n < samples; ++n) {
      const std::string sample = sample_of(*tree, random);
      if (RE2::PartialMatch(sample, regex)) ++matching;
      comparison.text(in_a_line(sample, rule.keywords, random));
      comparison.text(damaged(in_a_line(sample, rule.keywords, random), random));
    }
    EXPECT_GT(matching, samples / 20) << rule.id << ": samples do not match their own regex";
  }
  comparison.print("made from the rules");
  // Rules with a path never fire without one; keywords or entropy may spoil a few more.
  EXPECT_GT(comparison.found.size(), 190U);
}

TEST_F(Gitleaks, EqualOnAssignmentsOfAnyShape) {
  Comparison comparison(*toml, "gitleaks.toml");
  std::mt19937 random(7);
  for (std::size_t n = 0; n < rounds(20) * 500; ++n) {
    std::string text = assignment_soup(random);
    if (n % 3 == 0) text = damaged(text, random);
    if (n % 50 == 0) {
      for (int k = 0; k < 40; ++k) text += assignment_soup(random);
    }
    comparison.text(text);
  }
  comparison.print("assignments");
}

// The hand-made matcher against the regex itself: every match, its ends and its group.
TEST(GenericKey, MatchesWhatItsRegexMatches) {
  constexpr const char* kPattern =
      R"re((?i)[\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|passw(?:or)?d|secret|token)(?:[ \t\w.-]{0,20}))re"
      R"re([\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}([\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})(?:[\x60'"\s;]|\\[nr]|$))re";
  ASSERT_TRUE(is_generic_key_pattern(kPattern));
  const RE2 regex(kPattern);
  const RE2 naming("(?i)access|auth|(?-i:[Aa]pi|API)|credential|creds|key|passw(?:or)?d|secret|token");
  std::mt19937 random(11);
  std::size_t texts = 0;
  std::size_t matches = 0;
  for (std::size_t n = 0; n < rounds(20) * 2000; ++n) {
    const std::string text = assignment_soup(random);
    ++texts;
    NamedValues words;
    std::vector<NamedValue> values;
    for (std::size_t at = 0; at < text.size(); ++at) {
      re2::StringPiece word;
      if (naming.Match(text, at, text.size(), RE2::ANCHOR_START, &word, 1)) {
        (void)words.add(text, at, at + word.size(), values, [](std::string_view) { return true; });
      }
    }
    std::span<const NamedValue> rest(values);
    std::size_t from = 0;
    for (;;) {
      std::array<re2::StringPiece, 2> want;
      const bool any = regex.Match(text, from, text.size(), RE2::UNANCHORED, want.data(), 2);
      GenericKeyMatch got;
      ASSERT_EQ(next_generic_key(text, 0, rest, from, got), any) << text << " from " << from;
      if (!any) break;
      ++matches;
      const auto at = [&](const char* p) { return static_cast<std::size_t>(p - text.data()); };
      ASSERT_EQ(got.start, at(want[0].data())) << text;
      ASSERT_EQ(got.end, at(want[0].data()) + want[0].size()) << text;
      ASSERT_EQ(got.secret_start, at(want[1].data())) << text;
      ASSERT_EQ(got.secret_end, at(want[1].data()) + want[1].size()) << text;
      from = got.end;
    }
  }
  std::printf("[ compared ] generic key: %zu matches in %zu texts\n", matches, texts);
  EXPECT_GT(matches, texts / 20);
}

// One needle at least must fit wherever the regex matches: asked directly, rule by rule.
TEST_F(Gitleaks, NeedlesNeverMissAMatch) {
  std::size_t with_needles = 0;
  std::size_t texts = 0;
  for (const char* name : {"gitleaks/gitleaks.toml", "betterleaks/betterleaks.toml"}) {
    const auto text = read(shared() / "secret-rules" / name);
    if (!text) continue;
    const SecretsOracle oracle(*text);
    std::mt19937 random(99);
    for (const auto& rule : oracle.rules()) {
      const auto needles = needles_of(rule.regex);
      if (needles.empty()) continue;
      ++with_needles;
      const auto tree = read_regex(rule.regex);
      ASSERT_TRUE(tree) << rule.id;
      const RE2 regex(rule.regex, RE2::Quiet);
      for (std::size_t n = 0; n < rounds(20); ++n) {
        std::string sample = "x " + sample_of(*tree, random) + (n % 2 == 0 ? "" : " y");
        if (n % 3 == 0) sample = damaged(sample, random);
        if (has_folding_beyond_ascii(sample) || !RE2::PartialMatch(sample, regex)) continue;
        ++texts;
        std::string lower = sample;
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const bool any = std::any_of(needles.begin(), needles.end(), [&](const Needle& needle) {
          for (std::size_t at = 0; (at = lower.find(needle.literal, at)) != std::string::npos; ++at) {
            if (needle.fits(sample, at + needle.literal.size())) return true;
          }
          return false;
        });
        EXPECT_TRUE(any) << rule.id << " matches without a needle: " << sample;
      }
    }
  }
  std::printf("[ compared ] needles of %zu rules on %zu texts that match\n", with_needles, texts);
  EXPECT_GT(with_needles, 500U);
}

// What the automaton refuses RE2 must not match; and it is there to refuse most of what does not match.
TEST_F(Gitleaks, RefusalsNeverMissAMatch) {
  std::vector<std::string> patterns = {R"((?:(?i)^true|false|null$|^a+$|^\$(?:\d+|{\d+})$))", R"(^$)", R"(\bkey\b)", R"(x{3,5}y?$)", R"((?:ab|a)(?:c|bcd)$)",
                                       R"(^(?:a*b?)*c)", R"([^a-z]{14}q)", R"(a.c\z)", R"((?i)^kelvin|\Along$)", R"(x*)"};
  for (const char* name : {"gitleaks/gitleaks.toml", "betterleaks/betterleaks.toml"}) {
    const auto text = read(shared() / "secret-rules" / name);
    if (!text) continue;
    const toml::table table = toml::parse(*text);
    const auto lists_of = [&](const toml::table& owner) {
      for (const char* key : {"allowlist", "allowlists"}) {
        const auto add = [&](const toml::table& list) {
          std::string joined;
          if (const auto* regexes = list["regexes"].as_array()) {
            for (const auto& regex : *regexes) joined += (joined.empty() ? "(?:" : "|") + regex.value_or(std::string());
          }
          if (!joined.empty()) patterns.push_back(joined + ")");
        };
        if (const auto* list = owner[key].as_table()) add(*list);
        if (const auto* lists = owner[key].as_array()) {
          for (const auto& list : *lists) add(*list.as_table());
        }
      }
    };
    lists_of(table);
    std::size_t number = 0;
    for (const auto& rule : *table["rules"].as_array()) {
      lists_of(*rule.as_table());
      if (number++ % 8 == 0) patterns.push_back(rule.as_table()->at_path("regex").value_or(std::string()));
    }
  }
  std::mt19937 random(31);
  std::size_t compiled = 0, texts = 0, matches = 0, refused = 0;
  for (const auto& pattern : patterns) {
    const auto refusal = RegexRefusal::compile(pattern);
    if (!refusal) continue;
    ++compiled;
    const auto tree = read_regex(pattern);
    ASSERT_TRUE(tree) << pattern;
    const RE2 regex(pattern, RE2::Quiet);
    for (std::size_t n = 0; n < rounds(20) * 10; ++n) {
      std::string text = n % 4 == 3 ? assignment_soup(random).substr(0, random() % 60) : sample_of(*tree, random);
      if (n % 4 == 1) text = damaged(text, random);
      if (n % 4 == 2) text = std::string(random() % 3, 'x') + text + std::string(random() % 3, '0');
      ++texts;
      const bool match = RE2::PartialMatch(text, regex);
      const bool no = refusal->refuses(text);
      matches += match ? 1U : 0U;
      refused += no ? 1U : 0U;
      ASSERT_FALSE(match && no) << pattern << "\n  refused: " << text;
    }
  }
  std::printf("[ compared ] refusals of %zu regexes on %zu texts: %zu match, %zu refused\n", compiled, texts, matches, refused);
  EXPECT_GT(compiled, 60U);
  EXPECT_GT(matches, texts / 10);
  EXPECT_GT(refused, (texts - matches) / 2);
}

TEST_F(Gitleaks, ShortCutsChangeNothing) {
  const RuleFile file{"gitleaks.toml", *toml};
  Options plain;
  plain.short_cuts = false;
  const Scanner fast = Scanner::load({&file, 1}, Options{}).value().scanner;
  const Scanner slow = Scanner::load({&file, 1}, plain).value().scanner;
  std::mt19937 random(5);
  for (const auto& text : corpus()) EXPECT_EQ(scanned(fast, text), scanned(slow, text)) << text;
  for (std::size_t n = 0; n < rounds(20) * 50; ++n) {
    const std::string text = assignment_soup(random);
    EXPECT_EQ(scanned(fast, text), scanned(slow, text)) << text;
  }
}

// Many lines in one text, with every short cut, against each line alone with none.
TEST_F(Gitleaks, ManyLinesAtOnceChangeNothing) {
  const RuleFile file{"gitleaks.toml", *toml};
  Options plain;
  plain.short_cuts = false;
  const Scanner fast = Scanner::load({&file, 1}, Options{}).value().scanner;
  const Scanner slow = Scanner::load({&file, 1}, plain).value().scanner;
  std::mt19937 random(6);
  std::vector<std::string> lines;
  const auto add = [&](const std::string& text) {
    std::size_t at = 0;
    while (at <= text.size()) {
      const auto end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      while (line.ends_with('\r')) line.pop_back();
      if (line.find("-----BEGIN") == std::string::npos && line.size() < Scanner::kWindow) lines.push_back(std::move(line));
      at = end + 1;
    }
  };
  for (const auto& text : corpus()) add(text);
  for (std::size_t n = 0; n < rounds(20) * 400; ++n) add(assignment_soup(random));
  for (const char* sample : {"token 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", "card 4111 1111 1111 1111", "https://u:hunter2x@h/"}) add(sample);
  std::shuffle(lines.begin(), lines.end(), random);
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  std::vector<LineHits> found;
  ASSERT_EQ(fast.scan_lines(text, Scanner::Place{}, true, false, found).bytes, text.size());
  auto next = found.begin();
  std::size_t at = 0;
  std::size_t findings = 0;
  for (const auto& line : lines) {
    std::vector<OracleFinding> got;
    if (next != found.end() && next->start == at) {
      for (const auto& hit : next->hits) got.push_back({std::string(hit.rule), hit.start, hit.end});
      std::sort(got.begin(), got.end());
      ++next;
    }
    const auto want = scanned(slow, line);
    findings += want.size();
    EXPECT_EQ(got, want) << line << described(want, line) << "\n  lines:" << described(got, line);
    at += line.size() + 1;
  }
  EXPECT_TRUE(next == found.end());
  std::printf("[ compared ] %zu lines at once, %zu findings\n", lines.size(), findings);
}

TEST(Entropy, TheQuickTestIsTheSame) {
  std::mt19937 random(1);
  for (int n = 0; n < 200'000; ++n) {
    std::string text;
    const std::size_t size = random() % 40;
    const std::size_t alphabet = 1 + random() % 30;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + random() % alphabet);
    if (n % 50 == 0) text += "\xc3\xa9";
    for (const double limit : {2.0, 2.75, 3.0, 3.5, 4.0}) ASSERT_EQ(entropy_above(text, limit), entropy(text) > limit) << text << " " << limit;
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
