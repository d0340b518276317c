// Framing must not depend on where the pieces end: whole, and in pieces of the size that the first byte says,
// give the same frames; and going on from any frame's end gives the rest.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/intake/framer.hpp"
#include "engine/intake/gunzip.hpp"

using namespace tocsin;
using namespace tocsin::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

struct Kept {
  std::string bytes, error;
  std::uint64_t line;
  Place end;
  bool operator==(const Kept&) const = default;
};

std::vector<Kept> frames(std::string_view text, Framing framing, std::size_t piece) {
  Framer framer(framing);
  std::vector<Kept> out;
  const auto take = [&] {
    while (auto frame = framer.next()) out.push_back({std::string(frame->bytes), frame->error, frame->line, frame->end});
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    framer.add(text.substr(at, piece));
    take();
  }
  framer.finish();
  take();
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr Framing kAll[] = {Framing::kLines, Framing::kCsvLog, Framing::kJson, Framing::kPgText};
  const Framing framing = kAll[data[0] % 4];
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (frames(text, framing, text.size() + 1) != frames(text, framing, 1 + data[1] % 16)) std::abort();
  static_cast<void>(gunzip(text, 1 << 20));
  return 0;
}
