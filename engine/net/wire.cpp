// Reads and writes with deadlines.
#include "engine/net/wire.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include <boost/asio/buffer.hpp>

namespace tocsin::engine::net {
namespace {
constexpr std::size_t kPiece = 64 * 1024;          // of a write: what `each` is measured on
constexpr std::size_t kMaxLinger = 1024 * 1024;    // bytes read away before closing
constexpr Millis kLingerTime{2'000};
constexpr Millis kGoodbyeTime{1'000};
}  // namespace

Wire::Wire(asio::ip::tcp::socket socket, asio::ssl::context* tls)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), alarm_(std::make_shared<Alarm>()) {
  alarm_->socket = &socket_;
  error_code ec;
  const auto remote = socket_.remote_endpoint(ec);
  asio::ip::tcp::endpoint endpoint;
  if (!ec && remote.size() <= endpoint.capacity()) {
    std::memcpy(endpoint.data(), remote.data(), remote.size());
    auto address = endpoint.address();
    // An IPv4 peer on a dual-stack socket is the same peer as on a plain one.
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    peer_ = address.to_string();
  }
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  if (tls != nullptr) tls_.emplace(socket_, *tls);
}

Wire::Wire(asio::local::stream_protocol::socket socket)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), alarm_(std::make_shared<Alarm>()) {
  alarm_->socket = &socket_;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer) peer_uid_ = peer.uid;
}

void Wire::watch(Deadline until) {
  alarm_->rang = false;
  const std::uint64_t number = ++alarm_->number;
  timer_.expires_at(until);
  timer_.async_wait([weak = std::weak_ptr<Alarm>(alarm_), number](error_code ec) {
    if (ec) return;
    const auto alarm = weak.lock();
    if (!alarm || alarm->number != number) return;
    alarm->rang = true;
    error_code ignored;
    alarm->socket->cancel(ignored);
  });
}

error_code Wire::watched(error_code ec) {
  ++alarm_->number;
  timer_.cancel();
  return ec && alarm_->rang ? kTimedOut : ec;
}

asio::awaitable<error_code> Wire::handshake(Millis within) {
  if (!tls_) co_return error_code();
  watch(std::chrono::steady_clock::now() + within);
  auto [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
  co_return watched(ec);
}

asio::awaitable<error_code> Wire::read(std::string& into, std::size_t most, Deadline until) {
  const std::size_t before = into.size();
  into.resize(before + most);
  const asio::mutable_buffer space(into.data() + before, most);
  watch(until);
  error_code result;
  std::size_t count = 0;
  if (tls_) {
    auto [ec, n] = co_await tls_->async_read_some(space, kAwait);
    result = ec;
    count = n;
  } else {
    auto [ec, n] = co_await socket_.async_read_some(space, kAwait);
    result = ec;
    count = n;
  }
  into.resize(before + count);
  co_return watched(result);
}

asio::awaitable<error_code> Wire::write(std::string_view bytes, Millis each) {
  while (!bytes.empty()) {
    const asio::const_buffer piece(bytes.data(), std::min(bytes.size(), kPiece));
    watch(std::chrono::steady_clock::now() + each);
    error_code result;
    std::size_t count = 0;
    if (tls_) {
      auto [ec, n] = co_await tls_->async_write_some(piece, kAwait);
      result = ec;
      count = n;
    } else {
      auto [ec, n] = co_await socket_.async_write_some(piece, kAwait);
      result = ec;
      count = n;
    }
    result = watched(result);
    if (result) co_return result;
    bytes.remove_prefix(count);
  }
  co_return error_code();
}

asio::awaitable<void> Wire::close(bool linger) {
  error_code ignored;
  if (tls_) {
    watch(std::chrono::steady_clock::now() + kGoodbyeTime);
    auto [ec] = co_await tls_->async_shutdown(kAwait);
    static_cast<void>(watched(ec));
  } else {
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (linger) {
      std::string away;
      const Deadline until = std::chrono::steady_clock::now() + kLingerTime;
      std::size_t total = 0;
      while (total < kMaxLinger) {
        away.clear();
        const error_code ec = co_await read(away, kPiece, until);
        if (ec) break;
        total += away.size();
      }
    }
  }
  abort();
}

void Wire::abort() {
  error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
}

}  // namespace tocsin::engine::net
