// Legal counsel for respond: facts in, severity and duties out, and the playbook's tasks. The one seam between the
// workflow and rules/law, so that a test can lay down its own law.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/law/pack.hpp"
#include "rules/law/playbook.hpp"
#include "storage/incident_store.hpp"

namespace tocsin::engine {

// A fact that the law asks for, with the question for a person.
struct Question {
  std::string fact;
  std::string ask;
  std::string help;
};

struct Assessed {
  std::string severity;         // "low", "medium", "high", "very high"
  std::string severity_reason;  // how it came about and what could still change it
  // One per row of the law pack, none dropped. Filled: key to confidence and verification; `state` by the answer
  // (yes = running, unknown = unknown, no = not applicable). Not filled: id, incident, decisions.
  std::vector<storage::Duty> duties;
};

class Counsel {
 public:
  virtual ~Counsel() = default;
  // `document` is a facts document (rules/law/facts.hpp) as JSON. Error kInvalid if it is not one. Pure.
  [[nodiscard]] virtual Result<Assessed> assess(std::string_view document) const = 0;
  [[nodiscard]] virtual std::span<const Question> questions() const = 0;
  // Names of the times that start clocks: "aware", "occurred".
  [[nodiscard]] virtual std::span<const std::string> anchors() const = 0;
  [[nodiscard]] virtual std::span<const rules::law::PlaybookTask> tasks() const = 0;
};

// The packs that Tocsin carries, or others given by the caller.
class LawCounsel final : public Counsel {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LawCounsel>> built_in();
  LawCounsel(rules::law::Pack pack, rules::law::Playbook playbook);
  [[nodiscard]] Result<Assessed> assess(std::string_view document) const override;
  [[nodiscard]] std::span<const Question> questions() const override { return questions_; }
  [[nodiscard]] std::span<const std::string> anchors() const override { return pack_.anchors; }
  [[nodiscard]] std::span<const rules::law::PlaybookTask> tasks() const override { return playbook_.tasks; }

 private:
  rules::law::Pack pack_;
  rules::law::Playbook playbook_;
  std::vector<Question> questions_;
};

}  // namespace tocsin::engine
