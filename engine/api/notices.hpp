// Notices over HTTP: drafting, four eyes, sending, and how far it has come.
#pragma once

#include <functional>

#include "engine/api/router.hpp"
#include "notifier/dispatch/dispatcher.hpp"
#include "notifier/dispatch/notices.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::engine {

// POST /v1/incidents/{id}/notices, GET /v1/notices, GET and PUT /v1/notices/{id}, POST …/submit, …/approve,
// …/reject, …/send, …/resend, GET …/preview, …/deliveries. Everything given MUST outlive the router.
// `on_send` wakes the dispatcher.
void add_notice_routes(Router& router, notifier::Notices& notices, storage::Database& db, std::function<void()> on_send,
                       std::function<std::string()> trouble);

// POST /portal/v1/check and /portal/v1/acknowledge: public, rate-limited by address, one answer for every wrong code.
struct PortalOptions {
  std::string organisation, contact, phone, website;
  std::string public_url;
  std::uint32_t checks_per_minute = 30;  // from one address
};
void add_portal_routes(Router& router, notifier::Notices& notices, storage::Ledger& ledger, const Clock& clock, PortalOptions options);

// The same counts as overview and incident show: told, reached, acknowledged, failed.
[[nodiscard]] boost::json::object progress_json(const storage::DeliveryCounts& counts);

}  // namespace tocsin::engine
