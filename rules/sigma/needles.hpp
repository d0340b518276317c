// Many texts sought at once in one text, by Vectorscan. Used for the witnesses of one field: which of the needles
// does its value hold?
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/evaluate.hpp"

struct hs_database;

namespace tocsin::rules::sigma {

class Needles {
 public:
  // Before finish(): every text that holds `needle` (not empty) concerns `rule`.
  void add(const std::string& needle, std::uint32_t rule) { building_[needle].push_back(rule); }
  // `number` tells the databases of one engine apart. If Vectorscan refuses (a machine without its instructions),
  // the needles are sought one by one.
  void finish(std::uint32_t number);

  [[nodiscard]] bool empty() const noexcept { return needles_.empty(); }
  // Fills scratch.found with the numbers of needles that `text` holds, some perhaps several times.
  void search(std::string_view text, Scratch& scratch) const;
  [[nodiscard]] std::span<const std::uint32_t> rules_of(std::uint32_t needle) const noexcept { return rules_[needle]; }

 private:
  struct DatabaseDelete {
    void operator()(hs_database* database) const noexcept;
  };
  [[nodiscard]] bool prepare(Scratch& scratch) const;

  std::map<std::string, std::vector<std::uint32_t>> building_;
  std::vector<std::string> needles_;
  std::vector<std::vector<std::uint32_t>> rules_;
  std::unique_ptr<hs_database, DatabaseDelete> database_;
  std::uint32_t number_ = 0;
};

}  // namespace tocsin::rules::sigma
