// A set of person numbers while an answer is put together: pages of bits, made when first needed. Adding sorted
// numbers costs about a nanosecond each, which Roaring's own array containers do not reach; the finished set leaves
// as Roaring's portable bytes (the form that is hashed and kept).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/exposure/grade.hpp"

namespace tocsin::storage::exposure {

class PersonSet {
 public:
  void add(PersonNo no) {
    std::uint64_t& word = page(no >> 16)[(no & 0xFFFF) >> 6];
    word |= 1ULL << (no & 63);
  }
  void add(std::span<const PersonNo> ascending);
  void add(const PersonSet& other);
  [[nodiscard]] bool contains(PersonNo no) const {
    const std::size_t at = no >> 16;
    return at < pages_.size() && pages_[at] != nullptr && ((*pages_[at])[(no & 0xFFFF) >> 6] >> (no & 63) & 1) != 0;
  }
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  // In ascending order; `each(PersonNo)` returns false to stop.
  template <class Each>
  void each(Each&& each) const {
    for (std::size_t p = 0; p < pages_.size(); ++p) {
      if (pages_[p] == nullptr) continue;
      for (std::size_t w = 0; w < kWords; ++w) {
        for (std::uint64_t word = (*pages_[p])[w]; word != 0; word &= word - 1) {
          const auto no = static_cast<PersonNo>((p << 16) | (w << 6) | static_cast<unsigned>(std::countr_zero(word)));
          if (!each(no)) return;
        }
      }
    }
  }
  // Roaring's portable format, run-optimised: equal sets give equal bytes.
  [[nodiscard]] std::string roaring() const;
  // Adds what Roaring's portable bytes hold; false if they are not such.
  [[nodiscard]] bool add_roaring(std::string_view bytes);
  [[nodiscard]] std::size_t memory() const;

 private:
  static constexpr std::size_t kWords = 1024;
  using Page = std::array<std::uint64_t, kWords>;
  Page& page(std::size_t at) {
    if (at >= pages_.size()) pages_.resize(at + 1);
    if (pages_[at] == nullptr) pages_[at] = std::make_unique<Page>();
    return *pages_[at];
  }
  std::vector<std::unique_ptr<Page>> pages_;
};

// Roaring's portable bytes of sorted numbers; run-optimised.
[[nodiscard]] std::string to_roaring(const std::vector<PersonNo>& sorted);
// Whether `no` is in Roaring's portable `bytes`; false if they are not such.
[[nodiscard]] bool roaring_contains(std::string_view bytes, PersonNo no);

}  // namespace tocsin::storage::exposure
