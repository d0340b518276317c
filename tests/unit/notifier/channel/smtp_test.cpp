// Against a real SMTP server (aiosmtpd): taken, refused, put off, silent, gone in the middle, and TLS that is or
// is not in order.
#include "notifier/channel/smtp/smtp.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/temporary_directory.hpp"

namespace tocsin::notifier {
namespace {

// The server as a child process that lives as long as its standard input is open.
class Server {
 public:
  Server(const std::string& manner, const std::filesystem::path& out, const std::string& more = "") {
    int in[2], outp[2];
    if (::pipe(in) != 0 || ::pipe(outp) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(outp[1], 1);
      for (const int fd : {in[0], in[1], outp[0], outp[1]}) ::close(fd);
      const std::string command = std::string("exec /usr/bin/python3 ") + TOCSIN_SOURCE_DIR +
                                  "/tests/unit/notifier/channel/smtp_server.py --manner " + manner + " --out " + out.string() + " " + more;
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(outp[1]);
    stdin_ = in[1];
    char c = 0;
    std::string port;
    while (::read(outp[0], &c, 1) == 1 && c != '\n') port += c;
    ::close(outp[0]);
    port_ = port.empty() ? 0 : std::stoi(port);
  }
  ~Server() {
    ::close(stdin_);
    ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }

 private:
  pid_t child_ = 0;
  int stdin_ = -1;
  int port_ = 0;
};

struct SmtpTest : ::testing::Test {
  TemporaryDirectory dir;
  void SetUp() override {
    if (std::system("/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null") != 0) {
      GTEST_SKIP() << "python3-aiosmtpd is not installed (ops/setup test)";
    }
  }

  static Message message() {
    Message m;
    m.id = "n1-aa";
    m.from = "privacy@linden-clinic.example";
    m.from_name = "Linden Clinic";
    m.to = "ada.abel@example.org";
    m.subject = "Important";
    m.body = "one\n.two\n..three\n.\nend\n";
    return m;
  }
  [[nodiscard]] std::string received() const {
    std::ifstream in(dir / "out");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  static std::unique_ptr<Channel> channel(std::uint16_t port, SmtpOptions::Tls tls = SmtpOptions::Tls::kNone, const std::string& ca = "") {
    SmtpOptions options;
    options.host = tls == SmtpOptions::Tls::kNone ? "127.0.0.1" : "localhost";
    options.port = port;
    options.tls = tls;
    options.ca_file = ca;
    options.timeout_seconds = 2;
    return make_smtp(options);
  }
};

TEST_F(SmtpTest, TheServerTakesItOnceAndWhole) {
  Server server("ok", dir / "out");
  const Receipt receipt = channel(server.port())->send(message());
  EXPECT_EQ(receipt.handover, Handover::kDone) << receipt.evidence;
  EXPECT_NE(receipt.evidence.find("queued"), std::string::npos) << receipt.evidence;
  EXPECT_NE(received().find("ada.abel@example.org"), std::string::npos);
  EXPECT_NE(received().find("one\\r\\n.two\\r\\n..three\\r\\n.\\r\\nend"), std::string::npos) << received();
}

TEST_F(SmtpTest, ManyMessagesShareAConnection) {
  Server server("ok", dir / "out");
  auto smtp = channel(server.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(smtp->send(message()).handover, Handover::kDone);
}

TEST_F(SmtpTest, ARefusedAddressIsFinalAndStaysOutOfTheEvidence) {
  Server server("reject-rcpt", dir / "out");
  const Receipt receipt = channel(server.port())->send(message());
  EXPECT_EQ(receipt.handover, Handover::kPermanent) << receipt.evidence;
  EXPECT_EQ(receipt.evidence.find("ada"), std::string::npos) << receipt.evidence;
  EXPECT_NE(receipt.evidence.find("550"), std::string::npos) << receipt.evidence;
}

TEST_F(SmtpTest, LaterMeansLater) {
  Server server("later", dir / "out");
  EXPECT_EQ(channel(server.port())->send(message()).handover, Handover::kTemporary);
}

TEST_F(SmtpTest, ASilentServerCostsOnlyTheTimeOut) {
  Server server("hang", dir / "out");
  const Receipt receipt = channel(server.port())->send(message());
  EXPECT_EQ(receipt.handover, Handover::kTemporary) << receipt.evidence;
  EXPECT_FALSE(receipt.remedy.empty());
}

TEST_F(SmtpTest, NobodyListens) {
  const Receipt receipt = channel(1)->send(message());
  EXPECT_EQ(receipt.handover, Handover::kTemporary);
  EXPECT_NE(receipt.remedy.find("notices.smtp.host"), std::string::npos);
}

TEST_F(SmtpTest, AServerThatDiesAfterTheLastByteLeavesItUnknown) {
  Server server("drop-after-data", dir / "out");
  const Receipt receipt = channel(server.port())->send(message());
  EXPECT_EQ(receipt.handover, Handover::kUnknown) << receipt.evidence;
}

TEST_F(SmtpTest, TlsIsCheckedAndUsed) {
  const std::string make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
                           "-keyout " + (dir / "key.pem").string() + " -out " + (dir / "cert.pem").string() + " 2>/dev/null";
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "the openssl program is not installed (ops/setup test)";
  Server server("ok", dir / "out", "--cert " + (dir / "cert.pem").string() + " --key " + (dir / "key.pem").string());
  const Receipt strange = channel(server.port(), SmtpOptions::Tls::kStartTls)->send(message());
  EXPECT_EQ(strange.handover, Handover::kTemporary);
  EXPECT_NE(strange.remedy.find("certificate"), std::string::npos) << strange.evidence;
  EXPECT_EQ(received(), "");
  const Receipt known = channel(server.port(), SmtpOptions::Tls::kStartTls, (dir / "cert.pem").string())->send(message());
  EXPECT_EQ(known.handover, Handover::kDone) << known.evidence;
  EXPECT_NE(received().find("\"tls\": true"), std::string::npos);
}

TEST_F(SmtpTest, NoTlsOfferedMeansNoMailSent) {
  Server server("ok", dir / "out");
  const Receipt receipt = channel(server.port(), SmtpOptions::Tls::kStartTls)->send(message());
  EXPECT_NE(receipt.handover, Handover::kDone);
  EXPECT_EQ(received(), "");
}

}  // namespace
}  // namespace tocsin::notifier
