// Assessment: the clocks of law.md's table, three-valued answers, exemptions, and the properties that always hold.
#include "rules/law/assess.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tocsin::rules::law {
namespace {

const Pack& pack() {
  static const Pack loaded = [] {
    auto result = load_built_in();
    if (!result) throw std::runtime_error(result.error().text());
    return std::move(*result);
  }();
  return loaded;
}

Time at(std::string_view text) { return parse_rfc3339(text).value(); }

const Duty& duty(const Assessment& a, std::string_view id) {
  const auto found = std::find_if(a.duties.begin(), a.duties.end(), [&](const Duty& d) { return d.row->id == id; });
  if (found == a.duties.end()) throw std::runtime_error("no such duty");
  return *found;
}

// A confirmed theft of data about people in Germany, risk not judged yet.
Facts theft() {
  Facts f;
  f.answers["personal_data"] = Tri::kYes;
  f.answers["controller"] = Tri::kYes;
  f.answers["processor"] = Tri::kNo;
  f.answers["eu_establishment"] = Tri::kYes;
  f.times["aware"] = at("2026-11-20T16:40:00+01:00");
  f.people = Count{40, 200};
  f.countries["DE"] = Count{40, 200};
  f.data = {"name", "email", "health"};
  return f;
}

TEST(Clock, HoursAreElapsedHoursAndBothEndsAreGiven) {
  struct Case {
    const char* name;
    const char* aware;
    const char* due;
    const char* limit;
  };
  const Case cases[] = {
      {"over a weekend", "2026-11-20T16:40:00+01:00", "2026-11-23T16:40:00+01:00", "2026-11-23T17:00:00+01:00"},
      {"clocks go back", "2026-10-24T22:10:00+02:00", "2026-10-27T21:10:00+01:00", "2026-10-27T22:00:00+01:00"},
      {"clocks go forward, on the full hour", "2026-03-28T10:00:00+01:00", "2026-03-31T11:00:00+02:00",
       "2026-03-31T12:00:00+02:00"},
      {"a microsecond before the hour", "2026-11-20T16:59:59.999999Z", "2026-11-23T16:59:59.999999Z", "2026-11-23T17:00:00Z"},
  };
  for (const auto& c : cases) {
    const Ends both = ends(at(c.aware), Limit{std::chrono::hours(72), Counting::kEu1182_71});
    EXPECT_EQ(format_rfc3339(both.due), format_rfc3339(at(c.due))) << c.name;
    EXPECT_EQ(format_rfc3339(both.limit), format_rfc3339(at(c.limit))) << c.name;
    EXPECT_LE(both.due, both.limit) << c.name;
  }
}

TEST(Gdpr, UnknownRiskMeansTheAuthorityIsToldAndThePeopleAreAQuestion) {
  const Assessment a = assess(theft(), pack());
  const Duty& authority = duty(a, "eu.gdpr.33.1");
  EXPECT_EQ(authority.applies, Tri::kYes);
  EXPECT_EQ(authority.decisive_facts, std::vector<std::string>{"risk_unlikely"});
  EXPECT_EQ(format_rfc3339(*authority.due), "2026-11-23T15:40:00Z");
  EXPECT_EQ(format_rfc3339(*authority.limit), "2026-11-23T16:00:00Z");
  EXPECT_EQ(authority.anchor, "aware");
  EXPECT_EQ(authority.row->content.size(), 4U);

  const Duty& people = duty(a, "eu.gdpr.34.1");
  EXPECT_EQ(people.applies, Tri::kUnknown);
  EXPECT_EQ(people.decisive_facts, std::vector<std::string>{"high_risk"});
  EXPECT_FALSE(people.due);
  EXPECT_EQ(people.row->soft, "without undue delay");

  EXPECT_EQ(duty(a, "eu.gdpr.33.5").applies, Tri::kYes);
  EXPECT_EQ(duty(a, "eu.gdpr.33.2").applies, Tri::kNo);
  EXPECT_EQ(a.earliest_due(), authority.due);
}

TEST(Gdpr, AnswersFollowTheFacts) {
  struct Case {
    const char* name;
    std::vector<std::pair<const char*, Tri>> answers;
    const char* duty;
    Tri want;
    const char* exemption;
  };
  const Case cases[] = {
      {"risk shown to be unlikely", {{"risk_unlikely", Tri::kYes}}, "eu.gdpr.33.1", Tri::kNo, "risk_unlikely"},
      {"recorded even then", {{"risk_unlikely", Tri::kYes}}, "eu.gdpr.33.5", Tri::kYes, ""},
      {"high risk", {{"high_risk", Tri::kYes}}, "eu.gdpr.34.1", Tri::kYes, ""},
      {"no high risk", {{"high_risk", Tri::kNo}}, "eu.gdpr.34.1", Tri::kNo, ""},
      {"encrypted, key safe", {{"high_risk", Tri::kYes}, {"encrypted", Tri::kYes}, {"key_taken", Tri::kNo}},
       "eu.gdpr.34.1", Tri::kNo, "unintelligible"},
      {"encrypted, key taken", {{"high_risk", Tri::kYes}, {"encrypted", Tri::kYes}, {"key_taken", Tri::kYes}},
       "eu.gdpr.34.1", Tri::kYes, ""},
      {"encrypted, key in doubt", {{"high_risk", Tri::kYes}, {"encrypted", Tri::kYes}}, "eu.gdpr.34.1", Tri::kYes, ""},
      {"risk removed", {{"high_risk", Tri::kYes}, {"high_risk_removed", Tri::kYes}}, "eu.gdpr.34.1", Tri::kNo, "high_risk_removed"},
      {"too much effort", {{"high_risk", Tri::kYes}, {"disproportionate_effort", Tri::kYes}}, "eu.gdpr.34.1", Tri::kYes,
       "disproportionate_effort"},
      {"not about people", {{"personal_data", Tri::kNo}}, "eu.gdpr.33.1", Tri::kNo, ""},
      {"role unknown", {{"controller", Tri::kUnknown}}, "eu.gdpr.33.1", Tri::kUnknown, ""},
      {"processor too", {{"processor", Tri::kYes}}, "eu.gdpr.33.2", Tri::kYes, ""},
  };
  for (const auto& c : cases) {
    Facts f = theft();
    for (const auto& [fact, value] : c.answers) f.answers[fact] = value;
    const Assessment a = assess(f, pack());
    EXPECT_EQ(duty(a, c.duty).applies, c.want) << c.name << ": " << duty(a, c.duty).why;
    EXPECT_EQ(duty(a, c.duty).exemption, c.exemption) << c.name;
  }
}

TEST(Gdpr, PublicCommunicationTakesThePlaceOfLetters) {
  Facts f = theft();
  f.answers["high_risk"] = Tri::kYes;
  f.answers["disproportionate_effort"] = Tri::kYes;
  const Assessment a = assess(f, pack());
  EXPECT_NE(duty(a, "eu.gdpr.34.1").instead.find("public communication"), std::string::npos)
      << duty(a, "eu.gdpr.34.1").instead;
}

TEST(Gdpr, TheControllerIsAwareOnceTheProcessorTellsIt) {
  Facts f = theft();
  f.times.erase("aware");
  f.times["processor_notified_controller"] = at("2026-11-20T08:00:00Z");
  EXPECT_EQ(format_rfc3339(*duty(assess(f, pack()), "eu.gdpr.33.1").due), "2026-11-23T08:00:00Z");
  f.times.clear();
  const Assessment a = assess(f, pack());
  const Duty& d = duty(a, "eu.gdpr.33.1");
  EXPECT_EQ(d.applies, Tri::kYes);
  EXPECT_FALSE(d.due);
  EXPECT_NE(std::find(d.unknown_facts.begin(), d.unknown_facts.end(), "time of aware"), d.unknown_facts.end());
}

TEST(Gdpr, NotInForceBefore25May2018) {
  Facts f = theft();
  f.times["aware"] = at("2018-05-24T23:59:59Z");
  EXPECT_EQ(duty(assess(f, pack()), "eu.gdpr.33.1").applies, Tri::kNo);
  f.times["aware"] = at("2018-05-25T00:00:00Z");
  EXPECT_EQ(duty(assess(f, pack()), "eu.gdpr.33.1").applies, Tri::kYes);
}

TEST(Gdpr, EveryUnverifiedAnswerSaysSo) {
  for (const auto& row : pack().rows) {
    EXPECT_TRUE(row.verified_on.empty()) << "a verified row needs a person's name: " << row.id;
    EXPECT_NE(row.verification().find("not verified against the official text"), std::string::npos) << row.id;
  }
}

TEST(Severity, WholeSpaceOfTheFormula) {
  int counts[4] = {};
  for (int dpc = 1; dpc <= 4; ++dpc)
    for (int ei = 1; ei <= 4; ++ei)
      for (int c = 0; c <= 2; ++c)
        for (int i = 0; i <= 2; ++i)
          for (int a = 0; a <= 2; ++a)
            for (int m = 0; m <= 2; m += 2)
              ++counts[static_cast<int>(severity_band(severity_quarters(dpc, ei, c, i, a, m)))];
  EXPECT_EQ(counts[0], 273);
  EXPECT_EQ(counts[1], 295);
  EXPECT_EQ(counts[2], 170);
  EXPECT_EQ(counts[3], 126);
  EXPECT_EQ(severity_quarters(4, 4, 2, 2, 2, 2), 24);
}

TEST(Severity, FromFacts) {
  Facts f = theft();
  f.data_complete = true;
  for (const char* no : {"encrypted", "altered", "altered_unrecoverable", "unavailable", "lost_for_good", "recipients_unknown"}) {
    f.answers[no] = Tri::kNo;
  }
  f.answers["recipients_known"] = Tri::kYes;
  f.answers["malicious"] = Tri::kYes;
  Severity s = assess(f, pack()).severity;
  EXPECT_EQ(s.least, 4 * 4 + 1 + 2);
  EXPECT_EQ(s.most, s.least) << "nothing is unknown";
  EXPECT_EQ(s.band, Band::kVeryHigh);
  EXPECT_FALSE(s.over_100_people) << "only 40 are certain";

  // EDPB case 15: little insight lowers the context, with a reason on record.
  f.processing_context = Adjustment{1, "food preferences of two people give little insight"};
  f.answers["malicious"] = Tri::kNo;
  s = assess(f, pack()).severity;
  EXPECT_EQ(s.least, 5);
  EXPECT_EQ(s.band, Band::kLow);
}

TEST(Severity, UnknownsMakeAnInterval) {
  Facts f;
  f.data = {"password"};
  Severity s = assess(f, pack()).severity;
  EXPECT_EQ(s.dpc_least, 1);
  EXPECT_EQ(s.dpc_most, 4);
  EXPECT_EQ(s.could_reach, Band::kVeryHigh);
  f.credentials_open = {"sensitive"};
  EXPECT_EQ(assess(f, pack()).severity.dpc_least, 4);
}

// ---- properties over random facts

Facts random_facts(std::mt19937& random) {
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random()) % n; };
  Facts f;
  for (const auto& [fact, definition] : pack().facts) f.answers[fact] = static_cast<Tri>(pick(3));
  if (pick(4) != 0) f.times["aware"] = at("2026-11-20T16:40:00Z") + std::chrono::minutes(pick(100'000));
  if (pick(4) == 0) f.times["processor_notified_controller"] = at("2026-11-20T16:40:00Z");
  for (const char* country : {"DE", "FR", "US"}) {
    if (pick(2) == 0) f.countries[country] = Count{pick(3), pick(3) + 3};
  }
  f.countries_complete = pick(2) == 0;
  if (pick(2) == 0) f.people = Count{pick(500), 500 + pick(500)};
  for (const char* kind : {"name", "email", "health", "card", "password", "location"}) {
    if (pick(2) == 0) f.data.insert(kind);
  }
  f.data_complete = pick(2) == 0;
  return f;
}

TEST(Property, EuResidentsAlwaysYieldARegisterEntry) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    Facts f = random_facts(random);
    f.answers["personal_data"] = Tri::kYes;
    f.countries["DE"] = Count{1, std::nullopt};
    f.times["aware"] = at("2026-11-20T16:40:00Z");
    EXPECT_EQ(duty(assess(f, pack()), "eu.gdpr.33.5").applies, Tri::kYes);
  }
}

TEST(Property, EveryRowAnswersAndUnknownNamesAFact) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    const Facts f = random_facts(random);
    const Assessment a = assess(f, pack());
    ASSERT_EQ(a.duties.size(), pack().rows.size());
    for (const auto& d : a.duties) {
      EXPECT_FALSE(d.why.empty());
      if (d.applies == Tri::kUnknown) {
        EXPECT_FALSE(d.unknown_facts.empty()) << d.row->id;
      }
      if (d.applies == Tri::kUnknown) {
        EXPECT_FALSE(d.decisive_facts.empty()) << d.row->id;
      }
      if (d.due && d.applies != Tri::kNo) {
        EXPECT_LE(*a.earliest_due(), *d.due);
      }
    }
  }
}

TEST(Property, AddingAPersonNeverRemovesADuty) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    Facts f = random_facts(random);
    const Assessment before = assess(f, pack());
    Count& germany = f.countries["DE"];
    germany.at_least += 1;
    if (germany.at_most) germany.at_most = std::max(germany.at_least, *germany.at_most + 1);
    if (f.people) {
      f.people->at_least += 1;
      if (f.people->at_most) f.people->at_most = *f.people->at_most + 1;
    }
    const Assessment after = assess(f, pack());
    for (std::size_t d = 0; d < before.duties.size(); ++d) {
      if (before.duties[d].applies == Tri::kYes) {
        EXPECT_EQ(after.duties[d].applies, Tri::kYes);
      }
      if (before.duties[d].applies == Tri::kUnknown) {
        EXPECT_NE(after.duties[d].applies, Tri::kNo);
      }
    }
  }
}

TEST(Property, RaisingAComponentNeverLowersTheScore) {
  std::mt19937 random(4);
  for (int i = 0; i < 1000; ++i) {
    Facts f = random_facts(random);
    f.answers["encrypted"] = Tri::kNo;
    for (const char* worse : {"recipients_known", "recipients_unknown", "altered", "altered_unrecoverable", "unavailable",
                              "lost_for_good", "malicious"}) {
      f.answers[worse] = Tri::kNo;
      const Severity low = assess(f, pack()).severity;
      f.answers[worse] = Tri::kYes;
      const Severity high = assess(f, pack()).severity;
      EXPECT_LE(low.least, high.least) << worse;
      EXPECT_LE(low.most, high.most) << worse;
    }
  }
}

TEST(Property, AnsweringAnUnknownNeverContradictsAKnownAnswer) {
  std::mt19937 random(5);
  for (int i = 0; i < 1000; ++i) {
    const Facts f = random_facts(random);
    const Assessment before = assess(f, pack());
    Facts g = f;
    for (auto& [fact, value] : g.answers) {
      if (value == Tri::kUnknown) value = (random() & 1) != 0 ? Tri::kYes : Tri::kNo;
    }
    const Assessment after = assess(g, pack());
    for (std::size_t d = 0; d < before.duties.size(); ++d) {
      // A definite "no" stays; a "yes" may be lifted only by an exemption that has become known.
      if (before.duties[d].applies == Tri::kNo) {
        EXPECT_EQ(after.duties[d].applies, Tri::kNo);
      }
      if (before.duties[d].applies == Tri::kYes && after.duties[d].applies != Tri::kYes) {
        EXPECT_FALSE(after.duties[d].exemption.empty());
      }
    }
    EXPECT_LE(before.severity.least, after.severity.least);
    EXPECT_GE(before.severity.most, after.severity.most);
  }
}

}  // namespace
}  // namespace tocsin::rules::law
