// Incidents, the facts known about them, and the duties that the law derives from those facts.
//
// A fact is a name and a JSON value, with its author and time: somebody's word, or what the alerts say. Times
// that start clocks are facts too.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

// The life of an incident in the words of NIST SP 800-61r3.
enum class IncidentState : std::uint8_t { kSuspected, kConfirmed, kContained, kRecovered, kClosed, kDismissed };
// "suspected", "confirmed", "contained", "recovered", "closed", "dismissed".
[[nodiscard]] std::string_view name(IncidentState state) noexcept;
[[nodiscard]] std::optional<IncidentState> incident_state_from(std::string_view name) noexcept;

struct Incident {
  std::int64_t id = 0;  // given by the store
  std::string number;   // "INC-2026-0001", given by the store: the year of opening (UTC) and a count within it
  std::string title;
  IncidentState state = IncidentState::kSuspected;
  std::string severity;         // "low", "medium", "high", "very high"; empty = not assessed
  std::string severity_reason;
  std::string summary;
  Time opened{};
  std::string opened_by;
  std::optional<Time> aware_at;      // anchor of the clocks: a reasonable degree of certainty
  std::optional<Time> confirmed_at;  // when a person confirmed it
  std::optional<Time> contained_at;
  std::optional<Time> recovered_at;
  std::optional<Time> closed;        // also of a dismissal
  Time updated{};
  std::int64_t version = 1;  // grows with each decision
  [[nodiscard]] bool over() const noexcept {
    return state == IncidentState::kClosed || state == IncidentState::kDismissed;
  }
};

struct Fact {
  std::string name;
  std::string value;   // JSON
  std::string by;      // login; "tocsin" = computed from the alerts, and computed anew when they change
  Time at{};
};

// What is stored; "late" is a matter of time and comes from `state_at`.
enum class DutyState : std::uint8_t { kRunning, kDone, kNotApplicable, kUnknown };
[[nodiscard]] std::optional<DutyState> duty_state_from(std::string_view name) noexcept;

struct Duty {
  std::int64_t id = 0;  // given by the store
  std::int64_t incident = 0;
  std::string key;      // id of the row in the law pack: "eu.gdpr.33.1"
  std::string law;
  std::string title;
  std::string citation;
  std::string towards;
  std::string anchor;   // what started the clock; empty = not started
  std::optional<Time> due;    // aim at this
  std::optional<Time> limit;  // the law's own last moment, never before `due`
  std::string soft;     // "without undue delay"
  DutyState state = DutyState::kUnknown;
  std::string assessed; // the law engine's last word: "yes", "no", "unknown"
  std::string why;
  std::string unknown_facts;  // JSON array of names
  std::string content;        // JSON array of texts
  std::string confidence;     // "H", "M", "L"
  std::string verification;   // whether a person compared the row with the official text
  std::optional<Time> done_at;
  std::string done_by;   // who decided "done" or "not applicable"; empty = the law engine
  std::string reference; // where the proof is: the authority's file number, a notice
  std::string reason;
  bool late_noted = false;  // history says that it became late
  // Still asks for something: running or unknown.
  [[nodiscard]] bool open() const noexcept { return state == DutyState::kRunning || state == DutyState::kUnknown; }
  [[nodiscard]] bool late(Time now) const noexcept { return open() && due && *due < now; }
  // "running", "done", "late", "not_applicable", "unknown".
  [[nodiscard]] std::string_view state_at(Time now) const noexcept;
};

struct IncidentQuery {
  std::string state;  // empty = all, "open" = neither closed nor dismissed, else a state's name
  std::int64_t before = 0;  // only ids below; 0 = from the newest
  std::size_t limit = 100;
};

class IncidentStore {
 public:
  static constexpr std::string_view kFamily = "incidents";
  static constexpr std::size_t kMaxPage = 500;

  [[nodiscard]] static std::span<const Migration> migrations();

  // Sets id and number.
  [[nodiscard]] static Result<void> insert(Transaction& tx, Incident& incident);
  [[nodiscard]] static Result<void> update(Transaction& tx, const Incident& incident);
  [[nodiscard]] static Result<std::optional<Incident>> incident(Reader& reader, std::int64_t id);
  [[nodiscard]] static Result<std::optional<Incident>> by_number(Reader& reader, std::string_view number);
  // Newest first.
  [[nodiscard]] static Result<std::vector<Incident>> list(Reader& reader, const IncidentQuery& query);
  [[nodiscard]] static Result<std::uint64_t> count_open(Reader& reader);

  // By name.
  [[nodiscard]] static Result<std::vector<Fact>> facts(Reader& reader, std::int64_t incident);
  [[nodiscard]] static Result<void> put_fact(Transaction& tx, std::int64_t incident, const Fact& fact);
  [[nodiscard]] static Result<void> remove_fact(Transaction& tx, std::int64_t incident, std::string_view name);

  // In the order in which they were first derived.
  [[nodiscard]] static Result<std::vector<Duty>> duties(Reader& reader, std::int64_t incident);
  [[nodiscard]] static Result<std::optional<Duty>> duty(Reader& reader, std::int64_t incident, std::int64_t id);
  // Of open incidents, those still open, next due first; those without a due time last.
  [[nodiscard]] static Result<std::vector<Duty>> open_duties(Reader& reader, std::size_t limit);
  // Inserts (id 0; sets it) or updates.
  [[nodiscard]] static Result<void> put_duty(Transaction& tx, Duty& duty);
};

}  // namespace tocsin::storage
