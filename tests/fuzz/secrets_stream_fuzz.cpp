// Any bytes as a stream, cut as its first bytes say: the same findings as in one piece, and as fragments no harm.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "rules/secrets/fragments.hpp"
#include "rules/secrets/stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::rules::secrets;
  static const Scanner scanner = Scanner::load({}, Options{}).value().scanner;
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto run = [&](std::size_t step, auto stream_of) {
    std::vector<std::string> found;
    auto stream = stream_of([&](const Stream::Line& line) {
      for (const auto& hit : line.hits) {
        if (hit.start >= hit.end || line.offset + hit.end > text.size()) std::abort();
        found.push_back(std::to_string(line.number) + " " + std::to_string(line.offset + hit.start) + " " + std::to_string(hit.end) + " " + std::string(hit.rule));
      }
    });
    for (std::size_t at = 0; at < text.size(); at += step) stream.feed(text.substr(at, step));
    stream.finish();
    return found;
  };
  const auto lines = [&](const Stream::Sink& sink) { return Stream(scanner, Scanner::Place{}, false, sink); };
  const auto fragments = [&](const Stream::Sink& sink) { return Fragments(scanner, Scanner::Place{}, false, sink); };
  const std::size_t step = 1 + data[0] * data[0] % 5000U;
  if (run(step, lines) != run(text.size() + 1, lines)) std::abort();
  if (run(step, fragments) != run(text.size() + 1, fragments)) std::abort();
  return 0;
}
