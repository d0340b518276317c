// The data-access pack on attacks that somebody really carried out in AWS, one technique per recording, where the
// recordings are at hand: it tells those that reach for data or for the record of who reads it, and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "rules/base/time.hpp"
#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"
#include "rules/sigma/engine.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;
using Titles = std::set<std::string>;

const std::map<std::string, Titles> kTold = {
    {"aws.credential-access.ec2-get-password-data", {"Passwords of many machines asked for in AWS"}},
    {"aws.credential-access.secretsmanager-batch-retrieve-secrets", {"Many secrets read at once from AWS"}},
    {"aws.credential-access.secretsmanager-retrieve-secrets", {"Many secrets of AWS asked for one by one"}},
    {"aws.credential-access.ssm-retrieve-securestring-parameters", {"Many secrets read at once from AWS"}},
    {"aws.defense-evasion.cloudtrail-delete", {"Audit trail stopped in AWS"}},
    {"aws.defense-evasion.cloudtrail-event-selectors", {"Audit trail stopped in AWS"}},
    {"aws.defense-evasion.cloudtrail-stop", {"Audit trail stopped in AWS", "Audit trail of AWS not started again within an hour"}},
    {"aws.defense-evasion.dns-delete-logs", {"Audit trail stopped in AWS"}},
    {"aws.defense-evasion.vpc-remove-flow-logs", {"Audit trail stopped in AWS"}},
    {"aws.exfiltration.ec2-share-ami", {"Copy of a database or disk shared with another AWS account"}},
    {"aws.exfiltration.ec2-share-ebs-snapshot", {"Copy of a database or disk shared with another AWS account"}},
    {"aws.exfiltration.rds-share-snapshot", {"Copy of a database or disk shared with another AWS account"}},
    // A function that anybody may call: no data by itself, but what it may read is open.
    {"aws.persistence.lambda-backdoor-function", {"AWS resource opened to everybody by its policy"}},
};

fs::path recordings() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  return (named != nullptr ? fs::path(named) : fs::path(TOCSIN_SOURCE_DIR) / "../shared/data") / "cloudtrail-stratus/docs/detonation-logs";
}

Titles told(const std::shared_ptr<const Engine>& engine, const Value& records) {
  std::vector<std::pair<Time, Value>> events;
  for (const Value& record : records.items()) {
    const auto time = parse_rfc3339(record.get("eventTime").as_string());
    if (time) events.emplace_back(*time, record);
  }
  EXPECT_EQ(events.size(), records.items().size());
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Titles titles;
  Correlator correlator(engine, {});
  std::vector<Match> matches;
  std::vector<CorrelationAlert> alerts;
  for (const auto& [time, root] : events) {
    Event event;
    event.source = {"aws", {}, "cloudtrail"};
    event.root = root;
    matches.clear();
    engine->match(event, matches);
    for (const Match& match : matches) {
      if (!match.silent) titles.insert(match.rule->title);
    }
    correlator.see({event, time, matches, {}}, alerts);
  }
  correlator.finish(alerts);
  for (const CorrelationAlert& alert : alerts) titles.insert(alert.rule->title);
  return titles;
}

TEST(Recorded, AttacksOnDataAreToldAndNothingElse) {
  if (!fs::exists(recordings())) GTEST_SKIP() << "the recordings are not at " << recordings();
  const fs::path folder = fs::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access";
  const auto sources = read_rule_files({&folder, 1});
  ASSERT_TRUE(sources.has_value()) << sources.error().text();
  const Loaded loaded = load(*sources);
  std::size_t seen = 0;
  for (const auto& entry : fs::directory_iterator(recordings())) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    Arena arena;
    const auto records = parse_json(std::string(std::istreambuf_iterator<char>(in), {}), arena);
    ASSERT_TRUE(records.has_value()) << entry.path();
    const std::string technique = entry.path().stem().string();
    const auto wanted = kTold.find(technique);
    if (wanted != kTold.end()) ++seen;
    EXPECT_EQ(told(loaded.engine, *records), wanted != kTold.end() ? wanted->second : Titles{}) << technique;
  }
  EXPECT_EQ(seen, kTold.size());
}

}  // namespace
}  // namespace tocsin::rules::sigma
