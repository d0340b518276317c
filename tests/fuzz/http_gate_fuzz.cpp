// Any bytes as a connection's stream: the gate and the body's framing must end in a decision that does not depend on
// how the bytes were cut into reads, and what passes must not hold what the gate forbids.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/net/gate.hpp"

namespace {

using namespace tocsin::engine;

std::string read_all(std::string_view bytes, std::size_t piece) {
  std::string trace, arrived;
  std::size_t at = 0;
  const auto feed = [&] {
    if (at >= bytes.size()) return false;
    const std::string_view next = bytes.substr(at, piece);
    arrived += next;
    at += next.size();
    return true;
  };
  for (;;) {
    std::size_t checked = 0, size = 0;
    while (size == 0) {
      const auto found = find_head(arrived, checked);
      // A head that is too large is noticed later if it comes in larger pieces; that is the only difference.
      if (!found) return trace + (found.error() == Violation::kHeadTooLarge ? "" : "!" + std::string(name(found.error())));
      if (*found) size = **found;
      else if (!feed()) return trace;
    }
    const std::string head = arrived.substr(0, size);
    const auto framing = gate(head);
    if (!framing) return trace + "!" + std::string(name(framing.error()));
    if (head.find('\0') != std::string::npos || head.size() > kMaxHead) std::abort();
    if (framing->chunked && framing->length != 0) std::abort();
    arrived.erase(0, size);
    trace += "head;";
    BodyFraming body(*framing);
    std::uint64_t length = 0;
    while (!body.done()) {
      if (arrived.empty() && !feed()) return trace;
      const auto step = body.take(arrived);
      if (!step) return trace + "!" + std::string(name(step.error()));
      if (step->used == 0 || step->used > arrived.size() || step->data.size() > step->used) std::abort();
      length += step->data.size();
      arrived.erase(0, step->used);
    }
    if (!framing->chunked && length != framing->length) std::abort();
    trace += "body " + std::to_string(length) + ";";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 60'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(gate(bytes));
  const bool may_be_too_large = size >= kMaxHead;
  const std::string whole = read_all(bytes, size + 1);
  if (!may_be_too_large && (read_all(bytes, 1) != whole || read_all(bytes, 7) != whole)) std::abort();
  return 0;
}
