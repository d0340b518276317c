// How each source is doing, counted by whoever handles its records and shown by GET /v1/sources.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/time.hpp"

namespace tocsin::engine {

// A line that could not be decoded, kept so that a person can see why.
struct Reject {
  static constexpr std::size_t kMaxPreview = 200;  // bytes of the line, made printable
  static constexpr std::size_t kMaxKept = 1000;    // per source; the oldest go first
  std::string file;
  std::uint64_t line = 0;
  std::string error;
  std::string preview;
  Time time{};  // when it was rejected
};

struct SourceStatus {
  std::string name;
  std::string kind;    // "file", "http", "stdin"
  std::string path;    // globs, comma-separated; empty for http
  std::string format;  // named or recognised; empty = not yet known
  std::string state;   // "starting", "waiting" (no file yet), "following", "held up" (journal full), "error", "stopped"
  std::string error;   // what is wrong and what to do; empty if nothing is
  std::uint64_t accepted = 0;    // records made durable
  std::uint64_t decoded = 0;     // of these: decoded, with or without an access
  std::uint64_t rejected = 0;    // of these: not decodable
  std::uint64_t duplicates = 0;  // seen before
  std::uint64_t behind_bytes = 0;  // written by the source, not read yet
  std::optional<Time> last_event;    // newest time that an event states
  std::optional<Time> last_arrival;  // when the last record came
  // Seconds by which the newest event is older than its arrival; nullopt if either is not known.
  [[nodiscard]] std::optional<double> lag_seconds() const;
};

// The counters of one source. Thread-safe.
class SourceMeter {
 public:
  SourceMeter(std::string name, std::string kind, std::string path, std::string format);

  void accepted(std::uint64_t records, Time now);
  void decoded(std::uint64_t records, std::optional<Time> newest_event);
  void duplicates(std::uint64_t records);
  void rejected(Reject reject);  // the preview is cut and made printable here
  void state(std::string_view state, std::string_view error = {});
  void format(std::string_view format);
  void behind(std::uint64_t bytes);

  [[nodiscard]] SourceStatus status() const;
  [[nodiscard]] std::vector<Reject> rejects() const;  // newest first

 private:
  mutable std::mutex mutex_;
  SourceStatus status_;
  std::deque<Reject> rejects_;
};

// All sources by name. Thread-safe; a meter lives as long as somebody holds it.
class SourceBoard {
 public:
  // The meter of that name, made if there is none yet.
  std::shared_ptr<SourceMeter> meter(const std::string& name, const std::string& kind, const std::string& path = {},
                                     const std::string& format = {});
  [[nodiscard]] std::shared_ptr<SourceMeter> find(std::string_view name) const;  // null if unknown
  [[nodiscard]] std::vector<SourceStatus> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<SourceMeter>, std::less<>> meters_;
};

}  // namespace tocsin::engine
