// One line of MariaDB's server_audit (also Percona's build of it for MySQL), taken apart:
//
//   20261123 14:25:38,vm,nurse,localhost,3,4,QUERY,clinic,'select * from patient where id=1',0
//   Nov 23 14:25:38 vm mysql-server_auditing:  vm,nurse,localhost,3,4,READ,clinic,patient,
//
// Nothing but the object of a QUERY is quoted, so a line is cut by the place where two numbers and a known
// operation follow each other. Facts: ops/docs/formats/sources.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/intake/decoder.hpp"
#include "engine/intake/zone.hpp"

namespace tocsin::engine {

// Views of the line; `object` is still escaped.
struct AuditLine {
  std::string_view time;   // as written; empty in a syslog line of the old form, which has no year
  std::string_view server, user, client;
  std::uint64_t connection = 0, query = 0;
  std::string_view operation;
  std::string_view database, object, code;
};

// nullopt if the line is not one of server_audit's.
[[nodiscard]] std::optional<AuditLine> parse_server_audit(std::string_view line);

// server_audit_query_log_limit, unless the source's configuration says otherwise.
inline constexpr std::size_t kServerAuditLimit = 1024;

[[nodiscard]] std::unique_ptr<Decoder> make_mariadb(const DecoderOptions& options, LocalTime zone);

}  // namespace tocsin::engine
