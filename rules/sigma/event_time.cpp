// A table of members, and readers of the ways to write a time.
#include "rules/sigma/event_time.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

// Paths through objects; a literal member with the dotted name counts too.
constexpr std::string_view kMembers[] = {
    "eventTime",                  // CloudTrail
    "UtcTime",                    // Sysmon
    "@timestamp",                 // Elastic, GitHub
    "published",                  // Okta
    "requestReceivedTimestamp",   // Kubernetes audit
    "stageTimestamp",
    "CreationTime",               // Microsoft 365
    "id.time",                    // Google Workspace
    "TimeCreated_SystemTime",     // Windows, flattened
    "TimeCreated.SystemTime",
    "TimeCreated.#attributes.SystemTime",
    "Event.System.TimeCreated.#attributes.SystemTime",
    "Event.System.TimeCreated.SystemTime",
    "System.TimeCreated.SystemTime",
    "protoPayload.metadata.event.time",
    "timestamp",                  // Google Cloud, many others
    "eventTimestamp",             // Azure activity
    "activityDateTime",           // Azure directory audit
    "createdDateTime",            // Azure sign-ins
    "time",                       // Azure, OCSF
    "event_time",
    "event.created",
    "event_timestamp",
    "EventTime",
    "eventDateTime",
    "datetime",
    "dateTime",
    "date_time",
    "DateTime",
    "ts",                         // Zeek, Slack
    "date_create",
    "created_at",                 // GitHub, GitLab
    "createdAt",
    "created",
    "occurred_at",
    "occurredAt",
    "start_time",
    "startTime",
    "utc_time",
    "local_time",
    "Timestamp",
    "TimeStamp",
    "TIMESTAMP",
    "Time",
    "SystemTime",
    "systemTime",
    "log_time",
    "logTime",
    "_time",                      // Splunk
    "@t",
    "when",
    "date",
    "TimeGenerated",              // when a collector noted it
    "timegenerated",
    "receiveTimestamp",
    "protoPayload.receiveTimestamp",
    "ingest_time",
    "EventReceivedTime",
    "received_at",
    "_source.@timestamp",
    "__REALTIME_TIMESTAMP",       // systemd's journal
};

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

Value at_path(const Value& root, std::string_view path) {
  const Value literal = root.get(path);
  if (literal.present()) return literal;
  Value at = root;
  while (!path.empty() && at.kind() == Kind::kObject) {
    const std::size_t dot = path.find('.');
    at = at.get(path.substr(0, dot));
    if (dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
  return {};
}

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  const char* const begin = text.data() + at;
  const auto parsed = std::from_chars(begin, begin + digits, value);
  if (parsed.ec != std::errc() || parsed.ptr != begin + digits || value < 0) return std::nullopt;
  return value;
}

std::optional<int> month_named(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kMonths); ++i) {
    if (iequals(kMonths[i], text)) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

std::string two_digits(int value) { return {static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)}; }

// "23/Nov/2026:14:55:50 +0100", "23 Nov 2026 14:55:50 GMT", "Mon, 23 Nov 2026 14:55:50 +0000", "3 Nov 2026 …"
std::optional<Time> with_named_month(std::string_view text) {
  if (const std::size_t comma = text.find(','); comma != std::string_view::npos && comma <= 9) text = trim(text.substr(comma + 1));
  if (!text.empty() && text[0] == '[') text.remove_prefix(1);
  std::size_t day_digits = text.size() > 1 && text[1] >= '0' && text[1] <= '9' ? 2 : 1;
  const auto day = number_at(text, 0, day_digits);
  if (!day || text.size() < day_digits + 18) return std::nullopt;
  const char separator = text[day_digits];
  if (separator != '/' && separator != ' ' && separator != '-') return std::nullopt;
  const auto month = month_named(text.substr(day_digits + 1, 3));
  const auto year = number_at(text, day_digits + 5, 4);
  if (!month || !year || text[day_digits + 4] != separator) return std::nullopt;
  const char before_hour = text[day_digits + 9];
  if (before_hour != ':' && before_hour != ' ') return std::nullopt;
  std::string_view rest = text.substr(day_digits + 10);
  if (rest.ends_with(']')) rest.remove_suffix(1);
  return parse_rfc3339(std::to_string(*year) + "-" + two_digits(*month) + "-" + two_digits(*day) + "T" + std::string(rest), true);
}

// Whole seconds, milliseconds, microseconds or nanoseconds; each range begins in 1973 and ends in 5138.
std::optional<Time> since_1970(std::int64_t number) {
  constexpr std::int64_t kLeast = 100'000'000;  // March 1973, in seconds
  constexpr std::int64_t kThousand = 1000;
  if (number < kLeast) return std::nullopt;
  if (number < kLeast * kThousand) return from_micros(number * 1'000'000);
  if (number < kLeast * kThousand * kThousand) return from_micros(number * kThousand);
  if (number < kLeast * kThousand * kThousand * kThousand) return from_micros(number);
  return from_micros(number / kThousand);
}

std::optional<Time> since_1970(double number) {
  constexpr double kSecondsEnd = 1e11;
  constexpr double kMillisEnd = 1e14;
  constexpr double kMicrosEnd = 1e17;
  constexpr double kNanosEnd = 9e18;
  if (!(number >= 1e8) || number >= kNanosEnd) return std::nullopt;
  const double micros = number < kSecondsEnd ? number * 1e6 : number < kMillisEnd ? number * 1e3 : number < kMicrosEnd ? number : number / 1e3;
  return from_micros(std::llround(micros));
}

// "1700000000.123456": exact, unlike by way of a double.
std::optional<Time> decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  std::int64_t whole = 0;
  const char* const end = text.data() + std::min(point, text.size());
  const auto parsed = std::from_chars(text.data(), end, whole);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (point == std::string_view::npos) return since_1970(whole);
  const std::string_view fraction = text.substr(point + 1);
  if (fraction.empty() || fraction.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto time = since_1970(whole);
  if (!time || whole >= 100'000'000'000) return time;  // fractions of milliseconds and less are dropped
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < 6; ++i) micros = micros * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  return *time + Duration(micros);
}

// "20261123T145550Z" and "20261123145550".
std::optional<Time> compact(std::string_view text) {
  const auto date = number_at(text, 0, 8);
  if (!date || text.size() < 14) return std::nullopt;
  const std::size_t time = text[8] == 'T' ? 9 : 8;
  if (time == 8 && text.size() != 14) return std::nullopt;
  if (!number_at(text, time, 6)) return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) { return std::string(text.substr(at, size)); };
  return parse_rfc3339(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(time, 2) + ":" + part(time + 2, 2) + ":" + part(time + 4, 2) +
                           std::string(text.substr(time + 6)), true);
}

bool sensible(Time time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  return date.year() >= std::chrono::year(1970) && date.year() < std::chrono::year(2200);
}

std::optional<Time> read_any(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  text = trim(text);
  if (text.size() < 9 || text.size() > kLongest) return std::nullopt;
  if (text[4] == '-' || text[4] == '/') {
    std::string date(text);
    if (date[4] == '/' && date[7] == '/') date[4] = date[7] = '-';
    return parse_rfc3339(date, true);
  }
  if (text.starts_with("/Date(")) return decimal(text.substr(6, text.find_first_of(")+", 6) - 6));
  if (const auto time = decimal(text); time && text.size() != 14) return time;
  if (const auto time = compact(text); time) return time;
  if (const auto time = decimal(text); time) return time;
  return with_named_month(text);
}

}  // namespace

std::optional<Time> read_time(std::string_view text) {
  const auto time = read_any(text);
  return time && sensible(*time) ? time : std::nullopt;
}

std::optional<Time> read_time(const Value& value) {
  std::optional<Time> time;
  switch (value.kind()) {
    case Kind::kString: return read_time(value.as_string());
    case Kind::kInt: time = since_1970(value.as_int()); break;
    case Kind::kDouble: time = since_1970(value.as_double()); break;
    case Kind::kObject: {  // MongoDB's extended JSON
      const Value date = value.get("$date");
      if (date.kind() == Kind::kObject) return read_time(date.get("$numberLong"));
      return date.present() ? read_time(date) : std::nullopt;
    }
    default: break;
  }
  return time && sensible(*time) ? time : std::nullopt;
}

std::optional<Time> event_time(const Value& root) {
  if (root.kind() != Kind::kObject) return std::nullopt;
  for (const std::string_view member : kMembers) {
    const Value value = at_path(root, member);
    if (!value.present()) continue;
    if (const auto time = read_time(value)) return time;
  }
  return std::nullopt;
}

}  // namespace tocsin::rules::sigma
