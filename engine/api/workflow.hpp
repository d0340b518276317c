// What the handlers of alerts, incidents, tasks, overview and report share: what they stand on, how ids and
// reasons are read, and how records look as JSON. Ids are texts in JSON; incidents answer to their number, too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/people_json.hpp"
#include "engine/api/router.hpp"
#include "engine/respond/respond.hpp"
#include "storage/history_store.hpp"

namespace tocsin::engine {

// How far notices have come, in people.
struct NoticeCounts {
  std::uint64_t told = 0;          // their notice has left
  std::uint64_t reached = 0;       // the receiving side took it
  std::uint64_t acknowledged = 0;  // they said that they have read it
  std::uint64_t failed = 0;        // could not be reached
};

// What stands beside the workflow and is shown with it. Each may be empty; called from several threads.
struct Surroundings {
  // Notices of an incident as GET /v1/notices lists them.
  std::function<boost::json::array(storage::Reader&, std::int64_t incident)> notices;
  // Of one incident, or of all.
  std::function<NoticeCounts(storage::Reader&, std::optional<std::int64_t> incident)> notice_counts;
  // Sources as GET /v1/sources lists them.
  std::function<boost::json::array()> sources;
  // {"size", "root", "origin", "healthy"} as GET /v1/ledger shows them.
  std::function<boost::json::object()> ledger;
  // {"name", "contact", …}: shown in the overview and the report.
  boost::json::object organisation;
};

// Everything must outlive the router.
struct WorkflowApi {
  Respond& respond;
  Surroundings around;
  [[nodiscard]] storage::Database& database() const { return respond.deps().database; }
  [[nodiscard]] Time now() const { return respond.deps().clock.now(); }
};

// Reading ------------------------------------------------------------------------------------------------------
// A positive whole number in the path; kNotFound for anything else: there is nothing of that name.
[[nodiscard]] Result<std::int64_t> id_param(const Request& request, const std::string& name, std::string_view what);
// An incident by id or by number ("INC-2026-0001").
[[nodiscard]] Result<std::int64_t> incident_param(const Request& request, storage::Database& database);
// An id as text or number; nullopt if absent.
[[nodiscard]] Result<std::optional<std::int64_t>> maybe_id_of(const boost::json::object& body, std::string_view key);
[[nodiscard]] Result<std::optional<Time>> maybe_time_of(const boost::json::object& body, std::string_view key);
// login, "reason" and "version" of a decision.
[[nodiscard]] Result<By> by_of(const Request& request, const boost::json::object& body);

// Writing ------------------------------------------------------------------------------------------------------
[[nodiscard]] boost::json::value time_json(const std::optional<Time>& time);
[[nodiscard]] boost::json::value text_or_null(std::string_view text);
[[nodiscard]] boost::json::value count_json(const std::optional<std::uint64_t>& count);
[[nodiscard]] boost::json::object alert_json(const storage::Alert& alert);
[[nodiscard]] boost::json::object finding_json(const storage::KeptFinding& finding);
[[nodiscard]] boost::json::object silence_json(const storage::Silence& silence, Time now);
[[nodiscard]] boost::json::object incident_json(const storage::Incident& incident);
[[nodiscard]] boost::json::object duty_json(const storage::Duty& duty, Time now);
[[nodiscard]] boost::json::object task_json(const storage::Task& task, std::string_view number, Time now);
// `about` says in words what changed ("Tell the supervisory authority"); empty = the record itself.
[[nodiscard]] boost::json::object change_json(const storage::Change& change, std::string_view about);
[[nodiscard]] boost::json::object notice_counts_json(const NoticeCounts& counts);

// The timeline of an incident: changes with what they are about, oldest first.
[[nodiscard]] Result<boost::json::array> timeline_json(storage::Reader& reader, std::int64_t incident);
// A page of the people of a scope, with their summary: the body of GET …/people.
[[nodiscard]] Result<boost::json::object> people_page_json(const WorkflowApi& api, storage::Reader& reader,
                                                           std::span<const storage::Alert> alerts, const PeoplePage& page);

}  // namespace tocsin::engine
