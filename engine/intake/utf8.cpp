// simdjson's check runs at memory speed; the repair, which is rare, is ours.
#include "engine/intake/utf8.hpp"

#include <simdjson.h>

#include "rules/base/text.hpp"

namespace tocsin::engine {

std::string_view valid_utf8(std::string_view record, rules::Arena& arena) {
  if (simdjson::validate_utf8(record.data(), record.size())) return record;
  return arena.copy(to_utf8(record));
}

}  // namespace tocsin::engine
