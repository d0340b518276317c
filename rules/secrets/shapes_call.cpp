// Calls whose n-th argument is a password: sp_addlogin 'tom', 'secret'; PDO::__construct('dsn', 'root', 'secret') as
// stack traces print it; db.auth("admin", "secret").
#include <algorithm>
#include <array>

#include "rules/base/text.hpp"
#include "rules/secrets/shapes.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kMaxArguments = 6;
constexpr std::size_t kMaxArgument = 512;  // bytes

struct Call {
  std::string_view literal;  // lower case, up to the first argument
  unsigned arguments;        // bit n: argument n (from 0) is a password
  FieldRule rule = FieldRule::kPasswordSql;
};
constexpr auto kCalls = std::to_array<Call>({
    {"sp_addlogin ", 1U << 1}, {"sp_password ", 1U << 0 | 1U << 1},
    {"db.auth(", 1U << 1}, {"new pdo(", 1U << 2}, {"pdo::__construct(", 1U << 2}, {"pdo->__construct(", 1U << 2},
    {"mysqli_connect(", 1U << 2}, {"mysql_connect(", 1U << 2}, {"mysqli->__construct(", 1U << 2}, {"new mysqli(", 1U << 2},
    {"ldap_bind(", 1U << 2}, {"ftp_login(", 1U << 2}, {"ssh2_auth_password(", 1U << 2}, {"drivermanager.getconnection(", 1U << 2},
    {"pgp_sym_encrypt(", 1U << 1}, {"pgp_sym_decrypt(", 1U << 1},
    {"convertto-securestring ", 1U << 0, FieldRule::kPasswordCommand}, {"convertto-securestring -string ", 1U << 0, FieldRule::kPasswordCommand},
});

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::span<const std::string_view> call_literals() {
  static const std::vector<std::string_view> literals = [] {
    std::vector<std::string_view> out;
    for (const Call& call : kCalls) out.push_back(call.literal);
    return out;
  }();
  return literals;
}

void read_call(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out) {
  unsigned wanted = 0;
  FieldRule rule = FieldRule::kPasswordSql;
  for (const Call& call : kCalls) {
    if (!iequals(call.literal, text.substr(start, end - start))) continue;
    wanted = call.arguments;
    rule = call.rule;
  }
  std::size_t i = end;
  const auto get = [&](std::size_t at) { return at < text.size() ? text[at] : '\0'; };
  const auto skip = [&] {
    while (is_blank(get(i))) ++i;
  };
  for (std::size_t n = 0; n < kMaxArguments && (wanted >> n) != 0; ++n) {
    skip();
    if (get(i) == '@') {  // @passwd = 'x'
      while (i < text.size() && get(i) != '=' && get(i) != ',') ++i;
      if (get(i) == '=') ++i;
      skip();
    }
    if (get(i) == 'N' && get(i + 1) == '\'') ++i;
    std::size_t slashes = 0;
    while (get(i + slashes) == '\\' && slashes < 8) ++slashes;
    const char quote = get(i + slashes);
    const std::size_t stop = std::min(text.size(), i + kMaxArgument);
    if (quote == '\'' || quote == '"') {
      const std::string_view mark = text.substr(i, slashes + 1);
      const std::size_t from = i + mark.size();
      const std::size_t close = text.substr(0, stop).find(mark, from);
      if (close == std::string_view::npos) return;
      if ((wanted >> n & 1U) != 0 && close > from) out.push_back({from, close, Written::kSqlQuoted, rule});
      i = close + mark.size();
    } else {
      while (i < stop && text[i] != ',' && text[i] != ')' && text[i] != '\n' && text[i] != ';') ++i;
    }
    skip();
    if (get(i) != ',') return;
    ++i;
  }
}

}  // namespace tocsin::rules::secrets
