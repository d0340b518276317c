// Windows at multiples of one step; each keeps what begins in its own part.
#include "rules/secrets/long_line.hpp"

#include "rules/secrets/compiled.hpp"

namespace tocsin::rules::secrets {

std::size_t LongLine::take(const Scanner& scanner, const Scanner::Place& place, std::string_view text, bool ended, std::vector<Hit>& hits,
                           std::vector<Drop>* drops) {
  constexpr std::size_t kStep = Scanner::kWindow - Scanner::kOverlap;
  std::size_t at = 0;
  for (;;) {
    const std::size_t rest = text.size() - at;
    const bool whole = rest <= Scanner::kWindow;
    if (whole && !ended) return at;
    std::string_view window = text.substr(at, Scanner::kWindow);
    if (whole && window.ends_with('\r')) window.remove_suffix(1);
    const std::size_t first = offset_ == 0 ? 0 : offset_ + Scanner::kLongestMatch;
    const std::size_t last = whole ? static_cast<std::size_t>(-1) : offset_ + kStep + Scanner::kLongestMatch;
    const auto mine = [&](std::size_t start) { return first <= start && start < last; };
    std::vector<Hit> found;
    std::vector<Drop> dropped;
    scanner.compiled_->scan_piece(window, offset_, place, found, drops != nullptr ? &dropped : nullptr);
    order_hits(found, 0);
    for (auto& hit : found) {
      if (mine(hit.start)) hits.push_back(std::move(hit));
    }
    for (auto& drop : dropped) {
      if (mine(drop.start)) drops->push_back(std::move(drop));
    }
    if (whole) return text.size();
    at += kStep;
    offset_ += kStep;
  }
}

}  // namespace tocsin::rules::secrets
