// How many records a second one core decodes, per format: framing and decoding of generated, realistic input.
// The counter `records` is the figure to compare between commits.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <string>

#include "engine/intake/decoder.hpp"
#include "engine/intake/framer.hpp"

namespace tocsin::engine {
namespace {

constexpr int kRecords = 10'000;

std::string two(std::uint_fast32_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

std::string pgaudit(bool csv) {
  std::mt19937 random(1);
  std::string text;
  for (int i = 0; i < kRecords; ++i) {
    const std::string id = std::to_string(random() % 5000), session = "6b0454" + two(random() % 90) + ".13" + two(random() % 90);
    const std::string time = "2026-11-23 14:" + two(random() % 60) + ":" + two(random() % 60) + ".158 UTC";
    const bool lookup = random() % 4 != 0;
    const std::string statement = lookup ? "SELECT id, name, email, birth_date, country FROM patient WHERE id = $1"
                                         : "SELECT id, visited_at, ward, reason FROM visit WHERE patient_id = $1 ORDER BY visited_at DESC";
    const std::string relation = lookup ? "public.patient" : "public.visit";
    if (csv) {
      text += time + ",\"nurse_anna\",\"clinic\",4975,\"127.0.1.11:51963\"," + session + "," + std::to_string(i) +
              ",\"SELECT\",2026-11-23 14:56:17 UTC,8/398,0,LOG,00000,\"AUDIT: SESSION," + std::to_string(i) +
              ",1,READ,SELECT,TABLE," + relation + ",\"\"" + statement + "\"\"," + id + ",1\",,,,,,,,,\"clinic-web\",\"client backend\",,0\n";
    } else {
      text += "{\"timestamp\":\"" + time + "\",\"user\":\"nurse_anna\",\"dbname\":\"clinic\",\"pid\":4975,\"remote_host\":\"127.0.1.11\"," +
              "\"remote_port\":51963,\"session_id\":\"" + session + "\",\"line_num\":" + std::to_string(i) +
              ",\"ps\":\"SELECT\",\"session_start\":\"2026-11-23 14:56:17 UTC\",\"vxid\":\"8/398\",\"txid\":0," +
              "\"error_severity\":\"LOG\",\"message\":\"AUDIT: SESSION," + std::to_string(i) + ",1,READ,SELECT,TABLE," + relation +
              ",\\\"" + statement + "\\\"," + id + ",1\",\"application_name\":\"clinic-web\",\"backend_type\":\"client backend\",\"query_id\":0}\n";
    }
  }
  return text;
}

// About 1,250 bytes a record, as S3 data events and management events have on average.
std::string cloudtrail(bool one_document) {
  std::mt19937 random(2);
  std::string text = one_document ? "{\"Records\":[" : "";
  for (int i = 0; i < kRecords; ++i) {
    const std::string n = std::to_string(100'000 + random() % 900'000);
    const bool data = random() % 3 != 0;
    std::string record =
        R"({"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE)" + n + R"(:session-)" + n +
        R"(","arn":"arn:aws:sts::123456789012:assumed-role/app-reader/session-)" + n +
        R"(","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE)" + n +
        R"(","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::123456789012:role/app-reader","accountId":"123456789012","userName":"app-reader"},"attributes":{"creationDate":"2026-11-23T09:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-23T10:)" +
        two(random() % 60) + ":" + two(random() % 60) + R"(Z","eventSource":")" + (data ? "s3" : "ec2") +
        R"(.amazonaws.com","eventName":")" + (data ? "GetObject" : "DescribeInstances") +
        R"(","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.)" + std::to_string(random() % 250) +
        R"(","userAgent":"[aws-cli/2.15.30 Python/3.11.8 Linux/5.10.102.1 exe/x86_64.ubuntu.20 prompt/off command/s3.cp]","requestParameters":)" +
        (data ? R"({"bucketName":"crm-export","Host":"crm-export.s3.amazonaws.com","key":"people/2026/part-)" + n + R"(.csv"})"
              : R"({"maxResults":100,"instancesSet":{},"filterSet":{"items":[{"name":"tag:app","valueSet":{"items":[{"value":"crm"}]}}]}})") +
        R"(,"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0.0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":52428800.0},"requestID":"REQ)" +
        n + R"(","eventID":"8a1c)" + n + R"(-5e1b-4b3c-9d2e-0123456789ab","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::crm-export/people/2026.csv"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"123456789012","eventCategory":"Data"})";
    if (one_document && i > 0) text += ',';
    text += record;
    if (!one_document) text += '\n';
  }
  if (one_document) text += "]}";
  return text;
}

std::string combined() {
  std::mt19937 random(3);
  std::string text;
  for (int i = 0; i < kRecords; ++i) {
    text += "192.0.2." + std::to_string(random() % 250) + " - alice [23/Nov/2026:10:" + two(random() % 60) + ":" +
            two(random() % 60) + " +0000] \"GET /patients/" + std::to_string(random() % 5000) +
            "/visits?from=2026-01-01&page=2 HTTP/1.1\" 200 5123 \"https://portal.example.org/patients\" "
            "\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\"\n";
  }
  return text;
}

std::string json() {
  std::mt19937 random(4);
  std::string text;
  for (int i = 0; i < kRecords; ++i) {
    text += R"({"ts":"2026-11-23T10:)" + two(random() % 60) + ":" + two(random() % 60) + R"(.123Z","level":"info","who":{"login":"anna","role":"nurse"},"verb":"view","obj":{"type":"patient","id":)" +
            std::to_string(random() % 5000) + R"(},"ip":"192.0.2.7","ok":true,"request_id":"0f3c2a"})" + "\n";
  }
  return text;
}

void run(benchmark::State& state, const std::string& text, std::string_view format, const DecoderOptions& options = {}) {
  auto decoder = make_decoder(format, options);
  if (!decoder) return state.SkipWithError(decoder.error().text().c_str());
  rules::Arena arena;
  std::vector<Decoded> out;
  Origin origin;
  origin.source = "bench";
  origin.file = "/var/log/bench/input.log";
  std::int64_t records = 0, accesses = 0;
  constexpr std::size_t kPiece = 64 * 1024;
  for (auto _ : state) {
    Framer framer(framing_of(format));
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
      framer.add(std::string_view(text).substr(at, kPiece));
      if (at + kPiece >= text.size()) framer.finish();
      while (auto frame = framer.next()) {
        origin.line = frame->line;
        arena.reset();
        out.clear();
        if (!frame->error.empty() || !(*decoder)->decode(frame->bytes, origin, arena, out)) {
          return state.SkipWithError("a generated record does not decode");
        }
        ++records;
        accesses += static_cast<std::int64_t>(out.size());
        benchmark::DoNotOptimize(out.data());
      }
    }
  }
  if (records != accesses) return state.SkipWithError("a generated record has no access");
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
}

void BM_DecodePgauditCsv(benchmark::State& state) { run(state, pgaudit(true), "pgaudit-csv"); }
void BM_DecodePgauditJson(benchmark::State& state) { run(state, pgaudit(false), "pgaudit-json"); }
void BM_DecodeCloudTrailLines(benchmark::State& state) { run(state, cloudtrail(false), "cloudtrail"); }
void BM_DecodeCloudTrailFile(benchmark::State& state) { run(state, cloudtrail(true), "cloudtrail"); }
void BM_DecodeCombined(benchmark::State& state) { run(state, combined(), "combined"); }
void BM_DecodeJson(benchmark::State& state) {
  auto mapping = JsonMapping::from({{"time", "ts"}, {"actor.account", "who.login"}, {"action", "verb"}, {"resource.dataset", "obj.type"},
                                    {"subjects", "obj.id"}, {"client.ip", "ip"}, {"outcome", "ok"}});
  if (!mapping) return state.SkipWithError(mapping.error().text().c_str());
  DecoderOptions options;
  options.mapping = *mapping;
  run(state, json(), "json", options);
}

BENCHMARK(BM_DecodePgauditCsv)->Name("decode/pgaudit-csv");
BENCHMARK(BM_DecodePgauditJson)->Name("decode/pgaudit-json");
BENCHMARK(BM_DecodeCloudTrailLines)->Name("decode/cloudtrail lines");
BENCHMARK(BM_DecodeCloudTrailFile)->Name("decode/cloudtrail Records");
BENCHMARK(BM_DecodeCombined)->Name("decode/combined");
BENCHMARK(BM_DecodeJson)->Name("decode/json");

}  // namespace
}  // namespace tocsin::engine
