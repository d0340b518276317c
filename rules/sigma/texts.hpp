// Many texts, each once, and for each the rules that it concerns: what the indexes of texts have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::rules::sigma {

class IndexedTexts {
 public:
  // Before finish().
  void add(std::string_view text, std::uint32_t rule) { building_.emplace_back(std::string(text), rule); }
  void finish() {
    std::sort(building_.begin(), building_.end());
    building_.erase(std::unique(building_.begin(), building_.end()), building_.end());
    for (auto& [text, rule] : building_) {
      if (entries_.empty() || of(static_cast<std::uint32_t>(entries_.size() - 1)) != text) {
        entries_.push_back({static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(text.size()),
                            static_cast<std::uint32_t>(rules_.size()), 0});
        bytes_ += text;
      }
      rules_.push_back(rule);
      ++entries_.back().rules;
    }
    std::vector<std::pair<std::string, std::uint32_t>>().swap(building_);
    bytes_.shrink_to_fit();
    entries_.shrink_to_fit();
    rules_.shrink_to_fit();
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(entries_.size()); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::string_view of(std::uint32_t text) const noexcept {
    const Entry& entry = entries_.data()[text];
    return {bytes_.data() + entry.at, entry.size};
  }
  [[nodiscard]] std::span<const std::uint32_t> rules(std::uint32_t text) const noexcept {
    const Entry& entry = entries_.data()[text];
    return {rules_.data() + entry.first, entry.rules};
  }

 private:
  struct Entry {
    std::uint32_t at, size;      // in bytes_
    std::uint32_t first, rules;  // in rules_
  };
  std::vector<std::pair<std::string, std::uint32_t>> building_;
  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> rules_;
};

}  // namespace tocsin::rules::sigma
