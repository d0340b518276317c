// gitleaks semantics, rule by rule on small files; and the two real rule files, where they are at hand.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules/secrets/entropy.hpp"
#include "rules/secrets/ruleset.hpp"
#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {
namespace {

Result<Scanner::Loaded> load_text(const std::string& text) {
  const RuleFile file{"t.toml", text};
  Options options;
  options.own_pack = false;
  return Scanner::load({&file, 1}, options);
}

std::vector<std::string> secrets_in(const std::string& rules, const std::string& line, std::vector<Drop>* drops = nullptr) {
  auto loaded = load_text(rules);
  if (!loaded) throw std::runtime_error(loaded.error().text());
  std::vector<Hit> hits;
  loaded->scanner.scan(line, hits, drops);
  std::vector<std::string> out;
  for (const auto& hit : hits) out.push_back(std::string(hit.rule) + "=" + line.substr(hit.start, hit.end - hit.start));
  return out;
}

using Texts = std::vector<std::string>;

TEST(Entropy, CountsRunesAndDividesByBytes) {
  EXPECT_NEAR(entropy("password"), 2.75, 1e-9);
  EXPECT_NEAR(entropy("0123456789abcdef"), 4.0, 1e-9);
  EXPECT_NEAR(entropy("éé"), 0.5, 1e-9);
  EXPECT_NEAR(entropy("AKIAIOSFODNN7EXAMPLE"), 3.684, 1e-3);
  EXPECT_EQ(entropy(""), 0);
  EXPECT_EQ(entropy("\xff\xfe\x80"), 0) << "ill-formed bytes are one rune";
}

TEST(Gitleaks, KeywordIsAGate) {
  const std::string rules = "[[rules]]\nid='r'\nregex='''[0-9a-f]{8}'''\nkeywords=['SourceGraph']\n";
  EXPECT_EQ(secrets_in(rules, "etag 0123abcd"), Texts{});
  EXPECT_EQ(secrets_in(rules, "SOURCEGRAPH etag 0123abcd"), Texts{"r=0123abcd"});
}

TEST(Gitleaks, SecretIsTheGroupOrTheFirstNonEmptyOne) {
  EXPECT_EQ(secrets_in("[[rules]]\nid='r'\nregex='''k=(a+)?(b+)'''\n", "k=bbb"), Texts{"r=bbb"});
  EXPECT_EQ(secrets_in("[[rules]]\nid='r'\nregex='''k=(a+)-(b+)'''\nsecretGroup=2\n", "k=aa-bb"), Texts{"r=bb"});
  EXPECT_EQ(secrets_in("[[rules]]\nid='r'\nregex='''k=a+'''\n", "xk=aaa k=a"), (Texts{"r=k=aaa", "r=k=a"}));
}

TEST(Gitleaks, GroupsComeFromASecondRunOnTheMatchAlone) {
  // The first alternative needs a blank behind; alone the match has none, so `$` takes over.
  EXPECT_EQ(secrets_in("[[rules]]\nid='r'\nregex='''key=([a-z0-9]{4,})(?:\\s|$)'''\n", "key=abcd1 x"), Texts{"r=abcd1"});
}

TEST(Gitleaks, EntropyMustBeAbove) {
  const std::string rules = "[[rules]]\nid='r'\nregex='''k=(\\w+)'''\nentropy=2.75\n";
  std::vector<Drop> drops;
  EXPECT_EQ(secrets_in(rules, "k=password", &drops), Texts{});
  ASSERT_EQ(drops.size(), 1U);
  EXPECT_EQ(drops[0].reason, "entropy 2.75 is not above 2.75");
  EXPECT_EQ(secrets_in(rules, "k=passw0rd1"), Texts{"r=passw0rd1"});
}

TEST(Gitleaks, AllowLists) {
  struct Case {
    const char* name;
    const char* allow;
    const char* line;
    bool found;
  };
  const Case cases[] = {
      {"regex on secret", "[[rules.allowlists]]\nregexes=['''^ab''']", "x k=abc", false},
      {"regex on secret, no match", "[[rules.allowlists]]\nregexes=['''^x''']", "x k=abc", true},
      {"regex on match", "[[rules.allowlists]]\nregexTarget='match'\nregexes=['''^k=''']", "x k=abc", false},
      {"regex on line", "[[rules.allowlists]]\nregexTarget='line'\nregexes=['''^x''']", "x k=abc", false},
      {"stopword in any case", "[[rules.allowlists]]\nstopwords=['BC']", "k=aBc", false},
      {"stopword not in the match", "[[rules.allowlists]]\nstopwords=['k=']", "k=abc", true},
      {"and: both hold", "[[rules.allowlists]]\ncondition='AND'\nregexes=['''abc''']\nstopwords=['b']", "k=abc", false},
      {"and: one holds", "[[rules.allowlists]]\ncondition='&&'\nregexes=['''abc''']\nstopwords=['z']", "k=abc", true},
      {"and with commits never holds", "[[rules.allowlists]]\ncondition='and'\nregexes=['''abc''']\ncommits=['1']", "k=abc", true},
      {"older single table", "[rules.allowlist]\nregexes=['''abc''']", "k=abc", false},
      {"global", "[allowlist]\nstopwords=['abc']", "k=abc", false},
      {"global by rule", "[[allowlists]]\ntargetRules=['r']\nstopwords=['abc']", "k=abc", false},
      {"comment in the line", "", "k=abc # gitleaks:allow", false},
  };
  for (const auto& c : cases) {
    const std::string rules = std::string("[[rules]]\nid='r'\nregex='''k=(\\w+)'''\n") + c.allow + "\n";
    EXPECT_EQ(!secrets_in(rules, c.line).empty(), c.found) << c.name;
  }
}

TEST(Gitleaks, JoinedPatternsKeepUpstreamsTraps) {
  // "(?i)^true|false|null$" means: starts with true, contains false, or ends in null; its flag reaches the next one.
  const std::string rules = "[[rules]]\nid='r'\nregex='''k=(\\S+)'''\n[allowlist]\nregexes=['''(?i)^true|false|null$''', '''^\\$[A-Z]+$''']\n";
  EXPECT_EQ(secrets_in(rules, "k=xfalsex"), Texts{});
  EXPECT_EQ(secrets_in(rules, "k=xNULL"), Texts{});
  EXPECT_EQ(secrets_in(rules, "k=xtrue"), Texts{"r=xtrue"});
  EXPECT_EQ(secrets_in(rules, "k=$AbC"), Texts{});
}

TEST(Gitleaks, GenericGivesWayToSpecificOnTheSameLine) {
  const std::string rules = "[[rules]]\nid='Generic-key'\nregex='''k=(\\w+)'''\n[[rules]]\nid='special'\nregex='''k=(ab\\w+)'''\n";
  EXPECT_EQ(secrets_in(rules, "k=abc"), Texts{"special=abc"});
  EXPECT_EQ(secrets_in(rules, "k=xyz"), Texts{"Generic-key=xyz"});
  EXPECT_EQ(secrets_in(rules, "k=abc\nk=xyz"), (Texts{"special=abc", "Generic-key=xyz"}));
}

TEST(Gitleaks, CompositeRules) {
  const std::string rules =
      "[[rules]]\nid='a'\nregex='''id=(\\d+)'''\n[[rules.required]]\nid='b'\nwithinColumns=10\n"
      "[[rules]]\nid='b'\nregex='''key=(\\w+)'''\nskipReport=true\n";
  EXPECT_EQ(secrets_in(rules, "id=12 key=ab"), Texts{"a=12"});
  EXPECT_EQ(secrets_in(rules, "id=12             key=ab"), Texts{});
  EXPECT_EQ(secrets_in(rules, "key=ab"), Texts{});
}

TEST(Gitleaks, PathsDecideWhereAPathIsKnown) {
  auto loaded = load_text("[[rules]]\nid='php'\nregex='''k=(\\w+)'''\npath='''\\.php$'''\n[[rules]]\nid='any'\nregex='''k=(\\w+)'''\n"
                          "[[rules.allowlists]]\npaths=['''vendor/''']\n[allowlist]\npaths=['''\\.lock$''']\n");
  ASSERT_TRUE(loaded) << loaded.error().text();
  const auto count = [&](const char* path) {
    std::vector<Hit> hits;
    if (path == nullptr) {
      loaded->scanner.scan("k=abc", hits);
    } else {
      loaded->scanner.scan("k=abc", loaded->scanner.place(path), hits);
    }
    return hits.size();
  };
  EXPECT_EQ(count(nullptr), 1U);
  EXPECT_EQ(count("x.txt"), 1U);
  EXPECT_EQ(count("x.php"), 2U);
  EXPECT_EQ(count("vendor/x.php"), 1U);
  EXPECT_EQ(count("yarn.lock"), 0U);
}

TEST(Gitleaks, ExtendMergesTheBase) {
  const auto base = std::make_shared<const RuleFile>(RuleFile{"base.toml",
      "[[rules]]\nid='a'\nregex='''a=(\\w+)'''\nkeywords=['a=']\nentropy=3.9\n[rules.allowlist]\nstopwords=['stopa']\n"
      "[[rules]]\nid='b'\nregex='''b=(\\w+)'''\n[[rules]]\nid='c'\nregex='''c=(\\w+)'''\n[[rules.allowlists]]\nstopwords=['stopc']\n"
      "[[allowlists]]\nstopwords=['everywhere']\n[[allowlists]]\ntargetRules=['c']\nstopwords=['lost']\n"});
  const RuleFile file{"t.toml",
                      "[extend]\npath='base.toml'\ndisabledRules=['b','zz']\n[[rules]]\nid='a'\nentropy=1.0\nkeywords=['alpha']\n"
                      "[[rules.allowlists]]\nstopwords=['mine']\n[[rules]]\nid='d'\nregex='''d=(\\w+)'''\n[allowlist]\nstopwords=['also']\n",
                      base};
  Options options;
  options.own_pack = false;
  auto loaded = Scanner::load({&file, 1}, options);
  ASSERT_TRUE(loaded) << loaded.error().text();
  ASSERT_EQ(loaded->diagnostics.size(), 1U);
  EXPECT_NE(loaded->diagnostics[0].message.find("'zz', which is not in the base"), std::string::npos);
  const auto found = [&](const std::string& line) {
    std::vector<Hit> hits;
    loaded->scanner.scan(line, hits);
    std::string out;
    for (const auto& hit : hits) out += std::string(hit.rule) + "=" + line.substr(hit.start, hit.end - hit.start) + ";";
    return out;
  };
  EXPECT_EQ(found("a=xyz"), "a=xyz;") << "the child's entropy, the base's regex and keyword";
  EXPECT_EQ(found("b=xyz c=xyz d=xyz"), "c=xyz;d=xyz;") << "b is disabled, c is the base's, d the child's";
  EXPECT_EQ(found("a=stopa a=mine c=stopc c=also d=everywhere"), "") << "allow-lists of both, at rules and everywhere";
  EXPECT_EQ(found("c=lost"), "c=lost;") << "a base's list with targets is lost, as upstream loses it";
  EXPECT_FALSE(rule_file_extends(*base));
  EXPECT_EQ(rule_file_extends(file)->path, "base.toml");
  EXPECT_EQ(rule_file_extends(RuleFile{"t", "[extend]\nuseDefault=true\n"})->path, "");
  EXPECT_FALSE(load_text("[extend]\npath='x'\nuseDefault=true\n"));
}

TEST(Gitleaks, MistakesAreNamedWithTheirLine) {
  struct Case {
    const char* text;
    const char* says;
    const char* where;
  };
  const Case cases[] = {
      {"[[rules]]\nregex='''a'''", "without id", "t.toml:1"},
      {"[[rules]]\nid='a'", "needs a regex or a path", "t.toml:1"},
      {"\n\n[[rules]]\nid='a'\nregex='''('''", "does not compile", "t.toml:3"},
      {"[[rules]]\nid='a'\nregex='''(a)'''\nsecretGroup=2", "not a group", "t.toml:1"},
      {"[[rules]]\nid='a'\nregex='''a'''\n[[rules]]\nid='a'\nregex='''b'''", "stands twice", "t.toml:4"},
      {"[[rules]]\nid='a'\nregex='''a'''\n[[rules.allowlists]]\ndescription='x'", "needs commits", "t.toml:4"},
      {"[[rules]]\nid='a'\nregex='''a'''\n[[rules.allowlists]]\ncondition='XOR'\nregexes=['''a''']", "OR or AND", "t.toml:4"},
      {"[[rules]]\nid='a'\nregex='''a'''\n[[rules.allowlists]]\nregexTarget='file'\nregexes=['''a''']", "regexTarget", "t.toml:4"},
      {"[[rules]]\nid='a'\nregex='''a'''\n[allowlist]\nregexes=['''a''']\n[[allowlists]]\nregexes=['''a''']", "exclude each other", "t.toml:"},
      {"[[allowlists]]\ntargetRules=['zz']\nregexes=['''a''']", "does not exist", "t.toml:1"},
      {"rules = 3", "must be a table", "t.toml:1"},
      {"[[rules]\nid='a'", "not readable as TOML", "t.toml:1"},
  };
  for (const auto& c : cases) {
    const auto loaded = load_text(c.text);
    ASSERT_FALSE(loaded) << c.text;
    EXPECT_NE(loaded.error().message.find(c.says), std::string::npos) << c.text << ": " << loaded.error().text();
    EXPECT_EQ(loaded.error().where.rfind(c.where, 0), 0U) << loaded.error().where;
  }
}

TEST(Gitleaks, KeysAreMatchedInAnyCase) {
  EXPECT_EQ(secrets_in("[[Rules]]\nID='r'\nRegex='''k=(a)(b)'''\nSECRETGROUP=2\nKeyWords=['K=']\n", "k=ab"), Texts{"r=b"});
}

// ---- the field's own files

std::filesystem::path shared() {
  if (const char* named = std::getenv("TOCSIN_SHARED_DATA")) return named;
  return std::filesystem::path(TOCSIN_SOURCE_DIR) / "../shared/data";
}

std::optional<RuleFile> real_file(const char* name) {
  std::ifstream in(shared() / "secret-rules" / name, std::ios::binary);
  if (!in) return std::nullopt;
  return RuleFile{name, std::string(std::istreambuf_iterator<char>(in), {})};
}

TEST(RealFiles, GitleaksLoadsUnchanged) {
  const auto file = real_file("gitleaks/gitleaks.toml");
  if (!file) GTEST_SKIP() << "gitleaks.toml is not at hand";
  const auto set = read_rules(*file, false);
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(set->rules.size(), 222U);
  EXPECT_EQ(std::count_if(set->rules.begin(), set->rules.end(), [](const Rule& r) { return r.regex != nullptr; }), 221);
  EXPECT_EQ(std::count_if(set->rules.begin(), set->rules.end(), [](const Rule& r) { return r.entropy != 0; }), 130);
  EXPECT_EQ(std::count_if(set->rules.begin(), set->rules.end(), [](const Rule& r) { return r.secret_group != 0; }), 1);
  EXPECT_EQ(std::count_if(set->rules.begin(), set->rules.end(), [](const Rule& r) { return !r.allow.empty(); }), 9);
  EXPECT_TRUE(set->diagnostics.empty());

  Options options;
  options.own_pack = false;
  auto loaded = Scanner::load({&*file, 1}, options);
  ASSERT_TRUE(loaded) << loaded.error().text();
  std::vector<Hit> hits;
  loaded->scanner.scan("api_key = \"q8Zr41LmX0aaPt5Wk2Vb\"", hits);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].rule, "generic-api-key");
}

TEST(RealFiles, BetterleaksLoadsWholeAndNamesWhatIsNotHonoured) {
  const auto file = real_file("betterleaks/betterleaks.toml");
  if (!file) GTEST_SKIP() << "betterleaks.toml is not at hand";
  const auto set = read_rules(*file, false);
  ASSERT_TRUE(set) << set.error().text();
  const auto said = [&](const char* words) {
    return std::count_if(set->diagnostics.begin(), set->diagnostics.end(),
                         [&](const Diagnostic& d) { return d.message.find(words) != std::string::npos; });
  };
  EXPECT_EQ(said("the global"), 0) << "both global expressions are applied";
  EXPECT_EQ(said("its 'filter' cannot be evaluated"), 0);
  EXPECT_EQ(said("rule 'generic-api-key' asks how well a secret packs into tokens"), 1);
  EXPECT_EQ(said("asks the network and is not run"), 187);
  EXPECT_EQ(set->rules.size(), 412U);
  EXPECT_EQ(std::count_if(set->rules.begin(), set->rules.end(), [](const Rule& rule) { return rule.regex != nullptr; }), 411);
  EXPECT_TRUE(set->filter && set->prefilter);

  Options options;
  options.own_pack = false;
  const auto loaded = Scanner::load({&*file, 1}, options);
  ASSERT_TRUE(loaded) << loaded.error().text();
  const auto rules_at = [&](const std::string& line, const Scanner::Place& place) {
    std::vector<Hit> hits;
    loaded->scanner.scan(line, place, hits);
    std::string out;
    for (const auto& hit : hits) out += std::string(hit.rule) + " ";
    return out;
  };
  const std::string token = "token ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R";
  EXPECT_NE(rules_at(token, Scanner::Place{}).find("github-pat"), std::string::npos) << rules_at(token, Scanner::Place{});
  EXPECT_EQ(rules_at("token ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Scanner::Place{}), "") << "its filter asks for entropy";
  EXPECT_EQ(rules_at(token, loaded->scanner.place("node_modules/x.js")), "") << "the prefilter passes over such paths";
}

}  // namespace
}  // namespace tocsin::rules::secrets
