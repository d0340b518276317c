// gzip bodies, unpacked as they arrive. A body may grow to `cap` bytes and to kMaxRatio times what was sent
// (counted from kFreeOutput on, below which no bomb hurts); nothing is unpacked beyond that.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::engine {

class Inflater {
 public:
  static constexpr std::size_t kMaxRatio = 100;
  static constexpr std::size_t kFreeOutput = 1024 * 1024;

  explicit Inflater(std::size_t cap);
  ~Inflater();
  // Unpacks `packed` to the end of `out`. kTooLarge: cap or ratio; kInvalid: not gzip, damaged, or bytes after it.
  [[nodiscard]] Result<void> add(std::string_view packed, std::string& out);
  // kInvalid if the data ended before the gzip trailer: it was cut on the way.
  [[nodiscard]] Result<void> finish() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
