// A strict reader over yaml-cpp for this folder: every key of a mapping must be asked for, scalars are taken
// literally, and an error names file and line. yaml-cpp's exceptions end here.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::rules::law::yaml {

// Thrown inside this folder only and turned into an Error by `guarded`.
struct Bad {
  Errc code;
  std::string message;
  int line;  // 1-based; 0 = unknown
};

[[noreturn]] inline void bad(const YAML::Node& node, std::string message, Errc code = Errc::kInvalid) {
  throw Bad{code, std::move(message), node.Mark().line + 1};
}

// Parses `text` and runs `read(root)`; whatever goes wrong comes back as an Error at file:line.
template <class Read>
auto guarded(std::string_view text, const std::string& source, std::size_t limit, Read&& read)
    -> Result<decltype(read(std::declval<const YAML::Node&>()))> {
  if (text.size() > limit) return fail(Errc::kTooLarge, "larger than " + std::to_string(limit) + " bytes", source);
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    return read(root);
  } catch (const Bad& problem) {
    return fail(problem.code, problem.message,
                problem.line > 0 ? source + ":" + std::to_string(problem.line) : source);
  } catch (const YAML::Exception& problem) {
    const std::string where = problem.mark.is_null() ? source : source + ":" + std::to_string(problem.mark.line + 1);
    return fail(Errc::kInvalid, "not readable as YAML: " + problem.msg, where);
  }
}

// The keys of a mapping must be among `known`; a near miss is suggested.
void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known, std::string_view what);

// A scalar as written; kInvalid if it is absent, null or not a scalar.
std::string text(const YAML::Node& map, const char* key, std::string_view what);
std::string text_or(const YAML::Node& map, const char* key, std::string fallback = {});
std::uint64_t number(const YAML::Node& node, std::string_view what);
std::vector<std::string> list(const YAML::Node& node, std::string_view what);  // a scalar is a list of one
Time day(const YAML::Node& node, std::string_view what);                       // "2018-05-25" → 00:00 UTC

}  // namespace tocsin::rules::law::yaml
