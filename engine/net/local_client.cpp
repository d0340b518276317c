// Blocking, by running the loop until the one operation is done or its time is over.
#include "engine/net/local_client.hpp"

#include <cstring>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "engine/net/local_socket.hpp"

namespace tocsin::engine {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

Result<LocalAnswer> ask_local(const std::filesystem::path& socket, const std::string& method, const std::string& target,
                              const std::string& body, std::chrono::seconds within) {
  const SocketPlace place(socket.parent_path(), socket.filename());
  if (place.error == EACCES) return fail(Errc::kForbidden, "this user may not use the control socket", socket.string(), "use the account that runs the engine");
  if (place.error != 0) return fail(Errc::kNotFound, "there is no control socket", socket.string());
  if (place.path.size() >= kMaxSocketPath) return fail(Errc::kInvalid, "the name of the control socket is too long", socket.string());

  asio::io_context io;
  asio::local::stream_protocol::socket wire(io);
  error_code done;
  bool ended = false;
  // Waits for the operation that was begun; false if its time is over.
  const auto wait = [&](std::chrono::seconds time) {
    io.restart();
    io.run_for(time);
    if (ended) return true;
    error_code ignored;
    wire.close(ignored);
    io.restart();
    io.run();
    return false;
  };
  const auto note = [&](error_code ec, std::size_t = 0) {
    done = ec;
    ended = true;
  };
  const auto late = [&] { return fail(Errc::kBusy, "the engine did not answer in time", socket.string(), "try again, or ask for less"); };

  wire.async_connect(asio::local::stream_protocol::endpoint(place.path), note);
  if (!wait(kLocalConnect)) return late();
  if (done == asio::error::access_denied) {
    return fail(Errc::kForbidden, "this user may not use the control socket", socket.string(), "use the account that runs the engine");
  }
  if (done) return fail(Errc::kNotFound, "nobody listens at the control socket: " + done.message(), socket.string());

  http::request<http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(target);
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  ended = false;
  http::async_write(wire, request, note);
  if (!wait(within)) return late();
  // A refusal may come before everything was taken: the answer says why.
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxLocalAnswer);
  parser.header_limit(kMaxLocalHead);
  ended = false;
  http::async_read(wire, buffer, parser, note);
  if (!wait(within)) return late();
  if (done) return fail(Errc::kCorrupt, "the engine's answer cannot be read: " + done.message(), socket.string());
  LocalAnswer out;
  out.status = static_cast<int>(parser.get().result_int());
  out.body = std::move(parser.get().body());
  return out;
}

}  // namespace tocsin::engine
