// Export detection on reaches written by hand: limits, episodes, little by little, who is allowed.
#include "engine/detect/export.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace tocsin::engine {
namespace {

using storage::Finding;
using storage::Grade;
using storage::Level;

class Exports : public testing::Test {
 protected:
  Access access() {
    Access a;
    a.time = now_;
    a.origin = {"db", "log", ++line_, 0};
    a.actor.account = "mallory";
    a.statement.text = "SELECT * FROM patient WHERE email = 'anna@example.org'";
    return a;
  }
  Reach whole(std::uint64_t at_most, std::uint64_t known, std::string way = "select") {
    Reach r;
    r.key = "k" + std::to_string(++key_);
    r.actor = "mallory";
    r.dataset = "patient";
    r.grade = Grade::kBound;
    r.whole = true;
    r.known = known;
    r.known_all = true;
    r.at_least = 0;
    r.at_most = at_most;
    r.way = std::move(way);
    r.reason = "Because.";
    return r;
  }
  Reach one(storage::PersonNo no) {
    Reach r = whole(1, 5000);
    r.whole = false;
    r.grade = Grade::kExact;
    r.people = {no};
    r.at_least = 1;
    return r;
  }
  std::vector<Finding> see(ExportDetector& d, Reach r) {
    Access a = access();
    r.origin = a.origin;
    std::vector<Finding> out;
    d.see(a, {std::move(r)}, out);
    return out;
  }

  Time now_ = *parse_rfc3339("2026-11-23T12:00:00Z");
  std::uint64_t line_ = 0, key_ = 0;
};

TEST_F(Exports, ManyAtOnceIsAFinding) {
  ExportDetector d({});
  EXPECT_TRUE(see(d, whole(49, 5000)).empty());
  const auto f = see(d, whole(50, 5000));
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].title, "Bulk export of patient by mallory");
  EXPECT_EQ(f[0].rule, "tocsin.export.select");
  EXPECT_EQ(f[0].level, Level::kHigh);
  EXPECT_EQ(f[0].group, "export/mallory/patient");
  ASSERT_EQ(f[0].evidence.size(), 1U);
  EXPECT_EQ(f[0].evidence[0].preview.find("anna"), std::string::npos);
  EXPECT_EQ(see(d, whole(5000, 5000, "copy")).at(0).level, Level::kCritical);
}

TEST_F(Exports, AShareOfASmallDatasetCountsATinyOneDoesNot) {
  ExportDetector d({});
  EXPECT_EQ(see(d, whole(15, 30)).size(), 1U);
  EXPECT_TRUE(see(d, whole(5, 6)).empty());
}

TEST_F(Exports, AnEpisodeGrowsUntilTheGapIsLong) {
  ExportDetector d({});
  Reach cursor = whole(100, 5000, "cursor");
  const auto first = see(d, cursor);
  cursor.at_most = 200;  // the next FETCH of the same cursor
  const auto second = see(d, cursor);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].id, first[0].id);
  EXPECT_EQ(second[0].evidence_count, 2U);
  EXPECT_EQ(second[0].exposure->at_most, 200U);
  now_ += std::chrono::hours(3);
  EXPECT_NE(see(d, whole(100, 5000, "cursor")).at(0).id, first[0].id);
}

TEST_F(Exports, OneByOneAddsUpDifferentPeople) {
  ExportDetector d({});
  for (storage::PersonNo no = 0; no < 199; ++no) EXPECT_TRUE(see(d, one(no)).empty());
  EXPECT_TRUE(see(d, one(5)).empty());  // again the same one
  const auto f = see(d, one(1000));
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].rule, "tocsin.export.one-by-one");
  EXPECT_EQ(f[0].evidence_count, 201U);  // every read before supports it
  EXPECT_EQ(f[0].exposure->at_most, 200U);
  EXPECT_EQ(f[0].exposure->at_least, 200U);
}

// A restart after `before` people: what was reached then is remembered in any order, as it is stored.
TEST_F(Exports, OneByOneGoesOnOverARestart) {
  for (const storage::PersonNo before : {0U, 1U, 120U, 199U, 200U, 350U}) {
    SCOPED_TRACE(before);
    std::vector<std::pair<Reach, Time>> stored;
    std::map<std::string, Finding> findings;
    const auto read = [&](ExportDetector& d, storage::PersonNo from, storage::PersonNo to) {
      for (storage::PersonNo no = from; no < to; ++no) {
        now_ += std::chrono::seconds(10);
        const Reach r = one(no);
        stored.emplace_back(r, now_);
        for (Finding& f : see(d, r)) findings[f.id] = std::move(f);
      }
    };
    {
      ExportDetector d({});
      read(d, 0, before);
    }
    ExportDetector d({});
    for (const auto& [id, f] : findings) d.resume(f, f.evidence_count);
    std::reverse(stored.begin(), stored.end());
    for (const auto& [r, time] : stored) {
      if (time >= now_ - ExportOptions().window) d.remember(r, time);
    }
    read(d, before, 199);
    EXPECT_EQ(findings.size(), before >= 200 ? 1U : 0U);
    read(d, std::max<storage::PersonNo>(before, 199), 420);
    ASSERT_EQ(findings.size(), 1U) << "one finding, whenever it was stopped";
    const Finding& f = findings.begin()->second;
    EXPECT_EQ(f.rule, ExportDetector::kLittleByLittle);
    EXPECT_EQ(f.exposure->at_most, 420U);
    EXPECT_EQ(f.exposure->at_least, 420U);
    EXPECT_EQ(f.exposure->grade, Grade::kExact);
    EXPECT_NE(f.reason.find("420 statements"), std::string::npos) << f.reason;
  }
}

TEST_F(Exports, WhatIsRememberedOfBulkIsNotCountedLittleByLittle) {
  ExportDetector d({});
  Reach bulk = one(0);
  bulk.people.clear();
  for (storage::PersonNo no = 0; no < 199; ++no) bulk.people.push_back(no);
  bulk.at_least = bulk.at_most = bulk.people.size();
  d.remember(bulk, now_);
  EXPECT_TRUE(see(d, one(1000)).empty());
  // Nor what is older than the window by the time that the next comes.
  for (storage::PersonNo no = 0; no < 199; ++no) d.remember(one(no), now_);
  now_ += std::chrono::hours(2);
  EXPECT_TRUE(see(d, one(1001)).empty());
}

TEST_F(Exports, SlowReadersAreNotAccused) {
  ExportDetector d({});
  for (storage::PersonNo no = 0; no < 1000; ++no) {
    now_ += std::chrono::minutes(1);
    EXPECT_TRUE(see(d, one(no)).empty()) << no;
  }
}

TEST_F(Exports, AllowedExportersAreInformational) {
  ExportOptions options;
  options.allowed = {{"mallory", "", "patient"}};
  ExportDetector d(options);
  EXPECT_EQ(see(d, whole(5000, 5000, "copy")).at(0).level, Level::kInformational);
}

TEST_F(Exports, ARefusedReadIsToldAtLow) {
  ExportDetector d({});
  Access a = access();
  a.action = Action::kRead;
  a.outcome = Outcome::kFailure;
  a.error = "permission denied for table billing";
  a.resource.dataset = "billing";
  std::vector<Finding> out;
  d.see(a, {}, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].level, Level::kLow);
  EXPECT_EQ(out[0].title, "Refused read of billing by mallory");
}

std::vector<std::string> rules_of(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& f : findings) out.push_back(f.rule);
  return out;
}

TEST_F(Exports, ToAPlaceOutsideIsToldWhateverItsSize) {
  ExportDetector d({});
  Reach r = one(7);
  r.place = "program";
  const auto found = see(d, r);
  ASSERT_EQ(rules_of(found), std::vector<std::string>{"tocsin.export.outside"});
  ASSERT_TRUE(found[0].exposure);
  EXPECT_EQ(found[0].exposure->at_most, 1U);
  EXPECT_EQ(found[0].group, "export/mallory/patient");
}

TEST_F(Exports, BulkFromAnAddressOutside) {
  ExportOptions options;
  ASSERT_TRUE(options.networks.add("10.0.0.0/8"));
  ASSERT_TRUE(options.networks.add("2001:db8::/32"));
  EXPECT_FALSE(options.networks.add("10.0.0/8"));
  EXPECT_FALSE(options.networks.add("10.0.0.0/33"));
  ExportDetector d(std::move(options));
  for (const auto& [ip, outside] : std::vector<std::pair<std::string, bool>>{{"10.9.8.7", false}, {"2001:db8::9", false}, {"", false}, {"[local]", false}, {"192.0.2.1", true}, {"2001:db9::1", true}}) {
    Reach r = whole(5000, 5000);
    r.client_ip = ip;
    EXPECT_EQ(see(d, r).size(), outside ? 2U : 1U) << ip;
    Reach small = one(3);
    small.client_ip = ip;
    EXPECT_TRUE(see(d, small).empty()) << ip;
  }
}

TEST_F(Exports, BulkOutsideOfficeHours) {
  ExportOptions options;
  options.hours = *OfficeHours::parse("Mon-Fri 07:00-19:00 +01:00");
  ExportDetector d(std::move(options));
  for (const auto& [time, off] : std::vector<std::pair<const char*, bool>>{{"2026-11-23T06:00:00Z", false}, {"2026-11-23T05:59:59Z", true},
                                                                           {"2026-11-23T17:59:59Z", false}, {"2026-11-23T18:00:00Z", true},
                                                                           {"2026-11-28T12:00:00Z", true}, {"2026-11-29T23:30:00Z", true}}) {
    now_ = *parse_rfc3339(time);
    EXPECT_EQ(see(d, whole(5000, 5000)).size(), off ? 2U : 1U) << time;
  }
  // The alert says what the office's clock showed, also west of Greenwich and before 1970.
  EXPECT_EQ(OfficeHours::parse("Mon-Fri 07:00-19:00 +01:00")->clock(*parse_rfc3339("2026-11-23T23:30:00Z")), "Tuesday 00:30 (UTC+01:00)");
  EXPECT_EQ(OfficeHours::parse("Mon-Fri 07:00-19:00")->clock(*parse_rfc3339("2026-11-22T03:05:00Z")), "Sunday 03:05 (UTC)");
  EXPECT_EQ(OfficeHours::parse("Mon-Fri 07:00-19:00 -03:30")->clock(*parse_rfc3339("1969-12-31T01:00:00Z")), "Tuesday 21:30 (UTC-03:30)");
  for (const char* bad : {"", "Mon", "Mon-Fri", "Mon-Fri 19:00-07:00", "Mon-Xyz 07:00-08:00", "Mon 7-8", "Mon 07:00-08:00 1", "Mon 07:00-25:00"}) EXPECT_FALSE(OfficeHours::parse(bad)) << bad;
}

TEST_F(Exports, TheFirstInAMonthIsToldAndRememberedAcrossRestarts) {
  ExportOptions options;
  options.first_time = std::chrono::hours(24 * 30);
  ExportDetector d(options);
  EXPECT_EQ(rules_of(see(d, whole(5000, 5000))), (std::vector<std::string>{"tocsin.export.select", "tocsin.export.first-time"}));
  now_ += std::chrono::hours(24 * 20);
  EXPECT_EQ(see(d, whole(5000, 5000)).size(), 1U);
  const Time newest = now_;
  now_ += std::chrono::hours(24 * 31);
  EXPECT_EQ(see(d, whole(5000, 5000)).size(), 2U);
  // After a restart the detector is given what the findings say.
  options.earlier[{"mallory", "patient"}] = newest;
  ExportDetector again(options);
  now_ = newest + std::chrono::hours(24 * 29);
  EXPECT_EQ(see(again, whole(5000, 5000)).size(), 1U);
  now_ = newest + std::chrono::hours(24 * 90);
  EXPECT_EQ(see(again, whole(5000, 5000)).size(), 2U);
}

}  // namespace
}  // namespace tocsin::engine
