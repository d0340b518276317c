// gitleaks' fragments: where they are cut, and that the cuts do not depend on the reads.
#include "rules/secrets/fragments.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tocsin::rules::secrets {
namespace {

TEST(Fragments, AreCutAtEmptyLines) {
  const std::string x(kFragment, 'x');
  struct Case {
    const char* name;
    std::string text;
    std::size_t length;
  };
  const Case cases[] = {
      {"short", "abc", 3},
      {"exactly one", x, kFragment},
      {"no empty line: cut hard", x + std::string(2 * kPeek, 'y'), kFragment + kPeek},
      {"the next empty line", x + "yy\n\nzz", kFragment + 4},
      {"blanks between the line ends", x + "yy\n \t\r\nzz", kFragment + 7},
      {"a line end that something follows", x + "y\ny\n\nz", kFragment + 5},
      {"the fragment ends in an empty line", std::string(kFragment - 3, 'x') + "\n \n" + "zz\n\n", kFragment},
      {"one line end before the cut counts", std::string(kFragment - 1, 'x') + "\n\nzz", kFragment + 1},
      {"ends before an empty line", x + "yy", kFragment + 2},
  };
  for (const auto& c : cases) EXPECT_EQ(fragment_length(c.text, true), c.length) << c.name;
  EXPECT_EQ(fragment_length("abc", false), 0U) << "more may come";
  EXPECT_EQ(fragment_length(x + "yy", false), 0U);
}

TEST(Fragments, AKeywordOpensItsRulesInTheWholeFragmentAndNoFurther) {
  const RuleFile file{"t.toml", "[[rules]]\nid='x'\nregex='''zz-[0-9]+'''\nkeywords=['gate']\n"};
  Options options;
  options.own_pack = false;
  const Scanner scanner = Scanner::load({&file, 1}, options).value().scanner;
  std::string text = "gate\nzz-1\n";
  text += std::string(kFragment, 'x') + "\n\nzz-2\nzz-3\n";
  const auto found = [&](std::size_t step) {
    std::string out;
    Fragments fragments(scanner, Scanner::Place{}, false, [&](const Stream::Line& line) {
      for (const auto& hit : line.hits) {
        out += std::to_string(line.number) + "@" + std::to_string(line.offset + hit.start) + " " + text.substr(line.offset + hit.start, hit.end - hit.start) + ";";
      }
    });
    for (std::size_t at = 0; at < text.size(); at += step) fragments.feed(std::string_view(text).substr(at, step));
    fragments.finish();
    return out;
  };
  EXPECT_EQ(found(text.size()), "2@5 zz-1;");
  for (const std::size_t step : {1U, 7U, 1000U, 99'999U}) EXPECT_EQ(found(step), "2@5 zz-1;") << step;
}

}  // namespace
}  // namespace tocsin::rules::secrets
