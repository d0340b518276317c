// An access as a rule sees it: one flat event with the words of OCSF, the same for every source, so that one Sigma
// rule (logsource: category: data_access) serves a database, a bucket and a web server alike.
#pragma once

#include "engine/access/access.hpp"
#include "rules/event.hpp"

namespace tocsin::engine {

// Fields: actor, person, account, role, session, action, operation, system, store, dataset, columns, subjects, rows,
// rows_certainty, bytes, client_ip, client_port, application, outcome, error, format, statement, command,
// audit_class, hour (0–23, UTC). What is not known is absent. The event shows memory of `access` and of `arena`.
[[nodiscard]] rules::Event access_event(const Access& access, rules::Arena& arena);

}  // namespace tocsin::engine
