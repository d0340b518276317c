#include "engine/intake/zone.hpp"

#include <gtest/gtest.h>

namespace tocsin::engine {
namespace {

std::string parsed(std::string_view zone, std::string_view text) {
  auto local = LocalTime::of(zone);
  if (!local) return "bad zone";
  const auto time = local->parse(text);
  return time ? format_rfc3339(*time) : "none";
}

TEST(LocalTime, ReadsWhatLogsPrint) {
  if (parsed("Europe/Berlin", "2026-01-01 00:00:00") == "bad zone") GTEST_SKIP() << "no tz database (package tzdata)";
  struct Row { const char* name; const char* zone; const char* text; const char* want; };
  for (const Row& row : {
           Row{"UTC", "", "2026-11-23 14:55:50.158 UTC", "2026-11-23T14:55:50.158Z"},
           Row{"an offset of its own", "Europe/Berlin", "2026-11-23T14:55:50+02:00", "2026-11-23T12:55:50Z"},
           Row{"winter", "Europe/Berlin", "2026-11-23 14:55:50.158 CET", "2026-11-23T13:55:50.158Z"},
           Row{"summer", "Europe/Berlin", "2026-07-23 14:55:50.158 CEST", "2026-07-23T12:55:50.158Z"},
           Row{"the hour that comes twice, first", "Europe/Berlin", "2026-10-25 02:30:00 CEST", "2026-10-25T00:30:00Z"},
           Row{"the hour that comes twice, second", "Europe/Berlin", "2026-10-25 02:30:00 CET", "2026-10-25T01:30:00Z"},
           Row{"no zone in the text", "Europe/Berlin", "2026-07-23 14:55:50", "2026-07-23T12:55:50Z"},
           Row{"no zone anywhere", "", "2026-07-23 14:55:50", "2026-07-23T14:55:50Z"},
           Row{"short name alone", "", "2026-11-23 14:55:50 CET", "2026-11-23T13:55:50Z"},
           Row{"EST alone", "", "2026-11-23 14:55:50 EST", "2026-11-23T19:55:50Z"},
           Row{"New York, summer", "America/New_York", "2026-07-01 10:00:00.5 EDT", "2026-07-01T14:00:00.500Z"},
           Row{"IST is India's in India", "Asia/Kolkata", "2026-07-01 10:00:00 IST", "2026-07-01T04:30:00Z"},
           Row{"a configured offset is the person's word", "+05:30", "2026-07-01 10:00:00 IST", "2026-07-01T04:30:00Z"},
           Row{"unknown name", "", "2026-07-01 10:00:00 IST", "none"},
           Row{"no time", "", "yesterday", "none"},
           Row{"no such zone", "Europe/Atlantis", "2026-07-01 10:00:00", "bad zone"},
           Row{"not out of the database", "../../etc/passwd", "2026-07-01 10:00:00", "bad zone"},
       }) {
    EXPECT_EQ(parsed(row.zone, row.text), row.want) << row.name;
  }
  EXPECT_NE(LocalTime::complaint("2026-07-01 10:00:00.000 IST").find("'IST' is not known: set 'timezone'"), std::string::npos);
  EXPECT_NE(LocalTime::complaint("nonsense").find("is not one"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::engine
