// A vocabulary from strangers and a text to count by it: an error, or a count between one and the bytes of the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/base/text.hpp"
#include "rules/secrets/token_measure.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tocsin::rules::secrets::TokenMeasure;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // vocabulary, NUL, words, NUL, text
  const std::size_t first = std::min(input.find('\0'), size);
  const std::size_t second = std::min(input.find('\0', std::min(first + 1, size)), size);
  const std::string_view words = input.substr(std::min(first + 1, size), second - std::min(first + 1, second));
  const std::string_view text = input.substr(std::min(second + 1, size));
  const auto read = TokenMeasure::read(input.substr(0, first), words);
  if (!read) return 0;
  const std::size_t count = read->count(text);
  if ((count == 0) != text.empty() || count > tocsin::to_utf8(text).size()) std::abort();
  if (read->has_word(text, 5) && !read->has_word(text, 4)) std::abort();
  (void)read->fails_efficiency(text);
  return 0;
}
