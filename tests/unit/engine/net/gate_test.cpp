// The gate and the body's framing on bytes alone, in one piece and one byte at a time.
#include "engine/net/gate.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/engine/net/smuggling.hpp"

namespace tocsin::engine {
namespace {

// What a server makes of a stream: the number of requests it accepts before it refuses, and why it does.
struct Reading {
  std::size_t accepted = 0;
  std::string refused;  // empty: not refused, all read or waiting for more
  std::string body;
};

Reading read_all(const std::string& bytes, std::size_t piece) {
  Reading out;
  std::string arrived;
  std::size_t at = 0;
  const auto feed = [&] {
    if (at >= bytes.size()) return false;
    arrived += bytes.substr(at, piece);
    at += piece;
    return true;
  };
  for (;;) {
    std::size_t checked = 0, size = 0;
    while (size == 0) {
      const auto found = find_head(arrived, checked);
      if (!found) {
        out.refused = name(found.error());
        return out;
      }
      if (*found) size = **found;
      else if (!feed()) return out;
    }
    const auto framing = gate(std::string_view(arrived).substr(0, size));
    if (!framing) {
      out.refused = name(framing.error());
      return out;
    }
    arrived.erase(0, size);
    BodyFraming body(*framing);
    while (!body.done()) {
      if (arrived.empty() && !feed()) return out;
      const auto step = body.take(arrived);
      if (!step) {
        out.refused = name(step.error());
        return out;
      }
      out.body += step->data;
      arrived.erase(0, step->used);
    }
    ++out.accepted;
  }
}

TEST(Gate, RefusesEverySmuggledRequestAloneAndWithAnotherBehindIt) {
  const std::string second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const auto& request : test::smuggled_requests()) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
      const Reading alone = read_all(request.bytes, piece);
      EXPECT_EQ(alone.accepted, 0U) << request.name;
      EXPECT_NE(alone.refused, "") << request.name;
      const Reading glued = read_all(request.bytes + second, piece);
      EXPECT_EQ(glued.accepted, 0U) << request.name;
      EXPECT_NE(glued.refused, "") << request.name;
    }
  }
}

TEST(Gate, AcceptsOrdinaryRequestsOneBehindTheOther) {
  const std::string p = "POST /v1/events?source=a HTTP/1.1\r\nHost: a:8700\r\n";
  const std::string all = p + "Content-Length: 5\r\n\r\nhello" + p +
                          "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n, world!!!\r\n0\r\n\r\n" +
                          "GET / HTTP/1.1\r\nHost: [::1]:8700\r\nUser-Agent: \xc3\xa9\r\nX-Empty:\r\n\r\n" +
                          "GET / HTTP/1.0\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{1000}}) {
    const Reading reading = read_all(all, piece);
    EXPECT_EQ(reading.refused, "");
    EXPECT_EQ(reading.accepted, 4U);
    EXPECT_EQ(reading.body, "hellohello, world!!!");
  }
}

TEST(Gate, SaysHowTheConnectionGoesOn) {
  const auto with = [](std::string line, std::string fields) { return gate(line + "Host: a\r\n" + fields + "\r\n"); };
  EXPECT_TRUE(with("GET / HTTP/1.1\r\n", "").value().keep_alive);
  EXPECT_FALSE(with("GET / HTTP/1.1\r\n", "Connection: close\r\n").value().keep_alive);
  EXPECT_FALSE(with("GET / HTTP/1.1\r\n", "Connection: x, Close\r\n").value().keep_alive);
  EXPECT_FALSE(with("GET / HTTP/1.0\r\n", "").value().keep_alive);
  EXPECT_TRUE(with("GET / HTTP/1.0\r\n", "Connection: keep-alive\r\n").value().keep_alive);
  EXPECT_TRUE(with("POST / HTTP/1.1\r\n", "Expect: 100-Continue\r\n").value().expects_continue);
}

TEST(Gate, HoldsItsLimits) {
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 0; i < kMaxFields; ++i) many += "X: y\r\n";
  EXPECT_EQ(gate(many + "\r\n").error(), Violation::kTooManyFields);
  const std::string large = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kMaxHead, 'y');
  std::size_t checked = 0;
  EXPECT_EQ(find_head(large, checked).error(), Violation::kHeadTooLarge);
}

}  // namespace
}  // namespace tocsin::engine
