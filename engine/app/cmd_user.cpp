// `tocsin user …` and `tocsin token …`: who may come in, from the command line of the machine that has the data. The
// API's handlers answer (Front): in this process, or in the engine that runs on the data.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include <boost/json.hpp>

#include "engine/api/record.hpp"
#include "engine/api/url.hpp"
#include "engine/api/users.hpp"
#include "engine/app/cli.hpp"
#include "engine/app/data_folder.hpp"
#include "engine/app/front.hpp"
#include "engine/app/local_routes.hpp"
#include "rules/base/text.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/user_store.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;

// The data directory opened for managing users; everything that is decided here goes on record as well.
struct Office {
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<storage::Ledger> ledger;
  std::unique_ptr<storage::PasswordHasher> hasher;
  std::unique_ptr<storage::UserStore> users;
};

Result<Front> open_here(const std::filesystem::path& data, const std::filesystem::path& keys_dir, const Clock& clock) {
  if (auto folder = open_data_folder(data); !folder) return pass(std::move(folder));
  auto office = std::make_shared<Office>();
  auto database = storage::Database::open(data / "tocsin.db");
  if (!database) {
    Error error = std::move(database).error();
    if (error.code == Errc::kUnavailable) error.remedy = "stop the engine, or do this in its console";
    return tl::unexpected<Error>(std::move(error));
  }
  office->database = std::move(*database);
  auto migrated = office->database->migrate(storage::UserStore::kFamily, storage::UserStore::migrations());
  if (!migrated) return pass(std::move(migrated));
  const std::filesystem::path keys = keys_dir.empty() ? data / "keys" : keys_dir;
  auto root = storage::Keys::open_or_create(keys);
  if (!root) return pass(std::move(root));
  auto ledger = storage::Ledger::open(*office->database, data / "ledger", keys, {});
  if (!ledger) return pass(std::move(ledger));
  office->ledger = std::move(*ledger);
  office->hasher = std::make_unique<storage::PasswordHasher>();
  office->users = std::make_unique<storage::UserStore>(*office->database, *office->hasher, ledger_recorder(*office->ledger));
  auto router = std::make_shared<Router>();
  add_local_routes(*router);
  add_user_routes(*router, *office->users, clock, {});
  add_local_user_routes(*router, *office->users, clock);
  return Front(office, router);
}

std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool is_set(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string joined(const json::object& object, const char* key) {
  std::string out;
  const json::value* list = object.if_contains(key);
  if (list != nullptr && list->is_array()) {
    for (const json::value& word : list->get_array()) out += (out.empty() ? "" : ",") + std::string(word.as_string());
  }
  return out.empty() ? "-" : out;
}

std::string when(const json::object& object, const char* key) {
  const std::string time = text(object, key);
  return time.empty() ? "never" : time;
}

json::array words(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& word : list) out.emplace_back(word);
  return out;
}

// These members, in this order.
std::string picked(const json::object& from, std::initializer_list<const char*> keys) {
  json::object out;
  for (const char* key : keys) {
    if (const json::value* value = from.if_contains(key)) out[key] = *value;
  }
  return json::serialize(out);
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

// The path behind whatever address the console has.
void print_link(const json::value& answer) {
  const std::string url = text(answer.get_object(), "claim_url");
  const std::size_t path = url.find("/#/");
  std::printf("%s\n", path == std::string::npos ? url.c_str() : url.c_str() + path);
  std::fprintf(stderr, "Give this path, behind the console's address, to the person. It works once, for 24 hours.\n");
}

std::string user_path(const Arguments& a) { return "/v1/users/" + percent_encode(a.login); }

// For what answers nothing that is to be shown.
Result<void> done(Result<json::value> answer) {
  if (!answer) return pass(std::move(answer));
  return {};
}

Result<void> list_users(const Front& front, const Arguments& arguments) {
  auto answer = front.get("/v1/users");
  if (!answer) return pass(std::move(answer));
  if (answer->at("items").as_array().empty()) std::fprintf(stderr, "Nobody yet: 'tocsin user link' prints the path of the first login.\n");
  for (const json::value& item : answer->at("items").as_array()) {
    const json::object& user = item.get_object();
    if (arguments.json) {
      std::printf("%s\n", picked(user, {"login", "name", "roles", "disabled", "claimed", "last_login"}).c_str());
    } else {
      const char* state = is_set(user, "disabled") ? "disabled" : is_set(user, "claimed") ? "active" : "invited";
      std::printf("%-24s %-9s %-32s last login %-21s %s\n", text(user, "login").c_str(), state, joined(user, "roles").c_str(),
                  when(user, "last_login").c_str(), printable(text(user, "name"), 200).c_str());
    }
  }
  return {};
}

Result<void> list_tokens(const Front& front, const Arguments& arguments) {
  auto answer = front.get("/v1/tokens");
  if (!answer) return pass(std::move(answer));
  for (const json::value& item : answer->at("items").as_array()) {
    const json::object& token = item.get_object();
    if (arguments.json) {
      std::printf("%s\n", picked(token, {"name", "roles", "created_by", "created", "last_used"}).c_str());
    } else {
      std::printf("%-24s %-24s by %-16s last used %s\n", text(token, "name").c_str(), joined(token, "roles").c_str(),
                  text(token, "created_by").c_str(), when(token, "last_used").c_str());
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
  const auto does = [&context, arguments](CLI::App* made, Result<void> (*body)(const Front&, const Arguments&)) {
    made->callback([&context, arguments, body] {
      auto front = front_for(arguments->data, [&] { return open_here(arguments->data, arguments->keys, context.clock); });
      Result<void> ended;
      if (front) ended = body(*front, *arguments);
      else ended = pass(std::move(front));
      if (!ended) context.exit_status = report(ended.error());
    });
  };

  CLI::App* user = app.add_subcommand("user", "people who work with Tocsin");
  user->require_subcommand(1);

  CLI::App* list = command(user, "list", "everybody, with roles");
  list->add_flag("--json", arguments->json, "one JSON object per line");
  does(list, list_users);

  CLI::App* add = command(user, "add", "invite somebody; prints the path of a one-time link");
  add->add_option("LOGIN", arguments->login, "login")->required();
  add->add_option("--name", arguments->name, "how people call them (default: the login)");
  add->add_option("--role", arguments->roles, "analyst, approver, manager, admin; may be given several times")
      ->required()->delimiter(',');
  does(add, [](const Front& front, const Arguments& a) -> Result<void> {
    auto answer = front.post("/v1/users", {{"login", a.login}, {"name", a.name.empty() ? a.login : a.name}, {"roles", words(a.roles)}});
    if (!answer) return pass(std::move(answer));
    print_link(*answer);
    return {};
  });

  CLI::App* roles = command(user, "roles", "change somebody's roles");
  roles->add_option("LOGIN", arguments->login, "login")->required();
  roles->add_option("--role", arguments->roles, "all roles the person shall have")->required()->delimiter(',');
  does(roles, [](const Front& front, const Arguments& a) {
    const json::object body{{"roles", words(a.roles)}};
    return done(front.call("PATCH", user_path(a), &body));
  });

  CLI::App* disable = command(user, "disable", "end somebody's access and sessions");
  disable->add_option("LOGIN", arguments->login, "login")->required();
  does(disable, [](const Front& front, const Arguments& a) {
    const json::object body{{"disabled", true}};
    return done(front.call("PATCH", user_path(a), &body));
  });
  CLI::App* enable = command(user, "enable", "give access back");
  enable->add_option("LOGIN", arguments->login, "login")->required();
  does(enable, [](const Front& front, const Arguments& a) {
    const json::object body{{"disabled", false}};
    return done(front.call("PATCH", user_path(a), &body));
  });

  CLI::App* reset = command(user, "reset", "end somebody's password; prints the path of a new one-time link");
  reset->add_option("LOGIN", arguments->login, "login")->required();
  does(reset, [](const Front& front, const Arguments& a) -> Result<void> {
    auto answer = front.post(user_path(a) + "/reset", {});
    if (!answer) return pass(std::move(answer));
    print_link(*answer);
    return {};
  });

  CLI::App* password = command(user, "password", "set a password, read from standard input; makes the user if new");
  password->add_option("LOGIN", arguments->login, "login")->required();
  password->add_option("--name", arguments->name, "how people call them (default: the login)");
  password->add_option("--role", arguments->roles, "roles of a new user")->delimiter(',');
  does(password, [](const Front& front, const Arguments& a) -> Result<void> {
    auto secret = password_from_input();
    if (!secret) return pass(std::move(secret));
    const json::object body{{"password", *secret}, {"name", a.name.empty() ? a.login : a.name}, {"roles", words(a.roles)}};
    return done(front.call("PUT", "/v1/local/passwords/" + percent_encode(a.login), &body));
  });

  CLI::App* link = command(user, "link", "the path of the very first user's one-time link");
  does(link, [](const Front& front, const Arguments&) -> Result<void> {
    auto answer = front.get("/v1/local/first-claim");
    if (!answer) return pass(std::move(answer));
    std::printf("%s\n", text(answer->get_object(), "path").c_str());
    return {};
  });

  CLI::App* token = app.add_subcommand("token", "API tokens of programs");
  token->require_subcommand(1);

  CLI::App* tokens = command(token, "list", "all tokens, without their secrets");
  tokens->add_flag("--json", arguments->json, "one JSON object per line");
  does(tokens, list_tokens);

  CLI::App* create = command(token, "add", "a new token; prints its secret, this one time");
  create->add_option("NAME", arguments->name, "name of the token")->required();
  create->add_option("--role", arguments->roles, "shipper (default), analyst, manager")->delimiter(',');
  does(create, [](const Front& front, const Arguments& a) -> Result<void> {
    auto answer = front.post("/v1/tokens", {{"name", a.name}, {"roles", words(a.roles.empty() ? std::vector<std::string>{"shipper"} : a.roles)}});
    if (!answer) return pass(std::move(answer));
    std::printf("%s\n", text(answer->get_object(), "token").c_str());
    return {};
  });

  CLI::App* revoke = command(token, "revoke", "end a token");
  revoke->add_option("NAME", arguments->name, "name of the token")->required();
  does(revoke, [](const Front& front, const Arguments& a) {
    return done(front.call("DELETE", "/v1/tokens/" + percent_encode(a.name), nullptr));
  });
}

}  // namespace tocsin::engine
