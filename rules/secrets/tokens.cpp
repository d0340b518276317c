// Token checks. Layouts: ops/docs/formats/secret-rules.md, section "Tokens".
#include "rules/secrets/tokens.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

#include <zlib.h>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/base/time.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {
namespace {

std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const unsigned char*>(text.data()), static_cast<unsigned int>(text.size())));
}

std::string in_base(std::uint32_t value, std::string_view alphabet, std::size_t width) {
  std::string out;
  for (; value > 0; value /= static_cast<std::uint32_t>(alphabet.size())) out += alphabet[value % alphabet.size()];
  while (out.size() < width) out += alphabet[0];
  std::reverse(out.begin(), out.end());
  return out;
}

constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool all_in(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

// Prefix, body, and base62 of the body's CRC-32 in six characters.
TokenFacts crc62(std::string_view token, std::size_t prefix, std::size_t body, const char* what) {
  TokenFacts out;
  if (token.size() != prefix + body + 6 || !all_in(token.substr(prefix), kBase62)) return out;
  out.known = true;
  const bool holds = in_base(crc_of(token.substr(prefix, body)), kBase62, 6) == token.substr(prefix + body);
  out.tier = holds ? Tier::kVerified : Tier::kPattern;
  out.note = std::string(what) + (holds ? ", checksum holds" : ", checksum does not hold");
  return out;
}

TokenFacts github_fine_grained(std::string_view token) {
  TokenFacts out;
  constexpr std::size_t kPrefix = 11;  // github_pat_
  if (token.size() != 93 || token[kPrefix + 22] != '_') return out;
  out.known = true;
  const Sha256 hash = sha256(token.substr(0, 77));
  std::string check;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 5; ++i) bits = bits << 8 | hash[i];
  for (int shift = 35; shift >= 0; shift -= 5) check += kBase32[bits >> shift & 31];
  const bool holds = iequals(check, token.substr(77, 8));
  out.tier = holds ? Tier::kVerified : Tier::kPattern;
  out.note = std::string("GitHub fine-grained token") + (holds ? ", checksum holds" : ", checksum does not hold");
  return out;
}

// …base64url.[01.]LLCCCCCCC: two characters of length, seven of CRC-32 over all before them, in base 36.
TokenFacts gitlab_routable(std::string_view token) {
  TokenFacts out;
  const auto dot = token.rfind('.');
  if (dot == std::string_view::npos || token.size() - dot != 10 || !all_in(token.substr(dot + 1), kBase36)) return out;
  out.known = true;
  const bool holds = in_base(crc_of(token.substr(0, dot + 3)), kBase36, 7) == token.substr(dot + 3);
  out.tier = holds ? Tier::kVerified : Tier::kPattern;
  out.note = std::string("GitLab token") + (holds ? ", checksum holds" : ", checksum does not hold");
  return out;
}

// The account is written into the key id, unless the id is of the older kind.
TokenFacts aws_key_id(std::string_view token) {
  TokenFacts out;
  if (token.size() != 20 || !all_in(token.substr(4), kBase32)) return out;
  out.known = true;
  out.note = "AWS access key id";
  if (token[4] == 'I' || token[4] == 'J') return out;
  std::uint64_t bits = 0;
  for (std::size_t i = 4; i < 14; ++i) bits = bits << 5 | kBase32.find(token[i]);  // 50 bits, of which 48 count
  const std::uint64_t account = ((bits >> 2) & 0x7fffffffff80ULL) >> 7;
  if (account > 999'999'999'999ULL) return out;
  std::string digits = std::to_string(account);
  digits.insert(0, 12 - digits.size(), '0');
  out.tier = Tier::kStructure;
  out.note += ", account " + digits;
  return out;
}

// The text of a JSON member that is a string or a number, without a parser: the header and payload of a JWT are small.
std::string member(std::string_view json, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\"";
  auto at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" \t\n\r", at + quoted.size());
  if (at == std::string_view::npos || json[at] != ':') return {};
  at = json.find_first_not_of(" \t\n\r", at + 1);
  if (at == std::string_view::npos) return {};
  if (json[at] == '"') {
    const auto end = json.find('"', at + 1);
    return end == std::string_view::npos ? std::string() : std::string(json.substr(at + 1, end - at - 1));
  }
  const auto end = json.find_first_not_of("0123456789", at);
  return std::string(json.substr(at, end == std::string_view::npos ? end : end - at));
}

TokenFacts jwt(std::string_view token) {
  TokenFacts out;
  const auto first = token.find('.');
  if (first == std::string_view::npos) return out;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return out;
  const auto header = decode_base64_text(token.substr(0, first));
  const auto payload = decode_base64_text(token.substr(first + 1, second - first - 1));
  if (!header || !payload || header->front() != '{' || payload->front() != '{' || member(*header, "alg").empty()) return out;
  out.known = true;
  out.tier = Tier::kStructure;
  out.note = "JWT";
  const std::string issuer = member(*payload, "iss");
  if (!issuer.empty()) out.note += ", issued by " + printable(issuer, 60);
  const std::string expiry = member(*payload, "exp");
  if (is_digits(expiry) && expiry.size() <= 11) {
    out.note += ", valid until " + format_rfc3339(Time(std::chrono::seconds(std::stoll(expiry))));
  }
  return out;
}

}  // namespace

TokenFacts inspect_token(std::string_view token) {
  TokenFacts out;
  if (token.empty() || std::string_view("gnAe").find(token.front()) == std::string_view::npos) return out;
  const auto starts = [&](std::string_view prefix) { return token.starts_with(prefix); };
  if (starts("ghp_") || starts("gho_") || starts("ghu_") || starts("ghs_")) {
    out = crc62(token, 4, 30, "GitHub token");
  } else if (starts("ghr_")) {
    out = crc62(token, 4, 70, "GitHub refresh token");
  } else if (starts("npm_")) {
    out = crc62(token, 4, 30, "npm token");
  } else if (starts("github_pat_")) {
    out = github_fine_grained(token);
  } else if (starts("glpat-") || starts("gldt-") || starts("glrt-") || starts("glcbt-")) {
    out = gitlab_routable(token);
  } else if (starts("AKIA") || starts("ASIA") || starts("ABIA") || starts("ACCA")) {
    out = aws_key_id(token);
  } else if (starts("ey")) {
    out = jwt(token);
  }
  if (out.note.size() > TokenFacts::kMaxNote) out.note = printable(out.note, TokenFacts::kMaxNote);
  return out;
}

}  // namespace tocsin::rules::secrets
