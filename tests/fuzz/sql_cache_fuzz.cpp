// The cache by shape against reading afresh: each line of the input is a statement, read after those before it and after
// a near relative of itself, in both languages. Also the lexers and the rewriting of MySQL's SQL on any bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/sql/mysql.hpp"
#include "engine/sql/reading.hpp"

namespace {

using namespace tocsin::engine;

void postgres(std::string_view text) {
  const auto cached = sql::read(text);
  const auto fresh = sql::read_afresh(text);
  if (cached.has_value() != fresh.has_value()) std::abort();
  if (fresh && !(**cached == *fresh)) std::abort();
}

void mysql(std::string_view text) {
  const auto cached = sql::read_mysql(text), fresh = sql::read_mysql_afresh(text);
  if (cached->kind != fresh->kind || cached->target != fresh->target || cached->relations != fresh->relations) std::abort();
  if ((cached->reading == nullptr) != (fresh->reading == nullptr)) std::abort();
  if (fresh->reading && !(*cached->reading == *fresh->reading)) std::abort();
}

// The same with other digits and letters in its strings, which often is of the same shape.
std::string relative(std::string_view text) {
  std::string out(text);
  bool quoted = false;
  for (char& c : out) {
    if (c == '\'') quoted = !quoted;
    else if (c >= '0' && c < '9') ++c;
    else if (quoted && c >= 'a' && c < 'z') ++c;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view all(reinterpret_cast<const char*>(data), size);
  while (!all.empty()) {
    const std::size_t end = std::min(all.find('\x1e'), all.size());  // strings may hold line ends
    const std::string_view text = all.substr(0, end);
    all.remove_prefix(std::min(end + 1, all.size()));
    const std::string other = relative(text);
    postgres(other);
    postgres(text);
    postgres(other);
    mysql(other);
    mysql(text);
    mysql(other);
  }
  return 0;
}
