// The truth table of escapes and wildcards (Sigma 2.1, strings), folding, and the dash variants.
#include <gtest/gtest.h>

#include "rules/sigma/fold.hpp"
#include "rules/sigma/pattern.hpp"

namespace tocsin::rules::sigma {
namespace {

bool like(std::string_view value, std::string_view text, bool cased = false, bool windash = false) {
  return Pattern(parse_tokens(value), cased, windash).matches(cased ? std::string(text) : folded(text));
}

TEST(Pattern, TruthTableOfEscapes) {
  struct Row {
    int number;
    const char* value;
    std::vector<const char*> yes;
    std::vector<const char*> no;
  };
  const Row rows[] = {
      {1, R"(a*c)", {"ac", "aXYc", "a\nc"}, {"acd", "ab"}},
      {2, R"(a?c)", {"abc", "aéc", "a\nc"}, {"ac", "abbc"}},
      {3, R"(a\*c)", {"a*c"}, {"abc"}},
      {4, R"(a\?c)", {"a?c"}, {"abc"}},
      {5, R"(a\\*c)", {R"(a\c)", R"(a\xc)"}, {"axc"}},
      {6, R"(a\\\*c)", {R"(a\*c)"}, {R"(a\xc)"}},
      {7, R"(a\\\\*c)", {R"(a\\xc)"}, {R"(a\xc)"}},
      {8, R"(C:\Windows)", {R"(c:\WINDOWS)"}, {R"(C:\\Windows)"}},
      {9, R"(C:\\Windows)", {R"(C:\Windows)"}, {R"(C:\\Windows)"}},
      {10, R"(\\server\share)", {R"(\server\share)"}, {R"(\\server\share)"}},
      {11, R"(\\\\server\share)", {R"(\\server\share)"}, {R"(\server\share)"}},
      {12, R"(end\)", {R"(end\)"}, {"end"}},
      {13, R"(end\\)", {R"(end\)"}, {R"(end\\)"}},
      {14, R"(a\\\b)", {R"(a\\b)"}, {R"(a\b)"}},
      {15, R"(*\cmd.exe)", {R"(C:\x\cmd.exe)"}, {"cmd.exe"}},
      {16, R"(\?\C:\*)", {R"(?\C:*)"}, {R"(\?\C:\a)"}},
      {17, R"(\\?\C:\\*)", {R"(\?\C:\x)", R"(\.\C:\)"}, {R"(?\C:\x)"}},
      {18, R"(**)", {"", "anything"}, {}},
      {19, R"(\n)", {R"(\n)"}, {"\n"}},
  };
  for (const Row& row : rows) {
    for (const char* text : row.yes) EXPECT_TRUE(like(row.value, text)) << "row " << row.number << ": " << text;
    for (const char* text : row.no) EXPECT_FALSE(like(row.value, text)) << "row " << row.number << ": " << text;
  }
}

TEST(Pattern, PiecesBetweenStars) {
  EXPECT_TRUE(like("*ab*abc*", "xxababc"));
  EXPECT_TRUE(like("a*b?d*e", "aXXbcdYYe"));
  EXPECT_FALSE(like("a*b?d*e", "aXXbdYYe"));
  EXPECT_TRUE(like("*??", "ab"));
  EXPECT_FALSE(like("*??", "a"));
  EXPECT_TRUE(like("*é?", "xéñ"));
  EXPECT_FALSE(like("ab*bc", "abc")) << "the two ends may not share a character";
  EXPECT_TRUE(like("?", "\xff")) << "a byte that is no UTF-8 counts as one";
  EXPECT_TRUE(like("", ""));
  EXPECT_FALSE(like("", "a"));
}

TEST(Pattern, EveryValueIsItsOwnUnparse) {
  for (const char* value : {R"(a\*c)", R"(\\\\server\share)", R"(*\cmd.exe)", R"(\?\C:\*)", R"(end\)", "a?b*"}) {
    const Tokens tokens = parse_tokens(value);
    const Tokens again = parse_tokens(unparse(tokens));
    ASSERT_EQ(tokens.size(), again.size()) << value;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      EXPECT_EQ(tokens[i].kind, again[i].kind) << value;
      EXPECT_EQ(tokens[i].text, again[i].text) << value;
    }
  }
}

TEST(Fold, OneCodePointToOne) {
  EXPECT_EQ(folded("ABCxyz[]@`{09"), "abcxyz[]@`{09");
  EXPECT_EQ(folded("ÄÖÜẞ"), "äöüß");
  EXPECT_EQ(folded("ΑΒΓς"), "αβγσ");
  EXPECT_EQ(folded("ЖЩ"), "жщ");
  EXPECT_EQ(folded("İ"), "İ") << "its lower case would be two characters";
  EXPECT_EQ(folded("\u212A\u017F"), "ks") << "Kelvin sign and long s";
  EXPECT_EQ(folded("A\xff" "B\xc3"), "a\xff" "b\xc3");
  EXPECT_EQ(folded("LONG ASCII TEXT, then É and MORE ASCII"), "long ascii text, then é and more ascii");
}

TEST(Windash, VariesDashesThatStartAWord) {
  EXPECT_TRUE(like("* -enc *", "powershell /enc x", false, true));
  EXPECT_TRUE(like("* -enc *", "powershell –enc x", false, true));
  EXPECT_TRUE(like("cmd /c", "cmd ―C", false, true));
  EXPECT_FALSE(like("cmd /c", "cmd ―C", false, false));
  EXPECT_TRUE(like("-a-b", "/a-b", false, true));
  EXPECT_FALSE(like("-a-b", "-a/b", false, true)) << "only the first stands at the start of a word";
  EXPECT_TRUE(like("--x", "-/x", false, true));
  EXPECT_FALSE(like("--x", "/-x", false, true));
}

}  // namespace
}  // namespace tocsin::rules::sigma
