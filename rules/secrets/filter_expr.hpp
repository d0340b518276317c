// betterleaks' filter expressions: `filter` drops a finding where it is true, `prefilter` a whole source. The part of
// the language that its catalogue uses, without whatever asks the network.
//
//   entropy(finding["secret"]) <= 3.5 || matchesAny(finding["match"], [`^test`]) || containsAny(finding["line"], ["x"])
//   let near = finding["fragment_raw"][max(finding["match_start_idx"] - 150, 0):]; containsAny(near, ["stripe"])
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"
#include "rules/secrets/token_measure.hpp"

namespace tocsin::rules::secrets {

// What an expression may ask about. Offsets count from the start of `record`.
struct FilterInput {
  std::string_view path;  // empty = not known
  std::string_view rule_id;
  std::string_view record;
  std::string_view secret;
  std::string_view match;
  std::string_view line;
  std::size_t match_start = 0, match_end = 0;
  std::size_t line_start = 0, line_end = 0;
};

class FilterExpr {
 public:
  static constexpr std::size_t kMaxText = 256 << 10;
  static constexpr int kMaxDepth = 200;  // of nested expressions
  static constexpr int kMaxNodes = 20'000;

  // kInvalid names what is not understood: a function that is not supported, or the place of a mistake. `tokens`
  // answers failsTokenEfficiency; without it the answer is "it does not fail", as upstream's without its tokeniser.
  [[nodiscard]] static Result<FilterExpr> parse(std::string_view text, std::shared_ptr<const TokenMeasure> tokens = nullptr);
  // Whether the expression asks for what only `tokens` can tell, and has none.
  [[nodiscard]] bool lacks_tokens() const noexcept { return asks_tokens_ && !tokens_; }

  // Whether the expression is true. One that goes wrong (a number compared with a text) is false, as upstream's.
  [[nodiscard]] bool holds(const FilterInput& input) const;

  FilterExpr(FilterExpr&&) noexcept;
  FilterExpr& operator=(FilterExpr&&) noexcept;
  ~FilterExpr();

  struct Node;

 private:
  FilterExpr();
  std::unique_ptr<Node> root_;
  std::shared_ptr<const TokenMeasure> tokens_;
  bool asks_tokens_ = false;
};

}  // namespace tocsin::rules::secrets
