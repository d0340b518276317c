// TLS: a certificate made on the spot, a client that checks it, versions that are too old, and plain text on a TLS port.
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "engine/net/server.hpp"
#include "tests/unit/engine/net/raw_client.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

class Hello final : public Service {
 public:
  Admission admit(Request&) override {
    Admission admission;
    admission.body_limit = 1 << 20;
    return admission;
  }
  Response handle(Request& request) override {
    Response response;
    response.body = (request.encrypted ? "encrypted " : "plain ") + std::to_string(request.body.size());
    return response;
  }
};

void make_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key_file) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  X509_NAME* name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_sign(made, key, EVP_sha256());
  FILE* file = std::fopen(certificate.c_str(), "w");
  PEM_write_X509(file, made);
  std::fclose(file);
  file = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(made);
  EVP_PKEY_free(key);
}

struct Client {
  explicit Client(std::uint16_t port, int highest = 0) {
    context = SSL_CTX_new(TLS_client_method());
    // Debian's default level forbids old versions on the client's side already.
    if (highest != 0) {
      SSL_CTX_set_security_level(context, 0);
      SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
      SSL_CTX_set_max_proto_version(context, highest);
    }
    ssl = SSL_new(context);
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    SSL_set_fd(ssl, fd);
    connected = SSL_connect(ssl) == 1;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(fd);
  }
  std::string call(const std::string& request) {
    if (SSL_write(ssl, request.data(), static_cast<int>(request.size())) <= 0) return "";
    std::string out;
    char buffer[4096];
    for (int n; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  int fd = -1;
  bool connected = false;
};

TEST(Tls, IsSpokenFromVersion12OnAndSaysSo) {
  TemporaryDirectory dir;
  make_certificate(dir / "cert.pem", dir / "key.pem");
  Hello service;
  Feed feed;
  ServerOptions options;
  options.port = 0;
  options.tls_certificate = dir / "cert.pem";
  options.tls_key = dir / "key.pem";
  options.limits.tls_handshake = std::chrono::milliseconds(300);
  auto started = Server::start(options, service, feed);
  ASSERT_TRUE(started) << started.error().text();
  const std::uint16_t port = (*started)->port();
  EXPECT_TRUE((*started)->url().starts_with("https://127.0.0.1:"));

  for (const int version : {0, TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(port, version);
    ASSERT_TRUE(client.connected) << version;
    const std::string body(100'000, 'x');
    const std::string answer = client.call("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" + body);
    EXPECT_NE(answer.find("encrypted 100000"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Strict-Transport-Security"), std::string::npos);
  }
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) EXPECT_FALSE(Client(port, version).connected) << version;

  test::RawClient plain(port);
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(plain.rest().find("HTTP/1.1"), std::string::npos);
  test::RawClient silent(port);  // never begins the handshake
  EXPECT_TRUE(silent.closed(std::chrono::seconds(3)));

  options.tls_key = dir / "cert.pem";
  EXPECT_EQ(Server::start(options, service, feed).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace tocsin::engine
