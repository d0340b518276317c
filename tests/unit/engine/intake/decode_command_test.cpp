// `tocsin decode` as a transcript: what stands on standard output, and the exit status.
#include <algorithm>

#include "engine/app/cli.hpp"
#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

struct Ran {
  int status = 0;
  std::string out, err;
};

Ran decode(std::vector<std::string> arguments) {
  CLI::App app("tocsin");
  const FixedClock clock{Time{}};
  Context context{clock, "tocsin"};
  add_decode(app, context);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  arguments.emplace_back("decode");
  Ran ran;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
    ran.status = context.exit_status;
  } catch (const CLI::ParseError& wrong) {
    ran.status = kUsage;
    std::fprintf(stderr, "%s", wrong.what());
  }
  ran.out = ::testing::internal::GetCapturedStdout();
  ran.err = ::testing::internal::GetCapturedStderr();
  return ran;
}

constexpr const char* kWeb =
    "192.0.2.7 - alice [23/Nov/2026:10:05:03 +0000] \"GET /patients/42 HTTP/1.1\" 200 5123 \"-\" \"curl/8.5.0\"\n"
    "192.0.2.7 - alice [23/Nov/2026:10:05:04 +0000] \"GET /x HTTP/1.1\" 200 5123 \"-\" \"curl\n";

TEST(DecodeCommand, OneLinePerAccessAndPerFault) {
  const Folder folder;
  const std::string file = folder.file("web.log");
  write_file(file, kWeb);
  const Ran ran = decode({"--json", file});
  EXPECT_EQ(ran.status, kFoundWrong);
  EXPECT_EQ(ran.out,
            "{\"file\":\"" + file + "\",\"line\":1,\"time\":\"2026-11-23T10:05:03Z\",\"actor\":\"alice\",\"action\":\"read\","
            "\"resource\":{\"system\":\"web\",\"store\":null,\"dataset\":\"/patients/{id}\",\"columns\":null},\"subjects\":null,"
            "\"rows\":{\"value\":null,\"certainty\":\"unknown\"},\"bytes\":{\"value\":5123,\"certainty\":\"exact\"},"
            "\"client\":{\"ip\":\"192.0.2.7\",\"port\":null,\"user_agent\":\"curl/8.5.0\"},\"outcome\":\"success\",\"format\":\"combined\","
            "\"operation\":\"GET\",\"person\":null,\"account\":\"alice\",\"role\":null,\"session\":null,\"via\":null,\"failure\":null,"
            "\"event_id\":null,\"statement\":null,\"parameters\":null}\n"
            "{\"file\":\"" + file + "\",\"line\":2,\"error\":\"not a combined log line: the user agent's quotes do not close\"}\n");
  EXPECT_NE(ran.err.find("1 records could not be decoded"), std::string::npos);
}

TEST(DecodeCommand, ATableForPeople) {
  const Folder folder;
  write_file(folder.file("web.log"), kWeb);
  const Ran ran = decode({"--format", "combined", folder.file("web.log")});
  EXPECT_EQ(ran.status, kFoundWrong);
  EXPECT_EQ(ran.out,
            "TIME                      ACTOR                 ACTION        DATASET                   ROWS       CLIENT           OUTCOME\n"
            "2026-11-23T10:05:03Z      alice                 read          /patients/{id}            ?          192.0.2.7        success\n");
  EXPECT_NE(ran.err.find("web.log:2: not a combined log line"), std::string::npos);
}

TEST(DecodeCommand, TheStatementSaysWhatTheLogLeavesOut) {
  const std::string demo = std::string(TOCSIN_SOURCE_DIR) + "/ops/demo/recording/postgresql.json";
  const Ran ran = decode({"--json", "--config", std::string(TOCSIN_SOURCE_DIR) + "/ops/demo/tocsin.yml", demo});
  EXPECT_EQ(ran.status, kAllWell) << ran.err;
  EXPECT_NE(ran.out.find("\"action\":\"export\",\"resource\":{\"system\":\"postgresql\",\"store\":\"clinic\",\"dataset\":\"patient\""),
            std::string::npos)
      << "pgaudit names no relation for COPY; the statement does";
}

TEST(DecodeCommand, SaysWhatIsWrong) {
  const Folder folder;
  EXPECT_EQ(decode({folder.file("none")}).status, kFoundWrong);
  EXPECT_EQ(decode({"--format", "combin", "x"}).status, kUsage);
  EXPECT_EQ(decode({}).status, kUsage);
  write_file(folder.file("t.gz"), gzip(kWeb).substr(0, 60));
  const Ran ran = decode({"--format", "combined", "--json", folder.file("t.gz")});
  EXPECT_EQ(ran.status, kFoundWrong);
  EXPECT_NE(ran.err.find("cut short"), std::string::npos);
  write_file(folder.file("empty"), "");
  EXPECT_EQ(decode({folder.file("empty")}).status, kAllWell);
}

}  // namespace
}  // namespace tocsin::engine
