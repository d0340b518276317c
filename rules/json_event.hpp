// JSON text as an event's value tree. The parser is simdjson; the tree is ours (rules/event.hpp), so that
// rules, decoders and detectors never see the parser.
#pragma once

#include <string_view>

#include "rules/base/result.hpp"
#include "rules/event.hpp"

namespace tocsin::rules {

inline constexpr std::size_t kMaxJsonDepth = 64;                    // nested arrays and objects
inline constexpr std::size_t kMaxJsonBytes = 1024UL * 1024 * 1024;  // of one document

// Parses one JSON document (RFC 8259, valid UTF-8). Everything the result shows lives in `arena`; `text` may go
// away. Integers that fit 64 bits with a sign stay exact, other numbers become double. Members keep their order,
// repeated names included. Errors: kInvalid (not JSON; nothing may follow the document), kTooLarge (depth or size);
// the message names the reason, never the content. Thread-safe: each thread has a parser of its own, which keeps
// its buffers between calls as long as documents are small.
[[nodiscard]] Result<Value> parse_json(std::string_view text, Arena& arena);

}  // namespace tocsin::rules
