// Notices by SMTP, through libcurl: STARTTLS or implicit TLS with certificate checks, AUTH if a user is named.
#pragma once

#include <cstdint>
#include <string>

#include "notifier/channel/channel.hpp"

namespace tocsin::notifier {

struct SmtpOptions {
  enum class Tls { kStartTls, kImplicit, kNone };
  std::string host;
  std::uint16_t port = 587;
  Tls tls = Tls::kStartTls;
  std::string user;           // empty = no AUTH
  std::string password;
  std::string ca_file;        // empty = the system's certificates
  std::uint32_t timeout_seconds = 30;  // for one message, connection included
  std::string helo = "localhost";
};

// Never fails to be made: what is wrong with the server shows in each Receipt. The connection is kept open
// between messages.
[[nodiscard]] std::unique_ptr<Channel> make_smtp(SmtpOptions options);

}  // namespace tocsin::notifier
