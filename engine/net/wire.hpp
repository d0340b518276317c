// One accepted connection as a byte stream with time-outs: TCP, plain or TLS, or a local socket. Private to engine/net.
//
// Trap of g++ 12: in an expression with co_await no aggregate and no lambda that captures by value may be made;
// it would be destroyed twice (style.md section 4.2). Everything below is named first.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin::engine::net {

namespace asio = boost::asio;
using boost::system::error_code;
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
using Millis = std::chrono::milliseconds;
using Deadline = std::chrono::steady_clock::time_point;
inline const error_code kTimedOut = asio::error::timed_out;

class Wire {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  Wire(asio::ip::tcp::socket socket, asio::ssl::context* tls);
  explicit Wire(asio::local::stream_protocol::socket socket);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  // All of these answer with an empty error_code if they did what they say; kTimedOut if time ran out.
  // After that the wire can still be written to (Beast's tcp_stream cannot: it closes; so this has its own timer).
  [[nodiscard]] asio::awaitable<error_code> handshake(Millis within);
  // Appends what arrives to `into`, at most `most` bytes.
  [[nodiscard]] asio::awaitable<error_code> read(std::string& into, std::size_t most, Deadline until);
  // Writes everything, in pieces that may take `each` at most.
  [[nodiscard]] asio::awaitable<error_code> write(std::string_view bytes, Millis each);
  // Says goodbye; with `linger` first reads away what the peer still sends, so that it gets to see the answer.
  [[nodiscard]] asio::awaitable<void> close(bool linger);
  void abort();  // closes at once; pending operations end with an error
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }  // its address; empty for a local socket
  // Who is at the other end of a local socket, as the kernel says.
  [[nodiscard]] const std::optional<std::uint32_t>& peer_uid() const noexcept { return peer_uid_; }
  [[nodiscard]] bool encrypted() const noexcept { return tls_.has_value(); }

 private:
  // Cancels the socket's operations when its time comes. Shared with the timer's handler, which may come late.
  struct Alarm {
    Socket* socket = nullptr;
    std::uint64_t number = 0;  // of the operation that is watched
    bool rang = false;
  };
  void watch(Deadline until);
  [[nodiscard]] error_code watched(error_code ec);  // ends the watch

  Socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<Alarm> alarm_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
  std::string peer_;
  std::optional<std::uint32_t> peer_uid_;
};

}  // namespace tocsin::engine::net
