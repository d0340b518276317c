// How random a text is: Shannon entropy as gitleaks counts it.
#pragma once

#include <string_view>

namespace tocsin::rules::secrets {

// In bits: runes counted, divided by the number of bytes. Ill-formed bytes count as one rune.
[[nodiscard]] double entropy(std::string_view text);
// entropy(text) > limit, without logarithms.
[[nodiscard]] bool entropy_above(std::string_view text, double limit);

}  // namespace tocsin::rules::secrets
