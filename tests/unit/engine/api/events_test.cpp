// POST /v1/events: splitting, per-line rejects, and what a full queue or disk answers.
#include "engine/api/events.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/api/fixture.hpp"

namespace tocsin::engine {
namespace {
namespace json = boost::json;
using test::Api;

class Sink final : public EventSink {
 public:
  Result<EventReceipt> accept(std::string_view source, std::string_view format,
                              std::span<const EventLine> lines) override {
    if (error) return tl::unexpected<Error>(*error);
    EventReceipt receipt;
    for (const EventLine& line : lines) {
      got.push_back(std::string(source) + "|" + std::string(format) + "|" + std::to_string(line.line) + "|" +
                    std::string(line.bytes.substr(0, 40)));
      if (line.bytes == "bad") receipt.rejected.push_back({line.line, "not JSON"});
      else ++receipt.accepted;
    }
    return receipt;
  }
  std::optional<Error> error;
  std::vector<std::string> got;
};

struct Events : Api {
  Sink sink;
  std::string token;
  Events() {
    add_event_routes(router, sink);
    token = users.create_token("ship", kShipper, "test", clock.now()).value();
  }
  Response send(const std::string& query, const std::string& body) {
    return call("POST", "/v1/events" + query, body,
                {{"authorization", "Bearer " + token}, {"content-type", "application/x-ndjson"}});
  }
};

TEST(Events, AreSplitHandedOverAndAnsweredPerLine) {
  Events api;
  const auto response = api.send("?source=web-1&format=json", "{\"a\":1}\r\n\nbad\n{\"a\":2}");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.body, R"({"accepted":2,"duplicates":0,"rejected":[{"line":3,"error":"not JSON"}],"rejected_total":1})");
  EXPECT_EQ(api.sink.got, (std::vector<std::string>{"web-1|json|1|{\"a\":1}", "web-1|json|3|bad", "web-1|json|4|{\"a\":2}"}));
  EXPECT_EQ(api.send("", "x").status, 400);
  EXPECT_EQ(api.send("?source=a%20b", "x").status, 400);
  EXPECT_EQ(api.send("?source=a", "").status, 200);
}

TEST(Events, ALineThatIsTooLongIsRejectedAloneAndTooManyAreRefused) {
  Events api;
  const auto response = api.send("?source=a", "1\n" + std::string(kMaxEventLine + 1, 'x') + "\n3\n");
  EXPECT_EQ(response.body,
            R"({"accepted":2,"duplicates":0,"rejected":[{"line":2,"error":"the line is longer than 1 MiB"}],"rejected_total":1})");
  std::string many;
  for (std::size_t i = 0; i <= kMaxEventLines; ++i) many += "x\n";
  EXPECT_EQ(api.send("?source=a", many).status, 413);
  EXPECT_EQ(api.sink.got.size(), 2U);
}

TEST(Events, CsvRecordsMaySpanLinesButNotSwallowTheRest) {
  std::vector<EventReceipt::Rejected> rejected;
  const std::string csv = "a,\"x\ny \"\"q\"\"\nz\",b\nc,d\n\"open\ne\n";
  auto lines = split_events(csv, "pgaudit-csv", rejected).value();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].bytes, "a,\"x\ny \"\"q\"\"\nz\",b");
  EXPECT_EQ(lines[1].line, 4U);
  EXPECT_EQ(lines[2].bytes, "\"open\ne");
  EXPECT_EQ(split_events(csv, "json", rejected)->size(), 6U);
  std::string huge = "\"open\n";
  for (int i = 0; i < 300'000; ++i) huge += "filler\n";
  huge += "last\n";
  lines = split_events(huge, "pgaudit-csv", rejected).value();
  EXPECT_EQ(rejected.size(), 1U);
  EXPECT_EQ(lines.back().bytes, "last");
}

TEST(Events, SayWhenToComeAgain) {
  Events api;
  Error error;
  error.code = Errc::kBusy;
  error.message = "the journal's queue is full";
  api.sink.error = error;
  const auto busy = api.send("?source=a", "x");
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(Api::header(busy, "Retry-After"), "2");
  error.code = Errc::kTooLarge;
  api.sink.error = error;
  EXPECT_EQ(api.send("?source=a", "x").status, 507);
  error.code = Errc::kUnavailable;
  api.sink.error = error;
  const auto down = api.send("?source=a", "x");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(Api::header(down, "Retry-After"), "2");
}

TEST(Events, AreForShippersOnly) {
  Events api;
  api.user("ada", kAnyUser);
  const auto login = api.log_in("ada");
  EXPECT_EQ(api.call("POST", "/v1/events?source=a", "x").status, 401);
  EXPECT_EQ(api.call("POST", "/v1/events?source=a", "x", login.headers()).status, 403);
}

}  // namespace
}  // namespace tocsin::engine
