// The slow, obviously right reading of gitleaks' rules: every regex of every open rule through RE2 on the whole text,
// written from the description of the format (ops/docs/formats/secret-rules.md), without needles, without hand-made
// matchers, without sharing a line with rules/secrets. Fast and slow must always agree
// (tests/oracle/secrets_oracle_test.cpp).
//
// Shared with the scanner on purpose: toml++ and RE2.
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

struct OracleFinding {
  std::string rule;
  std::size_t start = 0;  // the secret's bytes in the text
  std::size_t end = 0;
  auto operator<=>(const OracleFinding&) const = default;
};

class SecretsOracle {
 public:
  // Throws std::runtime_error for a file that is not valid.
  explicit SecretsOracle(const std::string& toml);
  ~SecretsOracle();

  // The findings in one fragment without a path, sorted, each once.
  [[nodiscard]] std::vector<OracleFinding> scan(std::string_view fragment) const;

  struct RuleText {
    std::string id;
    std::string regex;
    std::vector<std::string> keywords;
  };
  [[nodiscard]] const std::vector<RuleText>& rules() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace tocsin::rules::secrets
