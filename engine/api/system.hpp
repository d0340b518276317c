// Health, metrics, live updates, the API's own description, and the pages of the console and the portal.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/api/metrics.hpp"
#include "engine/api/router.hpp"

namespace tocsin::engine {

// One thing that has to work; `error` is empty if it does. No personal data: /healthz is public.
struct Health {
  std::string part;   // "journal", "ledger", "database"
  std::string error;
};

// GET /healthz (200, or 503 if a part has an error), GET /metrics (from this machine, or with a token or login),
// GET /v1/stream, GET /v1/openapi.yaml. `health` is called from several threads; `metrics` must outlive the router.
void add_system_routes(Router& router, Metrics& metrics, std::function<std::vector<Health>()> health);

// GET / (the console), /n (the portal's page), /assets/{file...} of the console, /portal/assets/{file...},
// /favicon.ico: from the binary (ops/lib/embed). Fixed CSP: only own scripts and styles, nothing inline, no frames.
void add_page_routes(Router& router);

}  // namespace tocsin::engine
