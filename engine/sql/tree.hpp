// PostgreSQL's parse tree as libpg_query prints it (JSON), walked with simdjson: the few accessors that the
// compiler needs. Absent members read as empty, zero or false, which is how libpg_query writes defaults.
#pragma once

#include <cstdint>
#include <string_view>

#include <simdjson.h>

namespace tocsin::engine::sql {

// One node: an object {"SelectStmt": {…}}, a bare struct, or nothing.
class Tree {
 public:
  Tree() = default;
  explicit Tree(simdjson::dom::element element) : element_(element), there_(!element.is_null()) {}

  [[nodiscard]] explicit operator bool() const noexcept { return there_; }
  [[nodiscard]] Tree at(std::string_view key) const {
    simdjson::dom::element out;
    if (there_ && element_.is_object() && element_.at_key(key).get(out) == simdjson::SUCCESS) return Tree(out);
    return {};
  }
  // The name of a tagged node ("SelectStmt") and its content; empty if this is not an object with one member.
  [[nodiscard]] std::string_view tag() const {
    simdjson::dom::object object;
    if (!there_ || element_.get(object) != simdjson::SUCCESS || object.begin() == object.end()) return {};
    return object.begin().key();
  }
  [[nodiscard]] Tree content() const {
    simdjson::dom::object object;
    if (!there_ || element_.get(object) != simdjson::SUCCESS || object.begin() == object.end()) return {};
    return Tree(object.begin().value());
  }
  [[nodiscard]] std::string_view text(std::string_view key) const {
    std::string_view out;
    const Tree member = at(key);
    if (member.there_ && member.element_.get(out) == simdjson::SUCCESS) return out;
    return {};
  }
  [[nodiscard]] std::int64_t number(std::string_view key) const {
    std::int64_t out = 0;
    const Tree member = at(key);
    if (member.there_ && member.element_.get(out) == simdjson::SUCCESS) return out;
    return 0;
  }
  [[nodiscard]] bool flag(std::string_view key) const {
    bool out = false;
    const Tree member = at(key);
    return member.there_ && member.element_.get(out) == simdjson::SUCCESS && out;
  }
  // The string of a {"String": {"sval": …}} node.
  [[nodiscard]] std::string_view string() const { return at("String").text("sval"); }

  // Calls `each(Tree)` for the elements of the array `key`.
  template <class Each>
  void items(std::string_view key, Each&& each) const {
    simdjson::dom::array array;
    const Tree member = at(key);
    if (!member.there_ || member.element_.get(array) != simdjson::SUCCESS) return;
    for (simdjson::dom::element item : array) each(Tree(item));
  }
  [[nodiscard]] std::size_t size(std::string_view key) const {
    simdjson::dom::array array;
    const Tree member = at(key);
    if (!member.there_ || member.element_.get(array) != simdjson::SUCCESS) return 0;
    return array.size();
  }
  // Calls `each(Tree)` for every member or element that is an object or an array.
  template <class Each>
  void children(Each&& each) const {
    simdjson::dom::object object;
    simdjson::dom::array array;
    if (!there_) return;
    if (element_.get(object) == simdjson::SUCCESS) {
      for (auto field : object) {
        if (field.value.is_object() || field.value.is_array()) each(Tree(field.value));
      }
    } else if (element_.get(array) == simdjson::SUCCESS) {
      for (simdjson::dom::element item : array) {
        if (item.is_object() || item.is_array()) each(Tree(item));
      }
    }
  }

 private:
  simdjson::dom::element element_;
  bool there_ = false;
};

}  // namespace tocsin::engine::sql
