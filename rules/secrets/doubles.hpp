// Where secrets were found, to be asked whether another finding lies there too. Kept by each thread between records.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::rules::secrets {

// Ranges that can be asked quickly whether they overlap or cover another one. Asked after close().
class Spans {
 public:
  void clear() {
    spans_.clear();
    furthest_.clear();
  }
  void add(std::size_t start, std::size_t end) { spans_.emplace_back(start, end); }
  void close() {
    if (!std::is_sorted(spans_.begin(), spans_.end())) std::sort(spans_.begin(), spans_.end());
    std::size_t furthest = 0;
    for (const auto& span : spans_) furthest_.push_back(furthest = std::max(furthest, span.second));
  }
  bool overlaps(std::size_t start, std::size_t end) const {
    const auto behind = std::lower_bound(spans_.begin(), spans_.end(), std::pair(end, std::size_t{0}));
    return behind != spans_.begin() && furthest_[static_cast<std::size_t>(behind - spans_.begin()) - 1] > start;
  }
  bool covers(std::size_t start, std::size_t end) const {
    const auto behind = std::upper_bound(spans_.begin(), spans_.end(), std::pair(start, std::numeric_limits<std::size_t>::max()));
    return behind != spans_.begin() && furthest_[static_cast<std::size_t>(behind - spans_.begin()) - 1] >= end;
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> spans_;
  std::vector<std::size_t> furthest_;  // end among the spans up to here
};

// The secrets that specific rules found, by line. Asked after close().
class Specific {
 public:
  static constexpr std::size_t kMaxCompared = 1000;  // secrets of one line; further ones are not compared
  Spans spans;

  void clear() {
    spans.clear();
    secrets_.clear();
  }
  void add(std::size_t start, std::size_t end, std::size_t line_start, std::string_view secret) {
    spans.add(start, end);
    secrets_.emplace_back(line_start, secret);
  }
  void close() {
    spans.close();
    std::sort(secrets_.begin(), secrets_.end());
    secrets_.erase(std::unique(secrets_.begin(), secrets_.end()), secrets_.end());
  }
  // One of that line contains this one.
  bool holds(std::size_t line_start, std::string_view secret) const {
    if (std::binary_search(secrets_.begin(), secrets_.end(), std::pair(line_start, secret))) return true;
    auto it = std::lower_bound(secrets_.begin(), secrets_.end(), std::pair(line_start, std::string_view()));
    for (std::size_t n = 0; it != secrets_.end() && it->first == line_start && n < kMaxCompared; ++it, ++n) {
      if (it->second.find(secret) != std::string_view::npos) return true;
    }
    return false;
  }

 private:
  std::vector<std::pair<std::size_t, std::string_view>> secrets_;
};

}  // namespace tocsin::rules::secrets
