#include "tests/oracle/json_oracle.hpp"

#include <simdjson.h>

#include "rules/event.hpp"
#include "rules/json_event.hpp"

namespace tocsin::rules {
namespace {

namespace dom = simdjson::dom;

Value build(const dom::element& element, Arena& arena) {
  switch (element.type()) {
    case dom::element_type::STRING: return Value::of(std::string_view(element.get_string().value_unsafe()));
    case dom::element_type::INT64: return Value::of(element.get_int64().value_unsafe());
    case dom::element_type::UINT64: return Value::of(static_cast<double>(element.get_uint64().value_unsafe()));
    case dom::element_type::DOUBLE: return Value::of(element.get_double().value_unsafe());
    case dom::element_type::BOOL: return Value::of(element.get_bool().value_unsafe());
    case dom::element_type::NULL_VALUE: return Value::null();
    case dom::element_type::ARRAY: {
      std::vector<Value> items;
      const dom::array array = element.get_array().value_unsafe();  // a name, for the loop to outlive the result
      for (const dom::element item : array) items.push_back(build(item, arena));
      const auto kept = arena.make<Value>(items.size());
      std::copy(items.begin(), items.end(), kept.begin());
      return Value::array(kept);
    }
    case dom::element_type::OBJECT: {
      std::vector<Field> fields;
      const dom::object object = element.get_object().value_unsafe();
      for (const dom::key_value_pair pair : object) fields.push_back({pair.key, build(pair.value, arena)});
      const auto kept = arena.make<Field>(fields.size());
      std::copy(fields.begin(), fields.end(), kept.begin());
      return Value::object(kept);
    }
  }
  return Value::null();
}

}  // namespace

JsonVerdict oracle_json(std::string_view text) {
  dom::parser parser;
  JsonVerdict verdict;
  simdjson::error_code error = parser.allocate(std::max<std::size_t>(text.size(), 64), kMaxJsonDepth);
  dom::element root;
  if (error == simdjson::SUCCESS) error = parser.parse(simdjson::padded_string(text)).get(root);
  if (error == simdjson::SUCCESS) {
    Arena arena;
    verdict.text.emplace();
    write_json(build(root, arena), *verdict.text);
    return verdict;
  }
  verdict.code = error == simdjson::DEPTH_ERROR ? Errc::kTooLarge : Errc::kInvalid;
  return verdict;
}

}  // namespace tocsin::rules
