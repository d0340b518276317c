// What the modifiers of an item say, taken apart and checked: which test, which transformations, in which order.
// The compiler and nothing else uses this; the oracle in tests/oracle reads modifiers its own way.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/compile.hpp"
#include "rules/sigma/report.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

struct Modifiers {
  enum class Operator : std::uint8_t {
    kNone, kContains, kStartsWith, kEndsWith, kRegex, kNetwork, kExists, kLess, kLessOrEqual, kGreater,
    kGreaterOrEqual, kTimePart
  };
  enum class Encoding : std::uint8_t { kUtf16Le, kUtf16Be, kUtf16Bom };

  Operator op = Operator::kNone;
  TimePart part = TimePart::kMinute;
  bool all = false;
  bool cased = false;
  bool negated = false;  // neq
  bool windash = false;
  bool expand = false;
  bool field = false;    // fieldref
  std::vector<Encoding> encodings;
  bool base64 = false;
  bool base64_offset = false;
  bool ignore_case = false;  // of a regular expression
  bool multi_line = false;
  bool dot_all = false;
};

// Reads the modifiers of an item; `refusal` is set if they cannot be honoured.
[[nodiscard]] Modifiers read_modifiers(const Item& item, std::optional<Remark>& refusal);

// Texts under the encoding modifiers: bytes, and base64 in its one or three alignments.
[[nodiscard]] std::string encode_utf16(std::string_view utf8, Modifiers::Encoding encoding);
[[nodiscard]] std::vector<std::string> base64_alignments(std::string_view bytes);

// The variants of a value whose %placeholders% are replaced; `missing` names a placeholder without a table.
[[nodiscard]] std::vector<std::string> expand_placeholders(std::string_view value, const Placeholders& tables, bool literal_for_regex,
                                                           std::string& missing);

// The variants of a text under windash, written out (needed only where it is encoded afterwards).
[[nodiscard]] std::vector<std::string> windash_variants(std::string_view text, std::size_t limit);

}  // namespace tocsin::rules::sigma
