// Shapes that have no key beside the value: command lines, logins of mail and chat protocols, Oracle logins, calls of
// functions by position, lines of password files. Each reader only says where a secret stands; whether what stands
// there is one is judged by the extractor, as everywhere else.
//
// All readers look at a bounded stretch around their literal; none allocates more than it reports.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

// How the secret is written at its place.
enum class Written : std::uint8_t {
  kPlain,      // as it is
  kArgument,   // a word of a command line
  kSqlQuoted,  // inside SQL or shell-like quotes, '' doubled
  kSaslPlain,  // base64 of [authzid] NUL user NUL password
  kBase64,     // base64 of the password alone
  kDigest,     // a digest: reported as such
};

struct SecretPlace {
  std::size_t start = 0;
  std::size_t end = 0;
  Written written = Written::kPlain;
  FieldRule rule = FieldRule::kPasswordCommand;
};

// Literals that lead to each reader (lower case), and the readers: `start` and `end` are the literal's place.
[[nodiscard]] std::span<const std::string_view> command_literals();
// Returns where the command ends: literals before that belong to it and need not be read again.
std::size_t read_command(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out);

[[nodiscard]] std::span<const std::string_view> login_literals();
void read_login(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out);

[[nodiscard]] std::span<const std::string_view> call_literals();
void read_call(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out);

// "user:5f4dcc3b…" and "user:1001:LM:NT:::" as a whole record. Needs no literal; the first function tells by the length
// and two bytes whether the second is worth its time.
[[nodiscard]] inline bool may_be_password_line(std::string_view record) noexcept {
  constexpr std::size_t kLeast = 34, kMost = 140;
  if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
  const std::size_t n = record.size();
  if (n < kLeast || n > kMost) return false;
  return record[n - 33] == ':' || (n > 41 && record[n - 41] == ':') || (n > 65 && record[n - 65] == ':') || record.ends_with(":::");
}
void read_password_line(std::string_view record, const Vocabulary& words, std::vector<SecretPlace>& out);

// The password in base64 of "NUL user NUL password" or "authzid NUL user NUL password"; empty if it is not that.
[[nodiscard]] std::string sasl_plain_password(std::string_view base64);

}  // namespace tocsin::rules::secrets
