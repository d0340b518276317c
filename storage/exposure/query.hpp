// The questions, over any number of open segments: whom did an actor reach, what exactly, and who reached a person.
// Every reach that overlaps the window counts, to the second; its times are told as they are, not cut to the window.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure/person_set.hpp"
#include "storage/exposure/segment.hpp"

namespace tocsin::storage::exposure {

using Segments = std::vector<std::shared_ptr<const Segment>>;

struct Question {
  std::string actor;    // empty = anyone
  std::string dataset;  // empty = all
  Seconds window;
};

// The people of one dataset, and what bounds their number.
struct Found {
  PersonSet confirmed;  // by reaches whose people the log counted
  PersonSet others;     // by any other reach; a person may be in both
  Grade worst = Grade::kExact;
  std::uint64_t least = 0;          // by reaches that are not confirmed
  std::set<std::string> reasons;
  std::set<std::string> fields;     // columns, by any reach
  [[nodiscard]] PersonSet everyone() const {
    PersonSet out;
    out.add(confirmed);
    out.add(others);
    return out;
  }
};

// What was reached of one person, or by one actor.
struct Sum {
  Grade grade = Grade::kUnknown;      // the best
  const std::set<std::string>* fields = nullptr;  // owned by the answer
  Second first = 0, last = 0;
  std::uint64_t reaches = 0;
};

// Lists of fields that occur together, each kept once.
class FieldSets {
 public:
  [[nodiscard]] std::uint32_t of(std::string_view joined);               // by U+001F
  [[nodiscard]] std::uint32_t both(std::uint32_t a, std::uint32_t b);
  [[nodiscard]] const std::set<std::string>& at(std::uint32_t number) const { return *sets_[number]; }

 private:
  std::uint32_t number(std::set<std::string> set);
  std::vector<std::unique_ptr<const std::set<std::string>>> sets_;
  std::map<std::set<std::string>, std::uint32_t> numbers_;
  std::map<std::string, std::uint32_t, std::less<>> joined_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> steps_;
  // The steps between the first sets, which are nearly all that occur: 0 = not taken yet, else the number + 1.
  static constexpr std::uint32_t kQuick = 64;
  std::vector<std::uint32_t> quick_ = std::vector<std::uint32_t>(std::size_t{kQuick} * kQuick, 0);
};

struct PersonSums {
  std::vector<PersonNo> people;  // ascending
  std::vector<Sum> sums;         // of each
  FieldSets fields;
};

struct ActorSums {
  std::vector<std::pair<std::string, Sum>> actors;  // each once, in no particular order
  FieldSets fields;
};

// Segments that could not be read: the answer lacks what is in them, and its reader MUST be told.
struct Damage {
  std::vector<Error> errors;
};

// By dataset. Times are not decoded except where the window cuts a bucket.
[[nodiscard]] std::map<std::string, Found> find_people(const Segments& segments, const Question& question, Damage& damage);
// Exactly these people of `question.dataset`, as far as they were reached: grade, fields, times.
[[nodiscard]] PersonSums describe_people(const Segments& segments, const Question& question, const PersonSet& wanted, Damage& damage);
[[nodiscard]] ActorSums find_actors(const Segments& segments, std::string_view dataset, PersonNo person, Seconds window, Damage& damage);

}  // namespace tocsin::storage::exposure
