// Walking to a field, and from there to its members.
#include "rules/sigma/correlation_field.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/correlation_hash.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr int kMaxDepth = 64;

class Collector {
 public:
  Collector(Arena& arena, std::vector<std::string_view>& out) : arena_(arena), out_(out), limit_(out.size() + FieldPath::kMaxValues) {}

  void walk(const Value& value, const std::vector<std::string>& path, std::size_t at, int depth) {
    if (at == path.size()) return found(value, depth);
    if (depth >= kMaxDepth) return;
    if (value.kind() == Kind::kArray) {
      for (const Value& item : value.items()) walk(item, path, at, depth + 1);
    } else if (value.kind() == Kind::kObject) {
      const Value next = value.get(path[at]);
      if (next.present()) walk(next, path, at + 1, depth + 1);
    }
  }

  // The value at the end of the way: itself, or in a list of {"name": …, "value": …} the one of that name.
  void found(const Value& value, int depth) {
    if (member.empty()) {
      there = true;
      return add(value, depth);
    }
    if (value.kind() == Kind::kArray) {
      if (depth >= kMaxDepth) return;
      for (const Value& item : value.items()) found(item, depth + 1);
      return;
    }
    const Value key = value.get("name");
    const Value held = value.get("value");
    if (!held.present() || key.kind() != Kind::kString || key.as_string() != member) return;
    there = true;
    add(held, depth);
  }

  std::string_view member;
  bool there = false;  // even if what is there is null

  void add(const Value& value, int depth) {
    switch (value.kind()) {
      case Kind::kAbsent:
      case Kind::kNull: return;
      case Kind::kString: return text(value.as_string());
      case Kind::kArray:
        if (depth >= kMaxDepth) return;
        for (const Value& item : value.items()) add(item, depth + 1);
        return;
      case Kind::kObject: {
        std::string json;
        write_json(value, json);
        return text(arena_.copy(json));
      }
      default: {
        std::array<char, 32> buffer{};
        return text(arena_.copy(scalar_text(value, buffer)));
      }
    }
  }
  [[nodiscard]] bool complete() const noexcept { return complete_; }

 private:
  void text(std::string_view shown) {
    if (out_.size() >= limit_) {
      complete_ = false;
      return;
    }
    if (shown.size() > FieldPath::kMaxText) {
      std::array<char, 24> tail{};
      std::snprintf(tail.data(), tail.size(), "#%016llx", static_cast<unsigned long long>(hash_of(shown, 0)));
      std::size_t cut = FieldPath::kMaxText - 17;
      while (cut > 0 && (static_cast<unsigned char>(shown[cut]) & 0xC0) == 0x80) --cut;
      shown = arena_.copy(std::string(shown.substr(0, cut)) + tail.data());
    }
    out_.push_back(shown);
  }

  Arena& arena_;
  std::vector<std::string_view>& out_;
  std::size_t limit_;
  bool complete_ = true;
};

}  // namespace

FieldPath::FieldPath(std::string name) : FieldPath(name, {Place{name, {}}}) {}

FieldPath::FieldPath(std::string name, const std::vector<Place>& places) : name_(std::move(name)) {
  for (const Place& place : places) {
    Step step;
    step.literal = place.name;
    for (const std::string_view part : split(step.literal, '.')) step.path.emplace_back(part);
    step.member = place.member;
    steps_.push_back(std::move(step));
  }
}

bool FieldPath::collect(const Value& root, Arena& arena, std::vector<std::string_view>& out) const {
  if (root.kind() != Kind::kObject) return true;
  Collector collector(arena, out);
  for (const Step& step : steps_) {
    collector.member = step.member;
    const Value literal = root.get(step.literal);
    if (literal.present()) collector.found(literal, 0);
    else if (step.path.size() > 1) collector.walk(root, step.path, 0, 0);
    if (collector.there) break;
  }
  return collector.complete();
}

}  // namespace tocsin::rules::sigma
