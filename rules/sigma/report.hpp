// What is said to the author of a rule: one report per rule, with a code that stays the same between releases.
// The codes are listed in ops/docs/sigma.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::sigma {

enum class Status : std::uint8_t { kOk, kWarning, kRejected };
[[nodiscard]] std::string_view name(Status status) noexcept;  // "ok", "warning", "rejected"

// One thing to say about a rule. `code` is empty for kOk.
struct Remark {
  std::string code;     // "unknown-modifier"
  std::string message;  // what it means, one sentence
  std::string remedy;   // how to mend it
  int line = 0;         // 1-based, in the file
};

struct Report {
  std::string file;
  int line = 0;       // of the first remark, else of the rule
  std::string rule;   // id, else name; empty if the rule did not get that far
  std::string title;
  Status status = Status::kOk;
  std::vector<Remark> remarks;  // for kRejected the first is the reason; warnings otherwise

  // "rules/x.yml:7: rejected: the modifier 'contians' does not exist in Sigma 2.1 [unknown-modifier] (did you mean …)"
  [[nodiscard]] std::string text() const;
};

}  // namespace tocsin::rules::sigma
