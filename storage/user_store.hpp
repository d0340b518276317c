// People who work with Tocsin, how they prove who they are, and the tokens of programs.
//
// Nothing here can be turned back into a way in: passwords are Argon2id hashes, and session, claim and API
// tokens (32 random bytes each) are kept as SHA-256 only. Every login, change of roles and new token is told to
// the Recorder in the same transaction; if it refuses, nothing happened (but a login goes on when it is kUnavailable,
// so that somebody can see what is wrong).
//
// Thread-safe. Times are passed in.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

// Roles are bits; a user may have several. The engine's Role has the same values.
namespace role {
inline constexpr unsigned kAnalyst = 1, kApprover = 2, kManager = 4, kAdmin = 8, kShipper = 16;
inline constexpr unsigned kPeople = kAnalyst | kApprover | kManager | kAdmin;
// What the first user gets. Not approver: nobody should be able to write and approve a notice alone.
inline constexpr unsigned kFirstUser = kAdmin | kAnalyst | kManager;
}  // namespace role

// "analyst", "approver", "manager", "admin", "shipper", in this order.
[[nodiscard]] std::vector<std::string> role_names(unsigned roles);
// 0 if there is no role of this name.
[[nodiscard]] unsigned role_from(std::string_view name) noexcept;

struct User {
  std::string login;  // lower case
  std::string name;   // how people call them
  unsigned roles = 0;
  bool disabled = false;
  bool has_password = false;  // false until the claim link was used
  Time created{};
  std::optional<Time> last_login;
};

struct ApiToken {
  std::string name;  // unique
  unsigned roles = 0;
  std::string created_by;
  Time created{};
  std::optional<Time> last_used;  // exact to kTokenTouch
};

// Argon2id with t=2, m=64 MiB, p=1 (reliability.md section 5.6). At most kConcurrent hashes run at a time and
// kWaiting wait: each needs 64 MiB and a worker. More are refused with kBusy at once.
class PasswordHasher {
 public:
  static constexpr int kConcurrent = 2;
  static constexpr int kWaiting = 2;
  PasswordHasher();
  // Weak parameters for tests of other things; a hash says its own parameters, so both verify.
  struct Cost {
    unsigned long long operations = 2;
    std::size_t memory = 64UL * 1024 * 1024;
  };
  explicit PasswordHasher(Cost cost);
  [[nodiscard]] Result<std::string> hash(std::string_view password);
  // An empty `hash` (no such user) takes as long as a real one and is never right.
  [[nodiscard]] Result<bool> verify(std::string_view hash, std::string_view password);
  [[nodiscard]] bool outdated(const std::string& hash) const;
  [[nodiscard]] std::uint64_t hashes() const;  // computed so far

 private:
  [[nodiscard]] bool enter();
  void leave();
  Cost cost_;
  std::string dummy_;
  mutable std::mutex mutex_;
  std::condition_variable free_;
  int running_ = 0, waiting_ = 0;  // guarded by mutex_
  std::uint64_t hashes_ = 0;       // guarded by mutex_
};

class UserStore {
 public:
  static constexpr Duration kClaimLife = std::chrono::hours{24};
  static constexpr Duration kSessionIdle = std::chrono::hours{8};
  static constexpr Duration kSessionLife = std::chrono::hours{24};
  static constexpr Duration kSessionTouch = std::chrono::minutes{5};  // how exact "last seen" is: a write less per call
  static constexpr Duration kTokenTouch = std::chrono::minutes{5};
  static constexpr std::size_t kMinPassword = 12;
  static constexpr std::size_t kMaxPassword = 1024;
  static constexpr std::size_t kMaxSessionsPerUser = 32;  // the oldest ends when one more begins

  // Puts one decision on record (the ledger) inside the transaction that makes it.
  using Fields = std::vector<std::pair<std::string, std::string>>;
  using Recorder = std::function<Result<void>(Transaction&, std::string_view kind, Time now, std::string_view by,
                                              const Fields& fields)>;

  // `database` and `hasher` must outlive the store. Call migrate() of the database with migrations() before.
  UserStore(Database& database, PasswordHasher& hasher, Recorder recorder);
  [[nodiscard]] static std::span<const Migration> migrations();
  static constexpr const char* kFamily = "user";

  [[nodiscard]] Result<std::vector<User>> list() const;  // by login
  [[nodiscard]] Result<std::optional<User>> find(std::string_view login) const;
  // True as soon as somebody can log in.
  [[nodiscard]] Result<bool> any() const;

  // A claim token for the very first user (who chooses the login and gets role::kFirstUser); earlier ones end.
  // kConflict once any() is true.
  [[nodiscard]] Result<std::string> first_claim(Time now);
  // Makes a user without password and the token with which the person sets one. kConflict: login taken.
  [[nodiscard]] Result<std::string> invite(const User& user, std::string_view by, Time now);
  // A new claim token; the old password, earlier claims and all sessions end.
  [[nodiscard]] Result<std::string> reset(std::string_view login, std::string_view by, Time now);
  // Uses a claim token once: sets name (if not empty) and password. `login` is only read for the first user.
  // kForbidden: token unknown, used or too old. kInvalid: login, name or password not acceptable.
  [[nodiscard]] Result<User> claim(std::string_view token, std::string_view login, std::string_view name,
                                   std::string_view password, Time now);
  // Sets a password directly (from the command line of the machine). Makes the user if there is none.
  [[nodiscard]] Result<void> set_password(const User& user, std::string_view password, std::string_view by, Time now);

  struct Change {
    std::optional<std::string> name;
    std::optional<unsigned> roles;
    std::optional<bool> disabled;
  };
  // kConflict if nobody with the role admin would be left who can log in. Disabling ends the sessions.
  [[nodiscard]] Result<User> change(std::string_view login, const Change& change, std::string_view by, Time now);

  // kUnauthorised with one and the same text for unknown, disabled and wrong; kBusy: too many logins at once.
  [[nodiscard]] Result<User> check_password(std::string_view login, std::string_view password, Time now);
  // A new session's token. Call after check_password or claim; `old_token` (if any) ends: rotation.
  [[nodiscard]] Result<std::string> begin_session(std::string_view login, std::string_view old_token, Time now);
  // The user of a running session; nullopt if there is none. Keeps it from idling out.
  [[nodiscard]] Result<std::optional<User>> session(std::string_view token, Time now);
  [[nodiscard]] Result<void> end_session(std::string_view token, Time now);

  // The secret of a new API token, shown this one time: "tocsin_" and 43 characters. kConflict: name taken.
  [[nodiscard]] Result<std::string> create_token(std::string_view name, unsigned roles, std::string_view by, Time now);
  [[nodiscard]] Result<void> revoke_token(std::string_view name, std::string_view by, Time now);
  [[nodiscard]] Result<std::vector<ApiToken>> tokens() const;
  [[nodiscard]] Result<std::optional<ApiToken>> token(std::string_view secret, Time now);

  // Forgets what ended before `now`. Cheap; call now and then.
  [[nodiscard]] Result<void> sweep(Time now);

 private:
  Database& database_;
  PasswordHasher& hasher_;
  Recorder recorder_;
};

// What makes a login name: 1 to 64 of a-z 0-9 . _ @ -, beginning with a letter or digit.
[[nodiscard]] bool is_login(std::string_view login) noexcept;
// What makes the name of a token or source: the same, and capitals.
[[nodiscard]] bool is_token_name(std::string_view name) noexcept;

}  // namespace tocsin::storage
