// The control socket: who may come in, what lies on the disk, and what becomes of an answer that is none.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/api/local_guard.hpp"
#include "engine/net/local_client.hpp"
#include "engine/net/server.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

mode_t mode_of(const fs::path& path) {
  struct stat found{};
  EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

struct Local {
  explicit Local(std::uint32_t owner = static_cast<std::uint32_t>(::geteuid())) : guard(router, owner) {
    router.add("GET", "/v1/hello", kAnalyst, [](const Request& r) { return ok(boost::json::object{{"you", r.who.login}, {"q", r.query_or("q", "")}}); });
    router.add("POST", "/v1/echo", kAdmin, [](const Request& r) {
      auto body = r.json();
      return body ? ok(*body) : problem(body.error());
    }, 1000);
    router.add("POST", "/v1/decide", kManager, [](const Request&) { return ok(boost::json::object()); });
    router.add("GET", "/v1/slow", kAnalyst, [](const Request&) {
      std::this_thread::sleep_for(1500ms);
      return ok(boost::json::object());
    });
  }
  Result<std::unique_ptr<Server>> start(const fs::path& socket) {
    ServerOptions options;
    options.socket = socket;
    options.workers = 1;
    return Server::start(options, guard, feed);
  }
  Router router;
  LocalGuard guard;
  Feed feed;
};

TEST(ControlSocket, AnswersTheOperatorWhomTheKernelNames) {
  const TemporaryDirectory dir;
  const fs::path socket = dir / "control" / "tocsin.sock";
  Local local;
  auto server = local.start(socket);
  ASSERT_TRUE(server) << server.error().text();
  EXPECT_EQ(mode_of(socket.parent_path()), 0700U);
  EXPECT_EQ(mode_of(socket), 0600U);
  auto hello = ask_local(socket, "GET", "/v1/hello?q=a%20b", "", 5s);
  ASSERT_TRUE(hello) << hello.error().text();
  EXPECT_EQ(hello->status, 200);
  EXPECT_EQ(hello->body.find("{\"you\":\"local:" + std::to_string(::geteuid())), 0U) << hello->body;
  EXPECT_NE(hello->body.find("\"q\":\"a b\""), std::string::npos);
  EXPECT_EQ(ask_local(socket, "POST", "/v1/echo", R"({"a":1})", 5s)->body, R"({"a":1})");
  // What decides needs a login; what is too large, nowhere or not JSON is refused as on the network.
  EXPECT_EQ(ask_local(socket, "POST", "/v1/decide", "{}", 5s)->status, 403);
  EXPECT_EQ(ask_local(socket, "POST", "/v1/echo", "{\"a\":\"" + std::string(2000, 'x') + "\"}", 5s)->status, 413);
  EXPECT_EQ(ask_local(socket, "GET", "/v1/users", "", 5s)->status, 404);
  EXPECT_EQ(ask_local(socket, "POST", "/v1/echo", "{", 5s)->status, 400);
  (*server)->stop();
  EXPECT_FALSE(fs::exists(socket));
  EXPECT_EQ(ask_local(socket, "GET", "/v1/hello", "", 5s).error().code, Errc::kNotFound);
}

TEST(ControlSocket, IsForItsOwnerAndRootOnly) {
  Local local(1000);
  for (const auto& [uid, status] : std::vector<std::pair<std::optional<std::uint32_t>, int>>{{1000, 0}, {0, 0}, {1001, 403}, {std::nullopt, 403}}) {
    Request request;
    request.method = "GET";
    request.path = "/v1/hello";
    request.peer_uid = uid;
    request.headers["cookie"] = "tocsin_session=x";
    const auto admission = local.guard.admit(request);
    EXPECT_EQ(admission.refusal ? admission.refusal->status : 0, status) << uid.value_or(99);
  }
  EXPECT_EQ(local_operator(4'000'000'000U).login, "local:4000000000");  // no such account
  EXPECT_FALSE(local_operator(0).has(kManager | kApprover));
}

TEST(ControlSocket, TakesTheirPlaceFromWhatWasKilledAndShutsTheFolder) {
  const TemporaryDirectory dir;
  const fs::path folder = dir / "control", socket = folder / "tocsin.sock";
  fs::create_directories(folder);
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  std::ofstream(socket) << "left behind";
  Local local;
  auto server = local.start(socket);
  ASSERT_TRUE(server) << server.error().text();
  EXPECT_EQ(mode_of(folder), 0700U);
  EXPECT_EQ(ask_local(socket, "GET", "/v1/hello", "", 5s)->status, 200);
}

TEST(ControlSocket, AFolderThatIsALinkIsRefused) {
  const TemporaryDirectory dir;
  fs::create_directories(dir / "elsewhere");
  fs::create_directory_symlink(dir / "elsewhere", dir / "control");
  Local local;
  auto server = local.start(dir / "control" / "tocsin.sock");
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Errc::kForbidden);
  EXPECT_TRUE(fs::is_empty(dir / "elsewhere"));
  std::ofstream(dir / "file") << "x";
  EXPECT_FALSE(local.start(dir / "file" / "tocsin.sock"));
}

TEST(ControlSocket, ADeepDataDirectoryIsReachedAllTheSame) {
  const TemporaryDirectory dir;
  fs::path deep = dir.path();
  for (int i = 0; i < 4; ++i) deep /= std::string(60, static_cast<char>('a' + i));
  fs::create_directories(deep);
  const fs::path socket = deep / "control" / "tocsin.sock";
  ASSERT_GT(socket.string().size(), sizeof(sockaddr_un::sun_path));
  Local local;
  auto server = local.start(socket);
  ASSERT_TRUE(server) << server.error().text();
  auto hello = ask_local(socket, "GET", "/v1/hello", "", 5s);
  ASSERT_TRUE(hello) << hello.error().text();
  EXPECT_EQ(hello->status, 200);
}

TEST(ControlSocket, WhoeverWaitsTooLongIsToldSo) {
  const TemporaryDirectory dir;
  const fs::path socket = dir / "control" / "tocsin.sock";
  EXPECT_EQ(ask_local(socket, "GET", "/v1/hello", "", 1s).error().code, Errc::kNotFound);
  Local local;
  auto server = local.start(socket);
  ASSERT_TRUE(server);
  auto late = ask_local(socket, "GET", "/v1/slow", "", 1s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kBusy);
}

// Something that listens there and is no engine.
TEST(ControlSocket, AnAnswerThatIsNoneIsAnErrorNotACrash) {
  const TemporaryDirectory dir;
  for (const std::string& answer : {std::string(), std::string("hello"), std::string("HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n"),
                                    std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
                                    std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), std::string(3, '\0')}) {
    const fs::path socket = dir / "sock";
    fs::remove(socket);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(socket.string().size(), sizeof address.sun_path);
    socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    std::thread liar([&] {
      const int peer = ::accept(listener, nullptr, nullptr);
      char away[4096];
      static_cast<void>(::recv(peer, away, sizeof away, 0));
      static_cast<void>(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL));
      ::close(peer);
    });
    auto got = ask_local(socket, "GET", "/v1/hello", "", 5s);
    liar.join();
    ::close(listener);
    ASSERT_FALSE(got) << answer.substr(0, 40);
    EXPECT_EQ(got.error().code, Errc::kCorrupt) << answer.substr(0, 40);
  }
}

}  // namespace
}  // namespace tocsin::engine
