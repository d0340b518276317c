// The strict gate on a request's raw header block, before any parser sees it (RFC 9112; reliability.md section 8).
// Whatever a proxy in front might read differently is refused: parsers unfold, merge and trim, so a check after
// parsing comes too late. Pure functions, no sockets; fuzzed by tests/fuzz/http_gate_fuzz.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <tl/expected.hpp>

namespace tocsin::engine {

inline constexpr std::size_t kMaxHead = 16 * 1024;  // bytes, with the empty line
inline constexpr std::size_t kMaxFields = 100;

// Why a request was refused; each has a stable name for counters.
enum class Violation : std::uint8_t {
  kControlByte,      // NUL, bare CR, bare LF or another control character
  kRequestLine,      // not METHOD SP /target SP HTTP/1.x
  kVersion,          // not HTTP/1.0 or HTTP/1.1
  kFieldName,        // empty, not a token, or a blank before the colon
  kFolded,           // a continuation line
  kTooManyFields,
  kHost,             // none, two, or not a host name
  kContentLength,    // two, a list, a sign, more than 19 digits
  kTransferEncoding, // two, not exactly "chunked", or in HTTP/1.0
  kBothLengths,      // Content-Length and Transfer-Encoding
  kRepeatedField,    // a field that has one value was given twice
  kChunk,            // a chunk size, end or trailer that is not strictly as it must be
  kHeadTooLarge,
};
[[nodiscard]] std::string_view name(Violation violation) noexcept;

// How the body follows, as the gate read it; nothing else may decide this.
struct MessageFraming {
  bool http_1_1 = false;
  bool keep_alive = false;
  bool chunked = false;
  std::uint64_t length = 0;  // of the body; 0 if chunked
  bool expects_continue = false;
  [[nodiscard]] bool has_body() const noexcept { return chunked || length > 0; }
};

// Checks a whole header block, from the request line to the empty line inclusive.
[[nodiscard]] tl::expected<MessageFraming, Violation> gate(std::string_view head) noexcept;

// Looks for the end of the header block in what has arrived. `checked` bytes need not be looked at again and
// is moved on. Returns the length of the block with its empty line, nullopt if more bytes are needed, or the
// violation that is already certain (so that a head with bare LFs does not wait for its time-out).
[[nodiscard]] tl::expected<std::optional<std::size_t>, Violation> find_head(std::string_view arrived,
                                                                            std::size_t& checked) noexcept;

// Takes the framing off a body, byte by byte as it arrives: Content-Length or chunked, as strict as the gate.
// Chunk extensions and trailers are refused: no shipper needs them.
class BodyFraming {
 public:
  static constexpr std::size_t kMaxSizeDigits = 16;
  explicit BodyFraming(const MessageFraming& framing) noexcept;
  struct Step {
    std::size_t used = 0;    // bytes taken from the input, framing included
    std::string_view data;   // body bytes among them (inside the input)
  };
  // Takes a first part of `input`; call again until it is used up or done(). `used` > 0 unless done() or the input
  // is empty.
  [[nodiscard]] tl::expected<Step, Violation> take(std::string_view input) noexcept;
  [[nodiscard]] bool done() const noexcept { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t { kData, kSize, kSizeEnd, kChunkEnd, kChunkEndLf, kLast, kLastLf, kDone };
  bool chunked_;
  State state_;
  std::uint64_t left_ = 0;
  std::size_t digits_ = 0;
};

}  // namespace tocsin::engine
