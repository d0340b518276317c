// Random Sigma rules and filters, mutations of given rules, and events that nearly match them. The vocabulary of what is
// made from nothing is small on purpose, so that accidents happen.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

// A JSON value that is being made.
struct Json {
  std::string raw = "null";        // where it is neither object nor array
  std::vector<std::string> names;  // of an object's members, whose values are the items
  std::vector<Json> items;
  bool object = false;
  bool array = false;
  void add(std::string name, Json value) {
    object = true;
    names.push_back(std::move(name));
    items.push_back(std::move(value));
  }
  [[nodiscard]] static Json of(std::string raw) {
    Json value;
    value.raw = std::move(raw);
    return value;
  }
  [[nodiscard]] std::string text() const;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // The YAML text of one rule. Nearly all load.
  [[nodiscard]] std::string rule();
  // The YAML text of a filter that reaches some of them.
  [[nodiscard]] std::string filter();
  // `rule` with a few changes: modifiers, values and fields of its own and of `other`, a changed condition. May not load.
  [[nodiscard]] Rule mutated(const Rule& rule, const Rule& other);
  // The JSON text of an event made to satisfy the condition of `rule`, with its fields and values, some of them spoilt.
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
  [[nodiscard]] std::string value_for(const std::vector<const Item*>& items);
  [[nodiscard]] std::string value_for(const Item& item);
  [[nodiscard]] std::string text_for(const Item& item, const Scalar& value);
  [[nodiscard]] std::string text_for_regex(std::string_view pattern);
  void mutate(Item& item, const Item& other);
  // The leaves that must hold for the condition to have that truth, or so.
  void collect(const Condition& condition, const std::vector<Selection>& selections, bool truth, std::vector<const Detection*>& out);
  void collect(const Detection& detection, bool truth, std::vector<const Detection*>& out);
  [[nodiscard]] Json object_near(const Rule& rule, const Condition& condition, const std::vector<Selection>& selections, bool truth, bool element);
  [[nodiscard]] Json array_near(const Rule& rule, const Block& block);
  [[nodiscard]] std::vector<Step> place_of(const Rule& rule, const std::string& field, bool element, std::string& member);
  void put(Json& at, const std::vector<Step>& steps, std::size_t next, Json value);

  std::mt19937_64 random_;
  bool arrays_ = false;    // the rule being made has sigma-version 3
  bool in_block_ = false;  // of that rule
};

}  // namespace tocsin::rules::sigma
