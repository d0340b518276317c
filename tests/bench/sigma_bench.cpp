// Sigma: what it costs to make an event of JSON, and to run rules over it. One thread; events/s is the figure to
// compare. The pack is rules/packs/data-access; the public rules are used where they are at hand.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/source.hpp"

namespace {

using namespace tocsin::rules;
namespace fs = std::filesystem;

// CloudTrail records as S3, RDS and IAM write them, about 1.2 kB each; one in a hundred is what a rule looks for.
std::vector<std::string> cloudtrail() {
  static constexpr const char* kNames[][2] = {
      {"s3", "GetObject"}, {"s3", "PutObject"}, {"s3", "ListObjects"}, {"sts", "AssumeRole"}, {"kms", "Decrypt"},
      {"ec2", "DescribeInstances"}, {"rds", "DescribeDBInstances"}, {"secretsmanager", "GetSecretValue"}, {"iam", "GetUser"}, {"logs", "CreateLogStream"}};
  std::vector<std::string> events;
  for (int i = 0; i < 1000; ++i) {
    const bool bad = i % 100 == 0;
    const auto& name = kNames[static_cast<std::size_t>(i * 7) % std::size(kNames)];
    const std::string n = std::to_string(100000 + i);
    events.push_back(
        R"({"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:app-)" + n +
        R"(","arn":"arn:aws:sts::111122223333:assumed-role/app/app-)" + n +
        R"(","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE)" + n +
        R"(","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"},"attributes":{"creationDate":"2026-11-23T08:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-23T09:14:15Z","eventSource":")" +
        (bad ? "cloudtrail" : name[0]) + R"(.amazonaws.com","eventName":")" + (bad ? "StopLogging" : name[1]) +
        R"(","awsRegion":"eu-central-1","sourceIPAddress":"10.0.)" + std::to_string(i % 250) +
        R"(.7","userAgent":"aws-sdk-java/2.20.162 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.8","requestParameters":{"bucketName":"clinic-scans","key":"2026/11/23/scan-)" + n +
        R"(.dcm","Host":"clinic-scans.s3.eu-central-1.amazonaws.com"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":524288},"requestID":"REQ)" + n +
        R"(","eventID":"0f4e2d1c-0000-4000-8000-000000)" + n +
        R"(","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::clinic-scans/2026/11/23/scan.dcm"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::clinic-scans"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"})");
  }
  return events;
}

std::vector<std::string> accesses() {
  std::vector<std::string> events;
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(i);
    events.push_back(R"({"actor":"clerk)" + n + R"(","account":"clerk)" + n + R"(","session":"6b0453f6.)" + n +
                     R"(","action":"read","operation":"SELECT","system":"postgresql","store":"clinic","dataset":"patient","columns":["id","name","birth_date"],"subjects":[")" + n +
                     R"("],"rows":1,"rows_certainty":"exact","client_ip":"10.0.3.17","application":"clinic-app","outcome":"success","format":"pgaudit-csv","statement":"SELECT id, name, birth_date FROM patient WHERE id = )" + n +
                     R"(","command":"SELECT","hour":14})");
  }
  return events;
}

// Windows process starts as Sysmon writes them, flattened, about 700 bytes.
std::vector<std::string> windows() {
  std::vector<std::string> events;
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(1000 + i);
    events.push_back(R"({"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws)" + n +
                     R"(.clinic.example","UtcTime":"2026-11-23 09:14:15.158","ProcessGuid":"{0f4e2d1c-0000-4000-8000-00000000)" + n + R"(}","ProcessId":)" + n +
                     R"(,"Image":"C:\\Program Files\\Clinic\\bin\\viewer)" + n +
                     R"(.exe","FileVersion":"4.2.1","Description":"Image viewer","Product":"Clinic Suite","Company":"Clinic Software","OriginalFileName":"viewer.exe","CommandLine":"\"C:\\Program Files\\Clinic\\bin\\viewer.exe\" /open D:\\scans\\2026\\scan)" + n +
                     R"(.dcm","CurrentDirectory":"C:\\Users\\clerk\\","User":"CLINIC\\clerk","LogonId":"0x3e7","TerminalSessionId":1,"IntegrityLevel":"Medium","Hashes":"SHA256=0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F9","ParentProcessGuid":"{0f4e2d1c-0000-4000-8000-000000000001}","ParentProcessId":772,"ParentImage":"C:\\Windows\\explorer.exe","ParentCommandLine":"C:\\Windows\\Explorer.EXE","ParentUser":"CLINIC\\clerk"})");
  }
  return events;
}

fs::path public_rules() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  return (named != nullptr ? fs::path(named) : fs::path(TOCSIN_SOURCE_DIR) / "../shared/data") / "sigma-rules/sigma";
}

std::shared_ptr<const sigma::Engine> engine_of(const fs::path& folder) {
  const auto sources = sigma::read_rule_files({&folder, 1});
  if (!sources || sources->empty()) return nullptr;
  return sigma::load(*sources).engine;
}

std::shared_ptr<const sigma::Engine> pack() { return engine_of(fs::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access"); }

struct Batch {
  std::vector<std::string> texts;
  Arena arena;
  std::vector<Event> events;
  std::size_t bytes = 0;
  explicit Batch(std::vector<std::string> t) : texts(std::move(t)) {
    for (const std::string& text : texts) {
      Event event;
      event.root = *parse_json(text, arena);
      event.raw = text;
      event.source = sigma::recognise_source(event.root);
      events.push_back(event);
      bytes += text.size();
    }
  }
};

void report(benchmark::State& state, const Batch& batch) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(batch.events.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(batch.bytes));
}

void match_all(benchmark::State& state, const sigma::Engine* engine, const Batch& batch) {
  if (engine == nullptr) {
    state.SkipWithError("the rules are not at hand");
    return;
  }
  std::vector<sigma::Match> matches;
  std::size_t found = 0;
  engine->match(batch.events.front(), matches);  // makes the route, once
  for (auto _ : state) {
    for (const Event& event : batch.events) {
      matches.clear();
      engine->match(event, matches);
      found += matches.size();
    }
  }
  report(state, batch);
  state.counters["matches"] = static_cast<double>(found) / static_cast<double>(state.iterations());
  state.counters["rules"] = static_cast<double>(engine->rules().size());
}

void parse_cloudtrail(benchmark::State& state) {
  const Batch batch(cloudtrail());
  Arena arena;
  for (auto _ : state) {
    for (const std::string& text : batch.texts) {
      arena.reset();
      benchmark::DoNotOptimize(parse_json(text, arena));
    }
  }
  report(state, batch);
}
BENCHMARK(parse_cloudtrail)->Unit(benchmark::kMillisecond);

void parse_and_match_cloudtrail(benchmark::State& state) {
  const auto engine = pack();
  const Batch batch(cloudtrail());
  Arena arena;
  std::vector<sigma::Match> matches;
  for (auto _ : state) {
    for (const std::string& text : batch.texts) {
      arena.reset();
      matches.clear();
      Event event;
      event.root = *parse_json(text, arena);
      event.raw = text;
      event.source = {"aws", {}, "cloudtrail"};
      engine->match(event, matches);
    }
  }
  report(state, batch);
}
BENCHMARK(parse_and_match_cloudtrail)->Unit(benchmark::kMillisecond);

void pack_on_cloudtrail(benchmark::State& state) { match_all(state, pack().get(), Batch(cloudtrail())); }
BENCHMARK(pack_on_cloudtrail)->Unit(benchmark::kMillisecond);

void pack_on_accesses(benchmark::State& state) { match_all(state, pack().get(), Batch(accesses())); }
BENCHMARK(pack_on_accesses)->Unit(benchmark::kMillisecond);

void public_rules_on_cloudtrail(benchmark::State& state) { match_all(state, engine_of(public_rules()).get(), Batch(cloudtrail())); }
BENCHMARK(public_rules_on_cloudtrail)->Unit(benchmark::kMillisecond);

void public_rules_on_windows(benchmark::State& state) { match_all(state, engine_of(public_rules()).get(), Batch(windows())); }
BENCHMARK(public_rules_on_windows)->Unit(benchmark::kMillisecond);

void load_public_rules(benchmark::State& state) {
  const fs::path folder = public_rules();
  const auto sources = sigma::read_rule_files({&folder, 1});
  if (!sources) {
    state.SkipWithError("the rules are not at hand");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(sigma::load(*sources).engine->rules().size());
}
BENCHMARK(load_public_rules)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace


