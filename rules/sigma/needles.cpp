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
  std::size_t shortest_gram = 0;
  for (std::uint32_t n = 0; n < texts_.size(); ++n) {
    const std::string_view needle = texts_.of(n);
    shortest_ = n == 0 ? needle.size() : std::min(shortest_, needle.size());
    if (needle.size() >= kGram) shortest_gram = shortest_gram == 0 ? needle.size() : std::min(shortest_gram, needle.size());
    in_numbers_ = in_numbers_ || needle.find_first_not_of("0123456789.+-e") == std::string_view::npos ||
                  std::string_view("true").find(needle) != std::string_view::npos || std::string_view("false").find(needle) != std::string_view::npos;
    counts.count(needle, 1);
  }
  stride_ = shortest_gram >= kGram + 3 ? 4 : shortest_gram >= kGram + 1 ? 2 : 1;
  if (shortest_gram > 0) {
    constexpr std::uint32_t kOrdinary = 64;  // one ordinary text weighs as much as so many needles
    for (const std::string_view text : ordinary_texts()) counts.count(text, kOrdinary);
  }
  std::vector<Chosen> grams;
  std::vector<Chosen> pairs;
  std::vector<Chosen> bytes;
  for (std::uint32_t n = 0; n < texts_.size(); ++n) {
    const std::string_view needle = texts_.of(n);
    if (needle.size() == 1) {
      bytes.push_back({static_cast<std::uint32_t>(static_cast<unsigned char>(needle[0])), Place{n, 0}});
      continue;
    }
    if (needle.size() < kGram) {
      pairs.push_back({static_cast<std::uint32_t>(static_cast<unsigned char>(needle[0])) | static_cast<std::uint32_t>(static_cast<unsigned char>(needle[1])) << 8,
                       Place{n, 0}});
      continue;
    }
    std::size_t best = 0;
    std::uint64_t fewest = 0;
    for (std::size_t i = 0; i + kGram + stride_ - 1 <= needle.size(); ++i) {
      std::uint64_t count = 0;
      for (std::size_t j = i; j < i + stride_; ++j) count += counts.at(load_half(needle.data() + j));
      if (i > 0 && count >= fewest) continue;
      best = i;
      fewest = count;
    }
    for (std::size_t j = best; j < best + stride_; ++j) {
      grams.push_back({load_half(needle.data() + j), Place{n, static_cast<std::uint32_t>(j)}});
    }
  }
  fill(grams_, grams);
  fill(pairs_, pairs);
  fill(bytes_, bytes);
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
