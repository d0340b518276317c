// Choosing the piece that stands for a needle: the one that the fewest other needles and ordinary texts hold.
#include "rules/sigma/needles.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "rules/sigma/ordinary.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kBitsPerPiece = 64;   // so few positions pass by chance
constexpr std::size_t kFewestBits = 4096;
constexpr std::size_t kMostBits = 1U << 22;  // 512 KiB

// How often pieces occur, coarsely: pieces that share a counter only spoil a choice.
class Counts {
 public:
  void count(std::string_view text, std::uint32_t weight) {
    for (std::size_t i = 0; i + 4 <= text.size(); ++i) at(load_half(text.data() + i)) += weight;
  }
  [[nodiscard]] std::uint32_t& at(std::uint32_t piece) { return counts_[piece * 0x9E3779B1U >> 16]; }

 private:
  std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(1U << 16);
};

}  // namespace

void Needles::finish() {
  texts_.finish();
  Counts counts;
  bool longer = false;
  for (std::uint32_t n = 0; n < texts_.size(); ++n) {
    longer = longer || texts_.of(n).size() >= kGram;
    counts.count(texts_.of(n), 1);
  }
  if (longer) {
    constexpr std::uint32_t kOrdinary = 64;  // one ordinary text weighs as much as so many needles
    for (const std::string_view text : ordinary_texts()) counts.count(text, kOrdinary);
  }
  std::vector<Chosen> grams;
  std::vector<Chosen> pairs;
  for (std::uint32_t n = 0; n < texts_.size(); ++n) {
    const std::string_view needle = texts_.of(n);
    if (needle.size() < kGram) {
      pairs.push_back({static_cast<std::uint32_t>(static_cast<unsigned char>(needle[0])) | static_cast<std::uint32_t>(static_cast<unsigned char>(needle[1])) << 8,
                       Place{n, 0}});
      continue;
    }
    std::uint32_t best = 0;
    for (std::uint32_t i = 1; i + kGram <= needle.size(); ++i) {
      if (counts.at(load_half(needle.data() + i)) < counts.at(load_half(needle.data() + best))) best = i;
    }
    grams.push_back({load_half(needle.data() + best), Place{n, best}});
  }
  fill(grams_, grams);
  fill(pairs_, pairs);
}

void Needles::fill(Pieces& pieces, std::vector<Chosen>& chosen) {
  if (chosen.empty()) return;
  std::stable_sort(chosen.begin(), chosen.end(), [](const Chosen& a, const Chosen& b) { return a.piece < b.piece; });
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) distinct += i == 0 || chosen[i].piece != chosen[i - 1].piece ? 1U : 0U;
  const std::size_t bits = std::clamp(std::bit_ceil(distinct * kBitsPerPiece), kFewestBits, kMostBits);
  pieces.shift = 32 - std::countr_zero(bits);
  pieces.bits.assign(bits / 64, 0);
  pieces.slots.assign(std::bit_ceil(distinct * 2), Slot{});
  const std::size_t mask = pieces.slots.size() - 1;
  for (std::size_t i = 0; i < chosen.size();) {
    const std::uint32_t piece = chosen[i].piece;
    Slot slot{piece, static_cast<std::uint32_t>(pieces.places.size()), 0};
    for (; i < chosen.size() && chosen[i].piece == piece; ++i) pieces.places.push_back(chosen[i].place);
    slot.count = static_cast<std::uint32_t>(pieces.places.size()) - slot.first;
    std::size_t at = (piece * kHashOdd >> 32) & mask;
    while (pieces.slots[at].count != 0) at = (at + 1) & mask;
    pieces.slots[at] = slot;
    const std::uint32_t bit = pieces.spread(piece);
    pieces.bits[bit >> 6] |= std::uint64_t{1} << (bit & 63);
  }
}

}  // namespace tocsin::rules::sigma
