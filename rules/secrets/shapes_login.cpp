// Logins as protocols and data sources write them: SMTP and IMAP (AUTH PLAIN, LOGIN), POP3, IRC, SASL, Oracle's
// user/password@service, Go's user:password@tcp(host), netrc, and Cisco's configuration.
#include <algorithm>
#include <array>
#include <optional>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/shapes.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kNear = 200;      // bytes of context looked at before a literal
constexpr std::size_t kMaxToken = 512;  // bytes of a word

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_end(char c) { return c == '\0' || c == '\n' || c == '\r' || c == '"' || c == '\'' || c == '\\'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_base64(char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '='; }

struct Span {
  std::size_t start, end;
};

class Login {
 public:
  Login(std::string_view text, std::vector<SecretPlace>& out) : s_(text), out_(out) {}

  void sasl_plain(std::size_t start, std::size_t end);
  void password_prompt(std::size_t end);
  void imap(std::size_t start, std::size_t end);
  void irc(std::size_t start, std::size_t end);
  void nickserv(std::size_t start, std::size_t end);
  void oracle_service(std::size_t at);
  void oracle_url(std::size_t end);
  void go_source(std::size_t at);
  void netrc(std::size_t end);
  void cisco_user(std::size_t end);
  void cisco_line(std::size_t start, std::size_t end);
  void one_time_code(std::size_t end);

 private:
  char get(std::size_t i) const { return i < s_.size() ? s_[i] : '\0'; }
  std::string before(std::size_t at, std::size_t near = kNear) const {
    const std::size_t from = at > near ? at - near : 0;
    return to_lower(s_.substr(from, at - from));
  }
  bool starts_line(std::size_t at) const { return at == 0 || s_[at - 1] == '\n'; }
  std::size_t skip(std::size_t i) const {
    while (i < s_.size() && is_blank(s_[i])) ++i;
    return i;
  }
  // A word up to a blank, a quote or the line's end; or what stands between double quotes.
  std::optional<Span> word(std::size_t i) const {
    const std::size_t stop = std::min(s_.size(), i + kMaxToken);
    if (get(i) == '"') {
      const std::size_t close = s_.substr(0, stop).find('"', i + 1);
      if (close == std::string_view::npos || close == i + 1) return std::nullopt;
      return Span{i + 1, close};
    }
    std::size_t end = i;
    while (end < stop && !is_blank(s_[end]) && !is_end(s_[end])) ++end;
    if (end == i) return std::nullopt;
    return Span{i, end};
  }
  std::size_t behind(const Span& span) const { return span.end + (get(span.end) == '"' && span.start > 0 && s_[span.start - 1] == '"' ? 1 : 0); }
  void take(const Span& span, Written written, FieldRule rule) { out_.push_back({span.start, span.end, written, rule}); }

  std::string_view s_;
  std::vector<SecretPlace>& out_;
};

// AUTH PLAIN, AUTHENTICATE PLAIN, SASL PLAIN; then base64 on the same line or, as the server asked for it, on the next.
void Login::sasl_plain(std::size_t start, std::size_t end) {
  const std::string near = before(start, 16);
  if (!near.ends_with("auth ") && !near.ends_with("authenticate ") && !near.ends_with("sasl ") && !near.ends_with("mechanism=")) return;
  const std::size_t i = skip(end);
  std::size_t stop = i;
  while (stop < s_.size() && stop < i + kMaxToken && is_base64(s_[stop])) ++stop;
  if (stop - i < 8 || sasl_plain_password(s_.substr(i, stop - i)).empty()) return;
  take({i, stop}, Written::kSaslPlain, FieldRule::kMailLogin);
}

// The server said "Password:" in base64; the client's next line is the password in base64.
void Login::password_prompt(std::size_t end) {
  std::size_t i = end;
  while (i < s_.size() && i < end + 24 && !is_letter(s_[i]) && !is_digit(s_[i])) ++i;
  if (get(i) == 'C' && get(i + 1) == ':') i = skip(i + 2);
  if (get(i) == 'n' && i > 0 && s_[i - 1] == '\\') ++i;
  std::size_t stop = i;
  while (stop < s_.size() && stop < i + kMaxToken && is_base64(s_[stop])) ++stop;
  if (stop - i >= 4 && decode_base64_text(s_.substr(i, stop - i))) take({i, stop}, Written::kBase64, FieldRule::kMailLogin);
}

// "a001 LOGIN user password": a tag of letters and digits before, two words behind, and then nothing.
void Login::imap(std::size_t start, std::size_t end) {
  std::size_t tag = start;
  bool digits = false;
  bool letters = false;
  while (tag > 0 && start - tag < 12 && (is_letter(s_[tag - 1]) || is_digit(s_[tag - 1]))) {
    --tag;
    digits = digits || is_digit(s_[tag]);
    letters = letters || is_letter(s_[tag]);
  }
  if (!digits || !letters) return;
  const bool first = tag == 0 || s_[tag - 1] == '\n' || s_[tag - 1] == '"' || (tag >= 2 && s_.substr(tag - 2, 2) == ": ");
  if (!first) return;
  const auto user = word(skip(end));
  if (!user) return;
  const std::size_t i = behind(*user);
  if (!is_blank(get(i))) return;
  const auto password = word(skip(i));
  if (!password || !is_end(get(behind(*password)))) return;
  if (s_.substr(user->start, user->end - user->start).find('=') != std::string_view::npos) return;  // fields, not words
  take(*password, Written::kPlain, FieldRule::kMailLogin);
}

// "PASS secret" alone on its line, with NICK or USER near: IRC, POP3, FTP.
void Login::irc(std::size_t start, std::size_t end) {
  if (s_.substr(start, 5) != "PASS " || !starts_line(start)) return;
  const auto password = word(skip(end));
  if (!password || !is_end(get(password->end))) return;
  const std::string_view after = s_.substr(password->end, kNear);
  if (after.find("NICK ") == std::string_view::npos && after.find("USER ") == std::string_view::npos) return;
  take(*password, Written::kPlain, FieldRule::kPasswordCommand);
}

void Login::nickserv(std::size_t start, std::size_t end) {
  if (before(start).find("nickserv") == std::string::npos) return;
  auto last = word(skip(end));
  if (!last) return;
  if (is_blank(get(last->end))) {
    if (auto second = word(skip(last->end))) last = second;  // IDENTIFY account password
  }
  take(*last, Written::kPlain, FieldRule::kPasswordCommand);
}

// user/password@ORCL, @//host, @XE: '@' is at `at`.
void Login::oracle_service(std::size_t at) {
  std::size_t start = at;
  while (start > 0 && at - start < kMaxToken && !is_blank(s_[start - 1]) && !is_end(s_[start - 1]) && s_[start - 1] != '(' && s_[start - 1] != '=' &&
         s_[start - 1] != ',') {
    --start;
  }
  const std::string_view login = s_.substr(start, at - start);
  const auto slash = login.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 >= login.size() || login.find('/', slash + 1) != std::string_view::npos) return;
  const std::string_view user = login.substr(0, slash);
  const bool name = is_letter(user[0]) && std::all_of(user.begin(), user.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '$' || c == '#'; });
  if (!name || login.find(':') != std::string_view::npos) return;
  // A service in capitals, or an address, tells it from a path with a version: "config/app@prod". The name of a stage
  // ("team/app@TEST") is no proof without a digit in the password.
  const bool address = get(at + 1) == '/' || get(at + 1) == '(';
  const bool capitals = get(at + 1) >= 'A' && get(at + 1) <= 'Z' && get(at + 2) >= 'A' && get(at + 2) <= 'Z';
  if (!address && !capitals) return;
  const std::string service = to_lower(s_.substr(at + 1, 4));
  const bool stage = service.starts_with("prod") || service.starts_with("test") || service.starts_with("dev");
  if (stage && std::none_of(login.begin() + static_cast<std::ptrdiff_t>(slash), login.end(), is_digit)) return;
  take({start + slash + 1, at}, Written::kPlain, FieldRule::kPasswordUrl);
}

// jdbc:oracle:thin:user/password@…
void Login::oracle_url(std::size_t end) {
  const std::size_t stop = std::min(s_.size(), end + kNear);
  std::size_t slash = 0;
  for (std::size_t i = end; i < stop && !is_blank(s_[i]) && !is_end(s_[i]); ++i) {
    if (s_[i] == '/' && slash == 0) slash = i;
    if (s_[i] != '@') continue;
    if (slash > end && i > slash + 1) take({slash + 1, i}, Written::kPlain, FieldRule::kPasswordUrl);
    return;
  }
}

// user:password@tcp(host:port)/database
void Login::go_source(std::size_t at) {
  std::size_t start = at;
  std::size_t colon = 0;
  while (start > 0 && at - start < kMaxToken && !is_blank(s_[start - 1]) && !is_end(s_[start - 1])) {
    --start;
    if (s_[start] == '/') return;  // user:password is all there is before
    if (s_[start] == ':') colon = start;
  }
  if (colon <= start || colon == 0) return;
  take({colon + 1, at}, Written::kPlain, FieldRule::kPasswordUrl);
}

// machine host login user password secret
void Login::netrc(std::size_t end) {
  std::size_t i = skip(end);
  for (int words = 0; words < 6; ++words) {
    const auto one = word(i);
    if (!one) return;
    i = skip(one->end);
    if (s_.substr(one->start, one->end - one->start) != "password") continue;
    if (const auto password = word(i)) take(*password, Written::kPlain, FieldRule::kPasswordField);
    return;
  }
}

// username admin [privilege 15] password|secret [0|5|7|8|9] value
void Login::cisco_user(std::size_t end) {
  std::size_t i = skip(end);
  for (int words = 0; words < 5; ++words) {
    const auto one = word(i);
    if (!one) return;
    const std::string_view text = s_.substr(one->start, one->end - one->start);
    i = skip(one->end);
    if (text != "password" && text != "secret") continue;
    auto value = word(i);
    if (value && value->end - value->start == 1 && is_digit(s_[value->start])) value = word(skip(value->end));
    if (value && is_end(get(value->end))) take(*value, Written::kPlain, FieldRule::kPasswordField);
    return;
  }
}

// enable password|secret [level] value; snmp-server community value RO|RW
void Login::cisco_line(std::size_t start, std::size_t end) {
  if (!starts_line(start) && !is_blank(s_[start - 1])) return;
  auto value = word(skip(end));
  if (value && value->end - value->start == 1 && is_digit(s_[value->start])) value = word(skip(value->end));
  if (!value) return;
  const bool community = s_[start] == 's' || s_[start] == 'S';
  const std::string_view rest = s_.substr(skip(value->end), 2);
  if (community ? rest != "RO" && rest != "RW" : !is_end(get(value->end))) return;
  take(*value, Written::kPlain, FieldRule::kPasswordField);
}

// "Your verification code is 481902", otp=481902, {"smsCode":"481902"}: four to eight digits soon behind the name.
void Login::one_time_code(std::size_t end) {
  constexpr std::size_t kMaxBetween = 24;
  const std::size_t stop = std::min(s_.size(), end + kMaxBetween);
  std::size_t i = end;
  while (i < stop && !is_digit(s_[i])) {
    const char c = s_[i];
    if (c == ',' || c == ';' || c == '.' || c == '\n' || c == '&' || c == '}' || c == '-') return;
    ++i;
  }
  if (i >= stop || i == end) return;
  // Between the name and the code stand signs, or one of the words that say "is".
  std::string between = to_lower(s_.substr(end, i - end));
  std::erase_if(between, [](char c) { return is_blank(c) || c == ':' || c == '=' || c == '"' || c == '\'' || c == '\\'; });
  constexpr std::array<std::string_view, 9> kIs = {"", "is", "lautet", "ist", "est", "es", "jest", "to", "code"};
  if (std::find(kIs.begin(), kIs.end(), between) == kIs.end()) return;
  const bool sign = s_.substr(end, i - end).find_first_of(":=") != std::string_view::npos || !between.empty();
  std::size_t last = i;
  while (last < s_.size() && is_digit(s_[last])) ++last;
  if (!sign || last - i < 4 || last - i > 8 || is_letter(get(last)) || get(last) == '_' || (get(last) == '.' && is_digit(get(last + 1)))) return;
  take({i, last}, Written::kPlain, FieldRule::kPin);
}

using Reader = void (*)(Login&, std::size_t start, std::size_t end);
struct Entry {
  std::string_view literal;
  Reader read;
};
constexpr auto kLogins = std::to_array<Entry>({
    {"plain ", [](Login& l, std::size_t s, std::size_t e) { l.sasl_plain(s, e); }},
    {"ugfzc3dvcmq6", [](Login& l, std::size_t, std::size_t e) { l.password_prompt(e); }},
    {" login ", [](Login& l, std::size_t s, std::size_t e) { l.imap(s, e); }},
    {"pass ", [](Login& l, std::size_t s, std::size_t e) { l.irc(s, e); }},
    {" :identify ", [](Login& l, std::size_t s, std::size_t e) { l.nickserv(s, e); }},
    {"@orcl", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@xe", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@pdb", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@prod", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@test", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@dev", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@//", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"@(desc", [](Login& l, std::size_t s, std::size_t) { l.oracle_service(s); }},
    {"jdbc:oracle:thin:", [](Login& l, std::size_t, std::size_t e) { l.oracle_url(e); }},
    {"jdbc:oracle:oci:", [](Login& l, std::size_t, std::size_t e) { l.oracle_url(e); }},
    {"@tcp(", [](Login& l, std::size_t s, std::size_t) { l.go_source(s); }},
    {"@unix(", [](Login& l, std::size_t s, std::size_t) { l.go_source(s); }},
    {"machine ", [](Login& l, std::size_t, std::size_t e) { l.netrc(e); }},
    {"username ", [](Login& l, std::size_t, std::size_t e) { l.cisco_user(e); }},
    {"enable password ", [](Login& l, std::size_t s, std::size_t e) { l.cisco_line(s, e); }},
    {"enable secret ", [](Login& l, std::size_t s, std::size_t e) { l.cisco_line(s, e); }},
    {"snmp-server community ", [](Login& l, std::size_t s, std::size_t e) { l.cisco_line(s, e); }},
    {"verification code", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"verificationcode", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"verification_code", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"confirmation code", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"login code is", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e - 2); }},
    {"security code is", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e - 2); }},
    {"one-time code", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"otp_code", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"otpcode", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"\"otp\"", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e - 1); }},
    {"otp\\\"", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e - 1); }},
    {"sms_code", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"smscode", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"tigungscode", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"code de v\xc3\xa9rification", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"digo de verificaci\xc3\xb3n", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
    {"codice di verifica", [](Login& l, std::size_t, std::size_t e) { l.one_time_code(e); }},
});

}  // namespace

std::span<const std::string_view> login_literals() {
  static const std::vector<std::string_view> literals = [] {
    std::vector<std::string_view> out;
    for (const Entry& entry : kLogins) out.push_back(entry.literal);
    return out;
  }();
  return literals;
}

void read_login(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out) {
  const std::string_view literal = text.substr(start, end - start);
  for (const Entry& entry : kLogins) {
    if (!iequals(entry.literal, literal)) continue;
    Login login(text, out);
    return entry.read(login, start, end);
  }
}

std::string sasl_plain_password(std::string_view base64) {
  std::string padded(base64);
  while (!padded.empty() && padded.back() == '=') padded.pop_back();
  while (padded.size() % 4 != 0) padded += '=';
  const auto text = from_base64(padded);
  if (!text) return {};
  const auto first = text->find('\0');
  if (first == std::string::npos) return {};
  const auto second = text->find('\0', first + 1);
  if (second == std::string::npos || second == first + 1) return {};
  std::string password = text->substr(second + 1);
  if (password.find('\0') != std::string::npos || !is_utf8(password)) return {};
  return password;
}

void read_password_line(std::string_view record, const Vocabulary& words, std::vector<SecretPlace>& out) {
  constexpr std::size_t kMaxName = 40;
  if (!may_be_password_line(record) || !(is_letter(record[0]) || record[0] == '_')) return;
  std::size_t colon = 1;
  while (colon < record.size() && colon <= kMaxName && (is_letter(record[colon]) || is_digit(record[colon]) || record[colon] == '_' || record[colon] == '-' ||
                                                       record[colon] == '.' || record[colon] == '@' || record[colon] == '$')) {
    ++colon;
  }
  if (colon >= record.size() || record[colon] != ':') return;
  if (record.back() == '\r') record.remove_suffix(1);
  const std::string_view user = record.substr(0, colon);
  const auto digest = [&](std::size_t at, std::size_t length) {
    return at + length <= record.size() && is_hex(record.substr(at, length)) && (at + length == record.size() || record[at + length] == ':');
  };
  // pwdump: user:rid:LM:NT:::
  std::size_t i = colon + 1;
  while (i < record.size() && is_digit(record[i])) ++i;
  if (i > colon + 1 && i < record.size() && record[i] == ':' && digest(i + 1, 32) && digest(i + 34, 32) && record.ends_with(":::")) {
    for (const std::size_t at : {i + 1, i + 34}) {
      const std::string_view text = record.substr(at, 32);
      const bool empty = iequals(text, "aad3b435b51404eeaad3b435b51404ee") || iequals(text, "31d6cfe0d16ae931b73c59d7e0c089c0");
      if (!empty) out.push_back({at, at + 32, Written::kDigest, FieldRule::kPasswordHash});  // else: of no password
    }
    return;
  }
  // user:md5, user:sha1, user:sha256; a name like "etag" or "sha256" says that it is something else.
  if (words.names_digest(user)) return;
  for (const std::size_t length : {32U, 40U, 64U}) {
    if (colon + 1 + length == record.size() && digest(colon + 1, length)) {
      out.push_back({colon + 1, colon + 1 + length, Written::kDigest, FieldRule::kPasswordHash});
      return;
    }
  }
}

}  // namespace tocsin::rules::secrets
