// Judging values.
#include "rules/secrets/value.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void append_utf8(std::string& out, std::uint32_t rune) {
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xc0 | rune >> 6);
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xe0 | rune >> 12);
    out += static_cast<char>(0x80 | (rune >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | rune >> 18);
    out += static_cast<char>(0x80 | (rune >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (rune >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  }
}

std::optional<std::uint32_t> four_hex(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// What a byte is, as one bit each.
enum : std::uint8_t { kLower = 1, kUpper = 2, kDigit = 4, kBlank = 8, kOther = 16 };
constexpr std::array<std::uint8_t, 256> kKinds = [] {
  std::array<std::uint8_t, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) {
    out[c] = c >= 'a' && c <= 'z' ? kLower : c >= 'A' && c <= 'Z' ? kUpper : c >= '0' && c <= '9' ? kDigit : c == ' ' || c == '\t' ? kBlank : kOther;
  }
  return out;
}();

// All kinds that occur.
std::uint8_t kinds_of(std::string_view text) {
  std::uint8_t out = 0;
  for (const char c : text) out = static_cast<std::uint8_t>(out | kKinds[static_cast<unsigned char>(c)]);
  return out;
}

// All of the same character, or made of mask characters only.
bool is_mask(std::string_view value) {
  const auto mask_char = [](char c) { return c == '*' || c == '.' || c == '-' || c == '_' || c == '#' || c == '?'; };
  if (std::all_of(value.begin(), value.end(), mask_char)) return true;
  if (value.size() >= 3) {
    const auto first = static_cast<char>(value.front() | 0x20);
    if (first == 'x' && std::all_of(value.begin(), value.end(), [](char c) { return (c | 0x20) == 'x'; })) return true;
  }
  if (value.find("***") != std::string_view::npos) return true;
  if (value.find("\u2022\u2022") != std::string_view::npos || value.find("\u25cf\u25cf") != std::string_view::npos) return true;
  return value == "\u2026" || value == "...";
}

bool enclosed(std::string_view value, char open, char close) {
  return value.size() >= 2 && value.front() == open && value.back() == close;
}

// $1, $name, ${name}, %(name)s, %s, :name, @name, ?1, #{name}, {{name}}, {0}, %NAME%
std::optional<std::string_view> variable(std::string_view v) {
  const auto name_from = [&](std::size_t at) {
    return at < v.size() && std::all_of(v.begin() + static_cast<std::ptrdiff_t>(at), v.end(), is_word);
  };
  if (v.front() == '$') {
    if (v.size() > 1 && is_digits(v.substr(1))) return "bound parameter";
    if (v.size() > 2 && (v[1] == '{' || v[1] == '(')) return "variable";
    // $NAME and $name are variables; $2y$…, $w0rdf1sh are not.
    const bool plain = name_from(1) && !is_digits(v.substr(1, 1)) &&
                       std::none_of(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (plain && (to_lower(v) == v || v.substr(1).find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos)) return "variable";
    if (v.starts_with("$env:") || v.starts_with("$this->") || v.starts_with("$_")) return "variable";
  }
  if (v.front() == '?' && (v.size() == 1 || is_digits(v.substr(1)))) return "bound parameter";
  if ((v.front() == ':' || v.front() == '@') && name_from(1)) return "bound parameter";
  if (v.front() == '%') {
    if (v.size() == 2 && std::string_view("sdvqx").find(v[1]) != std::string_view::npos) return "format directive";
    if (v.size() > 2 && v[1] == '(') return "bound parameter";
    const auto name = [](char c) { return is_word(c) || c == '(' || c == ')' || c == ':' || c == '.'; };  // %env(DB_PASSWORD)%
    if (v.size() > 2 && v.back() == '%' && std::all_of(v.begin() + 1, v.end() - 1, name)) return "variable";
  }
  if (v.starts_with("#{") || v.starts_with("{{") || v.starts_with("<%") || v.starts_with("%{")) return "template";
  if (enclosed(v, '{', '}')) return "template";
  return std::nullopt;
}

// Names of places where a secret is kept.
bool is_reference(std::string_view v) {
  static constexpr std::string_view kPrefixes[] = {"vault:", "op://", "arn:aws:", "ssm:", "secretsmanager:", "keyvault:", "projects/",
                                        "/run/secrets/", "./", "../", "file:", "fd:", "ENC(", "env:", "process.env", "os.environ", "os.getenv", "System.getenv", "ref+"};
  for (const std::string_view prefix : kPrefixes) {
    if (v.front() == prefix.front() && v.starts_with(prefix)) return true;
  }
  return false;
}

// Masks around a word (__REDACTED__, --masked--), and phrases in capitals that begin with such a word (NOT_SHOWN).
bool is_marked_word(std::string_view value, const Vocabulary& words) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::string_view core = value;
  while (!core.empty() && !is_word(core.front())) core.remove_prefix(1);
  while (!core.empty() && !is_word(core.back())) core.remove_suffix(1);
  while (core.starts_with('_')) core.remove_prefix(1);
  while (core.ends_with('_')) core.remove_suffix(1);
  if (core.size() >= 3 && value.size() >= core.size() + 4 && words.is_placeholder(to_lower(core))) return true;
  const auto joint = value.find('_');
  if (joint == std::string_view::npos || joint < 3) return false;
  const bool capitals = std::all_of(value.begin(), value.end(), [&](char c) { return c == '_' || (letter(c) && c < 'a'); });
  return capitals && words.is_placeholder(to_lower(value.substr(0, joint)));
}

// name(…) or name.name(…): code, not a value.
bool is_call(std::string_view v) {
  const auto open = v.find('(');
  if (open == std::string_view::npos || open == 0 || v.back() != ')') return false;
  if (v.front() >= '0' && v.front() <= '9') return false;
  return std::all_of(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(open), [](char c) { return is_word(c) || c == '.' || c == ':'; });
}

}  // namespace

std::string decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string decode_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    switch (c) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case '"':
      case '\\':
      case '/':
      case '\'': out += c; break;
      case 'u': {
        const auto high = four_hex(text, i + 1);
        if (!high) {
          out += "\\u";
          break;
        }
        i += 4;
        std::uint32_t rune = *high;
        if (rune >= 0xd800 && rune < 0xdc00 && i + 2 < text.size() && text[i + 1] == '\\' && text[i + 2] == 'u') {
          const auto low = four_hex(text, i + 3);
          if (low && *low >= 0xdc00 && *low < 0xe000) {
            rune = 0x10000 + ((rune - 0xd800) << 10) + (*low - 0xdc00);
            i += 6;
          }
        }
        append_utf8(out, rune >= 0xd800 && rune < 0xe000 ? 0xfffd : rune);
        break;
      }
      default:
        out += '\\';
        out += c;
    }
  }
  return out;
}

std::optional<std::string> decode_base64_text(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() < 3 || text.size() % 4 == 1) return std::nullopt;
  std::string padded;
  padded.reserve(text.size() + 3);
  for (const char c : text) padded += c == '-' ? '+' : c == '_' ? '/' : c;
  while (padded.size() % 4 != 0) padded += '=';
  auto decoded = from_base64(padded);
  if (!decoded) return std::nullopt;
  const bool readable = is_utf8(*decoded) && std::none_of(decoded->begin(), decoded->end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f;
  });
  if (!readable) return std::nullopt;
  return decoded;
}

std::optional<std::string_view> placeholder(std::string_view value, std::string_view key, const Vocabulary& words) {
  const std::string_view v = trim(value);
  if (v.empty()) return "empty";
  // Most values are letters and digits alone; what is not a word can only be a mask of x then.
  const bool signs = (kinds_of(v) & (kBlank | kOther)) != 0;
  if ((signs || (v.front() | 0x20) == 'x') && is_mask(v)) return "masked";
  if (signs) {
    if (const auto why = variable(v)) return why;
    if (is_reference(v)) return "reference to a secret store";
    if (is_call(v)) return "expression";
    if (enclosed(v, '<', '>') || enclosed(v, '[', ']') || enclosed(v, '(', ')') || enclosed(v, '{', '}')) return "placeholder";
  }
  const std::string lower = to_lower(v);
  if (words.is_placeholder(lower)) return "placeholder word";
  if (signs && is_marked_word(v, words)) return "masked";
  // YAML: !vault, !secret name
  if (v.size() > 3 && v[0] == '!' && std::all_of(v.begin() + 1, v.end(), [](char c) { return (c >= 'a' && c <= 'z'); })) return "reference to a secret store";
  if (lower == key || words.is_password_word(lower)) return "the key's own name";
  static constexpr std::string_view kPrefixes[] = {"your_", "your-", "your ", "yourpass", "yoursecret", "<your", "my_password_here", "insert_", "replace_", "enter_", "change_me_"};
  for (const std::string_view prefix : kPrefixes) {
    if (lower.front() == prefix.front() && lower.starts_with(prefix)) return "placeholder";
  }
  return std::nullopt;
}

bool is_expression(std::string_view v, char next, const Vocabulary& words) {
  while (!v.empty() && (v.back() == ',' || v.back() == ';' || v.back() == ':')) v.remove_suffix(1);
  if (v.empty() || !(is_word(v[0]) || v[0] == '$') || (v[0] >= '0' && v[0] <= '9')) return false;
  const auto path = [](char c) { return is_word(c) || c == '.' || c == ':' || c == '$'; };
  const auto end = static_cast<std::size_t>(std::find_if_not(v.begin(), v.end(), path) - v.begin());
  if (end < v.size() && (v[end] == '(' || v[end] == '[')) {
    const char inside = end + 1 < v.size() ? v[end + 1] : next;
    const bool argument = inside == '"' || inside == '\'' || inside == '$' || inside == ':' || inside == '@' || inside == '?' || inside == '\\';
    // encode(digest($1 …: a call inside the call
    const auto nested = v.find('(', end + 1);
    if (v[end] == '(' && nested != std::string_view::npos && std::all_of(v.begin() + static_cast<std::ptrdiff_t>(end) + 1, v.begin() + static_cast<std::ptrdiff_t>(nested), path)) return true;
    return argument || (end + 1 == v.size() && next == '\0');
  }
  if (v.find("->") != std::string_view::npos) return words.classify(v.substr(v.rfind("->") + 2)).cls != KeyClass::kNone;
  if (end < v.size()) return false;
  // A class by its full name: django.contrib.auth.hashers.Argon2
  const bool named = std::count(v.begin(), v.end(), '.') >= 3 && std::all_of(v.begin(), v.end(), [](char c) { return is_word(c) || c == '.'; }) && v.find("..") == std::string_view::npos;
  if (named && std::count_if(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; }) <= 2) return true;
  const auto joint = v.find_last_of("._");
  if (joint == std::string_view::npos || joint == 0 || joint + 1 >= v.size()) return false;
  const bool letters = std::none_of(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; });
  return letters && words.classify(v.substr(joint + 1)).cls != KeyClass::kNone;
}

bool is_path(std::string_view v) noexcept {
  if (v.size() < 4 || v[0] != '/' || v.find('/', 1) == std::string_view::npos) return false;
  return std::all_of(v.begin(), v.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-' || c == '_'; });
}

bool is_date(std::string_view v) noexcept {
  if (v.size() < 10 || v[4] != v[7] || (v[4] != '-' && v[4] != '/') || !is_digits(v.substr(0, 4)) || !is_digits(v.substr(5, 2)) || !is_digits(v.substr(8, 2))) return false;
  return std::all_of(v.begin() + 10, v.end(), [](char c) { return (c >= '0' && c <= '9') || c == 'T' || c == 'Z' || c == ':' || c == '.' || c == '+' || c == '-' || c == ' '; });
}

bool has_high(std::string_view v) noexcept {
  return std::any_of(v.begin(), v.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string_view digest_form(std::string_view v) {
  // Every form begins with a sign or one of three words, or is a bare digest.
  const bool formed = !v.empty() && (v.front() == '$' || v.front() == '{' || v.front() == '*' || v.front() == 'p' || v.front() == 's' || v.front() == 'S' || v.front() == 'm');
  if (!formed && v.size() < 32) return {};
  const auto starts = [&](std::string_view prefix) { return v.starts_with(prefix); };
  if (v.size() >= 59 && v.size() <= 60 && (starts("$2a$") || starts("$2b$") || starts("$2y$") || starts("$2$"))) return "bcrypt";
  if (starts("$argon2id$") || starts("$argon2i$") || starts("$argon2d$")) return "argon2";
  if (starts("$6$") && v.size() >= 90) return "sha512-crypt";
  if (starts("$5$") && v.size() >= 47) return "sha256-crypt";
  if (starts("$1$") && v.size() >= 26) return "md5-crypt";
  if (starts("$y$") || starts("$7$")) return "yescrypt";
  if (starts("$apr1$")) return "apr1";
  if (starts("pbkdf2_sha256$") || starts("pbkdf2:") || starts("{PBKDF2")) return "pbkdf2";
  if (starts("scrypt:") || starts("$scrypt$")) return "scrypt";
  if (starts("SCRAM-SHA-256$") || starts("SCRAM-SHA-1$")) return "scram";
  if (starts("{SSHA}") || starts("{SHA}") || starts("{SSHA512}") || starts("{MD5}") || starts("{CRYPT}")) return "ldap digest";
  if (v.size() == 35 && starts("md5") && is_hex(v.substr(3))) return "postgres md5";
  if (v.size() == 41 && v.front() == '*' && is_hex(v.substr(1))) return "mysql native";
  if ((v.size() == 32 || v.size() == 40 || v.size() == 56 || v.size() == 64 || v.size() == 96 || v.size() == 128) && is_hex(v)) return "bare digest";
  return {};
}

bool is_alnum(std::string_view v) noexcept { return (kinds_of(v) & (kBlank | kOther)) == 0; }

bool is_uuid(std::string_view v) noexcept {
  if (v.size() != 36) return false;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? v[i] != '-' : hex_digit(v[i]) < 0) return false;
  }
  return true;
}

bool is_hex(std::string_view v) noexcept {
  return !v.empty() && std::all_of(v.begin(), v.end(), [](char c) { return hex_digit(c) >= 0; });
}

bool is_digits(std::string_view v) noexcept {
  return !v.empty() && std::all_of(v.begin(), v.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Mix mix(std::string_view value) noexcept {
  std::array<std::size_t, kOther + 1> counts{};
  for (const char c : value) ++counts[kKinds[static_cast<unsigned char>(c)]];
  Mix out;
  out.lower = counts[kLower];
  out.upper = counts[kUpper];
  out.digit = counts[kDigit];
  out.blank = counts[kBlank];
  out.other = counts[kOther];
  return out;
}

}  // namespace tocsin::rules::secrets
