#include "engine/intake/recognise.hpp"

#include <gtest/gtest.h>

#include "engine/intake/decoder.hpp"

namespace tocsin::engine {
namespace {

constexpr std::string_view kCsv =
    "2026-11-23 14:24:47.544 UTC,\"nurse\",\"postgres\",17695,\"127.0.0.1:58610\",6b044caf.451f,3,\"SELECT\","
    "2026-11-23 14:24:47 UTC,3/8,0,LOG,00000,\"AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.patient,select 1,<none>,1\""
    ",,,,,,,,,\"psql\",\"client backend\",,0\n";
constexpr std::string_view kPgJson =
    "{\"timestamp\":\"2026-11-23 14:24:47.544 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n";
constexpr std::string_view kTrail =
    "{\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\",\"eventTime\":\"2026-11-23T10:12:33Z\"}";
constexpr std::string_view kWeb =
    "192.0.2.7 - alice [23/Nov/2026:10:05:03 +0000] \"GET /patients/42 HTTP/1.1\" 200 5123 \"-\" \"curl/8.5.0\"\n";

TEST(Recognise, KnowsAFormatByItsFirstRecords) {
  struct Row { const char* name; std::string sample; const char* want; };
  const std::string trail(kTrail), web(kWeb), csv(kCsv), pg(kPgJson);
  for (const Row& row : {
           Row{"csvlog", csv + csv, "pgaudit-csv"},
           Row{"csvlog from the middle", "select *\nfrom x\",,,,\n" + csv + csv, "pgaudit-csv"},
           Row{"csvlog cut at the end", csv + csv.substr(0, 50), "pgaudit-csv"},
           Row{"jsonlog", pg + pg, "pgaudit-json"},
           Row{"jsonlog from the middle", "ge\":\"x\"}\n" + pg + pg, "pgaudit-json"},
           Row{"plain log, Debian's prefix", "2026-11-23 14:24:47.544 UTC [17695] u@d LOG:  AUDIT: SESSION,1,1,READ\n", "pgaudit-stderr"},
           Row{"plain log from the middle", "\tfrom x\n2026-11-23 14:24:47 UTC [9]: [3-1] user=u,db=d,app=a b,client=::1 LOG:  x\n2026-11-23 14:24:47 UTC [9]: [4-1] user=,db=,app=,client= LOG:  y\n\tz\n", "pgaudit-stderr"},
           Row{"CloudTrail NDJSON", trail + "\n" + trail + "\n", "cloudtrail"},
           Row{"CloudTrail file", "{\"Records\":[" + trail + "," + trail + "]}", "cloudtrail"},
           Row{"CloudTrail file cut at the end", "{\"Records\":[" + trail + "," + trail.substr(0, 30), "cloudtrail"},
           Row{"CloudTrail array", "[\n" + trail + ",\n" + trail + "\n]", "cloudtrail"},
           Row{"EventBridge", "{\"detail-type\":\"x\",\"detail\":" + trail + "}\n", "cloudtrail"},
           Row{"combined", web + web, "combined"},
           Row{"one line without its end", web.substr(0, web.size() - 1), "combined"},
           Row{"combined with an error line", "[error] something\n" + web + web, "combined"},
           Row{"combined from the middle", "5123 \"-\" \"curl\"\n" + web + web, "combined"},
           Row{"some JSON", "{\"a\":1}\n{\"b\":2}\n", "json"},
           Row{"byte order mark", "\xEF\xBB\xBF{\"a\":1}\n{\"b\":2}\n", "json"},
       }) {
    const auto found = recognise(row.sample);
    ASSERT_TRUE(found) << row.name << ": " << found.error().text();
    EXPECT_EQ(found->format, row.want) << row.name;
    EXPECT_TRUE(is_known_format(found->format));
    EXPECT_NE(found->reason, "") << row.name;
  }
}

TEST(Recognise, SaysWhatToDoWhenItCannot) {
  const auto text = recognise("Dear diary,\nnothing happened today.\n");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::kInvalid);
  EXPECT_EQ(text.error().text().find("diary"), std::string::npos) << "a line may hold personal data";
  for (const std::string_view format : known_formats()) {
    EXPECT_NE(text.error().remedy.find(format), std::string::npos) << format;
  }
  EXPECT_EQ(recognise("").error().code, Errc::kUnavailable);
  EXPECT_EQ(recognise("{\"a").error().code, Errc::kUnavailable);
  const auto stderr_log = recognise("<17695> u@d LOG:  AUDIT: SESSION,1,1,READ\n<17695> u@d LOG:  AUDIT: SESSION,1,1,READ\n");
  ASSERT_FALSE(stderr_log);
  EXPECT_NE(stderr_log.error().remedy.find("log_line_prefix"), std::string::npos);
  EXPECT_FALSE(recognise(std::string_view("\0\1\2\3\n\0\0\n", 8)));
}

}  // namespace
}  // namespace tocsin::engine
