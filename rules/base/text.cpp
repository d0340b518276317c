// UTF-8 repair, terminal-safe printing, and small string helpers.
#include "rules/base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "rules/base/utf8.hpp"

namespace tocsin {
namespace {

bool hidden(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200E || c == 0x200F || c == 0x61C ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  std::uint32_t code = 0;
  while (!text.empty()) {
    const std::size_t n = decode_utf8(text, code);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::uint32_t code = 0;
  while (!text.empty()) {
    const std::size_t n = decode_utf8(text, code);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, n);
      text.remove_prefix(n);
    }
  }
  return out;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  std::uint32_t code = 0;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "…";
    const std::size_t n = decode_utf8(text, code);
    if (n == 0 || hidden(code)) {
      char escape[16];
      if (n == 0) std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(text[0]));
      else if (code == '\n') std::snprintf(escape, sizeof escape, "\\n");
      else if (code == '\t') std::snprintf(escape, sizeof escape, "\\t");
      else if (code == '\r') std::snprintf(escape, sizeof escape, "\\r");
      else std::snprintf(escape, sizeof escape, "\\u%04x", code);
      out += escape;
    } else {
      out += text.substr(0, n);
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool iequals(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kMostEdits = 2;
  std::string_view best;
  std::size_t best_distance = kMostEdits + 1;
  for (const std::string_view candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t above = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1)});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace tocsin
