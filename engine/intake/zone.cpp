// TZif: a header, a block with 32-bit times, then (version 2 and later) the same with 64-bit times, which is
// read. Times after the last change take the last kind; Debian's files reach to 2037.
#include "engine/intake/zone.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kMaxZoneFile = 64 * 1024;
constexpr std::size_t kMaxZones = 64;  // names looked up by one source

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::optional<LocalTime::Zone> read_zone(std::string_view text) {
  // Counts: isut, isstd, leap, time, type, char.
  const auto counts = [](std::string_view header) {
    std::array<std::size_t, 6> n{};
    for (std::size_t i = 0; i < 6; ++i) n[i] = static_cast<std::size_t>(big_endian(header.substr(20 + 4 * i, 4)));
    return n;
  };
  constexpr std::size_t kHeader = 44;
  if (text.size() < kHeader || text.substr(0, 4) != "TZif") return std::nullopt;
  std::size_t width = 4;
  auto n = counts(text);
  for (const std::size_t c : n) {
    if (c > kMaxZoneFile) return std::nullopt;
  }
  if (text[4] >= '2') {
    const std::size_t skip = kHeader + n[3] * 5 + n[4] * 6 + n[5] + n[2] * 8 + n[1] + n[0];
    if (text.size() < skip + kHeader || text.substr(skip, 4) != "TZif") return std::nullopt;
    text.remove_prefix(skip);
    n = counts(text);
    for (const std::size_t c : n) {
      if (c > kMaxZoneFile) return std::nullopt;
    }
    width = 8;
  }
  const std::size_t times = kHeader, indices = times + n[3] * width, kinds = indices + n[3], names = kinds + n[4] * 6;
  if (text.size() < names + n[5]) return std::nullopt;
  LocalTime::Zone zone;
  for (std::size_t i = 0; i < n[4]; ++i) {
    const std::string_view kind = text.substr(kinds + i * 6, 6);
    const std::size_t at = static_cast<unsigned char>(kind[5]);
    if (at >= n[5]) return std::nullopt;
    const std::string_view name = text.substr(names + at, n[5] - at);
    zone.kinds.push_back({static_cast<std::int32_t>(big_endian(kind.substr(0, 4))),
                          std::string(name.substr(0, name.find('\0')))});
  }
  for (std::size_t i = 0; i < n[3]; ++i) {
    const auto kind = static_cast<std::uint8_t>(text[indices + i]);
    if (kind >= zone.kinds.size()) return std::nullopt;
    const std::uint64_t at = big_endian(text.substr(times + i * width, width));
    zone.changes.emplace_back(width == 8 ? static_cast<std::int64_t>(at) : static_cast<std::int32_t>(at), kind);
  }
  if (zone.kinds.empty()) return std::nullopt;
  return zone;
}

std::optional<LocalTime::Zone> load_zone(std::string_view name) {
  // A name is a path below the database; nothing else may be opened by it.
  if (name.empty() || name.size() > 64 || name[0] == '/' || name.find("..") != std::string_view::npos) {
    return std::nullopt;
  }
  const char* directory = std::getenv("TZDIR");
  const std::filesystem::path path =
      std::filesystem::path(directory != nullptr && *directory != '\0' ? directory : "/usr/share/zoneinfo") / name;
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::string bytes(kMaxZoneFile, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return read_zone(bytes);
}

// The kind in force at that second.
const LocalTime::Zone::Kind& kind_at(const LocalTime::Zone& zone, std::int64_t second) {
  const auto after = std::upper_bound(zone.changes.begin(), zone.changes.end(), second,
                                      [](std::int64_t s, const auto& change) { return s < change.first; });
  return zone.kinds[after == zone.changes.begin() ? 0 : std::prev(after)->second];
}

// The UTC time that a clock on the wall shows as `wall`. In the hour that comes twice, the first.
Time from_wall(const LocalTime::Zone& zone, Time wall) {
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count();
  for (const std::int64_t back : {std::int64_t{86400}, std::int64_t{0}, std::int64_t{-86400}}) {
    const std::int32_t offset = kind_at(zone, second - back).offset;
    if (kind_at(zone, second - offset).offset == offset) return wall - std::chrono::seconds(offset);
  }
  return wall - std::chrono::seconds(kind_at(zone, second).offset);
}

// The offset that this zone calls `name`, the newest meaning of it before or at `wall`.
std::optional<std::int32_t> offset_named(const LocalTime::Zone& zone, std::string_view name, Time wall) {
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count() + 86400;
  for (auto it = zone.changes.rbegin(); it != zone.changes.rend(); ++it) {
    if (it->first <= second && zone.kinds[it->second].name == name) return zone.kinds[it->second].offset;
  }
  for (const auto& kind : zone.kinds) {
    if (kind.name == name) return kind.offset;
  }
  return std::nullopt;
}

}  // namespace

Result<LocalTime> LocalTime::of(std::string_view zone) {
  LocalTime local;
  local.name_ = std::string(trim(zone));
  if (local.name_.empty() || local.name_ == "UTC" || local.name_ == "GMT" || local.name_ == "Z") {
    local.fixed_ = 0;
    local.name_.clear();
    return local;
  }
  if (local.name_[0] == '+' || local.name_[0] == '-') {
    const auto at = parse_rfc3339("2000-01-01T00:00:00" + local.name_);
    if (!at) return fail(Errc::kInvalid, "'" + local.name_ + "' is not an offset", "timezone", "write it like +01:00");
    constexpr std::int64_t kYear2000 = 946'684'800;
    local.fixed_ = static_cast<std::int32_t>(kYear2000 - to_micros(*at) / 1'000'000);
    return local;
  }
  if (local.file(local.name_) == nullptr) {
    return fail(Errc::kInvalid, "the time zone '" + printable(local.name_, 64) + "' is not known here", "timezone",
                "write a name of the tz database (Europe/Berlin; Debian package tzdata) or an offset (+01:00)");
  }
  return local;
}

const LocalTime::Zone* LocalTime::file(std::string_view name) {
  auto found = files_.find(name);
  if (found == files_.end()) {
    if (files_.size() >= kMaxZones) return nullptr;
    found = files_.emplace(std::string(name), load_zone(name)).first;
  }
  return found->second ? &*found->second : nullptr;
}

std::optional<Time> LocalTime::parse(std::string_view text) {
  if (const auto exact = parse_rfc3339(text)) return exact;
  // Date and time, then perhaps a zone's name.
  std::size_t end = 19;
  if (text.size() < end) return std::nullopt;
  while (end < text.size() && (text[end] == '.' || text[end] == ',' || (text[end] >= '0' && text[end] <= '9'))) ++end;
  const auto wall = parse_rfc3339(text.substr(0, end), true);
  if (!wall) return std::nullopt;
  const std::string_view name = trim(text.substr(end));
  const Zone* const own = name_.empty() || fixed_ ? nullptr : file(name_);
  if (name.empty()) {
    if (fixed_) return *wall - std::chrono::seconds(*fixed_);
    return own != nullptr ? std::optional(from_wall(*own, *wall)) : std::nullopt;
  }
  if (own != nullptr) {
    if (const auto offset = offset_named(*own, name, *wall)) return *wall - std::chrono::seconds(*offset);
  }
  if (const Zone* const other = file(name)) {
    if (const auto offset = offset_named(*other, name, *wall)) return *wall - std::chrono::seconds(*offset);
    return from_wall(*other, *wall);
  }
  // A configured offset is the person's word for what this short name means.
  if (fixed_ && !name_.empty()) return *wall - std::chrono::seconds(*fixed_);
  return std::nullopt;
}

std::string LocalTime::complaint(std::string_view text) {
  const std::size_t blank = text.rfind(' ');
  const bool named = text.size() > 20 && blank != std::string_view::npos && parse_rfc3339(text.substr(0, blank), true);
  if (!named) return "the time '" + printable(text.substr(0, 40)) + "' is not one";
  return "the time zone '" + printable(text.substr(blank + 1), 32) +
         "' is not known: set 'timezone' of this source (for example Europe/Berlin)";
}

}  // namespace tocsin::engine
