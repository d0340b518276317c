// Text that comes in pieces: a file being read, a socket, a pipe. Findings are the same however the bytes are cut.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/secrets/long_line.hpp"
#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {

// One stream of lines. Between calls it holds what it has not decided on yet: an unfinished line, or a private key
// whose end has not come; at most kMaxHeld bytes of text, and less than kMaxState besides. Not thread-safe; streams
// of one Scanner do not know of each other.
class Stream {
 public:
  static constexpr std::size_t kMaxHeld = Scanner::kWindow;  // four times the longest match that is always found
  static constexpr std::size_t kMaxState = 2 << 10;

  // A record in which something was found. Offsets count from the start of its line.
  struct Line {
    std::uint64_t number = 0;  // from 1
    std::uint64_t offset = 0;  // of its first byte in the stream
    std::size_t length = 0;    // of the line as far as it is known; a key block goes on over further lines
    std::string_view text;     // from its start to the last hit, while the sink runs; empty where the line came in windows
    std::vector<Hit> hits;
    std::vector<Drop> drops;   // with `explain`
  };
  using Sink = std::function<void(const Line&)>;

  // The scanner must outlive the stream. `sink` is called from feed() and finish(), in the order of the lines; a line
  // longer than a window may come in several calls.
  Stream(const Scanner& scanner, Scanner::Place place, bool explain, Sink sink);

  void feed(std::string_view bytes);
  void finish();  // the last line need not end in "\n"

  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

 private:
  std::size_t work(std::string_view text, bool last);  // returns the bytes dealt with
  std::size_t long_line(std::string_view text, bool last);

  const Scanner& scanner_;
  Scanner::Place place_;
  bool explain_;
  Sink sink_;
  std::string held_;
  std::uint64_t number_ = 1;  // of the line at which held_ begins
  std::uint64_t dealt_ = 0;   // bytes of the stream before held_
  bool in_long_line_ = false;
  LongLine windows_;
};

}  // namespace tocsin::rules::secrets
