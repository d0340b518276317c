// Strict on purpose: what a browser or a shipper sends is always in this form; what is not, is an attack or a bug.
#include "engine/api/url.hpp"

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_control(std::string_view text) noexcept {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

tl::unexpected<Error> bad(std::string message) {
  return fail(Errc::kInvalid, std::move(message), "request target", "percent-encode the address as RFC 3986 says");
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

Result<Target> parse_target(std::string_view raw) {
  if (raw.size() > kMaxTarget) return fail(Errc::kTooLarge, "the address is too long", "request target");
  if (raw.empty() || raw[0] != '/') return bad("the address must start with '/'");
  for (const char c : raw) {
    if (c <= 0x20 || c >= 0x7f || c == '#') return bad("the address holds a character that must be encoded");
  }
  const std::size_t mark = raw.find('?');
  const std::string_view path = raw.substr(0, mark);

  Target out;
  const auto parts = split(path.substr(1), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto part = percent_decode(parts[i]);
    if (!part) return bad("a percent escape in the path is broken");
    if (part->empty() && parts.size() > 1) return bad("the path has an empty part");
    if (*part == "." || *part == "..") return bad("the path may not hold '.' or '..'");
    if (part->find_first_of("/\\") != std::string::npos) return bad("the path may not hold an encoded slash");
    if (has_control(*part) || !is_utf8(*part)) return bad("the path holds bytes that are not printable UTF-8");
    out.path += '/';
    out.path += *part;
  }
  if (mark == std::string_view::npos) return out;

  std::size_t count = 0;
  for (const std::string_view piece : split(raw.substr(mark + 1), '&')) {
    if (piece.empty()) continue;
    if (++count > kMaxQueryParts) return fail(Errc::kTooLarge, "the query has too many parts", "request target");
    const std::size_t equals = piece.find('=');
    auto key = percent_decode(piece.substr(0, equals), true);
    auto value = percent_decode(equals == std::string_view::npos ? "" : piece.substr(equals + 1), true);
    if (!key || !value) return bad("a percent escape in the query is broken");
    if (has_control(*key) || has_control(*value) || !is_utf8(*key) || !is_utf8(*value)) {
      return bad("the query holds bytes that are not printable UTF-8");
    }
    if (!out.query.emplace(std::move(*key), std::move(*value)).second) return bad("a query key is given twice");
  }
  return out;
}

std::string cookie(std::string_view header, std::string_view name) {
  std::string found;
  int times = 0;
  for (std::string_view pair : split(header, ';')) {
    pair = trim(pair);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    found = pair.substr(equals + 1);
    ++times;
  }
  return times == 1 ? found : std::string();
}

}  // namespace tocsin::engine
