// Users, sessions and tokens on SQLite; Argon2id and randomness by libsodium.
#include "storage/user_store.hpp"

#include <sodium.h>

#include <stdexcept>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::storage {
namespace {

constexpr Migration kMigrations[] = {{1, R"(
CREATE TABLE user(
  login TEXT PRIMARY KEY, name TEXT NOT NULL, roles INTEGER NOT NULL, password TEXT,
  disabled INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, last_login INTEGER) WITHOUT ROWID;
CREATE TABLE user_claim(hash BLOB PRIMARY KEY, login TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE user_session(
  hash BLOB PRIMARY KEY, login TEXT NOT NULL, created INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX user_session_login ON user_session(login, created);
CREATE TABLE api_token(
  name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, roles INTEGER NOT NULL, created_by TEXT NOT NULL,
  created INTEGER NOT NULL, last_used INTEGER) WITHOUT ROWID;
)"}};

constexpr std::string_view kRoleNames[] = {"analyst", "approver", "manager", "admin", "shipper"};
constexpr std::size_t kMaxName = 200;
constexpr const char* kUserColumns = "login, name, roles, disabled, password IS NOT NULL, created, last_login";

User read_user(const Columns& c) {
  User user;
  user.login = c.text(0);
  user.name = c.text(1);
  user.roles = static_cast<unsigned>(c.integer(2));
  user.disabled = c.integer(3) != 0;
  user.has_password = c.integer(4) != 0;
  user.created = c.time(5);
  user.last_login = c.maybe_time(6);
  return user;
}

ApiToken read_token(const Columns& c) {
  ApiToken token;
  token.name = c.text(0);
  token.roles = static_cast<unsigned>(c.integer(1));
  token.created_by = c.text(2);
  token.created = c.time(3);
  token.last_used = c.maybe_time(4);
  return token;
}
constexpr const char* kTokenColumns = "name, roles, created_by, created, last_used";

// 32 random bytes in the alphabet of addresses: 43 characters.
std::string random_token() {
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof bytes);
  char text[sodium_base64_ENCODED_LEN(sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
  sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  sodium_memzero(bytes, sizeof bytes);
  return text;
}

// A token is random over 256 bits, so one unsalted hash keeps it; the purpose keeps the kinds apart.
std::string token_hash(std::string_view purpose, std::string_view token) {
  std::string text = "tocsin ";
  text += purpose;
  text += '\0';
  text += token;
  const Sha256 hash = sha256(text);
  return std::string(bytes_of(hash));
}

std::string names_of(unsigned roles) {
  std::string out;
  for (const std::string& name : role_names(roles)) out += (out.empty() ? "" : ",") + name;
  return out.empty() ? "none" : out;
}

tl::unexpected<Error> wrong_login() {
  return fail(Errc::kUnauthorised, "login or password is wrong", "",
              "try again, or ask an administrator for a new link");
}

tl::unexpected<Error> no_user(std::string_view login) {
  return fail(Errc::kNotFound, "there is no user '" + printable(login, 64) + "'");
}

Result<void> check_new_password(std::string_view login, std::string_view password) {
  if (password.size() < UserStore::kMinPassword) {
    return fail(Errc::kInvalid, "the password is too short", "", "use at least 12 characters; a few words are good");
  }
  if (password.size() > UserStore::kMaxPassword) return fail(Errc::kInvalid, "the password is too long");
  if (!is_utf8(password)) return fail(Errc::kInvalid, "the password is not UTF-8 text");
  bool all_same = true;
  for (const char c : password) all_same = all_same && c == password[0];
  if (all_same || iequals(password, login)) {
    return fail(Errc::kInvalid, "the password is too easy to guess", "", "a few unrelated words are good");
  }
  return {};
}

Result<void> check_user(const User& user) {
  if (!is_login(user.login)) {
    return fail(Errc::kInvalid, "'login' is not acceptable", "", "use up to 64 of a-z, 0-9, '.', '_', '@' and '-'");
  }
  if (trim(user.name).empty() || user.name.size() > kMaxName || !is_utf8(user.name)) {
    return fail(Errc::kInvalid, "'name' must be a text of 1 to 200 bytes");
  }
  return {};
}

Result<std::optional<User>> find_user(Reader& reader, std::string_view login) {
  return reader.row<User>(std::string("SELECT ") + kUserColumns + " FROM user WHERE login = ?1", read_user, login);
}

Result<std::string> new_claim(Transaction& tx, std::string_view login, Time now) {
  std::string token = random_token();
  const std::string hash = token_hash("claim", token);
  auto ended = tx.run("DELETE FROM user_claim WHERE login = ?1", login);
  if (!ended) return pass(std::move(ended));
  auto added = tx.run("INSERT INTO user_claim(hash, login, expires) VALUES(?1, ?2, ?3)", Blob{hash}, login,
                      now + UserStore::kClaimLife);
  if (!added) return pass(std::move(added));
  return token;
}

Result<std::int64_t> usable_users(Reader& reader) {
  return reader.number("SELECT count(*) FROM user WHERE disabled = 0 AND password IS NOT NULL");
}

Result<void> end_sessions(Transaction& tx, std::string_view login) {
  return tx.run("DELETE FROM user_session WHERE login = ?1", login);
}

bool is_name_of(std::string_view text, bool capitals) noexcept {
  if (text.empty() || text.size() > 64) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (capitals && c >= 'A' && c <= 'Z');
    const bool mark = c == '.' || c == '_' || c == '@' || c == '-';
    if (!letter && (!mark || i == 0)) return false;
  }
  return true;
}

}  // namespace

bool is_login(std::string_view login) noexcept { return is_name_of(login, false); }
bool is_token_name(std::string_view name) noexcept { return is_name_of(name, true); }

std::vector<std::string> role_names(unsigned roles) {
  std::vector<std::string> out;
  unsigned bit = 1;
  for (const std::string_view name : kRoleNames) {
    if ((roles & bit) != 0) out.emplace_back(name);
    bit <<= 1;
  }
  return out;
}

unsigned role_from(std::string_view name) noexcept {
  unsigned bit = 1;
  for (const std::string_view known : kRoleNames) {
    if (known == name) return bit;
    bit <<= 1;
  }
  return 0;
}

PasswordHasher::PasswordHasher() : PasswordHasher(Cost()) {}

PasswordHasher::PasswordHasher(Cost cost) : cost_(cost) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
  // Compared against when there is no such user, so that the answer takes as long.
  char text[crypto_pwhash_STRBYTES];
  const std::string password = random_token();
  if (crypto_pwhash_str(text, password.data(), password.size(), cost_.operations, cost_.memory) == 0) dummy_ = text;
}

bool PasswordHasher::enter() {
  std::unique_lock lock(mutex_);
  if (running_ >= kConcurrent) {
    if (waiting_ >= kWaiting) return false;
    ++waiting_;
    free_.wait(lock, [this] { return running_ < kConcurrent; });
    --waiting_;
  }
  ++running_;
  ++hashes_;
  return true;
}

void PasswordHasher::leave() {
  const std::lock_guard lock(mutex_);
  --running_;
  free_.notify_one();
}

std::uint64_t PasswordHasher::hashes() const {
  const std::lock_guard lock(mutex_);
  return hashes_;
}

Result<std::string> PasswordHasher::hash(std::string_view password) {
  if (!enter()) return fail(Errc::kBusy, "too many logins at the same time", "", "try again in a few seconds");
  char text[crypto_pwhash_STRBYTES];
  const int rc = crypto_pwhash_str(text, password.data(), password.size(), cost_.operations, cost_.memory);
  leave();
  if (rc != 0) return fail(Errc::kBusy, "there is no memory for a login now", "", "try again in a few seconds");
  return std::string(text);
}

Result<bool> PasswordHasher::verify(std::string_view hash, std::string_view password) {
  if (!enter()) return fail(Errc::kBusy, "too many logins at the same time", "", "try again in a few seconds");
  const bool known = !hash.empty() && hash.size() < crypto_pwhash_STRBYTES;
  // libsodium reads a fixed-size buffer.
  char text[crypto_pwhash_STRBYTES] = {};
  const std::string_view used = known ? hash : std::string_view(dummy_);
  used.copy(text, sizeof text - 1);
  const int rc = crypto_pwhash_str_verify(text, password.data(), password.size());
  leave();
  return known && rc == 0;
}

bool PasswordHasher::outdated(const std::string& hash) const {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), cost_.operations, cost_.memory) != 0;
}

UserStore::UserStore(Database& database, PasswordHasher& hasher, Recorder recorder)
    : database_(database), hasher_(hasher), recorder_(std::move(recorder)) {
  if (!recorder_) {
    recorder_ = [](Transaction&, std::string_view, Time, std::string_view, const Fields&) { return Result<void>(); };
  }
}

std::span<const Migration> UserStore::migrations() { return kMigrations; }

Result<std::vector<User>> UserStore::list() const {
  return database_.read([](Reader& reader) {
    return reader.rows<User>(std::string("SELECT ") + kUserColumns + " FROM user ORDER BY login", read_user);
  });
}

Result<std::optional<User>> UserStore::find(std::string_view login) const {
  return database_.read([&](Reader& reader) { return find_user(reader, login); });
}

Result<bool> UserStore::any() const {
  auto count = database_.read([](Reader& reader) { return usable_users(reader); });
  if (!count) return pass(std::move(count));
  return *count > 0;
}

Result<std::string> UserStore::first_claim(Time now) {
  return database_.write([&](Transaction& tx) -> Result<std::string> {
    auto count = usable_users(tx);
    if (!count) return pass(std::move(count));
    if (*count > 0) {
      return fail(Errc::kConflict, "somebody can already log in", "", "let an administrator invite you");
    }
    return new_claim(tx, "", now);
  });
}

Result<std::string> UserStore::invite(const User& user, std::string_view by, Time now) {
  if (auto fine = check_user(user); !fine) return pass(std::move(fine));
  return database_.write([&](Transaction& tx) -> Result<std::string> {
    auto known = find_user(tx, user.login);
    if (!known) return pass(std::move(known));
    if (*known) return fail(Errc::kConflict, "there is already a user '" + user.login + "'");
    auto added = tx.run("INSERT INTO user(login, name, roles, created) VALUES(?1, ?2, ?3, ?4)", user.login, user.name,
                        user.roles & role::kPeople, now);
    if (!added) return pass(std::move(added));
    auto noted = recorder_(tx, "user-invited", now, by,
                           {{"login", user.login}, {"roles", names_of(user.roles & role::kPeople)}});
    if (!noted) return pass(std::move(noted));
    return new_claim(tx, user.login, now);
  });
}

Result<std::string> UserStore::reset(std::string_view login, std::string_view by, Time now) {
  return database_.write([&](Transaction& tx) -> Result<std::string> {
    auto known = find_user(tx, login);
    if (!known) return pass(std::move(known));
    if (!*known) return no_user(login);
    auto cleared = tx.run("UPDATE user SET password = NULL WHERE login = ?1", login);
    if (!cleared) return pass(std::move(cleared));
    if (auto ended = end_sessions(tx, login); !ended) return pass(std::move(ended));
    auto noted = recorder_(tx, "user-reset", now, by, {{"login", std::string(login)}});
    if (!noted) return pass(std::move(noted));
    return new_claim(tx, login, now);
  });
}

Result<User> UserStore::claim(std::string_view token, std::string_view login, std::string_view name,
                              std::string_view password, Time now) {
  const auto refused = [] {
    return fail(Errc::kForbidden, "this link is not valid any more", "", "ask an administrator for a new one");
  };
  const std::string hash = token_hash("claim", token);
  // Looked at before hashing, so that guessing tokens costs nobody 64 MiB; looked at again when it is used.
  const auto look = [&](Reader& reader) {
    return reader.row<std::string>("SELECT login FROM user_claim WHERE hash = ?1 AND expires > ?2",
                                   [](const Columns& c) { return c.text(0); }, Blob{hash}, now);
  };
  auto owner = database_.read(look);
  if (!owner) return pass(std::move(owner));
  if (!*owner) return refused();
  const bool first = (*owner)->empty();
  User user;
  user.login = first ? to_lower(login) : **owner;
  user.name = trim(name);
  if (!first) {
    auto known = find(user.login);
    if (!known) return pass(std::move(known));
    if (!*known || (*known)->disabled) return refused();
    if (user.name.empty()) user.name = (*known)->name;
  }
  if (auto fine = check_user(user); !fine) return pass(std::move(fine));
  if (auto fine = check_new_password(user.login, password); !fine) return pass(std::move(fine));
  auto stored = hasher_.hash(password);
  if (!stored) return pass(std::move(stored));

  return database_.write([&](Transaction& tx) -> Result<User> {
    auto still = look(tx);
    if (!still) return pass(std::move(still));
    if (!*still || **still != **owner) return refused();
    auto used = tx.run("DELETE FROM user_claim WHERE hash = ?1", Blob{hash});
    if (!used) return pass(std::move(used));
    if (first) {
      auto count = usable_users(tx);
      if (!count) return pass(std::move(count));
      if (*count > 0) return refused();
      // Somebody invited from the command line may already stand there under this login.
      auto added = tx.run("INSERT INTO user(login, name, roles, password, created) VALUES(?1, ?2, ?3, ?4, ?5) "
                          "ON CONFLICT(login) DO UPDATE SET name = excluded.name, roles = excluded.roles, "
                          "password = excluded.password, disabled = 0",
                          user.login, user.name, role::kFirstUser, *stored, now);
      if (!added) return pass(std::move(added));
    } else {
      auto set = tx.run("UPDATE user SET name = ?2, password = ?3 WHERE login = ?1", user.login, user.name, *stored);
      if (!set) return pass(std::move(set));
    }
    if (auto ended = end_sessions(tx, user.login); !ended) return pass(std::move(ended));
    auto now_there = find_user(tx, user.login);
    if (!now_there) return pass(std::move(now_there));
    if (!*now_there) return refused();
    auto noted = recorder_(tx, first ? "user-first" : "user-claimed", now, user.login,
                           {{"login", user.login}, {"roles", names_of((*now_there)->roles)}});
    if (!noted) return pass(std::move(noted));
    return std::move(**now_there);
  });
}

Result<void> UserStore::set_password(const User& user, std::string_view password, std::string_view by, Time now) {
  if (auto fine = check_user(user); !fine) return fine;
  if (auto fine = check_new_password(user.login, password); !fine) return fine;
  auto stored = hasher_.hash(password);
  if (!stored) return pass(std::move(stored));
  return database_.write([&](Transaction& tx) -> Result<void> {
    auto added = tx.run("INSERT INTO user(login, name, roles, password, created) VALUES(?1, ?2, ?3, ?4, ?5) "
                        "ON CONFLICT(login) DO UPDATE SET password = excluded.password",
                        user.login, user.name, user.roles & role::kPeople, *stored, now);
    if (!added) return added;
    auto unclaimed = tx.run("DELETE FROM user_claim WHERE login = ?1 OR login = ''", user.login);
    if (!unclaimed) return unclaimed;
    if (auto ended = end_sessions(tx, user.login); !ended) return ended;
    return recorder_(tx, "user-password", now, by, {{"login", user.login}});
  });
}

Result<User> UserStore::change(std::string_view login, const Change& change, std::string_view by, Time now) {
  return database_.write([&](Transaction& tx) -> Result<User> {
    auto known = find_user(tx, login);
    if (!known) return pass(std::move(known));
    if (!*known) return no_user(login);
    User user = std::move(**known);
    Fields fields = {{"login", user.login}};
    if (change.name) user.name = *change.name;
    if (change.roles && (*change.roles & role::kPeople) != user.roles) {
      fields.emplace_back("roles_from", names_of(user.roles));
      user.roles = *change.roles & role::kPeople;
      fields.emplace_back("roles_to", names_of(user.roles));
    }
    if (change.disabled && *change.disabled != user.disabled) {
      user.disabled = *change.disabled;
      fields.emplace_back("disabled", user.disabled ? "true" : "false");
    }
    if (auto fine = check_user(user); !fine) return pass(std::move(fine));
    auto changed = tx.run("UPDATE user SET name = ?2, roles = ?3, disabled = ?4 WHERE login = ?1", user.login,
                          user.name, user.roles, user.disabled);
    if (!changed) return pass(std::move(changed));
    auto admins = tx.number(
        "SELECT count(*) FROM user WHERE disabled = 0 AND password IS NOT NULL AND (roles & ?1) <> 0", role::kAdmin);
    if (!admins) return pass(std::move(admins));
    if (*admins == 0 && (change.roles || change.disabled)) {
      return fail(Errc::kConflict, "nobody would be left who can administer Tocsin", "",
                  "give another user the role admin first");
    }
    if (user.disabled) {
      if (auto ended = end_sessions(tx, user.login); !ended) return pass(std::move(ended));
    }
    auto noted = recorder_(tx, "user-changed", now, by, fields);
    if (!noted) return pass(std::move(noted));
    return user;
  });
}

Result<User> UserStore::check_password(std::string_view login, std::string_view password, Time now) {
  const std::string wanted = to_lower(login);
  struct Found {
    User user;
    std::string hash;
  };
  auto found = database_.read([&](Reader& reader) {
    return reader.row<Found>(std::string("SELECT ") + kUserColumns + ", password FROM user WHERE login = ?1",
                             [](const Columns& c) { return Found{read_user(c), c.text(7)}; }, wanted);
  });
  if (!found) return pass(std::move(found));
  const bool usable = *found && !(*found)->user.disabled;
  if (password.size() > kMaxPassword) return wrong_login();
  auto right = hasher_.verify(usable ? std::string_view((*found)->hash) : std::string_view(), password);
  if (!right) return pass(std::move(right));
  if (!usable || !*right) return wrong_login();

  User user = std::move((*found)->user);
  std::optional<std::string> better;
  if (hasher_.outdated((*found)->hash)) {
    if (auto again = hasher_.hash(password)) better = std::move(*again);
  }
  auto noted_login = database_.write([&](Transaction& tx) -> Result<void> {
    auto seen = tx.run("UPDATE user SET last_login = ?2, password = coalesce(?3, password) WHERE login = ?1",
                       user.login, now, better);
    if (!seen) return seen;
    auto noted = recorder_(tx, "user-login", now, user.login, {{"login", user.login}});
    // Without a ledger nothing can be decided, but somebody has to be able to see that it is so.
    if (!noted && noted.error().code == Errc::kUnavailable) return {};
    return noted;
  });
  if (!noted_login) return pass(std::move(noted_login));
  user.last_login = now;
  return user;
}

Result<std::string> UserStore::begin_session(std::string_view login, std::string_view old_token, Time now) {
  std::string token = random_token();
  const std::string hash = token_hash("session", token);
  const std::string old_hash = token_hash("session", old_token);
  auto begun = database_.write([&](Transaction& tx) -> Result<void> {
    auto ended = tx.run("DELETE FROM user_session WHERE hash = ?1 OR created <= ?2 OR seen <= ?3", Blob{old_hash},
                        now - kSessionLife, now - kSessionIdle);
    if (!ended) return ended;
    auto trimmed = tx.run("DELETE FROM user_session WHERE login = ?1 AND hash NOT IN (SELECT hash FROM user_session "
                          "WHERE login = ?1 ORDER BY created DESC LIMIT ?2)",
                          login, kMaxSessionsPerUser - 1);
    if (!trimmed) return trimmed;
    return tx.run("INSERT INTO user_session(hash, login, created, seen) VALUES(?1, ?2, ?3, ?3)", Blob{hash}, login,
                  now);
  });
  if (!begun) return pass(std::move(begun));
  return token;
}

Result<std::optional<User>> UserStore::session(std::string_view token, Time now) {
  if (token.empty()) return std::nullopt;
  const std::string hash = token_hash("session", token);
  struct Found {
    User user;
    Time seen;
  };
  auto found = database_.read([&](Reader& reader) {
    return reader.row<Found>(
        "SELECT u.login, u.name, u.roles, u.disabled, u.password IS NOT NULL, u.created, u.last_login, s.seen "
        "FROM user_session s JOIN user u ON u.login = s.login "
        "WHERE s.hash = ?1 AND s.created > ?2 AND s.seen > ?3 AND u.disabled = 0",
        [](const Columns& c) { return Found{read_user(c), c.time(7)}; }, Blob{hash}, now - kSessionLife,
        now - kSessionIdle);
  });
  if (!found) return pass(std::move(found));
  if (!*found) return std::nullopt;
  if ((*found)->seen + kSessionTouch <= now) {
    auto touched = database_.write([&](Transaction& tx) {
      return tx.run("UPDATE user_session SET seen = ?2 WHERE hash = ?1 AND seen < ?2", Blob{hash}, now);
    });
    // A full disk must not log everybody out.
    static_cast<void>(touched);
  }
  return std::move((*found)->user);
}

Result<void> UserStore::end_session(std::string_view token, Time now) {
  const std::string hash = token_hash("session", token);
  return database_.write([&](Transaction& tx) -> Result<void> {
    auto login = tx.row<std::string>("SELECT login FROM user_session WHERE hash = ?1",
                                     [](const Columns& c) { return c.text(0); }, Blob{hash});
    if (!login) return pass(std::move(login));
    if (!*login) return {};
    auto ended = tx.run("DELETE FROM user_session WHERE hash = ?1", Blob{hash});
    if (!ended) return ended;
    return recorder_(tx, "user-logout", now, **login, {{"login", **login}});
  });
}

Result<std::string> UserStore::create_token(std::string_view name, unsigned roles, std::string_view by, Time now) {
  if (!is_token_name(name)) {
    return fail(Errc::kInvalid, "'name' is not acceptable", "", "use up to 64 letters, digits, '.', '_', '@' and '-'");
  }
  if (roles == 0) return fail(Errc::kInvalid, "a token needs at least one role");
  std::string secret = "tocsin_" + random_token();
  const std::string hash = token_hash("api", secret);
  auto made = database_.write([&](Transaction& tx) -> Result<void> {
    auto taken = tx.number("SELECT count(*) FROM api_token WHERE name = ?1", name);
    if (!taken) return pass(std::move(taken));
    if (*taken > 0) return fail(Errc::kConflict, "there is already a token of this name");
    auto added = tx.run("INSERT INTO api_token(name, hash, roles, created_by, created) VALUES(?1, ?2, ?3, ?4, ?5)",
                        name, Blob{hash}, roles, by, now);
    if (!added) return added;
    return recorder_(tx, "token-created", now, by, {{"name", std::string(name)}, {"roles", names_of(roles)}});
  });
  if (!made) return pass(std::move(made));
  return secret;
}

Result<void> UserStore::revoke_token(std::string_view name, std::string_view by, Time now) {
  return database_.write([&](Transaction& tx) -> Result<void> {
    auto gone = tx.run("DELETE FROM api_token WHERE name = ?1", name);
    if (!gone) return gone;
    if (tx.changes() == 0) return fail(Errc::kNotFound, "there is no token of this name");
    return recorder_(tx, "token-revoked", now, by, {{"name", std::string(name)}});
  });
}

Result<std::vector<ApiToken>> UserStore::tokens() const {
  return database_.read([](Reader& reader) {
    return reader.rows<ApiToken>(std::string("SELECT ") + kTokenColumns + " FROM api_token ORDER BY name", read_token);
  });
}

Result<std::optional<ApiToken>> UserStore::token(std::string_view secret, Time now) {
  const std::string hash = token_hash("api", secret);
  auto found = database_.read([&](Reader& reader) {
    return reader.row<ApiToken>(std::string("SELECT ") + kTokenColumns + " FROM api_token WHERE hash = ?1", read_token,
                                Blob{hash});
  });
  if (!found || !*found) return found;
  if (!(*found)->last_used || *(*found)->last_used + kTokenTouch <= now) {
    auto touched = database_.write([&](Transaction& tx) {
      return tx.run("UPDATE api_token SET last_used = ?2 WHERE hash = ?1", Blob{hash}, now);
    });
    static_cast<void>(touched);
    (*found)->last_used = now;
  }
  return found;
}

Result<void> UserStore::sweep(Time now) {
  return database_.write([&](Transaction& tx) -> Result<void> {
    auto claims = tx.run("DELETE FROM user_claim WHERE expires <= ?1", now);
    if (!claims) return claims;
    return tx.run("DELETE FROM user_session WHERE created <= ?1 OR seen <= ?2", now - kSessionLife, now - kSessionIdle);
  });
}

}  // namespace tocsin::storage
