// A socket and nothing else: what goes over the wire is exactly what the test says.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/text.hpp"

namespace tocsin::engine::test {

struct RawResponse {
  int status = 0;
  std::string head;  // lower case
  std::string body;
  // The value of a field (name in lower case, value in lower case); empty if absent.
  [[nodiscard]] std::string field(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + 2 + name.size() + 2;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), arrived_(std::move(other.arrived_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  // Reads once, at most until `wait` passed. False at the end of the stream.
  bool more(std::chrono::milliseconds wait) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(wait.count())) <= 0) return false;
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) {
      ended_ = true;
      return false;
    }
    arrived_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  // Everything until the server closes (or `wait` passes without a byte).
  std::string rest(std::chrono::milliseconds wait = std::chrono::seconds(5)) {
    while (more(wait)) {
    }
    return std::exchange(arrived_, {});
  }
  // Everything that comes until `text` does.
  bool until(std::string_view text, std::chrono::milliseconds wait = std::chrono::seconds(5)) {
    while (arrived_.find(text) == std::string::npos) {
      if (!more(wait)) return false;
    }
    return true;
  }
  [[nodiscard]] const std::string& arrived() const { return arrived_; }
  // True once the server has closed its side.
  bool closed(std::chrono::milliseconds wait = std::chrono::seconds(5)) {
    while (more(wait)) {
    }
    return ended_;
  }

  // The next response; status 0 if there is none.
  RawResponse response(std::chrono::milliseconds wait = std::chrono::seconds(5), bool head_only = false) {
    RawResponse out;
    while (arrived_.find("\r\n\r\n") == std::string::npos) {
      if (!more(wait)) return out;
    }
    const std::size_t end = arrived_.find("\r\n\r\n") + 4;
    out.head = to_lower(arrived_.substr(0, end));
    if (out.head.size() > 12) out.status = std::atoi(out.head.c_str() + 9);
    const std::string length = out.field("content-length");
    const std::size_t size = length.empty() || head_only ? 0 : static_cast<std::size_t>(std::stoull(length));
    while (arrived_.size() < end + size) {
      if (!more(wait)) break;
    }
    out.body = arrived_.substr(end, size);
    arrived_.erase(0, end + size);
    return out;
  }

 private:
  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string arrived_;
};

// How many complete responses a byte stream begins.
inline std::size_t count_responses(std::string_view bytes) {
  std::size_t count = 0;
  for (std::size_t at = bytes.find("HTTP/1.1 "); at != std::string_view::npos; at = bytes.find("HTTP/1.1 ", at + 1)) ++count;
  return count;
}

}  // namespace tocsin::engine::test
