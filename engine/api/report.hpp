// The report of an incident: one internal model as JSON, and the same as a page that prints well on A4.
//
// The page is self-contained: no script, no link to anywhere, its style inside, allowed by hash in its own
// Content-Security-Policy. Headings follow NIST SP 800-61r3 (CSF 2.0 functions). No person's name or pseudonym is
// in either; people are counted.
#pragma once

#include "engine/api/workflow.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxReportFindings = 50;   // of one alert
inline constexpr std::size_t kMaxReportEvidence = 20;   // of one finding; the counts say how many there are

// GET /v1/incidents/{id}/report and …/report.html, for every user.
void add_report_routes(Router& router, const WorkflowApi& api);

// The model. `by` = who asked for it.
[[nodiscard]] Result<boost::json::object> report_json(const WorkflowApi& api, storage::Reader& reader,
                                                      std::int64_t incident, std::string_view by);
// The page for a model made by report_json.
[[nodiscard]] std::string report_html(const boost::json::object& report);
// "'sha256-…'" of the page's style, for its Content-Security-Policy.
[[nodiscard]] std::string report_style_hash();

}  // namespace tocsin::engine
