// What a token says of itself, offline: checksums of GitHub, npm and GitLab tokens, the AWS account inside a key id,
// the parts of a JWT, Slack's workspace, Stripe's mode, Grafana's checksum, the bytes of a private key. A checksum that fails never silences a finding: published and revoked tokens often fail.
#pragma once

#include <string>
#include <string_view>

#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {

struct TokenFacts {
  bool known = false;           // the form is one of those above
  Tier tier = Tier::kPattern;
  std::string note;             // printable, at most kMaxNote bytes; nothing of the secret part
  static constexpr std::size_t kMaxNote = 160;
};

[[nodiscard]] TokenFacts inspect_token(std::string_view token);

}  // namespace tocsin::rules::secrets
