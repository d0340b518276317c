// The front for questions about people: exposed and who-saw.
#pragma once

#include <filesystem>
#include <string>

#include "engine/app/front.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

struct PeopleQuestion {
  std::filesystem::path data, keys;
  std::filesystem::path config;  // its datasets say which kinds of data columns hold; empty = that is not known
  bool pseudonyms = false;       // name nobody: needs no key, records nothing, reads beside a running engine
};

// `clock` MUST outlive it. Errors as PeopleDesk::open.
[[nodiscard]] Result<Front> people_front(const PeopleQuestion& question, const Clock& clock);

}  // namespace tocsin::engine
