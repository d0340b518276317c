// Numbers in few bits: varints in bytes; Rice, exponential Golomb and truncated binary codes in a bit stream (least bit
// first).
// Readers never leave their bytes: past the end they give zeros and remember that they failed.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tocsin::storage::exposure {

// How many bits hold the numbers 0 … most.
[[nodiscard]] inline unsigned bits_for(std::uint64_t most) noexcept { return static_cast<unsigned>(std::bit_width(most)); }

// The Rice parameter for `count` numbers with this sum: about log2 of 0.69 times their mean.
[[nodiscard]] inline unsigned rice_for(std::uint64_t sum, std::uint64_t count) noexcept {
  const std::uint64_t mean = count == 0 ? 0 : sum * 7 / 10 / count;
  return mean == 0 ? 0 : bits_for(mean) - 1;
}

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  void text(std::string_view value) {
    varint(value.size());
    out_.append(value);
  }

 private:
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ >= bytes_.size()) break;
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  // A varint that must not exceed `most`.
  [[nodiscard]] std::uint64_t varint(std::uint64_t most) {
    const std::uint64_t value = varint();
    if (value <= most) return value;
    failed_ = true;
    return 0;
  }
  [[nodiscard]] std::string_view text(std::uint64_t most) { return take(varint(most)); }
  [[nodiscard]] std::string_view take(std::uint64_t count) {
    if (count > left()) {
      failed_ = true;
      return {};
    }
    const std::string_view out = bytes_.substr(at_, count);
    at_ += count;
    return out;
  }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// The codes' shapes. Rice: quotient in ones, a zero, `k` bits; kEscape ones announce 32 plain bits. Exponential
// Golomb: as many ones as the number is longer than `k` bits, a zero, then its bits without the first.
inline constexpr unsigned kEscape = 24;

// The numbers 0 … n-1, all as likely: the first of them take one bit less than the others (truncated binary).
struct Below {
  explicit Below(std::uint64_t n) noexcept : bits(bits_for(n) - 1), shorts((2ULL << bits) - n) {}  // 0 < n <= 2^32
  unsigned bits;         // of the shorter ones
  std::uint64_t shorts;  // how many these are
};

class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  BitWriter(const BitWriter&) = delete;
  BitWriter& operator=(const BitWriter&) = delete;
  void bits(std::uint64_t value, unsigned count) {  // count <= 32
    held_ |= (value & ((1ULL << count) - 1)) << filled_;
    filled_ += count;
    while (filled_ >= 8) {
      out_.push_back(static_cast<char>(held_));
      held_ >>= 8;
      filled_ -= 8;
    }
  }
  void ones_then_zero(unsigned ones) { bits((1ULL << ones) - 1, ones + 1); }  // ones < 32
  void rice(std::uint32_t value, unsigned k) {
    const std::uint32_t quotient = value >> k;
    if (quotient >= kEscape) {
      bits((1ULL << kEscape) - 1, kEscape);
      bits(value, 32);
      return;
    }
    ones_then_zero(quotient);
    bits(value, k);
  }
  void golomb(std::uint32_t value, unsigned k) {
    const std::uint64_t shifted = std::uint64_t{value} + (1ULL << k);
    const auto length = static_cast<unsigned>(std::bit_width(shifted)) - 1;
    for (unsigned i = k; i < length; ++i) bits(1, 1);
    bits(0, 1);
    bits(shifted, length > 32 ? 32 : length);
  }
  void below(std::uint64_t value, const Below& range) {
    if (value < range.shorts) return bits(value, range.bits);
    const std::uint64_t longer = value + range.shorts;
    bits(longer >> 1, range.bits);
    bits(longer & 1, 1);
  }
  void finish() {
    if (filled_ > 0) out_.push_back(static_cast<char>(held_));
    held_ = 0;
    filled_ = 0;
  }

 private:
  std::string& out_;
  std::uint64_t held_ = 0;
  unsigned filled_ = 0;
};

class BitReader {
 public:
  static constexpr std::size_t kPadding = 8;  // readable bytes that MUST follow `bytes` in memory
  explicit BitReader(std::string_view bytes) : data_(bytes.data()), size_(bytes.size()) {}
  [[nodiscard]] std::uint64_t bits(unsigned count) {  // count <= 32
    const std::uint64_t value = peek() & ((1ULL << count) - 1);
    at_ += count;
    return value;
  }
  [[nodiscard]] std::uint32_t rice(unsigned k) {
    const std::uint64_t word = peek();
    const auto ones = static_cast<unsigned>(std::countr_one(word));
    if (ones >= kEscape) {
      at_ += kEscape;
      return static_cast<std::uint32_t>(bits(32));
    }
    if (ones + 1 + k <= 56) {
      at_ += ones + 1 + k;
      return static_cast<std::uint32_t>((std::uint64_t{ones} << k) | ((word >> (ones + 1)) & ((1ULL << k) - 1)));
    }
    at_ += ones + 1;
    return static_cast<std::uint32_t>((std::uint64_t{ones} << k) | bits(k));
  }
  [[nodiscard]] std::uint32_t golomb(unsigned k) {
    const auto ones = static_cast<unsigned>(std::countr_one(peek()));
    at_ += ones + 1;
    const unsigned length = k + ones;
    if (length > 32) {
      at_ = size_ * 8 + 1;
      return 0;
    }
    const std::uint64_t low = bits(length);
    return static_cast<std::uint32_t>(low + (1ULL << length) - (1ULL << k));
  }
  [[nodiscard]] std::uint64_t below(const Below& range) {
    const std::uint64_t word = peek(), value = word & ((1ULL << range.bits) - 1);
    at_ += range.bits;
    if (value < range.shorts) return value;
    ++at_;
    return ((value << 1) | (word >> range.bits & 1)) - range.shorts;
  }
  [[nodiscard]] bool failed() const noexcept { return at_ > size_ * 8; }

 private:
  [[nodiscard]] std::uint64_t peek() const {
    const std::size_t byte = at_ >> 3;
    if (byte >= size_) return 0;
    std::uint64_t word;
    std::memcpy(&word, data_ + byte, 8);
    return word >> (at_ & 7);
  }
  const char* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

}  // namespace tocsin::storage::exposure
