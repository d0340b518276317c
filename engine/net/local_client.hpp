// Asks an engine that runs on the same data, over its control socket: one HTTP request, one answer.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "rules/base/result.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxLocalAnswer = 256UL << 20;  // bytes of a body
inline constexpr std::size_t kMaxLocalHead = 64UL << 10;
inline constexpr std::chrono::seconds kLocalConnect{5};

struct LocalAnswer {
  int status = 0;
  std::string body;
};

// `target` is a path with its query, percent-encoded; `body` JSON, or empty. Errors: kNotFound (there is no such socket,
// or nobody listens), kForbidden (not ours), kBusy (no answer within `within`), kCorrupt (not an HTTP answer, or too large).
[[nodiscard]] Result<LocalAnswer> ask_local(const std::filesystem::path& socket, const std::string& method, const std::string& target,
                                            const std::string& body, std::chrono::seconds within);

}  // namespace tocsin::engine
