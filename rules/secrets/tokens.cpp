// Token checks. Layouts: ops/docs/formats/secret-rules.md, section "Tokens".
#include "rules/secrets/tokens.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <optional>

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

// Decodes base64 or base64url to bytes; nullopt if it is neither.
std::optional<std::string> base64_bytes(std::string_view text) {
  std::string padded;
  for (const char c : text) padded += c == '-' ? '+' : c == '_' ? '/' : c;
  while (!padded.empty() && padded.back() == '=') padded.pop_back();
  while (padded.size() % 4 != 0) padded += '=';
  auto decoded = from_base64(padded);
  if (!decoded) return std::nullopt;
  return std::move(*decoded);
}

// The routing text inside the payload, "o:1\nu:2s": whose token it is. `dot` is the last dot.
std::string gitlab_owner(std::string_view token, std::size_t dot) {
  const auto dash = token.find('-');
  const bool first_version = dot >= 3 && token.substr(dot - 3, 3) == ".01";
  const std::size_t end = first_version ? dot - 3 : dot;
  if (dash == std::string_view::npos || dash + 1 >= end) return {};
  const auto payload = base64_bytes(token.substr(dash + 1, end - dash - 1));
  if (!payload || payload->size() < 18) return {};
  constexpr std::size_t kRandom = 16;
  const auto last = static_cast<std::size_t>(static_cast<unsigned char>(payload->back()));
  const std::size_t length = first_version ? last : payload->size() - 1 - std::min(last, payload->size() - 1);
  if (length > payload->size() - 1) return {};
  const std::string_view routing = first_version ? std::string_view(*payload).substr(std::min(kRandom, payload->size()), length) : std::string_view(*payload).substr(0, length);
  std::string out;
  for (const auto line : split(routing, '\n')) {
    if (line.size() < 3 || line.size() > 12 || line[1] != ':' || !all_in(line.substr(2), kBase36)) continue;
    const char* const what = line[0] == 'o' ? ", organisation " : line[0] == 'g' ? ", group " : line[0] == 'p' ? ", project " : line[0] == 'u' ? ", user " : nullptr;
    if (what == nullptr) continue;
    std::uint64_t value = 0;
    for (const char c : line.substr(2)) value = value * 36 + kBase36.find(c);
    out += what + std::to_string(value);
  }
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
  out.note = std::string("GitLab token") + gitlab_owner(token, dot) + (holds ? ", checksum holds" : ", checksum does not hold");
  return out;
}

// The account is written into the key id, unless the id is of the older kind.
TokenFacts aws_key_id(std::string_view token) {
  TokenFacts out;
  // Alone, or with what stands behind it when a rule matched the pair.
  if (token.size() > 20 && !all_in(token.substr(20, 1), kBase36) && !all_in(token.substr(20, 1), kBase32)) token = token.substr(0, 20);
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
  const std::string audience = member(*payload, "aud");
  if (!audience.empty()) out.note += ", for " + printable(audience, 30);
  if (iequals(member(*header, "alg"), "none")) out.note += ", unsigned";
  if (is_digits(expiry) && expiry.size() <= 11) {
    out.note += ", valid until " + format_rfc3339(Time(std::chrono::seconds(std::stoll(expiry))));
  }
  return out;
}

// glsa_ secret _ CRC-32 of all before, as eight hex digits, lowest byte first.
TokenFacts grafana(std::string_view token) {
  TokenFacts out;
  if (token.size() != 46 || token[37] != '_' || !is_hex(token.substr(38))) return out;
  out.known = true;
  const std::uint32_t crc = crc_of(token.substr(0, 37));
  const std::uint32_t swapped = crc << 24 | (crc & 0xff00U) << 8 | (crc >> 8 & 0xff00U) | crc >> 24;
  const bool holds = iequals(in_base(swapped, "0123456789abcdef", 8), token.substr(38));
  out.tier = holds ? Tier::kVerified : Tier::kPattern;
  out.note = std::string("Grafana service account token") + (holds ? ", checksum holds" : ", checksum does not hold");
  return out;
}

// xoxb-workspace-…; https://hooks.slack.com/services/T…/B…
TokenFacts slack(std::string_view token) {
  TokenFacts out;
  if (token.starts_with("https://")) {
    const auto team = token.find("/T");
    if (team == std::string_view::npos) return out;
    const auto end = token.find('/', team + 1);
    if (end == std::string_view::npos) return out;
    out.known = true;
    out.tier = Tier::kStructure;
    out.note = "Slack webhook, team " + printable(token.substr(team + 1, end - team - 1), 20);
    return out;
  }
  const std::string_view kinds = "aboeprs";
  static constexpr std::array<const char*, 7> kNames = {"app", "bot", "other", "configuration", "user", "refresh", "session"};
  const auto kind = kinds.find(token[3]);
  const auto dash = token.find('-', 5);
  if (kind == std::string_view::npos || dash == std::string_view::npos || !is_digits(token.substr(5, dash - 5))) return out;
  out.known = true;
  out.tier = Tier::kStructure;
  out.note = std::string("Slack ") + kNames[kind] + " token, workspace " + std::string(token.substr(5, std::min<std::size_t>(dash - 5, 20)));
  return out;
}

TokenFacts stripe(std::string_view token) {
  TokenFacts out;
  const bool live = token.substr(3).starts_with("live_");
  if (!live && !token.substr(3).starts_with("test_")) return out;
  out.known = true;
  out.note = std::string(token[0] == 's' ? "Stripe secret key" : "Stripe restricted key") + (live ? ", live mode" : ", test mode");
  return out;
}

// PEM: whether the labels agree, and whether the bytes are a DER sequence of the right length or an OpenSSH key.
TokenFacts private_key(std::string_view pem) {
  TokenFacts out;
  const auto head = pem.find("-----", 5);
  const auto tail = pem.rfind("-----END ");
  if (head == std::string_view::npos || tail == std::string_view::npos || tail < head) return out;
  const std::string_view label = pem.substr(11, head - 11);
  if (label.find("PRIVATE KEY") == std::string_view::npos) return out;
  out.known = true;
  out.note = printable(label, 40);
  std::string body;
  std::string_view rest = pem.substr(head + 5, tail - head - 5);
  bool header = false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    const bool escaped = c == '\\' && i + 1 < rest.size() && (rest[i + 1] == 'n' || rest[i + 1] == 'r');
    if (escaped || c == '\n' || c == '\r' || c == ' ') {
      header = header && c == ' ';
      i += escaped ? 1 : 0;
    } else if (c == ':' || header) {
      if (!header) body.clear();  // "DEK-Info: …": no part of the key
      header = true;
      if (rest.substr(i).starts_with(": 4,ENCRYPTED")) out.note += ", encrypted";
    } else {
      body += c;
    }
  }
  const auto bytes = base64_bytes(body);
  const bool labels = pem.substr(tail + 9).starts_with(label);
  bool whole = bytes && bytes->starts_with(std::string_view("openssh-key-v1\0", 15));
  if (bytes && bytes->size() > 4 && (*bytes)[0] == 0x30) {
    const auto at = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>((*bytes)[i])); };
    const std::size_t length = at(1) < 0x80 ? at(1) + 2 : at(1) == 0x81 ? at(2) + 3 : at(1) == 0x82 ? (at(2) << 8 | at(3)) + 4 : 0;
    whole = length == bytes->size();
  }
  out.tier = labels && whole ? Tier::kStructure : Tier::kPattern;
  out.note += whole ? ", whole" : ", its parts do not fit";
  return out;
}

}  // namespace

TokenFacts inspect_token(std::string_view token) {
  TokenFacts out;
  if (token.empty() || std::string_view("gnAexhsr-").find(token.front()) == std::string_view::npos) return out;
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
  } else if (starts("glsa_")) {
    out = grafana(token);
  } else if (starts("xox") && token.size() > 6 && token[4] == '-') {
    out = slack(token);
  } else if (starts("https://hooks.slack.com/services/")) {
    out = slack(token);
  } else if (starts("sk_") || starts("rk_")) {
    out = stripe(token);
  } else if (starts("-----BEGIN ")) {
    out = private_key(token);
  } else if (starts("ey")) {
    out = jwt(token);
  }
  if (out.note.size() > TokenFacts::kMaxNote) out.note = printable(out.note, TokenFacts::kMaxNote);
  return out;
}

}  // namespace tocsin::rules::secrets
