// IPv4 addresses are kept as IPv6 ones (::ffff:a.b.c.d), so that one comparison serves both.
#include "engine/detect/circumstances.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

std::optional<std::array<std::uint8_t, 16>> address_of(std::string_view text) {
  std::array<std::uint8_t, 16> out{};
  const std::string zero_ended(text.substr(0, 64));
  if (inet_pton(AF_INET6, zero_ended.c_str(), out.data()) == 1) return out;
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, zero_ended.c_str(), four.data()) != 1) return std::nullopt;
  out.fill(0);
  out[10] = out[11] = 0xFF;
  std::memcpy(out.data() + 12, four.data(), 4);
  return out;
}

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// "07:30" → 450
std::optional<int> minutes(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto hour = number(text.substr(0, colon)), minute = number(text.substr(colon + 1));
  if (!hour || !minute || *hour < 0 || *hour > 24 || *minute < 0 || *minute > 59 || *hour * 60 + *minute > 24 * 60) return std::nullopt;
  return *hour * 60 + *minute;
}

std::optional<unsigned> day(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  for (unsigned i = 0; i < kDays.size(); ++i) {
    if (iequals(text, kDays[i])) return i;
  }
  return std::nullopt;
}

}  // namespace

Result<OfficeHours> OfficeHours::parse(std::string_view text) {
  const auto wrong = [] { return fail(Errc::kInvalid, "office hours are written as 'Mon-Fri 07:00-19:00' or with an offset, 'Mon-Fri 07:00-19:00 +01:00'"); };
  OfficeHours out;
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() < 2 || words.size() > 3) return wrong();
  for (const std::string_view part : split(words[0], ',')) {
    const std::size_t dash = part.find('-');
    const auto first = day(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day(part.substr(dash + 1));
    if (!first || !last) return wrong();
    for (unsigned i = *first;; i = (i + 1) % 7) {
      out.days |= 1U << i;
      if (i == *last) break;
    }
  }
  const std::size_t dash = words[1].find('-');
  if (dash == std::string_view::npos) return wrong();
  const auto from = minutes(words[1].substr(0, dash)), to = minutes(words[1].substr(dash + 1));
  if (!from || !to || *from >= *to) return wrong();
  out.from = *from;
  out.to = *to;
  if (words.size() == 3) {
    const char sign = words[2].front();
    const auto offset = minutes(words[2].substr(1));
    if ((sign != '+' && sign != '-') || !offset) return wrong();
    out.offset = sign == '-' ? -*offset : *offset;
  }
  return out;
}

bool OfficeHours::hold(Time time) const noexcept {
  if (days == 0) return true;
  const auto local = std::chrono::floor<std::chrono::minutes>(time.time_since_epoch()).count() + offset;
  const auto since_day = local >= 0 ? local / (24 * 60) : (local - 24 * 60 + 1) / (24 * 60);
  const auto of_day = local - since_day * 24 * 60;
  const auto weekday = static_cast<unsigned>(((since_day + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
  return (days >> weekday & 1U) != 0 && of_day >= from && of_day < to;
}

Result<void> Networks::add(std::string_view network) {
  const std::size_t slash = network.find('/');
  const auto address = address_of(network.substr(0, slash));
  const bool four = network.substr(0, slash).find(':') == std::string_view::npos;
  std::optional<int> bits = four ? 32 : 128;
  if (slash != std::string_view::npos) bits = number(network.substr(slash + 1));
  if (!address || !bits || *bits < 0 || *bits > (four ? 32 : 128)) {
    return fail(Errc::kInvalid, "'" + printable(network, 60) + "' is no network: write 10.0.0.0/8 or 2001:db8::/32");
  }
  list_.push_back({*address, static_cast<unsigned>(four ? *bits + 96 : *bits)});
  return {};
}

bool Networks::hold(std::string_view address) const {
  const auto bytes = address_of(address);
  if (!bytes) return true;
  for (const Network& n : list_) {
    const std::size_t whole = n.bits / 8, rest = n.bits % 8;
    if (std::memcmp(bytes->data(), n.bytes.data(), whole) != 0) continue;
    if (rest == 0 || (((*bytes)[whole] ^ n.bytes[whole]) >> (8 - rest)) == 0) return true;
  }
  return false;
}

}  // namespace tocsin::engine
