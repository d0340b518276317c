// The whole way: records through decoding, exposure, rules and secrets; and notices through the outbox.
//
// Targets of the first release, on one core: 200,000 CloudTrail events/s through decode and detection of the pack;
// 1,000 notices/s to the mailbox. The baseline beside them is decoding alone.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/app/rule_book.hpp"
#include "engine/app/state.hpp"
#include "engine/detect/pipeline.hpp"
#include "notifier/channel/mailbox/mailbox.hpp"
#include "notifier/dispatch/dispatcher.hpp"
#include "storage/history_store.hpp"
#include "storage/notice_store.hpp"

namespace tocsin {
namespace {

using engine::Config;
using engine::Effects;
using engine::Incoming;
using engine::Pipeline;

// CloudTrail records as S3 data events and management events come: about 1.2 kB each, many actors and objects.
std::vector<std::string> cloudtrail() {
  static const char* const kNames[] = {"GetObject", "GetObject", "GetObject", "PutObject", "ListObjects", "AssumeRole", "DescribeInstances", "GetCallerIdentity"};
  std::vector<std::string> out;
  for (int i = 0; i < 4096; ++i) {
    const std::string n = std::to_string(i), user = "user-" + std::to_string(i % 97);
    out.push_back(
        R"({"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEROLE:)" + user +
        R"(","arn":"arn:aws:sts::123456789012:assumed-role/app-reader/)" + user +
        R"(","accountId":"123456789012","accessKeyId":"ASIAEXAMPLEKEY000000","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEROLE","arn":"arn:aws:iam::123456789012:role/app-reader","accountId":"123456789012","userName":"app-reader"},"attributes":{"creationDate":"2026-11-23T09:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-23T10:)" +
        (i / 60 % 60 < 10 ? "0" : "") + std::to_string(i / 60 % 60) + ":" + (i % 60 < 10 ? "0" : "") + std::to_string(i % 60) +
        R"(Z","eventSource":"s3.amazonaws.com","eventName":")" + kNames[i % 8] +
        R"(","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.)" + std::to_string(i % 250) +
        R"(","userAgent":"[aws-cli/2.15.0 Python/3.11.6 Linux/6.1.0 exe/x86_64]","requestParameters":{"bucketName":"crm-export","Host":"crm-export.s3.eu-west-1.amazonaws.com","key":"people/2026/)" +
        n + R"(.csv"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0.0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"examplevalue","bytesTransferredOut":5242.0},"requestID":"REQ)" +
        n + R"(","eventID":"00000000-0000-4000-8000-)" + std::string(12 - n.size(), '0') + n +
        R"(","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::crm-export/people/2026.csv"},{"accountId":"123456789012","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::crm-export"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"123456789012","eventCategory":"Data"})");
  }
  return out;
}

std::vector<std::string> pgaudit() {
  std::vector<std::string> out;
  for (int i = 1; i <= 4096; ++i) {
    const std::string n = std::to_string(i), id = std::to_string(1 + i * 37 % 5000);
    out.push_back(R"({"timestamp":"2026-11-23 14:24:47.544 UTC","user":"nurse_)" + std::to_string(i % 40) +
                  R"(","dbname":"clinic","pid":17695,"remote_host":"127.0.0.1","remote_port":58610,"session_id":"6b044caf.)" + std::to_string(i % 40) +
                  R"(","line_num":)" + n + R"(,"ps":"SELECT","session_start":"2026-11-23 14:24:47 UTC","vxid":"3/8","txid":0,"error_severity":"LOG","message":"AUDIT: SESSION,)" +
                  n + R"(,1,READ,SELECT,TABLE,public.patient,\"SELECT id, name, email FROM patient WHERE id = $1\",)" + id +
                  R"(,1","application_name":"clinic-web","backend_type":"client backend","query_id":0})");
  }
  return out;
}

void run(benchmark::State& state, const std::vector<std::string>& records, const std::string& format, bool secrets, bool decode_only) {
  Config config;
  config.secret_scan = secrets ? "on" : "off";
  engine::SourceConfig source;
  source.name = "bench";
  source.format = format;
  config.sources.push_back(source);
  auto book = engine::RuleBook::open(config, [](const std::string&) {});
  if (!book) {
    state.SkipWithError(book.error().text().c_str());
    return;
  }
  auto setup = engine::make_setup(config, (*book)->engine(), nullptr, [](const std::string&) {});
  if (!setup) {
    state.SkipWithError(setup.error().text().c_str());
    return;
  }
  storage::Registers registers(storage::process_hash());
  Pipeline pipeline(std::move(*setup), registers);
  Effects effects;
  std::size_t i = 0, bytes = 0;
  std::uint64_t line = 0;
  for (auto _ : state) {
    Incoming in;
    in.source = "bench";
    in.file = "bench.json";
    in.line = ++line;
    in.payload = records[i];
    bytes += records[i].size();
    if (decode_only) {
      auto decoded = pipeline.decode(in);
      benchmark::DoNotOptimize(decoded);
    } else {
      pipeline.see(in, effects);
      if (line % 2000 == 0) effects.clear();
    }
    i = (i + 1) % records.size();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void CloudTrailDecode(benchmark::State& s) { run(s, cloudtrail(), "cloudtrail", false, true); }
void CloudTrailDetectPack(benchmark::State& s) { run(s, cloudtrail(), "cloudtrail", false, false); }
void CloudTrailDetectAll(benchmark::State& s) { run(s, cloudtrail(), "cloudtrail", true, false); }
void PgauditDetectPack(benchmark::State& s) { run(s, pgaudit(), "pgaudit-json", false, false); }
void PgauditDetectAll(benchmark::State& s) { run(s, pgaudit(), "pgaudit-json", true, false); }
BENCHMARK(CloudTrailDecode)->Name("way/cloudtrail/decode+exposure (baseline)");
BENCHMARK(CloudTrailDetectPack)->Name("way/cloudtrail/decode+detect pack");
BENCHMARK(CloudTrailDetectAll)->Name("way/cloudtrail/decode+detect pack+secrets");
BENCHMARK(PgauditDetectPack)->Name("way/pgaudit/decode+detect pack");
BENCHMARK(PgauditDetectAll)->Name("way/pgaudit/decode+detect pack+secrets");

class OneIncident final : public notifier::IncidentSource {
 public:
  std::vector<notifier::Recipient> people;
  Result<notifier::NoticeFacts> facts(std::int64_t) override {
    notifier::NoticeFacts f;
    f.organisation = "Linden Clinic";
    f.contact = "privacy@linden-clinic.example";
    f.happened_on = "23 November 2026";
    f.noticed_on = "24 November 2026";
    f.kinds = {"contact"};
    f.measures = "We have locked the account.";
    f.certain = true;
    return f;
  }
  Result<std::vector<notifier::Recipient>> recipients(std::int64_t) override { return people; }
  Result<std::vector<notifier::Recipient>> freeze(storage::Transaction&, std::int64_t, std::int64_t, const std::string&, Time) override {
    return people;
  }
};

// Notices through the outbox to a Maildir: reserve with a ledger entry each, write and sync each mail, note.
void NoticesToMailbox(benchmark::State& state) {
  constexpr int kPeople = 2000;
  std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-bench-XXXXXX").string();
  const std::filesystem::path dir = ::mkdtemp(pattern.data());
  for (auto _ : state) {
    state.PauseTiming();
    std::error_code ec;
    std::filesystem::remove_all(dir, ec);
    std::filesystem::create_directories(dir);
    const FixedClock clock{*parse_rfc3339("2026-11-24T10:00:00Z")};
    auto db = storage::Database::open(dir / "tocsin.db").value();
    static_cast<void>(db->migrate(storage::NoticeStore::kFamily, storage::NoticeStore::migrations()));
    static_cast<void>(db->migrate(storage::HistoryStore::kFamily, storage::HistoryStore::migrations()));
    auto keys = storage::Keys::open_or_create(dir / "keys").value();
    auto vault = storage::Vault::open(*db, keys).value();
    auto ledger = storage::Ledger::open(*db, dir / "ledger", dir / "keys", storage::Ledger::Options()).value();
    OneIncident incidents;
    std::vector<storage::Person> people;
    for (int i = 0; i < kPeople; ++i) {
      storage::Person p;
      p.dataset = "patient";
      p.id = std::to_string(i);
      p.fields = {{"name", "Person " + p.id}, {"email", "p" + p.id + "@example.org"}};
      incidents.people.push_back({vault->pseudonym("patient", p.id), "patient", {"name", "email"}, "exact"});
      people.push_back(std::move(p));
    }
    static_cast<void>(db->write([&](storage::Transaction& tx) { return vault->put(tx, people, clock.now()); }));
    notifier::NoticesOptions options;
    options.public_url = "https://tocsin.example";
    notifier::Notices notices(*db, *ledger, *vault, incidents, clock, options, [](std::int64_t) {});
    auto draft = notices.draft(1, "en", "all", "anna").value();
    static_cast<void>(notices.submit(draft.id, "anna"));
    static_cast<void>(notices.approve(draft.id, draft.hash, "bela"));
    static_cast<void>(notices.send(draft.id, "anna"));
    notifier::DispatchOptions dispatch;
    dispatch.from = "privacy@linden-clinic.example";
    notifier::Dispatcher dispatcher(*db, *ledger, *vault, notices, notifier::open_mailbox(dir / "mail").value(), clock, dispatch, [](std::int64_t) {});
    state.ResumeTiming();
    while (dispatcher.run_once().value_or(0) > 0) {
    }
  }
  state.SetItemsProcessed(state.iterations() * kPeople);
  std::error_code ec;
  std::filesystem::remove_all(dir, ec);
}
BENCHMARK(NoticesToMailbox)->Name("notices/outbox to mailbox")->Unit(benchmark::kMillisecond)->Iterations(3)->UseRealTime();

// What the disk allows: one small file after another, written, synced and renamed.
void FilesSynced(benchmark::State& state) {
  std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-bench-XXXXXX").string();
  const std::filesystem::path dir = ::mkdtemp(pattern.data());
  auto box = notifier::open_mailbox(dir / "mail").value();
  notifier::Message m;
  m.from = "a@example.org";
  m.to = "b@example.org";
  m.body = std::string(2000, 'x');
  int n = 0;
  for (auto _ : state) {
    m.id = "n" + std::to_string(++n);
    benchmark::DoNotOptimize(box->send(m));
  }
  state.SetItemsProcessed(state.iterations());
  std::error_code ec;
  std::filesystem::remove_all(dir, ec);
}
BENCHMARK(FilesSynced)->Name("notices/mailbox alone (baseline)")->UseRealTime();

}  // namespace
}  // namespace tocsin
