// `tocsin user` and `tocsin token` as a shell calls them.
#include <gtest/gtest.h>

#include "engine/api/session.hpp"
#include "engine/app/cli.hpp"
#include "storage/user_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

struct Shell {
  TemporaryDirectory dir;
  FixedClock clock{*parse_rfc3339("2026-11-23T10:00:00Z")};
  std::string out, err;
  int run(std::vector<std::string> words, const std::string& input = "") {
    spit(dir / "input", input);
    Context context{clock, "tocsin"};
    CLI::App app("tocsin");
    add_user(app, context);
    if (words.size() > 1) words.insert(words.begin() + 2, {"--data", (dir / "data").string()});
    std::reverse(words.begin(), words.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    std::FILE* file = std::freopen((dir / "input").c_str(), "r", stdin);
    EXPECT_NE(file, nullptr);
    std::cin.clear();
    try {
      app.parse(words);
    } catch (const CLI::ParseError& error) {
      context.exit_status = error.get_exit_code() == 0 ? kAllWell : kUsage;
    }
    std::fflush(stdout);
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return context.exit_status;
  }
};

TEST(CmdUser, InvitesChangesAndLists) {
  Shell shell;
  EXPECT_EQ(shell.run({"user", "link"}), kAllWell) << shell.err;
  EXPECT_TRUE(shell.out.starts_with("/#/claim/"));
  EXPECT_EQ(shell.run({"user", "password", "ada", "--role", "admin,analyst"}, "correct horse battery\n"), kAllWell) << shell.err;
  EXPECT_EQ(shell.run({"user", "link"}), kFoundWrong);
  EXPECT_EQ(shell.run({"user", "add", "bob", "--role", "approver", "--name", "Bob"}), kAllWell) << shell.err;
  EXPECT_TRUE(shell.out.starts_with("/#/claim/"));
  EXPECT_EQ(shell.out.size(), 9U + 43U + 1U);
  EXPECT_EQ(shell.run({"user", "add", "bob", "--role", "approver"}), kFoundWrong);
  EXPECT_EQ(shell.run({"user", "add", "eve", "--role", "queen"}), kFoundWrong);
  EXPECT_NE(shell.err.find("choose from"), std::string::npos);
  EXPECT_EQ(shell.run({"user", "roles", "bob", "--role", "approver", "--role", "analyst"}), kAllWell) << shell.err;
  EXPECT_EQ(shell.run({"user", "list", "--json"}), kAllWell) << shell.err;
  EXPECT_EQ(shell.out,
            "{\"login\":\"ada\",\"name\":\"ada\",\"roles\":[\"analyst\",\"admin\"],\"disabled\":false,\"claimed\":true,\"last_login\":null}\n"
            "{\"login\":\"bob\",\"name\":\"Bob\",\"roles\":[\"analyst\",\"approver\"],\"disabled\":false,\"claimed\":false,\"last_login\":null}\n");
  EXPECT_EQ(shell.run({"user", "disable", "ada"}), kFoundWrong);  // nobody else administers
  EXPECT_EQ(shell.run({"user", "disable", "bob"}), kAllWell) << shell.err;
  EXPECT_EQ(shell.run({"user", "enable", "bob"}), kAllWell) << shell.err;
  EXPECT_EQ(shell.run({"user", "reset", "nobody"}), kFoundWrong);
  EXPECT_EQ(shell.run({"user", "password", "ada"}, "short\n"), kFoundWrong);
  EXPECT_EQ(shell.run({"user", "add", "carl"}), kUsage);
  EXPECT_EQ(shell.run({"user"}), kUsage);
}

TEST(CmdToken, MakesListsAndEndsTokens) {
  Shell shell;
  EXPECT_EQ(shell.run({"token", "add", "web-1"}), kAllWell) << shell.err;
  EXPECT_TRUE(shell.out.starts_with("tocsin_"));
  EXPECT_EQ(shell.run({"token", "add", "web-1"}), kFoundWrong);
  EXPECT_EQ(shell.run({"token", "add", "boss", "--role", "admin"}), kFoundWrong);
  EXPECT_EQ(shell.run({"token", "list", "--json"}), kAllWell);
  EXPECT_NE(shell.out.find("\"roles\":[\"shipper\"]"), std::string::npos);
  EXPECT_EQ(shell.run({"token", "revoke", "web-1"}), kAllWell);
  EXPECT_EQ(shell.run({"token", "revoke", "web-1"}), kFoundWrong);
}

}  // namespace
}  // namespace tocsin::engine
