// From one record of a log to what it says about data. One decoder per format, one file per decoder.
//
//   auto decoder = make_decoder("pgaudit-csv", {});
//   rules::Arena arena;
//   std::vector<Decoded> out;
//   if (auto done = (*decoder)->decode(record, origin, arena, out); !done) { /* a line error: count it, go on */ }
//
// The formats are described, with their sources, in ops/docs/formats/sources.md.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/access/networks.hpp"
#include "rules/base/result.hpp"
#include "rules/event.hpp"

namespace tocsin::engine {

// One access with the event that Sigma rules see. `event` shows memory of the arena and of the record, and
// `raw` is the record itself: both are valid while the arena is not reset and the record's bytes live.
struct Decoded {
  Access access;
  rules::Event event;
  std::string_view raw;
};

// How generic JSON is read: which member of the record (a dotted path, "user.name", "items.0.id") fills which
// field of the access, and which fields always have the same value.
struct JsonMapping {
  enum class TimeFormat { kAuto, kRfc3339, kSeconds, kMillis, kMicros };  // kAuto: text is RFC 3339, numbers by size

  std::vector<std::pair<std::string, std::string>> paths;      // field → dotted path
  std::vector<std::pair<std::string, std::string>> constants;  // field → value, used where no path gives one
  TimeFormat time_format = TimeFormat::kAuto;
  std::string product, category, service;                      // Sigma log source of these records

  // The fields a mapping may name: "time", "event_id", "actor.person", …
  [[nodiscard]] static std::span<const std::string_view> fields() noexcept;
  // From configuration: field → path; a value "=text" is a constant, and the keys "time_format", "product",
  // "category" and "service" set those. Fails as check() does.
  [[nodiscard]] static Result<JsonMapping> from(const std::map<std::string, std::string>& fields);
  // "rfc3339", "s", "ms", "us", "auto"; kInvalid with the list otherwise.
  [[nodiscard]] static Result<TimeFormat> time_format_from(std::string_view name);
  // kInvalid, naming the field and its nearest neighbour, for a field or a constant that does not exist or fit.
  [[nodiscard]] Result<void> check() const;
};

// What a decoder may need to know beyond its input. All of it may be left empty.
struct DecoderOptions {
  JsonMapping mapping;   // for "json"
  std::string timezone;  // tz database name ("Europe/Berlin") or offset ("+01:00") of logs that print a zone's short name
  std::string system;    // replaces the resource's system, e.g. "crm" for a web server's log
  std::string store;     // the resource's store where the log has none, e.g. the web server's host name
  // For "combined": routes that name a person, "/patients/{patient}". A path that fits makes the route the dataset
  // and the named part a subject; "{}" stands for a part that is no subject. Paths that fit none become routes by
  // themselves: parts that look like ids are written as {id}.
  std::vector<std::string> routes;
  // For "combined" and "json": proxies that are trusted to say for whom they ask (engine/intake/forwarded.hpp). "combined": in the
  // field in quotes behind the user agent; "json": where the mapping has client.forwarded. Without proxies nothing is believed.
  Networks proxies;
  // For "pgaudit-stderr": the server's log_line_prefix ("%m [%p] %q%u@%d "). Empty: one of the common ones, line by line.
  std::string prefix;
  // For "mariadb-audit": server_audit_query_log_limit. A text that long counts as cut short. 0 = the server's default, 1024.
  std::size_t statement_limit = 0;
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Appends what `record` says to `out`: one access, several, or none where the record is well-formed but has
  // nothing to say about data (a checkpoint message). `origin` is copied into each access.
  // Fails with kInvalid for a record that is not of this format and kTooLarge for one that is nested too deeply;
  // `out` is then unchanged. Text in the access is valid UTF-8 (bad bytes become U+FFFD); `raw` is untouched.
  // Not thread-safe: a decoder may remember something of earlier records. Make one per source and thread.
  [[nodiscard]] virtual Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                                            std::vector<Decoded>& out) = 0;

  [[nodiscard]] virtual std::string_view format() const noexcept = 0;
};

// "pgaudit-csv", "pgaudit-json", "pgaudit-stderr", "mariadb-audit", "cloudtrail", "combined", "fhir-audit", "teleport", "json", "text". The last is any text, line by line: it
// carries an event for keyword rules and the secret scanner, and hardly an access. It must be named.
[[nodiscard]] std::span<const std::string_view> known_formats() noexcept;
[[nodiscard]] bool is_known_format(std::string_view format) noexcept;

// kInvalid for an unknown format (names the known ones), a mapping that does not check, an unknown time zone.
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_decoder(std::string_view format, const DecoderOptions& options);

// The id that a record carries itself ("session_id/line_num", eventID), read without decoding the rest; empty if
// it has none or is malformed. csvlog and jsonlog of one server give the same id for the same message. `mapping` is for "json" and may be null.
[[nodiscard]] std::string record_id(std::string_view format, std::string_view record, const JsonMapping* mapping);

}  // namespace tocsin::engine
