// Names of people in texts of others, on any bytes: object templates on objects, values of a statement's comment, and the word
// that a statement begins with. The input's lines are the template, the bucket, the object and a statement.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/access/person.hpp"
#include "engine/exposure/objects.hpp"
#include "engine/intake/sql_word.hpp"
#include "rules/base/text.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::engine;

void demand(bool holds) {
  if (!holds) std::abort();
}

bool is_word(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string, 4> parts;
  for (std::string& part : parts) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  Resource resource;
  resource.store = parts[1];
  resource.object = parts[2];
  if (const auto parsed = ObjectTemplate::parse(parts[0])) {
    const auto person = parsed->person(resource);
    if (person) demand(!person->empty() && person->size() <= resource.object.size());
    (void)parsed->lists(resource);
  }
  const std::string_view statement = parts[3];
  demand(is_utf8(comment_value(statement, "user")));
  demand(is_word(first_word(statement, SqlComments::kPostgres)));
  demand(is_word(first_word(statement, SqlComments::kMysql)));
  // What the comment names does not hang on the statement before it.
  if (statement.find("/*") == std::string_view::npos && statement.find("*/") == std::string_view::npos) {
    const std::string with = std::string(statement) + " /*action='show',user='nurse%201'*/";
    demand(comment_value(with, "user") == "nurse 1");
  }
  return 0;
}
