// Where a card number or an IBAN may begin, 64 bytes at a time: most bytes of a log are looked at here and nowhere else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

// One bit per byte of a block.
struct DigitMasks {
  std::uint64_t digits = 0, capitals = 0;
};

// Starts of runs of digits that are 13 or more long; or are four, followed by one byte and three digits more; or are
// two or more behind two capital letters. Says yes too often, never no too often.
class DigitRuns {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  explicit DigitRuns(std::string_view text);
  [[nodiscard]] std::size_t next();  // ascending; kNone = no more

 private:
  static constexpr std::size_t kAhead = 32;  // blocks

  void advance();
  void fill(std::size_t block);

  std::string_view text_;
  std::array<DigitMasks, kAhead> ahead_;  // of the blocks from ahead_from_ up to ahead_until_; those behind the text are empty
  std::size_t ahead_from_ = 0, ahead_until_ = 0;
  std::size_t block_ = 0;      // the next one to become current
  std::uint64_t carried_digit_ = 0;     // 1 if the byte before the current block is a digit
  std::uint64_t carried_capitals_ = 0;  // capitals among the two bytes before it, in bits 62 and 63
  std::uint64_t found_ = 0;    // starts in the current block
  std::size_t base_ = 0;       // offset of the current block
};

// The ways to make the masks of whole blocks on this machine, plainest first; DigitRuns takes the last.
using DigitMaker = void (*)(const char* bytes, std::size_t blocks, DigitMasks* out);
[[nodiscard]] std::span<const DigitMaker> digit_makers();

// Appends where a byte stands in the text, which is shorter than 4 GiB.
void find_bytes(std::string_view text, char byte, std::vector<std::uint32_t>& out);

// How often a byte stands in the text.
[[nodiscard]] std::size_t count_byte(std::string_view text, char byte) noexcept;

}  // namespace tocsin::rules::secrets
