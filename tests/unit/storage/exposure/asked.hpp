// One question of an answer, where a test has only one.
#pragma once

#include <utility>
#include <vector>

#include "storage/exposure_store.hpp"

namespace tocsin::storage {

inline Result<ExposureOverview> overview_of(Reader& reader, const ExposureFilter& filter) {
  auto answer = ExposureAnswer::of(reader, filter);
  return answer ? answer->overview(reader) : pass(std::move(answer));
}

inline Result<std::vector<ExposedPerson>> people_of(Reader& reader, const ExposureFilter& filter, std::uint64_t offset = 0, std::uint64_t limit = 0) {
  auto answer = ExposureAnswer::of(reader, filter);
  return answer ? answer->people(reader, offset, limit) : pass(std::move(answer));
}

inline Result<std::vector<ExposedPerson>> people_of(Reader& reader, const ExposureFilter& filter, const PeopleByDataset& wanted) {
  auto answer = ExposureAnswer::of(reader, filter);
  return answer ? answer->people(reader, wanted) : pass(std::move(answer));
}

inline Result<PeopleByDataset> listed_of(Reader& reader, const ExposureFilter& filter) {
  auto answer = ExposureAnswer::of(reader, filter);
  return answer ? answer->listed() : pass(std::move(answer));
}

}  // namespace tocsin::storage
