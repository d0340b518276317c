// Random Sigma rules, and events that nearly match them. The vocabulary is small on purpose, so that accidents happen.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // The YAML text of one rule. Nearly all load.
  [[nodiscard]] std::string rule();
  // The JSON text of an event made of the fields and values of `rule`, some of them spoilt.
  [[nodiscard]] std::string event_near(const Rule& rule);
  // The JSON text of an event that has nothing to do with any rule but the vocabulary.
  [[nodiscard]] std::string event();

  [[nodiscard]] std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  [[nodiscard]] bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }

 private:
  template <class List>
  [[nodiscard]] std::string pick(const List& list) {
    return std::string(list[below(std::size(list))]);
  }
  [[nodiscard]] std::string field();
  [[nodiscard]] std::string block(const std::string& indent);
  [[nodiscard]] std::string word();
  [[nodiscard]] std::string item(const std::string& indent);
  [[nodiscard]] std::string selection();
  [[nodiscard]] std::string condition(const std::vector<std::string>& names, int depth);
  [[nodiscard]] std::string json_value(int depth);
  [[nodiscard]] std::string value_for(const Item& item);

  std::mt19937_64 random_;
  bool arrays_ = false;    // the rule being made has sigma-version 3
  bool in_block_ = false;  // of that rule
};

}  // namespace tocsin::rules::sigma
