// Warnings about conditions that no event, or every event, makes true; and silence about those that are only odd.
#include "rules/sigma/lint.hpp"
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string codes(const std::string& detection) {
  const Loaded loaded = load_text(rule_text(detection));
  std::string out;
  for (const Remark& remark : loaded.reports[0].remarks) out += (out.empty() ? "" : " ") + remark.code;
  return out;
}

TEST(Lint, FindsConditionsThatNeverHold) {
  struct Row { const char* name; const char* detection; const char* want; };
  const Row rows[] = {
      {"a and not a", "  a: {f: x}\n  condition: a and not a\n", "never-true"},
      {"the same test in two selections", "  a: {f: x, g: y}\n  b: {f: X}\n  condition: a and not b\n", "never-true"},
      {"absent and a value", "  a: {f|exists: false}\n  b: {f|contains: x}\n  condition: a and b\n", "never-true"},
      {"absent and present", "  a: {f|exists: false}\n  b: {f|exists: true}\n  condition: a and b\n", "never-true"},
      {"not null and absent", "  a: {f: null}\n  b: {f|exists: false}\n  condition: b and not a\n", "never-true"},
      {"a value that the exception always has", "  a: {f: abc}\n  b: {f|startswith: a}\n  condition: a and not b\n", "never-true"},
      {"a range within the exception", "  a: {n|gt: 5}\n  b: {n|gte: 3}\n  condition: a and not b\n", "never-true"},
      {"a network within the exception", "  a: {ip|cidr: 10.1.0.0/16}\n  b: {ip|cidr: 10.0.0.0/8}\n  condition: a and not b\n", "never-true"},
      {"an address within the exception", "  a: {ip: 10.1.2.3}\n  b: {ip|cidr: 10.0.0.0/8}\n  condition: a and not b\n", "never-true"},
      {"every branch", "  a: {f: [x, y]}\n  b: {f: [x, y, z]}\n  condition: a and not b\n", "never-true"},
      {"all branches of an OR", "  a: {f: x}\n  b: {f: y}\n  c: {f: [x, y]}\n  condition: (a or b) and not c\n", "never-true"},
      {"2 of them with their opposites", "  a: {f: x}\n  b: {f|neq: x}\n  condition: 2 of them\n", "never-true"},
      {"an hour that does not exist", "  a: {t|hour: 24}\n  condition: a\n", "never-true"},
      {"a comparison with an absent field", "  a: {f|fieldref: g}\n  b: {g|exists: false}\n  condition: a and b\n", "never-true"},
      {"two values at once", "  a: {f: x}\n  b: {f: y}\n  condition: a and b\n", "never-true-of-one-value"},
      {"an empty range", "  a: {n|gt: 5, n|lt: 3}\n  condition: a\n", "never-true-of-one-value"},
      {"an open range", "  a: {n|gte: 5, n|lt: 5}\n  condition: a\n", "never-true-of-one-value"},
      {"a number outside of a range", "  a: {n: 7, n|lt: 3}\n  condition: a\n", "never-true-of-one-value"},
      {"a value and null", "  a: {f: x}\n  b: {f: null}\n  condition: a and b\n", "never-true-of-one-value"},
      {"a value without the required end", "  a: {f: x.txt, f|endswith: .exe}\n  condition: a\n", "never-true-of-one-value"},
      {"two networks apart", "  a: {ip|cidr: 10.0.0.0/8}\n  b: {ip|cidr: 192.168.0.0/16}\n  condition: a and b\n", "never-true-of-one-value"},
      {"text and network", "  a: {ip: example.org}\n  b: {ip|cidr: 10.0.0.0/8}\n  condition: a and b\n", "never-true-of-one-value"},
      {"always", "  a: {f: x}\n  condition: a or not a\n", "always-true"},
      {"absent or present", "  a: {f|exists: false}\n  b: {f|exists: true}\n  condition: 1 of them\n", "always-true"},
      {"null or anything but absent", "  a: {f: null}\n  b: {f|exists: true}\n  condition: a or b\n", "always-true"},
  };
  for (const Row& row : rows) EXPECT_EQ(codes(row.detection), row.want) << row.name;
}

TEST(Lint, IsSilentAboutWhatCanHold) {
  const char* const rows[] = {
      "  a: {f|contains: [x, y]}\n  b: {f|contains: z}\n  condition: a and not b\n",
      "  a: {f|contains|all: [x, y]}\n  condition: a\n",
      "  a: {f: x}\n  b: {f: y}\n  condition: a or b\n",
      "  a: {f: x}\n  b: {g: x}\n  condition: a and not b\n",
      "  a: {f|startswith: ab}\n  b: {f: abc}\n  condition: a and not b\n",
      "  a: {n|gte: 3, n|lte: 3}\n  condition: a\n",
      "  a: {f|cased: Abc}\n  b: {f|cased: abc}\n  condition: a and not b\n",
      "  a: {f: abc}\n  b: {f|startswith|cased: A}\n  condition: a and not b\n",
      "  a: {f: 'x*'}\n  b: {f: null}\n  condition: a and not b\n",
      "  a: {f|exists: true}\n  b: {f: null}\n  condition: a and b\n",
      "  a: {f: '1'}\n  b: {f: 1}\n  condition: a and b\n",
      "  a: {ip|cidr: 10.0.0.0/8}\n  b: {ip|cidr: 10.1.0.0/16}\n  condition: a and not b\n",
      "  a: {f: [x, y]}\n  b: {f: [y, z]}\n  condition: a and b\n",
  };
  for (const char* const row : rows) EXPECT_EQ(codes(row), "") << row;
}

TEST(Lint, SaysWhichTestsExcludeEachOther) {
  const Loaded loaded = load_text(rule_text("  a: {f: x}\n  b: {f: y}\n  condition: a and b\n"));
  EXPECT_NE(loaded.reports[0].remarks.at(0).message.find(R"('f is "y"' and 'f is "x"' exclude each other)"), std::string::npos) << loaded.reports[0].remarks[0].message;
  EXPECT_EQ(loaded.engine->rules().size(), 1U) << "a warning, not a refusal";
}

TEST(Lint, FindsAFilterThatCancelsTheRule) {
  const Loaded loaded = load_text("title: R\nlogsource: {product: p}\ndetection: {s: {f: x}, condition: s}\n---\n"
                                  "title: F\nlogsource: {product: p}\nfilter: {rules: any, s: {f: [x, y]}, condition: not s}\n");
  EXPECT_EQ(code_of(loaded), "never-true");
  EXPECT_NE(loaded.reports[0].remarks[0].message.find("filters"), std::string::npos);
}

TEST(Lint, LooksIntoBlocks) {
  const auto code = [](const char* body) { return code_of(load_text("title: T\nsigma-version: 3\nlogsource: {product: p}\ndetection:\n  s:\n" + std::string(body) + "  condition: s\n")); };
  EXPECT_EQ(code("    c[any]: {a: {p|exists: false}, b: {p: 1}, condition: a and b}\n"), "never-true");
  EXPECT_EQ(code("    c[none]: {a: {p|exists: false}, b: {p: 1}, condition: a and b}\n"), "");
  EXPECT_EQ(code("    c[any]: {p: 1}\n    'c[any].q': 2\n"), "sibling-scopes");
}

TEST(Lint, GivesUpOnLargeRules) {
  std::string detection;
  std::string condition;
  for (int i = 0; i < 400; ++i) {
    const std::string n = std::to_string(i);
    detection += "  a" + n + ": {f" + n + ": x}\n  b" + n + ": {f" + n + ": y}\n";
    condition += (i == 0 ? "" : " and ") + std::string("(a") + n + " or b" + n + ")";
  }
  EXPECT_EQ(codes(detection + "  z: {g: 1}\n  condition: " + condition + " and z and not z\n"), "");
}

}  // namespace
}  // namespace tocsin::rules::sigma
