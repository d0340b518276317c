// Readings by the shapes of their texts: what one text of a shape was read as serves all others of that shape, with
// their own constants put in. Constants that are pinned must be the same, so a shape may have several variants.
//
// One thread. Its memory is bounded in shapes and in bytes; the longest unused goes first.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/sql/bind.hpp"
#include "engine/sql/shape.hpp"

namespace tocsin::engine::sql {

inline constexpr std::size_t kMaxVariants = 64;  // of one shape

// `Held` is what is kept: copied cheaply. `Bind` makes what a text gets from it: Held(const Held&, const std::vector<Literal>&).
template <class Held, class Bind>
class ShapeCache {
 public:
  ShapeCache(std::size_t max_shapes, std::size_t max_bytes, Bind bind) : max_shapes_(max_shapes), max_bytes_(max_bytes), bind_(std::move(bind)) {}

  // What a text of this shape and with these constants is; nullptr if that is not known. Valid until the next call.
  const Held* find(const Shape& shape) {
    const auto found = by_key_.find(std::string_view(shape.key));
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    Entry& entry = *found->second;
    for (Variant& v : entry.variants) {
      bool fits = true, same = true;
      for (std::size_t i = 0; i < v.literals.size(); ++i) {
        if (v.literals[i].text == shape.literals[i].text) continue;
        same = false;
        fits = fits && !entry.pinned[i];
      }
      if (!fits) continue;
      // The lines of one statement follow each other: often the constants are those of the last time.
      if (!same) {
        v.bound = bind_(v.prototype, shape.literals);
        for (std::size_t i = 0; i < v.literals.size(); ++i) {
          count(entry, 2 * shape.literals[i].text.size(), 2 * v.literals[i].text.size());
          v.literals[i].text = shape.literals[i].text;
        }
        trim();
      }
      return &v.bound;
    }
    return nullptr;
  }

  // `prototype`: its values say which constants they are. The literals of `shape` say which are seen and pinned.
  const Held& add(Shape shape, Held prototype, std::size_t bytes) {
    bytes += shape.key.size() + 2 * sizeof(Entry);
    for (const Literal& l : shape.literals) bytes += sizeof(Literal) + 2 * l.text.size();
    auto found = by_key_.find(std::string_view(shape.key));
    if (found == by_key_.end()) {
      entries_.push_front({std::move(shape.key), {}, {}, 0});
      found = by_key_.emplace(std::string_view(entries_.front().key), entries_.begin()).first;
    } else {
      entries_.splice(entries_.begin(), entries_, found->second);
    }
    Entry& entry = *found->second;
    if (pin(entry, shape.literals) || entry.variants.size() >= kMaxVariants) {  // variants no longer say enough
      count(entry, 0, entry.bytes);
      entry.variants.clear();
    }
    Held bound = bind_(prototype, shape.literals);
    entry.variants.push_back({std::move(prototype), std::move(shape.literals), std::move(bound)});
    count(entry, 2 * bytes, 0);  // the prototype and what it was bound to
    trim();
    return entry.variants.back().bound;
  }

  [[nodiscard]] std::size_t shapes() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Variant {
    Held prototype;
    std::vector<Literal> literals;  // of the text for which `bound` was made
    Held bound;
  };
  struct Entry {
    std::string key;
    std::vector<bool> pinned;  // constants whose texts must be the same
    std::vector<Variant> variants;
    std::size_t bytes = 0;
  };

  // Whether a constant is pinned now that was not before.
  static bool pin(Entry& entry, const std::vector<Literal>& literals) {
    entry.pinned.resize(literals.size());
    bool more = false;
    for (std::size_t i = 0; i < literals.size(); ++i) {
      if ((literals[i].seen && !literals[i].pinned) || entry.pinned[i]) continue;
      entry.pinned[i] = more = true;
    }
    return more;
  }

  void count(Entry& entry, std::size_t more, std::size_t less) {
    entry.bytes += more - less;
    bytes_ += more - less;
  }

  void trim() {
    while (entries_.size() > 1 && (entries_.size() > max_shapes_ || bytes_ > max_bytes_)) {
      bytes_ -= entries_.back().bytes;
      by_key_.erase(std::string_view(entries_.back().key));
      entries_.pop_back();
    }
  }

  std::size_t max_shapes_, max_bytes_;
  Bind bind_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace tocsin::engine::sql
