// A line longer than a window, window by window, as its bytes come in. The windows lie where the line's length and
// nothing else puts them, so that findings do not depend on how the bytes were cut.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {

class LongLine {
 public:
  // `text`: what is there of the line from offset() on; `ended`: that is all of it. Appends hits and drops (if given),
  // with offsets from the line's start, and returns how many bytes of the text are not needed any more.
  [[nodiscard]] std::size_t take(const Scanner& scanner, const Scanner::Place& place, std::string_view text, bool ended, std::vector<Hit>& hits,
                                 std::vector<Drop>* drops);

  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }  // of the next window in the line

 private:
  std::size_t offset_ = 0;
};

}  // namespace tocsin::rules::secrets
