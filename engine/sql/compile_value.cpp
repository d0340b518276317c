// Constants and parameters, and which constants of a text may not be replaced in texts of the same shape.
#include "engine/sql/compiler.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "engine/sql/bind.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine::sql {

bool Compiler::all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string Compiler::last_name(Tree type) {
  std::string last;
  type.items("names", [&](Tree part) { last = part.string(); });
  return last;
}

// libpg_query prints an integer only if it is above zero: what it leaves out is 0 or, where a minus stands, the
// number behind it. nullopt if the text does not show which (-(5), - -5).
std::optional<std::string> Compiler::integer(Tree constant) const {
  const std::int64_t printed = constant.at("ival").number("ival");
  if (printed != 0) return std::to_string(printed);
  const auto at = static_cast<std::size_t>(std::max<std::int64_t>(constant.number("location"), 0));
  const std::string_view rest = text_.substr(std::min(at, text_.size()));
  const bool minus = rest.starts_with('-');
  const std::string_view number = minus ? trim(rest.substr(1)) : rest;
  const std::size_t digits = std::min(number.find_first_not_of("0123456789"), number.size());
  const std::size_t first = number.substr(0, digits).find_first_not_of('0');
  if (digits == 0 || (!minus && first != std::string_view::npos)) return std::nullopt;
  if (first == std::string_view::npos) return "0";
  return "-" + std::string(number.substr(first, digits - first));
}

// Where the compiler looks at the text of a value, and does not only hand it on, it must pin the constant.
Value Compiler::value(Tree node) const {
  Value out;
  const std::string_view tag = node.tag();
  const Tree body = node.content();
  if (tag == "ParamRef") {
    out.parameter = static_cast<int>(body.number("number"));
  } else if (tag == "A_Const") {
    out.known = true;
    out.literal = literal_of(body);
    if (body.at("sval")) {
      out.text = body.at("sval").text("sval");
      out.quoted = true;
    } else if (body.at("fval")) {
      out.text = body.at("fval").text("fval");
      out.known = all_digits(out.text) || (out.text.size() > 1 && out.text[0] == '-' && all_digits(std::string_view(out.text).substr(1)));
      out.fractional = !out.known;
    } else if (body.at("boolval")) {
      out.text = body.at("boolval").flag("boolval") ? "true" : "false";
      out.boolean = true;
    } else if (body.flag("isnull")) {
      out.null = true;
    } else if (body.at("ival")) {
      if (auto number = integer(body)) out.text = std::move(*number);
      else out.known = false;
    } else {
      out.known = false;
    }
  } else if (tag == "TypeCast") {
    const Tree type = body.at("typeName");
    static const std::set<std::string> kSafe = {"int2", "int4", "int8", "text", "varchar", "uuid", "date", "numeric",
                                                "citext", "oid"};
    const bool array = type.size("arrayBounds") > 0;
    if (type.number("typemod") == -1 && kSafe.count(last_name(type)) > 0) {
      out = value(body.at("arg"));
      out.array = out.array || array;
    }
  }
  return out;
}

// The constant of the text that an A_Const is; negative if the parser has put the minus before it in.
int Compiler::literal_of(Tree constant) const {
  return options_.literals == nullptr ? 0 : literal_at(*options_.literals, constant);
}

void Compiler::pin(int literal) const {
  if (literal != 0) (*options_.literals)[static_cast<std::size_t>(std::abs(literal)) - 1].pinned = true;
}

}  // namespace tocsin::engine::sql
