// One table of modifiers, then the rules about which of them go together.
#include "rules/sigma/item.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/sigma/fold.hpp"

namespace tocsin::rules::sigma {
namespace {

using Operator = Modifiers::Operator;

struct Named {
  std::string_view name;
  Operator op;
};
constexpr std::array kOperators = {
    Named{"contains", Operator::kContains},   Named{"startswith", Operator::kStartsWith},
    Named{"endswith", Operator::kEndsWith},   Named{"re", Operator::kRegex},
    Named{"cidr", Operator::kNetwork},        Named{"exists", Operator::kExists},
    Named{"lt", Operator::kLess},             Named{"lte", Operator::kLessOrEqual},
    Named{"gt", Operator::kGreater},          Named{"gte", Operator::kGreaterOrEqual},
};
struct NamedPart {
  std::string_view name;
  TimePart part;
};
constexpr std::array kParts = {
    NamedPart{"minute", TimePart::kMinute}, NamedPart{"hour", TimePart::kHour},   NamedPart{"day", TimePart::kDay},
    NamedPart{"week", TimePart::kWeek},     NamedPart{"month", TimePart::kMonth}, NamedPart{"year", TimePart::kYear},
};
const std::vector<std::string_view> kAllNames = {
    "contains", "startswith", "endswith", "re",     "cidr",   "exists", "lt",        "lte",        "gt",      "gte",
    "minute",   "hour",       "day",      "week",   "month",  "year",   "all",       "cased",      "neq",     "windash",
    "expand",   "fieldref",   "wide",     "utf16le", "utf16be", "utf16", "base64",   "base64offset", "i",     "m",
    "s",        "ignorecase", "multiline", "dotall"};

Remark remark(const Item& item, std::string code, std::string message, std::string remedy) {
  return Remark{std::move(code), std::move(message), std::move(remedy), item.line};
}

}  // namespace

Modifiers read_modifiers(const Item& item, std::optional<Remark>& refusal) {
  Modifiers m;
  std::string_view op_name;
  const auto conflict = [&](std::string_view a, std::string_view b) {
    if (refusal) return;
    refusal = remark(item, "modifier-conflict", "the modifiers '" + std::string(a) + "' and '" + std::string(b) + "' do not go together in this order",
                     "keep one of them, or write two items");
  };
  const auto set_operator = [&](Operator op, std::string_view name) {
    if (m.op != Operator::kNone) conflict(op_name, name);
    m.op = op;
    op_name = name;
  };
  for (const std::string& name : item.modifiers) {
    const auto* op = std::find_if(kOperators.begin(), kOperators.end(), [&](const Named& n) { return n.name == name; });
    const auto* part = std::find_if(kParts.begin(), kParts.end(), [&](const NamedPart& n) { return n.name == name; });
    const bool transforms = name == "wide" || name.starts_with("utf16") || name.starts_with("base64");
    if (transforms && m.op != Operator::kNone) conflict(op_name, name);
    if (op != kOperators.end()) {
      set_operator(op->op, op->name);
    } else if (part != kParts.end()) {
      set_operator(Operator::kTimePart, part->name);
      m.part = part->part;
    } else if (name == "all") {
      m.all = true;
    } else if (name == "cased") {
      m.cased = true;
    } else if (name == "neq") {
      m.negated = true;
    } else if (name == "windash") {
      if (m.base64 || m.base64_offset || !m.encodings.empty()) conflict("base64", name);
      m.windash = true;
    } else if (name == "expand") {
      m.expand = true;
    } else if (name == "fieldref") {
      m.field = true;
    } else if (name == "wide" || name == "utf16le" || name == "utf16be" || name == "utf16") {
      if (m.base64 || m.base64_offset) conflict("base64", name);
      m.encodings.push_back(name == "utf16be" ? Modifiers::Encoding::kUtf16Be
                            : name == "utf16" ? Modifiers::Encoding::kUtf16Bom
                                              : Modifiers::Encoding::kUtf16Le);
      if (m.encodings.size() > 1) conflict("wide", name);
    } else if (name == "base64" || name == "base64offset") {
      if (m.base64 || m.base64_offset) conflict("base64", name);
      (name == "base64" ? m.base64 : m.base64_offset) = true;
    } else if (name == "i" || name == "ignorecase" || name == "m" || name == "multiline" || name == "s" || name == "dotall") {
      if (m.op != Operator::kRegex && !refusal) {
        refusal = remark(item, "modifier-conflict", "the modifier '" + name + "' has a meaning only after 're'", "write 're|" + name + "'");
      }
      (name[0] == 'i' ? m.ignore_case : name[0] == 'm' ? m.multi_line : m.dot_all) = true;
    } else if (!refusal) {
      const std::string_view close = nearest(name, kAllNames);
      refusal = remark(item, "unknown-modifier", "the modifier '" + printable(name, 60) + "' does not exist in Sigma 2.1",
                       close.empty() ? "see the list of modifiers in ops/docs/sigma.md" : "did you mean '" + std::string(close) + "'?");
    }
  }
  if (refusal) return m;
  const bool encodes = m.base64 || m.base64_offset || !m.encodings.empty();
  const bool text_operator = m.op == Operator::kNone || m.op == Operator::kContains || m.op == Operator::kStartsWith ||
                             m.op == Operator::kEndsWith;
  if (!text_operator) {
    if (encodes) conflict("base64", op_name);
    if (m.windash) conflict("windash", op_name);
    if (m.field) conflict("fieldref", op_name);
    if (m.cased && m.op != Operator::kRegex) conflict("cased", op_name);
    if (m.expand && m.op != Operator::kRegex && m.op != Operator::kNetwork) conflict("expand", op_name);
  }
  if (m.cased && m.ignore_case) conflict("cased", "i");
  if (m.field && (encodes || m.windash || m.expand)) conflict("fieldref", encodes ? "base64" : m.windash ? "windash" : "expand");
  if (item.field.empty() && !refusal) {
    const bool searchable = text_operator || m.op == Operator::kRegex || m.op == Operator::kNetwork;
    if (!searchable || m.field) {
      refusal = remark(item, "modifier-conflict", "keywords have no field for '" + std::string(m.field ? "fieldref" : op_name) + "' to act on",
                       "name a field");
    }
  }
  return m;
}

std::string encode_utf16(std::string_view utf8, Modifiers::Encoding encoding) {
  std::string out;
  const auto unit = [&](std::uint32_t u) {
    const char low = static_cast<char>(static_cast<unsigned char>(u & 0xFF));
    const char high = static_cast<char>(static_cast<unsigned char>(u >> 8));
    const bool big = encoding == Modifiers::Encoding::kUtf16Be;
    out += big ? high : low;
    out += big ? low : high;
  };
  if (encoding == Modifiers::Encoding::kUtf16Bom) unit(0xFEFF);
  while (!utf8.empty()) {
    const std::size_t n = step(utf8);
    std::uint32_t code = static_cast<unsigned char>(utf8[0]);
    if (n > 1) {
      code &= 0x7FU >> n;
      for (std::size_t i = 1; i < n; ++i) code = code << 6 | (static_cast<unsigned char>(utf8[i]) & 0x3FU);
    }
    if (code >= 0x10000) {
      unit(0xD800 + ((code - 0x10000) >> 10));
      unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
      unit(code);
    }
    utf8.remove_prefix(n);
  }
  return out;
}

std::vector<std::string> base64_alignments(std::string_view bytes) {
  // The characters that the unknown bytes before and after touch are cut off.
  constexpr std::array<std::size_t, 3> kStart = {0, 2, 3};
  constexpr std::array<std::size_t, 3> kDrop = {0, 3, 2};
  std::vector<std::string> variants;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string encoded = to_base64(std::string(i, ' ').append(bytes));
    const std::size_t drop = kDrop[(bytes.size() + i) % 3];
    variants.push_back(encoded.substr(kStart[i], encoded.size() - kStart[i] - drop));
  }
  return variants;
}

std::vector<std::string> expand_placeholders(std::string_view value, const Placeholders& tables, bool literal_for_regex,
                                             std::string& missing) {
  std::vector<std::string> variants(1);
  const auto append = [&](std::string_view text) {
    for (std::string& variant : variants) variant += text;
  };
  std::size_t at = 0;
  while (at < value.size()) {
    if (value[at] == '\\' && at + 1 < value.size()) {
      append(value[at + 1] == '%' ? value.substr(at + 1, 1) : value.substr(at, 2));
      at += 2;
      continue;
    }
    const std::size_t close = value[at] == '%' ? value.find('%', at + 1) : std::string_view::npos;
    if (close == std::string_view::npos || close == at + 1) {
      append(value.substr(at, 1));
      ++at;
      continue;
    }
    const std::string_view name = value.substr(at + 1, close - at - 1);
    const auto table = tables.find(name);
    if (table == tables.end() || table->second.empty()) {
      missing = std::string(name);
      return {};
    }
    std::vector<std::string> next;
    for (const std::string& variant : variants) {
      for (const std::string& replacement : table->second) {
        if (next.size() > kMaxExpansions) return next;
        next.push_back(variant + (literal_for_regex ? RE2::QuoteMeta(replacement) : replacement));
      }
    }
    variants = std::move(next);
    at = close + 1;
  }
  return variants;
}

std::vector<std::string> windash_variants(std::string_view text, std::size_t limit) {
  static constexpr std::array<std::string_view, 5> kDashes = {"-", "/", "–", "—", "―"};
  std::vector<std::string> variants(1);
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t length = 0;
    if (!varied_dash(text, at, length)) {
      for (std::string& variant : variants) variant += text[at];
      ++at;
      continue;
    }
    std::vector<std::string> next;
    for (const std::string& variant : variants) {
      for (const std::string_view dash : kDashes) {
        if (next.size() > limit) return next;
        next.push_back(variant + std::string(dash));
      }
    }
    variants = std::move(next);
    at += length;
  }
  return variants;
}

}  // namespace tocsin::rules::sigma
