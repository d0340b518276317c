// Hours are counted in minutes of the day, in the fixed offset that was written.
#include "engine/detect/circumstances.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

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

// Minutes since the epoch at the office, as whole days since a Monday and minutes of the day.
struct OfficeHours::Local {
  int weekday = 0;  // 0 = Monday
  int minute = 0;
};

OfficeHours::Local OfficeHours::local(Time time) const noexcept {
  constexpr std::int64_t kDay = 24 * 60;
  const auto at = std::chrono::floor<std::chrono::minutes>(time.time_since_epoch()).count() + offset;
  const auto since_day = at >= 0 ? at / kDay : (at - kDay + 1) / kDay;
  return {static_cast<int>(((since_day + 3) % 7 + 7) % 7), static_cast<int>(at - since_day * kDay)};  // 1970-01-01 was a Thursday
}

bool OfficeHours::hold(Time time) const noexcept {
  if (days == 0) return true;
  const Local now = local(time);
  return (days >> static_cast<unsigned>(now.weekday) & 1U) != 0 && now.minute >= from && now.minute < to;
}

std::string OfficeHours::clock(Time time) const {
  constexpr std::array<const char*, 7> kDays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  const auto hour_minute = [&](int minute) { return two(minute / 60) + ":" + two(minute % 60); };
  const Local now = local(time);
  const std::string zone = offset == 0 ? "UTC" : std::string("UTC") + (offset < 0 ? "-" : "+") + hour_minute(offset < 0 ? -offset : offset);
  return std::string(kDays.at(static_cast<std::size_t>(now.weekday))) + " " + hour_minute(now.minute) + " (" + zone + ")";
}

}  // namespace tocsin::engine
