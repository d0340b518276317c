// Which of many texts does a text begin with, or end with? Looked up, not sought: under the last (first) eight, four or
// two bytes. In Windows rules nearly every test of a process is of this kind: Image ends with "\powershell.exe".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "rules/sigma/hash.hpp"
#include "rules/sigma/table.hpp"
#include "rules/sigma/texts.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kShortestAffix = 2;  // bytes

class Affixes {
 public:
  enum class End : std::uint8_t { kFirst, kLast };

  explicit Affixes(End end) : end_(end) {}
  // Before finish(): every text that begins (ends) with `affix` (kShortestAffix bytes or more) concerns `rule`.
  void add(std::string_view affix, std::uint32_t rule) { texts_.add(affix, rule); }
  void finish() {
    texts_.finish();
    for (std::uint32_t t = 0; t < texts_.size(); ++t) {
      const std::size_t rank = rank_of(texts_.of(t).size());
      tables_[rank].add(key(texts_.of(t), kSizes[rank]), t);
    }
    for (Table& table : tables_) table.finish();
  }
  [[nodiscard]] bool empty() const noexcept { return texts_.empty(); }

  // Calls found(rules) for every affix of `text`.
  template <class Found>
  void search(std::string_view text, Found&& found) const {
    for (std::size_t rank = 0; rank < kSizes.size(); ++rank) {
      if (tables_[rank].empty() || text.size() < kSizes[rank]) continue;
      for (const std::uint32_t t : tables_[rank].find(key(text, kSizes[rank]))) {
        const std::string_view affix = texts_.of(t);
        if (end_ == End::kLast ? text.ends_with(affix) : text.starts_with(affix)) found(texts_.rules(t));
      }
    }
  }

 private:
  static constexpr std::array<std::size_t, 3> kSizes = {8, 4, 2};
  static std::size_t rank_of(std::size_t size) noexcept { return size >= 8 ? 0 : size >= 4 ? 1 : 2; }
  [[nodiscard]] std::uint64_t key(std::string_view text, std::size_t size) const noexcept {
    const char* const at = end_ == End::kLast ? text.data() + text.size() - size : text.data();
    std::uint64_t word = 0;
    if (size == 8) word = load_word(at);
    else if (size == 4) word = load_half(at);
    else word = static_cast<std::uint64_t>(static_cast<unsigned char>(at[0])) << 8 | static_cast<unsigned char>(at[1]);
    word *= kHashOdd;
    return word ^ word >> 32;
  }

  End end_;
  IndexedTexts texts_;
  std::array<Table, 3> tables_;
};

}  // namespace tocsin::rules::sigma
