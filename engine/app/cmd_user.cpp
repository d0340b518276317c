// `tocsin user …` and `tocsin token …`: who may come in, from the command line of the machine that has the data.
// Works while no engine runs on the same data directory; otherwise the console does the same.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "engine/api/record.hpp"
#include "engine/api/session.hpp"
#include "engine/app/cli.hpp"
#include "rules/base/text.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/user_store.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::engine {
namespace {

constexpr const char* kBy = "command-line";

// The data directory opened for managing users; everything that is decided here goes on record as well.
struct Office {
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<storage::Ledger> ledger;
  std::unique_ptr<storage::PasswordHasher> hasher;
  std::unique_ptr<storage::UserStore> users;

  static Result<Office> open(const std::filesystem::path& data, const std::filesystem::path& keys_dir) {
    std::error_code ec;
    std::filesystem::create_directories(data, ec);
    if (ec) return fail(Errc::kIo, "cannot make the data directory: " + ec.message(), data.string());
    Office office;
    auto database = storage::Database::open(data / "tocsin.db");
    if (!database) {
      Error error = std::move(database).error();
      if (error.code == Errc::kUnavailable) error.remedy = "stop the engine, or do this in its console";
      return tl::unexpected<Error>(std::move(error));
    }
    office.database = std::move(*database);
    auto migrated = office.database->migrate(storage::UserStore::kFamily, storage::UserStore::migrations());
    if (!migrated) return pass(std::move(migrated));
    const std::filesystem::path keys = keys_dir.empty() ? data / "keys" : keys_dir;
    auto root = storage::Keys::open_or_create(keys);
    if (!root) return pass(std::move(root));
    storage::Ledger::Options options;
    auto ledger = storage::Ledger::open(*office.database, data / "ledger", keys, options);
    if (!ledger) return pass(std::move(ledger));
    office.ledger = std::move(*ledger);
    office.hasher = std::make_unique<storage::PasswordHasher>();
    office.users = std::make_unique<storage::UserStore>(*office.database, *office.hasher,
                                                        ledger_recorder(*office.ledger));
    return office;
  }
};

std::string joined(unsigned roles) {
  std::string out;
  for (const std::string& name : storage::role_names(roles)) out += (out.empty() ? "" : ",") + name;
  return out.empty() ? "-" : out;
}

Result<unsigned> roles_from(const std::vector<std::string>& names, unsigned allowed) {
  unsigned roles = 0;
  for (const std::string& name : names) {
    const unsigned role = storage::role_from(name) & allowed;
    if (role == 0) {
      return fail(Errc::kInvalid, "there is no role '" + printable(name, 40) + "' here", "--role",
                  (allowed & kShipper) != 0 ? "choose from shipper, analyst, manager"
                                            : "choose from analyst, approver, manager, admin");
    }
    roles |= role;
  }
  return roles;
}

std::string when(const std::optional<Time>& time) { return time ? format_rfc3339(*time) : "never"; }

boost::json::value json_time(const std::optional<Time>& time) {
  return time ? boost::json::value(format_rfc3339(*time)) : boost::json::value(nullptr);
}

boost::json::array json_roles(unsigned roles) {
  boost::json::array out;
  for (const std::string& name : storage::role_names(roles)) out.emplace_back(name);
  return out;
}

// One line of standard input: a password must not stand on a command line, where others can read it.
Result<std::string> password_from_input() {
  if (::isatty(0) != 0) std::fprintf(stderr, "New password (it will be visible): ");
  std::string line;
  if (!std::getline(std::cin, line)) {
    return fail(Errc::kInvalid, "no password came on standard input", "", "for example: printf %s \"$PASSWORD\" | …");
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

struct Arguments {
  std::filesystem::path data, keys;
  std::string login, name;
  std::vector<std::string> roles;
  bool json = false;
};

void print_link(const std::string& token) {
  std::printf("%s\n", claim_path(token).c_str());
  std::fprintf(stderr, "Give this path, behind the console's address, to the person. It works once, for 24 hours.\n");
}

template <class Body>
void run(Context& context, const Arguments& arguments, Body&& body) {
  auto office = Office::open(arguments.data, arguments.keys);
  if (!office) {
    context.exit_status = report(office.error());
    return;
  }
  Result<void> done = body(*office);
  if (!done) context.exit_status = report(done.error());
}

Result<void> list_users(Office& office, const Arguments& arguments) {
  auto users = office.users->list();
  if (!users) return pass(std::move(users));
  for (const storage::User& user : *users) {
    if (arguments.json) {
      boost::json::object line{{"login", user.login}, {"name", user.name}, {"roles", json_roles(user.roles)},
                               {"disabled", user.disabled}, {"claimed", user.has_password},
                               {"last_login", json_time(user.last_login)}};
      std::printf("%s\n", boost::json::serialize(line).c_str());
    } else {
      const char* state = user.disabled ? "disabled" : user.has_password ? "active" : "invited";
      std::printf("%-24s %-9s %-32s last login %-21s %s\n", user.login.c_str(), state, joined(user.roles).c_str(),
                  when(user.last_login).c_str(), printable(user.name, 200).c_str());
    }
  }
  return {};
}

Result<void> list_tokens(Office& office, const Arguments& arguments) {
  auto tokens = office.users->tokens();
  if (!tokens) return pass(std::move(tokens));
  for (const storage::ApiToken& token : *tokens) {
    if (arguments.json) {
      boost::json::object line{{"name", token.name}, {"roles", json_roles(token.roles)},
                               {"created_by", token.created_by}, {"created", format_rfc3339(token.created)},
                               {"last_used", json_time(token.last_used)}};
      std::printf("%s\n", boost::json::serialize(line).c_str());
    } else {
      std::printf("%-24s %-24s by %-16s last used %s\n", token.name.c_str(), joined(token.roles).c_str(),
                  token.created_by.c_str(), when(token.last_used).c_str());
    }
  }
  return {};
}

}  // namespace

void add_user(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  const auto command = [&](CLI::App* parent, const char* name, const char* help) {
    CLI::App* made = parent->add_subcommand(name, help);
    add_data_option(*made, arguments->data);
    made->add_option("--keys", arguments->keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
    return made;
  };
  const auto does = [&context, arguments](CLI::App* made, Result<void> (*body)(Office&, const Arguments&, Time)) {
    made->callback([&context, arguments, body] {
      run(context, *arguments, [&](Office& office) { return body(office, *arguments, context.clock.now()); });
    });
  };

  CLI::App* user = app.add_subcommand("user", "people who work with Tocsin");
  user->require_subcommand(1);

  CLI::App* list = command(user, "list", "everybody, with roles");
  list->add_flag("--json", arguments->json, "one JSON object per line");
  does(list, [](Office& office, const Arguments& a, Time) { return list_users(office, a); });

  CLI::App* add = command(user, "add", "invite somebody; prints the path of a one-time link");
  add->add_option("LOGIN", arguments->login, "login")->required();
  add->add_option("--name", arguments->name, "how people call them (default: the login)");
  add->add_option("--role", arguments->roles, "analyst, approver, manager, admin; may be given several times")
      ->required()->delimiter(',');
  does(add, [](Office& office, const Arguments& a, Time now) -> Result<void> {
    auto roles = roles_from(a.roles, storage::role::kPeople);
    if (!roles) return pass(std::move(roles));
    storage::User invited;
    invited.login = a.login;
    invited.name = a.name.empty() ? a.login : a.name;
    invited.roles = *roles;
    auto token = office.users->invite(invited, kBy, now);
    if (!token) return pass(std::move(token));
    print_link(*token);
    return {};
  });

  CLI::App* roles = command(user, "roles", "change somebody's roles");
  roles->add_option("LOGIN", arguments->login, "login")->required();
  roles->add_option("--role", arguments->roles, "all roles the person shall have")->required()->delimiter(',');
  does(roles, [](Office& office, const Arguments& a, Time now) -> Result<void> {
    auto wanted = roles_from(a.roles, storage::role::kPeople);
    if (!wanted) return pass(std::move(wanted));
    storage::UserStore::Change change;
    change.roles = *wanted;
    auto changed = office.users->change(a.login, change, kBy, now);
    if (!changed) return pass(std::move(changed));
    return {};
  });

  for (const bool disable : {true, false}) {
    CLI::App* made = disable ? command(user, "disable", "end somebody's access and sessions")
                             : command(user, "enable", "give access back");
    made->add_option("LOGIN", arguments->login, "login")->required();
    const auto set = [](Office& office, const Arguments& a, Time now, bool value) -> Result<void> {
      storage::UserStore::Change change;
      change.disabled = value;
      auto changed = office.users->change(a.login, change, kBy, now);
      if (!changed) return pass(std::move(changed));
      return {};
    };
    made->callback([&context, arguments, set, disable] {
      run(context, *arguments,
          [&](Office& office) { return set(office, *arguments, context.clock.now(), disable); });
    });
  }

  CLI::App* reset = command(user, "reset", "end somebody's password; prints the path of a new one-time link");
  reset->add_option("LOGIN", arguments->login, "login")->required();
  does(reset, [](Office& office, const Arguments& a, Time now) -> Result<void> {
    auto token = office.users->reset(a.login, kBy, now);
    if (!token) return pass(std::move(token));
    print_link(*token);
    return {};
  });

  CLI::App* password = command(user, "password", "set a password, read from standard input; makes the user if new");
  password->add_option("LOGIN", arguments->login, "login")->required();
  password->add_option("--name", arguments->name, "how people call them (default: the login)");
  password->add_option("--role", arguments->roles, "roles of a new user")->delimiter(',');
  does(password, [](Office& office, const Arguments& a, Time now) -> Result<void> {
    auto wanted = roles_from(a.roles, storage::role::kPeople);
    if (!wanted) return pass(std::move(wanted));
    auto text = password_from_input();
    if (!text) return pass(std::move(text));
    storage::User person;
    person.login = a.login;
    person.name = a.name.empty() ? a.login : a.name;
    person.roles = *wanted;
    return office.users->set_password(person, *text, kBy, now);
  });

  CLI::App* link = command(user, "link", "the path of the very first user's one-time link");
  does(link, [](Office& office, const Arguments&, Time now) -> Result<void> {
    auto path = first_claim_path(*office.users, now);
    if (!path) return pass(std::move(path));
    if (!*path) return fail(Errc::kConflict, "somebody can already log in", "", "use 'tocsin user add' or 'reset'");
    std::printf("%s\n", (*path)->c_str());
    return {};
  });

  CLI::App* token = app.add_subcommand("token", "API tokens of programs");
  token->require_subcommand(1);

  CLI::App* tokens = command(token, "list", "all tokens, without their secrets");
  tokens->add_flag("--json", arguments->json, "one JSON object per line");
  does(tokens, [](Office& office, const Arguments& a, Time) { return list_tokens(office, a); });

  CLI::App* create = command(token, "add", "a new token; prints its secret, this one time");
  create->add_option("NAME", arguments->name, "name of the token")->required();
  create->add_option("--role", arguments->roles, "shipper (default), analyst, manager")->delimiter(',');
  does(create, [](Office& office, const Arguments& a, Time now) -> Result<void> {
    auto wanted = roles_from(a.roles, kShipper | kAnalyst | kManager);
    if (!wanted) return pass(std::move(wanted));
    auto secret = office.users->create_token(a.name, *wanted == 0 ? unsigned{kShipper} : *wanted, kBy, now);
    if (!secret) return pass(std::move(secret));
    std::printf("%s\n", secret->c_str());
    return {};
  });

  CLI::App* revoke = command(token, "revoke", "end a token");
  revoke->add_option("NAME", arguments->name, "name of the token")->required();
  does(revoke, [](Office& office, const Arguments& a, Time now) {
    return office.users->revoke_token(a.name, kBy, now);
  });
}

}  // namespace tocsin::engine
