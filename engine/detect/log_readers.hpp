// Who reads a log in which secrets or people's numbers stand: the exposure that follows from a leak. A log is a source
// too, and where it can be read is configured (`sources[].read_at`): a table, a prefix of a bucket, a path of a web
// server. An access to that place by anyone is then told, in the alert of what stands there; and whose numbers stand
// there were reached, at most all of them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/exposure/reader.hpp"
#include "rules/base/result.hpp"
#include "storage/finding.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

// Where a log can be read: "s3://logs/app/" (keys that begin so), "/logs/app" (paths that begin so), "ops.app_log" or
// "app_log" (a table).
class LogPlace {
 public:
  [[nodiscard]] static Result<LogPlace> parse(std::string_view text);  // kInvalid: empty, or a bucket without a name
  [[nodiscard]] bool holds(const Resource& resource) const;

 private:
  enum class Form : std::uint8_t { kTable, kBucket, kPath } form_ = Form::kTable;
  std::string store_, name_;
};

// "a password", "an IBAN", "HTTP credentials"
[[nodiscard]] std::string with_article(const std::string& noun);

// Belongs to one thread. Bounded: what comes beyond a limit is not remembered, and counts of people become open.
class LogReaders {
 public:
  static constexpr std::size_t kMaxGroups = 64;        // alerts per log
  static constexpr std::size_t kMaxReaders = 1'000;    // remembered per log
  static constexpr std::size_t kMaxPeople = 100'000;   // per log and dataset
  static constexpr std::size_t kNamed = 5;             // readers whom a sentence names

  // The alert that a secret in a log belongs to.
  struct Leak {
    std::string group, alert_title;
    std::string noun;  // "password"
    Time time{};
  };
  // Read after something stood there. Both go on: the same finding and the same reach grow.
  struct Told {
    storage::Finding finding;  // without id, evidence and preview
    std::string key;           // of its episode
    Origin origin;             // of the access that it rests on
    std::vector<Reach> reaches;
  };

  void add_place(std::string_view source, LogPlace place) { places_[std::string(source)].push_back(std::move(place)); }
  // Does anyone's reading of this source's log show in the events?
  [[nodiscard]] bool watches(std::string_view source) const { return places_.contains(source); }

  // Something stood in a record of `source`; `about`: whose number it is, where the record tells.
  void stood(std::string_view source, std::string_view where, const Leak& leak, const Reach* about, std::vector<Told>& out);
  void read(const Access& access, std::vector<Told>& out);
  // ", read since by mallory (3 times) and etl (once)"; empty = by nobody that the events show.
  [[nodiscard]] std::string readers_of(std::string_view source) const;

  // All of it as bytes that outlast a restart (ops/docs/formats/log-readers.md), empty where no log has a place; and back,
  // in place of what is there. Logs without a place and people whom `registers` does not know are left away. Errors of
  // restore: kCorrupt; nothing is remembered then.
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Result<void> restore(std::string_view bytes, const storage::Registers& registers);

 private:
  struct Reading {
    Access access;  // the newest, without its statement
    Time first{};
    std::uint64_t times = 0;
  };
  struct People {
    std::vector<storage::PersonNo> numbers;  // sorted
    bool more = false;                       // than are remembered
  };
  struct Log {
    std::string where;                    // "the application log"
    std::map<std::string, Leak> leaks;    // by group; the first of each
    std::map<std::string, People> people; // by dataset
    std::map<std::string, Reading> readings;  // by actor
    std::set<std::string> told;           // "group\nactor": so that what comes late is told once
  };
  void tell(const std::string& source, Log& log, const Leak& leak, const Reading& reading, std::vector<Told>& out);

  std::map<std::string, std::vector<LogPlace>, std::less<>> places_;
  std::map<std::string, Log, std::less<>> logs_;
};

}  // namespace tocsin::engine
