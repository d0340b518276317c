// Stable sorting by a number, least digits first: linear, and without comparisons that mispredict.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tocsin::storage::exposure {

// Sorts `rows` by `key(row)`, a number of at most `bits` bits; rows with equal keys keep their order. `spare` is
// scratch space that is reused between calls.
template <class Row, class Key>
void radix_sort(std::vector<Row>& rows, std::vector<Row>& spare, unsigned bits, Key key) {
  constexpr unsigned kDigit = 11;
  constexpr std::uint64_t kMask = (1U << kDigit) - 1;
  for (unsigned shift = 0; shift < bits; shift += kDigit) {
    std::array<std::size_t, kMask + 1> at{};
    for (const Row& row : rows) ++at[(static_cast<std::uint64_t>(key(row)) >> shift) & kMask];
    std::size_t sum = 0;
    bool one = false;
    for (std::size_t& begin : at) {
      one = one || begin == rows.size();
      sum += std::exchange(begin, sum);
    }
    if (one) continue;  // all alike in this digit
    spare.resize(rows.size());
    for (const Row& row : rows) spare[at[(static_cast<std::uint64_t>(key(row)) >> shift) & kMask]++] = row;
    rows.swap(spare);
  }
}

}  // namespace tocsin::storage::exposure
