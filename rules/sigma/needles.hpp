// Many texts sought at once in one text: the witnesses of one field. Which of the needles does its value hold?
//
// Every needle is stood for by one piece of kGram bytes of it, the rarest. A bit set says which pieces are wanted, so
// that a position of the text costs a multiplication and a look at one bit; only where the bit is set are the needles
// of that piece compared. With some thousands of needles this takes about 1 ns per byte, where an automaton over all
// of them takes 4 to 6; it is made in milliseconds instead of a second, and needs no working memory. If all needles
// are long, each is stood for by several pieces side by side, and only every second or fourth position is looked at.
// Needles of two or three bytes have a bit set of their own over pairs of bytes, and single bytes another.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "rules/sigma/hash.hpp"
#include "rules/sigma/texts.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kShortestNeedle = 1;  // bytes

class Needles {
 public:
  // Before finish(): every text that holds `needle` (kShortestNeedle bytes or more) concerns `rule`.
  void add(std::string_view needle, std::uint32_t rule) { texts_.add(needle, rule); }
  void finish();

  [[nodiscard]] bool empty() const noexcept { return texts_.empty(); }
  [[nodiscard]] std::size_t shortest() const noexcept { return shortest_; }  // bytes
  // Whether the text of a number or of a boolean could hold one of them.
  [[nodiscard]] bool in_numbers() const noexcept { return in_numbers_; }

  // Calls found(rules) for every needle that `text` holds, perhaps several times.
  template <class Found>
  void search(std::string_view text, Found&& found) const {
    if (!grams_.empty()) {
      each(grams_, text, kGram, stride_, [](const char* at) { return load_half(at); }, found);
    }
    if (!pairs_.empty()) {
      each(pairs_, text, 2, 1, [](const char* at) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(at[0])) | static_cast<std::uint32_t>(static_cast<unsigned char>(at[1])) << 8;
      }, found);
    }
    if (!bytes_.empty()) {
      each(bytes_, text, 1, 1, [](const char* at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(*at)); }, found);
    }
  }

 private:
  static constexpr std::size_t kGram = 4;

  struct Place {
    std::uint32_t needle = 0;
    std::uint32_t offset = 0;  // of the piece in the needle
  };
  struct Slot {
    std::uint32_t piece = 0;
    std::uint32_t first = 0;  // in places
    std::uint32_t count = 0;  // 0: empty
  };
  struct Pieces {
    std::vector<std::uint64_t> bits;
    int shift = 0;
    std::vector<Slot> slots;
    std::vector<Place> places;
    [[nodiscard]] bool empty() const noexcept { return places.empty(); }
    [[nodiscard]] std::uint32_t spread(std::uint32_t piece) const noexcept { return piece * 0x9E3779B1U >> shift; }
  };
  struct Chosen {
    std::uint32_t piece = 0;
    Place place;
  };
  static void fill(Pieces& pieces, std::vector<Chosen>& chosen);

  template <class Load, class Found>
  void each(const Pieces& pieces, std::string_view text, std::size_t size, std::size_t stride, Load load, Found& found) const {
    if (text.size() < size) return;
    const std::uint64_t* const bits = pieces.bits.data();
    const auto wanted = [&](std::uint32_t piece) {
      const std::uint32_t bit = pieces.spread(piece);
      return bits[bit >> 6] >> (bit & 63);
    };
    const std::size_t last = text.size() - size;
    const char* const begin = text.data();
    std::size_t i = 0;
    for (; i + 3 * stride <= last; i += 4 * stride) {  // one branch for four positions
      const std::uint32_t a = load(begin + i), b = load(begin + i + stride), c = load(begin + i + 2 * stride), d = load(begin + i + 3 * stride);
      const std::uint64_t wa = wanted(a), wb = wanted(b), wc = wanted(c), wd = wanted(d);
      if (((wa | wb | wc | wd) & 1U) == 0) continue;
      if ((wa & 1U) != 0) compare(pieces, a, text, i, found);
      if ((wb & 1U) != 0) compare(pieces, b, text, i + stride, found);
      if ((wc & 1U) != 0) compare(pieces, c, text, i + 2 * stride, found);
      if ((wd & 1U) != 0) compare(pieces, d, text, i + 3 * stride, found);
    }
    for (; i <= last; i += stride) {
      const std::uint32_t a = load(begin + i);
      if ((wanted(a) & 1U) != 0) compare(pieces, a, text, i, found);
    }
  }
  template <class Found>
  void compare(const Pieces& pieces, std::uint32_t piece, std::string_view text, std::size_t at, Found& found) const {
    const Slot* const slots = pieces.slots.data();
    const std::size_t mask = pieces.slots.size() - 1;
    for (std::size_t s = (piece * kHashOdd >> 32) & mask; slots[s].count != 0; s = (s + 1) & mask) {
      if (slots[s].piece != piece) continue;
      for (std::uint32_t p = slots[s].first; p < slots[s].first + slots[s].count; ++p) {
        const Place& place = pieces.places.data()[p];
        const std::string_view needle = texts_.of(place.needle);
        if (at < place.offset || text.size() - (at - place.offset) < needle.size()) continue;
        if (std::memcmp(text.data() + at - place.offset, needle.data(), needle.size()) == 0) found(texts_.rules(place.needle));
      }
      return;
    }
  }

  IndexedTexts texts_;
  Pieces grams_;
  Pieces pairs_;
  Pieces bytes_;
  std::size_t stride_ = 1;  // of the positions that are looked at for grams
  std::size_t shortest_ = 0;
  bool in_numbers_ = false;
};

}  // namespace tocsin::rules::sigma
