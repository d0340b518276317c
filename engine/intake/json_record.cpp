// Reading value trees.
#include "engine/intake/json_record.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "rules/base/text.hpp"
#include "rules/json_event.hpp"

namespace tocsin::engine {

Result<rules::Value> parse_record(std::string_view record, rules::Arena& arena) {
  auto root = rules::parse_json(record, arena);
  if (!root && root.error().code == Errc::kInvalid && !is_utf8(record)) root = rules::parse_json(to_utf8(record), arena);
  if (root && root->kind() != rules::Kind::kObject) return fail(Errc::kInvalid, "this JSON is not an object");
  return root;
}

bool peek_members(std::string_view record, std::span<const std::string_view> names, std::span<std::string> values) {
  // simdjson's lazy parser: it only indexes the text and walks past members that are not asked for.
  thread_local simdjson::ondemand::parser parser;
  thread_local std::string padded;
  padded.assign(record);
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  simdjson::ondemand::document document;
  if (parser.iterate(padded.data(), record.size(), padded.size()).get(document) != simdjson::SUCCESS) return false;
  simdjson::ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  std::size_t found = 0;
  for (auto member : object) {
    std::string_view key;
    if (member.unescaped_key().get(key) != simdjson::SUCCESS) break;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (key != names[i] || !values[i].empty()) continue;
      simdjson::ondemand::value value;
      if (member.value().get(value) != simdjson::SUCCESS) return true;
      std::string_view text;
      std::uint64_t number = 0;
      if (value.get_string().get(text) == simdjson::SUCCESS) values[i] = text;
      else if (value.get_uint64().get(number) == simdjson::SUCCESS) values[i] = std::to_string(number);
      ++found;
      break;
    }
    if (found == names.size()) break;
  }
  return true;
}

std::optional<std::uint64_t> count_of(const rules::Value& value) noexcept {
  constexpr double kMost = 9007199254740992.0;  // 2^53: beyond it a double is not exact
  switch (value.kind()) {
    case rules::Kind::kInt:
      if (value.as_int() >= 0) return static_cast<std::uint64_t>(value.as_int());
      return std::nullopt;
    case rules::Kind::kDouble: {
      const double d = value.as_double();
      if (d >= 0 && d <= kMost && std::trunc(d) == d) return static_cast<std::uint64_t>(d);
      return std::nullopt;
    }
    case rules::Kind::kString: {
      const std::string_view text = value.as_string();
      std::uint64_t n = 0;
      const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
      if (ec == std::errc{} && end == text.data() + text.size() && !text.empty()) return n;
      return std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::string scalar_of(const rules::Value& value) {
  std::array<char, 32> buffer{};
  return std::string(rules::scalar_text(value, buffer));
}

rules::Value at_path(const rules::Value& root, std::string_view path) noexcept {
  rules::Value here = root;
  while (here.present()) {
    if (here.kind() == rules::Kind::kArray) {
      const std::size_t dot = path.find('.');
      const std::string_view part = path.substr(0, dot);
      std::size_t index = 0;
      const auto [end, ec] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (ec != std::errc{} || end != part.data() + part.size() || index >= here.items().size()) return {};
      here = here.items()[index];
      if (dot == std::string_view::npos) return here;
      path.remove_prefix(dot + 1);
      continue;
    }
    // The longest name first: "user.name" may be one member.
    if (const rules::Value whole = here.get(path); whole.present()) return whole;
    std::size_t dot = path.rfind('.');
    rules::Value inner;
    while (dot != std::string_view::npos) {
      inner = here.get(path.substr(0, dot));
      if (inner.present()) break;
      dot = dot == 0 ? std::string_view::npos : path.rfind('.', dot - 1);
    }
    if (dot == std::string_view::npos) return {};
    here = inner;
    path.remove_prefix(dot + 1);
  }
  return {};
}

}  // namespace tocsin::engine
