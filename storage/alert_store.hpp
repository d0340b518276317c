// Findings and the alerts they belong to, with their evidence; and silences. An alert is the unit of triage: it
// carries the highest level and the widest exposure of its findings.
//
// A finding may belong to more than one alert: one that goes on after its alert was closed is shown by the closed
// alert and by the new one that rang because of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/finding.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

enum class AlertState : std::uint8_t { kNew, kAcknowledged, kFalsePositive, kIncident, kClosed };
// "new", "acknowledged", "false_positive", "incident", "closed".
[[nodiscard]] std::string_view name(AlertState state) noexcept;
[[nodiscard]] std::optional<AlertState> alert_state_from(std::string_view name) noexcept;

struct Alert {
  std::int64_t id = 0;  // given by the store
  std::string group;
  std::string title;
  std::string rule;  // of its first finding
  std::string kind;
  Level level = Level::kInformational;
  AlertState state = AlertState::kNew;
  std::string actor;
  std::string dataset;
  Time first{};  // first evidence
  Time last{};   // newest evidence
  std::uint64_t findings = 0;
  std::uint64_t evidence_count = 0;
  std::optional<ExposureSummary> exposure;
  std::string assignee;                  // login; empty = nobody
  std::optional<std::int64_t> incident;  // once promoted
  std::optional<std::int64_t> former;    // the alert of the same group that was closed before this one rang
  std::string reason;                    // of the last triage
  Time opened{};
  Time updated{};
  std::int64_t version = 1;  // grows with each decision on the alert (not with each finding)
};

// A finding as it is kept: where it belongs, and the part of its evidence that is asked for.
struct KeptFinding {
  Finding finding;
  std::optional<std::int64_t> alert;
  std::optional<std::int64_t> silence;
  std::optional<std::int64_t> first_alert;  // where the same secret was seen first, if that is another alert
  std::uint64_t evidence_kept = 0;  // rows in the store, at most Finding::kMaxEvidence
};

// Findings that match all the given parts make no alert until `until`. At least one part is given.
struct Silence {
  std::int64_t id = 0;
  std::optional<std::string> rule;
  std::optional<std::string> actor;
  std::optional<std::string> dataset;
  Time until{};
  std::string reason;
  std::string by;
  Time created{};
  std::optional<Time> ended;  // ended by a person before `until`
  std::uint64_t matched = 0;  // findings kept back
  [[nodiscard]] bool active(Time now) const noexcept { return !ended && now < until; }
  [[nodiscard]] bool matches(const Finding& finding) const noexcept;
};

// Where in time an actor reached a dataset, by what the findings say; both ends included.
struct Scope {
  std::string actor;
  std::string dataset;
  Time from{};
  Time to{};
  friend bool operator==(const Scope&, const Scope&) = default;
};

// What a list of alerts shows, most severe first, then newest first.
struct AlertQuery {
  std::string state;  // empty = all, "open" = new or acknowledged, else a state's name
  std::optional<Level> level;
  std::string text;   // somewhere in title, actor, dataset or rule, in any case
  std::string after;  // cursor from a former page
  std::size_t limit = 100;
};
struct AlertPage {
  std::vector<Alert> items;
  std::string next;  // empty = no more
};
struct AlertCounts {
  std::uint64_t open = 0;
  std::uint64_t by_level[5] = {0, 0, 0, 0, 0};  // of the open ones, by Level
};

class AlertStore {
 public:
  static constexpr std::string_view kFamily = "alerts";
  static constexpr std::size_t kMaxPage = 500;
  static constexpr std::size_t kMaxScopes = 10'000;  // beyond it, the scopes of an actor and dataset become one
  static constexpr std::size_t kMaxSilences = 1000;  // active at once

  [[nodiscard]] static std::span<const Migration> migrations();

  // Findings -----------------------------------------------------------------------------------------------
  // Without its evidence.
  // Who made findings whose rules begin with `rule`, about which dataset, from when to when.
  [[nodiscard]] static Result<std::vector<Scope>> scopes_of_rules(Reader& reader, std::string_view rule);
  // Findings of a rule that grew at `since` or later, without evidence; at most kMaxScopes, the newest.
  [[nodiscard]] static Result<std::vector<KeptFinding>> findings_since(Reader& reader, std::string_view rule, Time since);
  [[nodiscard]] static Result<std::optional<KeptFinding>> finding(Reader& reader, std::string_view id);
  // Writes the finding (all but its evidence), new or known by its id.
  [[nodiscard]] static Result<void> put_finding(Transaction& tx, const KeptFinding& kept, Time now);
  // Appends what the store does not have yet of `evidence`, up to Finding::kMaxEvidence in all. `evidence` may
  // begin with rows that are kept already (a finding that is reported again whole) or hold only new ones.
  // Returns the number kept now.
  [[nodiscard]] static Result<std::uint64_t> add_evidence(Transaction& tx, const KeptFinding& kept,
                                                          std::span<const Evidence> evidence);
  // Findings of an alert, oldest first, each with at most `evidence_each` of its oldest evidence.
  [[nodiscard]] static Result<std::vector<KeptFinding>> findings_of(Reader& reader, std::int64_t alert,
                                                                    std::size_t offset, std::size_t limit,
                                                                    std::size_t evidence_each);
  // Merged and sorted; findings without a dataset have none.
  [[nodiscard]] static Result<std::vector<Scope>> scopes_of(Reader& reader, std::span<const std::int64_t> alerts);

  // Alerts -------------------------------------------------------------------------------------------------
  [[nodiscard]] static Result<std::optional<Alert>> alert(Reader& reader, std::int64_t id);
  // The newest alert of a group, whatever its state.
  [[nodiscard]] static Result<std::optional<Alert>> newest_of_group(Reader& reader, std::string_view group);
  [[nodiscard]] static Result<std::int64_t> insert(Transaction& tx, const Alert& alert);
  [[nodiscard]] static Result<void> update(Transaction& tx, const Alert& alert);
  // Notes that the finding belongs to the alert. True if that is new.
  [[nodiscard]] static Result<bool> join(Transaction& tx, std::int64_t alert, std::string_view finding);
  // Takes a finding's exposure into the alert's: `before` is what the alert has of it already. Returns the
  // alert's exposure, whose interval holds the size of the union.
  [[nodiscard]] static Result<ExposureSummary> widen(Transaction& tx, std::int64_t alert, std::string_view dataset,
                                                     const std::optional<ExposureSummary>& before,
                                                     const ExposureSummary& after);
  // Error kInvalid for a cursor that no page has given.
  [[nodiscard]] static Result<AlertPage> list(Reader& reader, const AlertQuery& query);
  [[nodiscard]] static Result<std::vector<Alert>> of_incident(Reader& reader, std::int64_t incident);
  [[nodiscard]] static Result<AlertCounts> counts(Reader& reader);

  // Silences -----------------------------------------------------------------------------------------------
  [[nodiscard]] static Result<std::vector<Silence>> silences(Reader& reader, bool only_active, Time now);
  [[nodiscard]] static Result<std::optional<Silence>> silence(Reader& reader, std::int64_t id);
  [[nodiscard]] static Result<std::int64_t> insert(Transaction& tx, const Silence& silence);
  [[nodiscard]] static Result<void> end_silence(Transaction& tx, std::int64_t id, Time now);
  [[nodiscard]] static Result<void> count_match(Transaction& tx, std::int64_t silence);
};

}  // namespace tocsin::storage
