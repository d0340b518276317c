// sqlcommenter's form: the last comment of a statement, pairs between commas, values in single quotes and URL-encoded.
#include "engine/access/person.hpp"

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kMaxName = 200;

std::string decoded(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() < kMaxName; ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else if (text[i] != '\\') {
      out += text[i];
    }
  }
  return to_utf8(out);
}

bool fits(std::string_view pattern, std::string_view account) {
  if (pattern.ends_with('*')) return account.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == account;
}

}  // namespace

Result<void> check_places(const PersonPlaces& places) {
  for (const auto& [account, place] : places) {
    if (place == "application_name" || place == "role" || (place.starts_with("comment.") && place.size() > 8)) continue;
    return fail(Errc::kInvalid, "unknown place '" + printable(place, 60) + "' for the person behind '" + printable(account, 60) + "'", account,
                "use application_name, role or comment.KEY");
  }
  return {};
}

std::string comment_value(std::string_view sql, std::string_view key) {
  const std::size_t end = sql.rfind("*/");
  if (end == std::string_view::npos) return {};
  const std::size_t begin = sql.rfind("/*", end);
  if (begin == std::string_view::npos || begin + 2 > end) return {};
  // Only a comment at the very end (or the very beginning): one in the middle may be part of a text.
  const bool last = trim(sql.substr(end + 2)).find_first_not_of(";") == std::string_view::npos;
  if (!last && !trim(sql.substr(0, begin)).empty()) return {};
  std::string_view body = sql.substr(begin + 2, end - begin - 2);
  while (!body.empty()) {
    const std::size_t equals = body.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view name = trim(body.substr(0, equals));
    body = trim(body.substr(equals + 1));
    std::string_view value;
    if (body.starts_with('\'')) {
      std::size_t close = 1;
      while (close < body.size() && body[close] != '\'') close += body[close] == '\\' ? 2U : 1U;
      if (close >= body.size()) return {};
      value = body.substr(1, close - 1);
      body.remove_prefix(close + 1);
    } else {
      const std::size_t close = std::min(body.find(','), body.size());
      value = trim(body.substr(0, close));
      body.remove_prefix(close);
    }
    if (name == key) return decoded(value);
    const std::size_t comma = body.find(',');
    if (comma == std::string_view::npos) return {};
    body.remove_prefix(comma + 1);
  }
  return {};
}

void name_person(const PersonPlaces& places, Access& access) {
  if (!access.actor.person.empty() || access.actor.account.empty()) return;
  for (const auto& [account, place] : places) {
    if (!fits(account, access.actor.account)) continue;
    std::string name;
    if (place == "application_name") name = access.via;
    else if (place == "role") name = access.actor.role;
    else if (place.starts_with("comment.")) name = comment_value(access.statement.text, std::string_view(place).substr(8));
    if (!name.empty()) {
      access.actor.person = std::move(name);
      return;
    }
  }
}

}  // namespace tocsin::engine
