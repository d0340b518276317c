// The last step before indexes: what correlations refer to is looked up, and what cannot be honoured exactly is
// refused by name. Inside the folder only.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "rules/sigma/compile.hpp"
#include "rules/sigma/correlation.hpp"
#include "rules/sigma/report.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kMaxTemporalRules = 64;       // of temporal types: a window keeps them as a set of bits

struct PendingCorrelation {
  std::shared_ptr<const Correlation> rule;
  std::size_t report = 0;  // its report
};

struct LinkedCorrelations {
  std::vector<CompiledCorrelation> correlations;  // those accepted, in load order
  std::vector<bool> silent;                       // per rule of the program: it only feeds correlations
};

// Resolves references to rules and to other correlations, in whatever order they were loaded. A correlation that is
// not accepted gets status kRejected in its report and a remark with one of the codes listed in ops/docs/sigma.md; so
// do all that refer to it.
//
// A rule is silent if a correlation that was accepted refers to it and none of those says `generate`: asking for the
// rule's own alerts once is enough, and a rule whose only correlation was refused still speaks.
[[nodiscard]] LinkedCorrelations link_correlations(const std::vector<PendingCorrelation>& pending, const Program& program,
                                                   std::vector<Report>& reports);

}  // namespace tocsin::rules::sigma
