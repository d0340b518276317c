// Reads gzip (RFC 1952) as a stream, with limits against a small file that unpacks without end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::engine {

struct GzipLimits {
  std::uint64_t max_bytes = 64ULL << 30;  // unpacked, in all
  std::uint64_t max_ratio = 1000;         // unpacked : packed, counted once more than 16 MiB are unpacked
};

[[nodiscard]] inline bool looks_like_gzip(std::string_view bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

// Several members one after the other are one stream, as gzip(1) has it. Not thread-safe.
class Gunzip {
 public:
  explicit Gunzip(GzipLimits limits = {});
  ~Gunzip();
  Gunzip(Gunzip&&) noexcept;
  Gunzip& operator=(Gunzip&&) noexcept;

  // Unpacks `packed` and appends to `out`, all of it. What was unpacked before an error is in `out`.
  // kCorrupt: the data is damaged; kTooLarge: a limit is exceeded (feed pieces of at most 64 KiB, so that `out`
  // stays small). Both name the byte of the packed stream.
  [[nodiscard]] Result<void> add(std::string_view packed, std::string& out);

  // The packed stream has ended. kCorrupt if that is in the middle of a member.
  [[nodiscard]] Result<void> finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A whole body at once: at most `max_bytes` unpacked.
[[nodiscard]] Result<std::string> gunzip(std::string_view packed, std::uint64_t max_bytes);

}  // namespace tocsin::engine
