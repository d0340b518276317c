// One pass over the key: names between dots stay together, because a name is looked up as a whole first.
#include "rules/sigma/array.hpp"

#include <charconv>
#include <utility>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::string_view kQuantifiers[] = {"any", "all", "all_or_empty", "none"};

tl::unexpected<Error> wrong(std::string message) {
  return fail(Errc::kInvalid, std::move(message), {}, "write name[any], [all], [all_or_empty], [none] or a position: name[0], name[-1]");
}

}  // namespace

std::string_view name(Quantifier quantifier) noexcept { return kQuantifiers[static_cast<std::size_t>(quantifier)]; }

std::string written(const std::vector<Step>& steps) {
  std::string out;
  for (const Step& step : steps) {
    if (step.position) out += "[" + std::to_string(*step.position) + "]";
    else out += (out.empty() || step.name == "." ? "" : ".") + step.name;
  }
  return out;
}

Result<std::vector<KeyPart>> parse_key(std::string_view field) {
  std::vector<KeyPart> parts(1);
  std::size_t at = 0;
  bool after_bracket = false;
  while (at < field.size()) {
    if (field[at] == '[') {
      const std::size_t close = field.find(']', at);
      if (close == std::string_view::npos) return wrong("a '[' has no ']'");
      const std::string_view inner = field.substr(at + 1, close - at - 1);
      const bool starts = parts.size() == 1 && parts.front().steps.empty();
      if (starts) return wrong("the brackets have no name before them");
      at = close + 1;
      after_bracket = true;
      int position = 0;
      const auto parsed = std::from_chars(inner.data(), inner.data() + inner.size(), position);
      if (parsed.ec == std::errc() && parsed.ptr == inner.data() + inner.size()) {
        if (parts.back().steps.empty()) parts.back().steps.push_back(Step{".", {}});  // of the element itself
        parts.back().steps.push_back(Step{{}, position});
        continue;
      }
      bool known = false;
      for (std::size_t i = 0; i < std::size(kQuantifiers); ++i) {
        if (inner != kQuantifiers[i]) continue;
        if (parts.back().steps.empty()) parts.back().steps.push_back(Step{".", {}});
        parts.back().quantified = true;
        parts.back().quantifier = static_cast<Quantifier>(i);
        known = true;
      }
      if (!known) return wrong("'[" + printable(inner, 40) + "]' is neither a quantifier nor a position");
      parts.emplace_back();
      continue;
    }
    if (after_bracket) {
      if (field[at] != '.') return wrong("after ']' comes a dot, another '[' or the end");
      ++at;
    }
    if (!after_bracket && at == 0 && field[0] == '.' && (field.size() == 1 || field[1] == '[')) {
      parts.back().steps.push_back(Step{".", {}});
      ++at;
      continue;
    }
    std::string text;
    while (at < field.size() && field[at] != '[') {
      if (field[at] == ']') return wrong("a ']' has no '['");
      const bool escaped = field[at] == '\\' && at + 1 < field.size() && (field[at + 1] == '[' || field[at + 1] == ']');
      if (escaped) ++at;
      text += field[at++];
    }
    if (text.empty()) return wrong("a name is missing after the dot");
    parts.back().steps.push_back(Step{std::move(text), {}});
    after_bracket = false;
  }
  return parts;
}

}  // namespace tocsin::rules::sigma
