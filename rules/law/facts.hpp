// What is known about an incident, as far as the law asks: answers that may be "unknown", the times that start
// clocks, people counted as intervals, and the kinds of data. The law engine sees nothing else.
//
// The document form of facts (YAML or JSON) is described in ops/docs/formats/facts.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::rules::law {

// Three-valued (Kleene) truth. Unknown never means "no duty".
enum class Tri : std::uint8_t { kUnknown, kNo, kYes };
[[nodiscard]] std::string_view name(Tri value) noexcept;  // "unknown", "no", "yes"
[[nodiscard]] std::optional<Tri> tri_from(std::string_view text) noexcept;  // also "true", "false", "null", ""

// An interval that holds the true number. nullopt = no upper limit is known.
struct Count {
  std::uint64_t at_least = 0;
  std::optional<std::uint64_t> at_most;
};

// A person's correction of a component of the severity score, with the reason that the method asks for.
struct Adjustment {
  int value = 0;
  std::string reason;
};

struct Facts {
  // Answers by the name of the fact, as the packs define them ("personal_data", "risk_unlikely"). One that is
  // absent is unknown.
  std::map<std::string, Tri, std::less<>> answers;

  // Times by the name of the anchor ("aware", "occurred", "processor_notified_controller").
  std::map<std::string, Time, std::less<>> times;

  std::optional<Count> people;                       // everybody affected
  std::map<std::string, Count, std::less<>> countries;  // by country of residence, ISO 3166-1 alpha-2, upper case
  bool countries_complete = false;                   // nobody lives elsewhere

  std::set<std::string, std::less<>> data;           // kinds ("name", "email", "health"): rules/packs/law/enisa.yaml
  bool data_complete = false;                        // no other kinds were reached
  std::set<std::string, std::less<>> credentials_open;  // categories that stolen credentials give access to

  std::optional<Adjustment> processing_context;      // ENISA DPC, 1 to 4
  std::optional<Adjustment> identification;          // ENISA EI in quarters, 1 to 4

  // The answer to one fact; unknown if nobody gave one.
  [[nodiscard]] Tri answer(std::string_view fact) const noexcept;
};

// Reads a facts document, YAML 1.2 or JSON. `source` names it in errors. Unknown keys, ill-formed times, counts
// whose lower end is above the upper one are kInvalid with the line; over kMaxDocument bytes is kTooLarge.
inline constexpr std::size_t kMaxDocument = 1 << 20;
[[nodiscard]] Result<Facts> read_facts(std::string_view document, const std::string& source);

}  // namespace tocsin::rules::law
