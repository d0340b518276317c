// A small part of JSON Schema (2020-12), enough to hold answers to engine/api/openapi.yaml: $ref, type (also a list),
// required, properties, items, enum, allOf, anyOf, format date-time, minLength, maxItems.
#pragma once

#include <string>

#include <boost/json.hpp>
#include <yaml-cpp/yaml.h>

namespace tocsin::engine::test {

class OpenApi {
 public:
  explicit OpenApi(const std::string& file);
  [[nodiscard]] const YAML::Node& document() const { return document_; }

  // Empty if `value` fits `schema`, else where and why not.
  [[nodiscard]] std::string check(const boost::json::value& value, const boost::json::value& schema,
                                  const std::string& where = "$") const;
  // Why an answer ("/v1/alerts", "get", 200, body) does not fit the document; empty if it does. Answers for which
  // the document has no JSON always fit.
  [[nodiscard]] std::string check_answer(const std::string& path, const std::string& method, int status,
                                         const std::string& body) const;

 private:
  [[nodiscard]] const boost::json::value& resolve(const boost::json::value& node) const;
  YAML::Node document_;
  boost::json::value tree_;  // the same; every scalar is a text
};

}  // namespace tocsin::engine::test
