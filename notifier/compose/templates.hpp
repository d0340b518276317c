// What the languages differ in. Used by notice_text.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::notifier {

struct Template {
  std::string_view language, subject, subject_unsure, body, verb_sure, verb_unsure, what_default, measures_default,
      phone_prefix;
};

[[nodiscard]] const Template* find_template(std::string_view language) noexcept;  // nullptr = none
[[nodiscard]] std::string_view word_for(std::string_view field, std::string_view language) noexcept;  // empty = none
[[nodiscard]] std::string consequences_for(const std::vector<std::string>& kinds, std::string_view language);
[[nodiscard]] std::string actions_for(const std::vector<std::string>& kinds, std::string_view language);

}  // namespace tocsin::notifier
