// When events happened, as logs write it.
#include <gtest/gtest.h>

#include "rules/json_event.hpp"
#include "rules/sigma/event_time.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string time_in(std::string_view json) {
  Arena arena;
  const auto root = parse_json(json, arena);
  if (!root) return root.error().message;
  const auto time = event_time(*root);
  return time ? format_rfc3339(*time) : "none";
}

TEST(EventTime, IsFoundWhereLogsKeepIt) {
  struct Row {
    const char* event;
    const char* want;
  };
  const Row rows[] = {
      {R"({"eventTime":"2026-11-23T09:14:15Z","eventName":"GetObject"})", "2026-11-23T09:14:15Z"},
      {R"({"@timestamp":1795424055158,"action":"git.clone"})", "2026-11-23T08:54:15.158Z"},
      {R"({"protoPayload":{"methodName":"m"},"timestamp":"2026-11-23T09:14:15.123456789Z","receiveTimestamp":"2026-11-23T09:15:00Z"})", "2026-11-23T09:14:15.123456Z"},
      {R"({"protoPayload":{"receiveTimestamp":"2026-11-23T09:15:00+01:00"}})", "2026-11-23T08:15:00Z"},
      {R"({"published":"2026-11-23T09:14:15.158Z","eventType":"x"})", "2026-11-23T09:14:15.158Z"},
      {R"({"stageTimestamp":"2026-11-23T09:14:16.000000Z","requestReceivedTimestamp":"2026-11-23T09:14:15.000000Z"})", "2026-11-23T09:14:15Z"},
      {R"({"CreationTime":"2026-11-23T09:14:15","Workload":"Exchange"})", "2026-11-23T09:14:15Z"},
      {R"({"UtcTime":"2026-11-23 09:14:15.158","EventID":1})", "2026-11-23T09:14:15.158Z"},
      {R"({"Event":{"System":{"TimeCreated":{"#attributes":{"SystemTime":"2026-11-23T09:14:15.1581234Z"}}}}})", "2026-11-23T09:14:15.158123Z"},
      {R"({"TimeCreated_SystemTime":"2026-11-23T09:14:15Z"})", "2026-11-23T09:14:15Z"},
      {R"({"id":{"time":"2026-11-23T09:14:15.000Z"},"kind":"admin#reports#activity"})", "2026-11-23T09:14:15Z"},
      {R"({"ts":1795424055.158000,"uid":"C1"})", "2026-11-23T08:54:15.158Z"},
      {R"({"ts":"1795424055.158001"})", "2026-11-23T08:54:15.158001Z"},
      {R"({"time":1795424055})", "2026-11-23T08:54:15Z"},
      {R"({"time":"1795424055158"})", "2026-11-23T08:54:15.158Z"},
      {R"({"time":1795424055158001})", "2026-11-23T08:54:15.158001Z"},
      {R"({"time":1795424055158001999})", "2026-11-23T08:54:15.158001Z"},
      {R"({"timestamp":"2026-11-23 14:55:50.158 UTC"})", "2026-11-23T14:55:50.158Z"},
      {R"({"timestamp":"2026/11/23 14:55:50"})", "2026-11-23T14:55:50Z"},
      {R"({"timestamp":"20261123T145550Z"})", "2026-11-23T14:55:50Z"},
      {R"({"timestamp":"20261123145550"})", "2026-11-23T14:55:50Z"},
      {R"({"time":"23/Nov/2026:14:55:50 +0100"})", "2026-11-23T13:55:50Z"},
      {R"({"time":"[23/Nov/2026:14:55:50 +0100]"})", "2026-11-23T13:55:50Z"},
      {R"({"date":"Mon, 23 Nov 2026 14:55:50 GMT"})", "2026-11-23T14:55:50Z"},
      {R"({"date":"Tue, 3 Nov 2026 14:55:50 +0000"})", "2026-11-03T14:55:50Z"},
      {R"({"ts":{"$date":"2026-11-23T14:55:50.158+00:00"}})", "2026-11-23T14:55:50.158Z"},
      {R"({"ts":{"$date":{"$numberLong":"1795424055158"}}})", "2026-11-23T08:54:15.158Z"},
      {R"({"created":"/Date(1795424055158)/"})", "2026-11-23T08:54:15.158Z"},
      {R"({"@timestamp":"not yet","time":120,"created_at":"2026-11-23T14:55:50Z"})", "2026-11-23T14:55:50Z"},
  };
  for (const Row& row : rows) EXPECT_EQ(time_in(row.event), row.want) << row.event;
}

TEST(EventTime, WhatIsNoTimeIsNotTakenForOne) {
  for (const char* event : {R"({})", R"([])", R"({"time":120})", R"({"time":"120"})", R"({"time":true})", R"({"time":-1795424055})", R"({"time":"2026-13-01T00:00:00Z"})",
                            R"({"time":"2026-02-30T00:00:00Z"})", R"({"time":"tomorrow at noon"})", R"({"time":1e300})", R"({"time":9223372036854775807})", R"({"time":""})",
                            R"({"time":"23/Nov/2026"})", R"({"time":"99/Nov/2026:14:55:50 +0100"})", R"({"time":{"$date":{}}})", R"({"time":"/Date(x)/"})", R"({"time":"/Date("})",
                            R"({"time":"1795424055.1x"})"}) {
    EXPECT_EQ(time_in(event), "none") << event;
  }
}

}  // namespace
}  // namespace tocsin::rules::sigma
