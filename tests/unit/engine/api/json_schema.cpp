// The document is turned into a JSON tree once; all look-ups are made there.
#include "tests/unit/engine/api/json_schema.hpp"

#include "rules/base/text.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine::test {
namespace json = boost::json;
namespace {

json::value tree_of(const YAML::Node& node) {
  if (node.IsMap()) {
    json::object out;
    for (const auto& one : node) out[one.first.as<std::string>()] = tree_of(one.second);
    return out;
  }
  if (node.IsSequence()) {
    json::array out;
    for (const auto& one : node) out.emplace_back(tree_of(one));
    return out;
  }
  return node.IsNull() ? json::value("null") : json::value(node.Scalar());
}

const json::value* member(const json::value* value, std::string_view key) {
  const auto* object = value != nullptr ? value->if_object() : nullptr;
  return object != nullptr ? object->if_contains(key) : nullptr;
}

std::string text_of_value(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

bool is_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  return false;
}

}  // namespace

OpenApi::OpenApi(const std::string& file) : document_(YAML::LoadFile(file)), tree_(tree_of(document_)) {}

const json::value& OpenApi::resolve(const json::value& node) const {
  const json::value* now = &node;
  for (int depth = 0; depth < 16; ++depth) {
    const json::value* ref = member(now, "$ref");
    if (ref == nullptr) break;
    const std::string path = text_of_value(*ref);
    now = &tree_;
    for (const std::string_view part : split(std::string_view(path).substr(2), '/')) now = member(now, part);
    if (now == nullptr) {
      static const json::value nothing;
      return nothing;
    }
  }
  return *now;
}

std::string OpenApi::check(const json::value& value, const json::value& given, const std::string& where) const {
  const json::value& schema = resolve(given);
  if (!schema.is_object()) return where + ": the schema is missing";
  if (const auto* all = member(&schema, "allOf")) {
    for (const auto& one : all->as_array()) {
      if (auto why = check(value, one, where); !why.empty()) return why;
    }
  }
  if (const auto* any = member(&schema, "anyOf")) {
    std::string first;
    bool fits = false;
    for (const auto& one : any->as_array()) {
      const std::string why = check(value, one, where);
      fits = fits || why.empty();
      if (first.empty()) first = why;
    }
    if (!fits) return first;
  }
  if (const auto* type = member(&schema, "type")) {
    bool fits = false;
    if (const auto* several = type->if_array()) {
      for (const auto& one : *several) fits = fits || is_type(value, text_of_value(one));
    } else {
      fits = is_type(value, text_of_value(*type));
    }
    if (!fits) return where + ": is not of its type: " + json::serialize(value).substr(0, 100);
  }
  if (const auto* values = member(&schema, "enum"); values != nullptr && !value.is_null()) {
    bool fits = false;
    for (const auto& one : values->as_array()) fits = fits || text_of_value(one) == text_of_value(value);
    if (!fits) return where + ": is not one of its values: " + text_of_value(value);
  }
  if (const auto* format = member(&schema, "format");
      format != nullptr && text_of_value(*format) == "date-time" && value.is_string()) {
    if (!parse_rfc3339(text_of_value(value))) return where + ": is not a time: " + text_of_value(value);
  }
  if (const auto* object = value.if_object()) {
    if (const auto* required = member(&schema, "required")) {
      for (const auto& name : required->as_array()) {
        if (!object->contains(text_of_value(name))) return where + "." + text_of_value(name) + ": is missing";
      }
    }
    if (const auto* properties = member(&schema, "properties")) {
      for (const auto& one : properties->as_object()) {
        const auto* inner = object->if_contains(one.key());
        if (inner == nullptr) continue;
        if (auto why = check(*inner, one.value(), where + "." + std::string(one.key())); !why.empty()) return why;
      }
    }
  }
  if (const auto* array = value.if_array()) {
    if (const auto* items = member(&schema, "items")) {
      std::size_t index = 0;
      for (const auto& element : *array) {
        if (auto why = check(element, *items, where + "[" + std::to_string(index++) + "]"); !why.empty()) return why;
      }
    }
  }
  return {};
}

std::string OpenApi::check_answer(const std::string& path, const std::string& method, int status,
                                  const std::string& body) const {
  const std::string lower = to_lower(method);
  const json::value* operation = member(member(member(&tree_, "paths"), path), lower);
  if (operation == nullptr) return lower + " " + path + ": is not in the document";
  const json::value* responses = member(operation, "responses");
  const json::value* response = member(responses, std::to_string(status));
  if (response == nullptr) response = member(responses, "default");
  if (response == nullptr) return lower + " " + path + ": has no answer " + std::to_string(status);
  const json::value* content = member(&resolve(*response), "content");
  if (content == nullptr) return {};
  for (const auto& one : content->as_object()) {
    if (one.key().find("json") == json::string_view::npos) continue;
    boost::system::error_code ec;
    const json::value value = json::parse(body, ec);
    if (ec) return lower + " " + path + ": the answer is not JSON";
    const std::string why = check(value, one.value().at("schema"));
    return why.empty() ? why : lower + " " + path + " " + std::to_string(status) + ": " + why;
  }
  return {};
}

}  // namespace tocsin::engine::test
