// Whoever sends a request may write any header; only what a trusted proxy added counts.
#include "engine/intake/forwarded.hpp"

#include <gtest/gtest.h>

#include "engine/intake/decoder.hpp"
#include "rules/event.hpp"

namespace tocsin::engine {
namespace {

Networks proxies(std::initializer_list<const char*> networks = {"10.0.0.0/8", "2001:db8:aa::/48"}) {
  Networks out;
  for (const char* network : networks) EXPECT_TRUE(out.add(network)) << network;
  return out;
}

struct Case {
  const char* name;
  const char* peer;
  const char* header;
  const char* client;
};

class Forwarded : public testing::TestWithParam<Case> {};

TEST_P(Forwarded, NamesTheRightmostAddressThatIsNoTrustedProxys) {
  EXPECT_EQ(client_behind(proxies(), GetParam().peer, GetParam().header), GetParam().client);
}

INSTANTIATE_TEST_SUITE_P(, Forwarded, testing::Values(
    Case{"one_proxy", "10.0.0.1", "203.0.113.7", "203.0.113.7"},
    Case{"two_proxies", "10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"},
    Case{"spoofed_by_the_client", "10.0.0.1", "192.0.2.1, 203.0.113.7", "203.0.113.7"},
    Case{"spoofed_as_a_proxy", "10.0.0.1", "192.0.2.1, 10.9.9.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"},
    Case{"sent_straight_to_the_server", "203.0.113.9", "192.0.2.1", "203.0.113.9"},
    Case{"no_header", "10.0.0.1", "", "10.0.0.1"},
    Case{"only_proxies", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
    Case{"unknown_before_the_proxy", "10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"},
    Case{"unknown_before_two", "10.0.0.1", "203.0.113.7, _hidden, 10.0.0.2", "10.0.0.2"},
    Case{"port", "10.0.0.1", "203.0.113.7:4711", "203.0.113.7"},
    Case{"ipv6", "2001:db8:aa::1", "2001:db8::17", "2001:db8::17"},
    Case{"ipv6_and_port", "10.0.0.1", "[2001:db8::17]:4711", "2001:db8::17"},
    Case{"rfc7239", "10.0.0.1", "for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7"},
    Case{"rfc7239_ipv6", "10.0.0.1", "For=\"[2001:db8::17]:4711\"", "2001:db8::17"},
    Case{"rfc7239_two", "10.0.0.1", "for=192.0.2.1, for=203.0.113.7, for=10.0.0.2;proto=http", "203.0.113.7"},
    Case{"rfc7239_obfuscated", "10.0.0.1", "for=203.0.113.7, for=_gazonk", "10.0.0.1"},
    Case{"quote_left_open_by_the_client", "10.0.0.1", "for=\"192.0.2.1, for=203.0.113.7", "203.0.113.7"},
    Case{"quote_around_what_the_proxy_wrote", "10.0.0.1", "for=\"x, for=203.0.113.7\"", "10.0.0.1"},
    Case{"without_for", "10.0.0.1", "by=203.0.113.7", "10.0.0.1"},
    Case{"markup", "10.0.0.1", "<script>alert(1)</script>", "10.0.0.1"},
    Case{"commas", "10.0.0.1", ",,,,", "10.0.0.1"},
    Case{"bracket_left_open", "10.0.0.1", "[2001:db8::17", "10.0.0.1"},
    Case{"no_peer", "", "203.0.113.7", ""}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(ForwardedLimits, ALongListOfProxiesEndsAndZerosAreNoAddress) {
  std::string header = "203.0.113.7";
  for (int i = 0; i < 100'000; ++i) header += ", 10.0.0.2";
  EXPECT_EQ(client_behind(proxies(), "10.0.0.1", header), "10.0.0.2");
  EXPECT_EQ(client_behind(proxies(), "10.0.0.1", std::string("203.0.113.7\0x", 13)), "10.0.0.1");
  EXPECT_EQ(client_behind(Networks(), "10.0.0.1", "203.0.113.7"), "10.0.0.1");  // nobody is trusted
}

Access decode(const std::string& format, const std::string& record, const DecoderOptions& options) {
  auto decoder = make_decoder(format, options);
  EXPECT_TRUE(decoder);
  rules::Arena arena;
  std::vector<Decoded> out;
  auto done = (*decoder)->decode(record, Origin{}, arena, out);
  EXPECT_TRUE(done) << (done ? "" : done.error().text());
  return out.empty() ? Access{} : out.front().access;
}

TEST(ForwardedInLogs, TheClientOfAnAccessLogIsBehindTheTrustedProxy) {
  const std::string line = R"(10.0.0.1 - anna [23/Nov/2026:10:05:03 +0000] "GET /patients/7 HTTP/1.1" 200 512 "-" "curl/8" "192.0.2.66, 203.0.113.7")";
  DecoderOptions options;
  EXPECT_EQ(decode("combined", line, options).client.ip, "10.0.0.1");
  options.proxies = proxies();
  EXPECT_EQ(decode("combined", line, options).client.ip, "203.0.113.7");
  // nginx writes a quote of the header as \x22.
  const std::string forwarded = R"(10.0.0.1 - - [23/Nov/2026:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "-" "for=\x22[2001:db8::17]:4711\x22;proto=https")";
  EXPECT_EQ(decode("combined", forwarded, options).client.ip, "2001:db8::17");
  const std::string other = R"(10.0.0.1 - - [23/Nov/2026:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "-" 0.003 "203.0.113.7")";
  EXPECT_EQ(decode("combined", other, options).client.ip, "10.0.0.1");  // another field stands there
}

TEST(ForwardedInLogs, TheClientOfAJsonLogIsBehindTheTrustedProxy) {
  DecoderOptions options;
  auto mapping = JsonMapping::from({{"time", "ts"}, {"client.ip", "remote_addr"}, {"client.forwarded", "headers.x-forwarded-for"}});
  ASSERT_TRUE(mapping);
  options.mapping = *mapping;
  const std::string record = R"({"ts":"2026-11-23T10:05:03Z","remote_addr":"10.0.0.1","headers":{"x-forwarded-for":"192.0.2.66, 203.0.113.7"}})";
  EXPECT_EQ(decode("json", record, options).client.ip, "10.0.0.1");
  options.proxies = proxies();
  EXPECT_EQ(decode("json", record, options).client.ip, "203.0.113.7");
  EXPECT_EQ(decode("json", R"({"ts":"2026-11-23T10:05:03Z","remote_addr":"198.51.100.3","headers":{"x-forwarded-for":"203.0.113.7"}})", options).client.ip, "198.51.100.3");
  // What a record that was given up has left must not reach the next one.
  auto decoder = make_decoder("json", options);
  rules::Arena arena;
  std::vector<Decoded> out;
  EXPECT_FALSE((*decoder)->decode(R"({"remote_addr":"10.0.0.1","headers":{"x-forwarded-for":"203.0.113.7"},"ts":"never"})", Origin{}, arena, out));
  ASSERT_TRUE((*decoder)->decode(R"({"ts":"2026-11-23T10:05:03Z","remote_addr":"10.0.0.9"})", Origin{}, arena, out));
  EXPECT_EQ(out.front().access.client.ip, "10.0.0.9");
}

}  // namespace
}  // namespace tocsin::engine
