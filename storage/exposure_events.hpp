// The evidence behind an answer about people: single accesses, each with what the log said and where it says so.
// ExposureStore says who; this says by which events.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure_store.hpp"

namespace tocsin::storage {

// One reach as it is shown: a statement, a cursor, a request. What was sealed into the index is known to the second,
// and no longer knows its line: `sealed` is true then, and its record is one of `seq` to `last_seq` of the journal.
struct AccessEvent {
  std::string actor, dataset;
  Time first{}, last{};
  Grade grade = Grade::kUnknown;
  bool certain = false;  // the log counted as many people as it names
  bool whole = false;    // the whole dataset: anyone in it
  std::vector<std::string> fields;
  std::string way, reason;
  std::optional<std::uint64_t> at_least, at_most;  // people it reached, where that is kept
  std::string source, file;
  std::uint64_t line = 0, seq = 0;                 // seq: number in the journal, 0 = none
  std::string account, role, application, client_ip;
  bool sealed = false;
  std::uint64_t last_seq = 0;                      // of what was sealed
};

// Some accesses of one person or actor: how many there are, and the newest of them.
struct AccessList {
  std::uint64_t total = 0;
  std::uint64_t certain = 0;         // of them: those by reaches whose people the log counted
  std::vector<AccessEvent> events;   // newest first
};

// Which events of any filter reached these people of `dataset`: of each the newest `each`. Filters SHOULD not overlap.
[[nodiscard]] Result<std::map<PersonNo, AccessList>> events_of_people(Reader& reader, std::span<const ExposureFilter> filters,
                                                                      const std::string& dataset, const exposure::PersonSet& wanted,
                                                                      std::size_t each);

// The same of one person of `filter.dataset`, for each of these actors; `skip` passes over so many of the newest.
[[nodiscard]] Result<std::map<std::string, AccessList>> events_of_person(Reader& reader, const ExposureFilter& filter, PersonNo person,
                                                                         const std::set<std::string>& actors, std::size_t each,
                                                                         std::size_t skip = 0);

// Which events of any filter reached somebody of `wanted`, newest first, each with how many of them it reached.
struct Reaching {
  std::uint64_t total = 0;
  struct One {
    AccessEvent event;
    std::uint64_t people = 0;
  };
  std::vector<One> events;  // the newest `most`
};
[[nodiscard]] Result<Reaching> events_reaching(Reader& reader, std::span<const ExposureFilter> filters,
                                               const std::map<std::string, exposure::PersonSet>& wanted, std::size_t most);

}  // namespace tocsin::storage
