// Many literals at once, without regard to ASCII case: Vectorscan behind a small face. Each thread that scans has
// its own scratch memory, kept for the life of the thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"

struct hs_database;

namespace tocsin::rules::secrets {

class Literals {
 public:
  struct Literal {
    std::string text;        // lower case, not empty
    bool first_only = true;  // report only its first end in a text
  };
  // The literal's index, and the offset just behind it.
  using Found = void (*)(void* context, std::uint32_t index, std::size_t end);

  [[nodiscard]] static Result<Literals> compile(const std::vector<Literal>& literals);
  Literals(Literals&& other) noexcept;
  Literals& operator=(Literals&& other) noexcept;
  Literals(const Literals&) = delete;
  Literals& operator=(const Literals&) = delete;
  ~Literals();

  // Calls `found` for each literal in `text` (at most 4 GiB), in order of their ends. Thread-safe.
  void scan(std::string_view text, Found found, void* context) const;

 private:
  Literals() = default;
  hs_database* database_ = nullptr;
  std::uint64_t id_ = 0;
};

}  // namespace tocsin::rules::secrets
