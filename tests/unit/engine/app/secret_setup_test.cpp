// What the configuration says about secrets is what the engine's scanner does.
#include <gtest/gtest.h>

#include "engine/app/state.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

class SecretSetup : public testing::Test {
 protected:
  void file(const char* name, const std::string& text) { spit(dir_ / name, text); }

  // How many findings the scanner of a configuration has in `line`; -1 = it has no scanner.
  int found(const std::string& rules, const std::string& line) {
    const LoadedConfig loaded = parse_config("rules: {" + rules + "}\n", dir_ / "tocsin.yml");
    for (const auto& mistake : loaded.mistakes) ADD_FAILURE() << describe(mistake, "tocsin.yml");
    const auto setup = make_setup(loaded.config, nullptr, nullptr, [&](const std::string& said) { told_ += said + "\n"; });
    EXPECT_TRUE(setup) << (setup ? "" : setup.error().text());
    if (!setup || !setup->scanner) return -1;
    std::vector<rules::secrets::Hit> hits;
    setup->scanner->scan(line, hits);
    return static_cast<int>(hits.size());
  }

  TemporaryDirectory dir_;
  std::string told_;
};

TEST_F(SecretSetup, ContactsAreLookedForOnlyWhenAsked) {
  const std::string line = "order 7 by anna.berger@linden.example, tel=+43 664 1234567, card 4111111111111111";
  EXPECT_EQ(found("", line), 1) << "cards always";
  EXPECT_EQ(found("secret_contacts: off", line), 1);
  EXPECT_EQ(found("secret_contacts: on", line), 3);
  EXPECT_EQ(found("secret_scan: off, secret_contacts: on", line), -1);
}

TEST_F(SecretSetup, RuleFilesExtendAndAskTheVocabulary) {
  file("base.toml", "[[rules]]\nid='mine'\nregex='''zz-(\\w+)'''\n");
  file("child.toml", "[extend]\nuseDefault=true\n[[rules]]\nid='mine'\nkeywords=['zz']\n");
  EXPECT_EQ(found("secrets: [child.toml], secret_default_rules: base.toml", "zz-abababab"), 1);
  file("asks.toml", "[[rules]]\nid='asks'\nregex='''zz-(\\w+)'''\nfilter='''failsTokenEfficiency(finding[\"secret\"])'''\n");
  EXPECT_EQ(found("secrets: [asks.toml]", "zz-abababab"), 1);
  EXPECT_NE(told_.find("rule 'asks' asks how well a secret packs"), std::string::npos) << told_;
  file("v.tiktoken", "YWI= 0\nYWJhYg== 1\n");
  file("words", "horse\n");
  EXPECT_EQ(found("secrets: [asks.toml], secret_tokens: v.tiktoken", "zz-abababab"), 0);
  EXPECT_EQ(found("secrets: [asks.toml], secret_tokens: v.tiktoken", "zz-horse77x"), 1);
  EXPECT_EQ(found("secrets: [asks.toml], secret_tokens: v.tiktoken, secret_words: words", "zz-horse77x"), 0);
}

}  // namespace
}  // namespace tocsin::engine
