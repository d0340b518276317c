// The scanner as its users see it: own samples, previews, redaction, tiers, fingerprints, threads, long records.
#include "rules/secrets/scanner.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <thread>

namespace tocsin::rules::secrets {
namespace {

const Scanner& own() {
  static const Scanner scanner = [] {
    Options options;
    options.fingerprint = [](std::string_view secret) { return "fp" + std::to_string(std::hash<std::string_view>{}(secret)); };
    auto loaded = Scanner::load({}, std::move(options));
    if (!loaded) throw std::runtime_error(loaded.error().text());
    return std::move(loaded->scanner);
  }();
  return scanner;
}

std::vector<Hit> hits(std::string_view line) {
  std::vector<Hit> out;
  own().scan(line, out);
  return out;
}

TEST(OwnPack, SamplesHold) {
  for (const auto& problem : check_own_samples()) ADD_FAILURE() << problem;
}

TEST(Hit, PlaceAndPreviewNeverTheSecret) {
  const std::string line = R"({"user":"anna","password":"hunter2"})";
  const auto found = hits(line);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "tocsin.password-field");
  EXPECT_EQ(line.substr(found[0].start, found[0].end - found[0].start), "hunter2");
  EXPECT_EQ(found[0].preview, "h…");
  EXPECT_EQ(found[0].kind, Kind::kSecret);
  EXPECT_EQ(found[0].tier, Tier::kPattern);
}

TEST(Hit, TheSameSecretHasTheSameFingerprintHoweverItIsWritten) {
  const std::string want = hits("password=p@ss w0rd!").empty() ? "" : hits(R"({"password":"p@ss;w0rd"})")[0].fingerprint;
  EXPECT_EQ(hits("GET /?password=p%40ss%3Bw0rd HTTP/1.1")[0].fingerprint, want);
  EXPECT_EQ(hits("postgres://a:p%40ss%3Bw0rd@db/x")[0].fingerprint, want);
  EXPECT_EQ(hits(R"(x "{\"password\":\"p@ss;w0rd\"}")")[0].fingerprint, want);
  EXPECT_NE(hits("password=other1")[0].fingerprint, want);
}

TEST(Hit, TiersFollowWhatTheTokenProves) {
  struct Case {
    const char* line;
    Tier tier;
    const char* note;
  };
  const Case cases[] = {
      {"x 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", Tier::kVerified, "GitHub token, checksum holds"},
      {"x ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1yLcDC", Tier::kPattern, "GitHub token, checksum does not hold"},
      {"Authorization: Basic YW5uYTpodW50ZXIy", Tier::kStructure, "HTTP Basic: user and password"},
      {"paid with 4111111111111111", Tier::kVerified, ""},
      {"k eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJleHAiOjE3OTU0NDE2MDB9.c2lnbmF0dXJl",
       Tier::kStructure, "JWT, issued by https://id.example, valid until 2026-11-23T13:46:40Z"},
  };
  for (const auto& c : cases) {
    const auto found = hits(c.line);
    ASSERT_EQ(found.size(), 1U) << c.line;
    EXPECT_EQ(found[0].tier, c.tier) << c.line;
    EXPECT_EQ(found[0].note, c.note) << c.line;
  }
}

TEST(Preview, NeverMoreThanAQuarter) {
  EXPECT_EQ(preview(""), "…");
  EXPECT_EQ(preview("abc"), "…");
  EXPECT_EQ(preview("abcd"), "a…");
  EXPECT_EQ(preview("abcdefgh"), "a…h");
  EXPECT_EQ(preview("abcdefghijkl"), "ab…l");
  EXPECT_EQ(preview("abcdefghijklmnop"), "ab…op");
  EXPECT_EQ(preview(std::string(1000, 'x')), "xx…xx");
  EXPECT_EQ(preview("пароль77"), "п…7");
  EXPECT_EQ(preview("\x1b[31mabcdefg"), preview("\x1b[31mabcdefg"));
  EXPECT_EQ(preview("\x1b[31mabcdefg").find('\x1b'), std::string::npos);
  for (std::size_t n = 0; n < 200; ++n) {
    const std::string p = preview(std::string(n, 'q'));
    EXPECT_LE(static_cast<std::size_t>(std::count(p.begin(), p.end(), 'q')) * 4, n);
  }
}

TEST(Redact, ReplacesEveryHit) {
  const std::string line = "a password=hunter2secret b pass=qwertyuiop c";
  EXPECT_EQ(redact(line, hits(line)), "a password=‹hu…t› b pass=‹q…p› c");
  EXPECT_EQ(redact("nothing here", {}), "nothing here");
  // Overlapping hits are one gap.
  std::vector<Hit> two(2);
  two[0].start = 2, two[0].end = 6, two[0].preview = "A";
  two[1].start = 4, two[1].end = 8, two[1].preview = "B";
  EXPECT_EQ(redact("0123456789", two), "01‹A›89");
  two[0].end = 100;
  EXPECT_EQ(redact("0123456789", two), "01‹A›");
}

TEST(Redact, NoWrittenFormOfTheSecretRemains) {
  const char* const lines[] = {
      "CREATE USER a IDENTIFIED BY 'Canary77x'", "mysql -pCanary77x db", "x=1&pwd=Canary77x&y=2", R"({"a":{"pass":"Canary77x"}})",
      "postgres://u:Canary77x@h/d", "the password is Canary77x", "INSERT INTO t (a,password) VALUES (1,'Canary77x'),(2,'Canary77x')",
  };
  for (const char* line : lines) {
    const std::string out = redact(line, hits(line));
    EXPECT_EQ(out.find("Canary77x"), std::string::npos) << out;
  }
}

TEST(Explain, SaysWhyACandidateWasDropped) {
  std::vector<Hit> out;
  std::vector<Drop> drops;
  own().scan("password=$1 api_key=${KEY} access_key_id=ABC", out, &drops);
  EXPECT_TRUE(out.empty());
  ASSERT_EQ(drops.size(), 3U);
  EXPECT_EQ(drops[0].reason, "bound parameter");
  EXPECT_EQ(drops[1].reason, "variable");
  EXPECT_EQ(drops[2].reason, "identifier key");
}

TEST(Options, PersonalNumbersCanBeLeftOut) {
  Options options;
  options.personal = false;
  auto loaded = Scanner::load({}, options);
  ASSERT_TRUE(loaded);
  std::vector<Hit> out;
  loaded->scanner.scan("paid with 4111111111111111 ssn=536-90-4399 password=hunter2", out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].rule, "tocsin.password-field");
}

TEST(Record, VeryLongOnesAreScannedInPieces) {
  std::string line(Scanner::kPiece * 2 + 12345, 'x');
  const std::string secret = " password=hunter2 ";
  for (const std::size_t at : {std::size_t{0}, Scanner::kPiece - 9, Scanner::kPiece - Scanner::kOverlap - 5, line.size() - 40}) {
    line.replace(at, secret.size(), secret);
  }
  const auto found = hits(line);
  EXPECT_EQ(found.size(), 4U);
  for (const auto& hit : found) EXPECT_EQ(line.substr(hit.start, hit.end - hit.start), "hunter2");
}

TEST(Record, AnyBytesAreTaken) {
  std::string line;
  for (int i = 0; i < 4096; ++i) line += static_cast<char>(i * 7 + i / 256);
  line += " password=\xff\xfehunter2\x80 \0 token=";
  (void)hits(line);
  (void)hits("password=");
  (void)hits("password");
  (void)hits("password='");
  (void)hits("password=\"");
  (void)hits(R"(password=\")");
  (void)hits("INSERT INTO x (password) VALUES (");
  (void)hits("INSERT INTO x (password) VALUES ('");
  (void)hits("://:@");
  SUCCEED();
}

// Hostile records: each piece over and over. The time is compared with that of half the record; a quadratic reader
// would need four times as long, and far more than the generous second allowed here.
TEST(Record, HostileOnesTakeLinearTime) {
  const char* const pieces[] = {
      "password", "password=", "password=\"", "password='", "password:{", "insert into t (password) values (", "identified by '", "x://a:b@",
      "mysql -p\"", "curl -u \"", "bearer ", "basic YTpiYTpi", "cGFzc3dvcmQ9", "1234 ", "DE89", "password\\\\\\\"", "redis AUTH ", "password = md5('a",
      "<password>", "\"password\",\"value\":", "USER a PASS ", "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 ", "ssn=1 1 1 1 ",
      "curl -u a:b1 ", "net use \\\\s\\x ", "sqlplus a/b@", "a/b1@ORCL", "x:y@tcp(", "jdbc:oracle:thin:a/", "machine ", "username a password ", "new pdo('", "sp_password ",
      "password for a ", "password a1 user ", "<password a='", "<password><![CDATA[", "driver={x};pwd={", "PASS a ", " LOGIN a ", "AUTH PLAIN AAAA", "echo a | chpasswd ",
      "name=\"password\" value=\"", "key=\"password\">", "pan=4111111111111111 ", "parola d'ordine", "\\u003cpassword\\u003e", "password=crypt(md5(", "api key ", "za id",
  };
  const auto seconds = [&](const std::string& record) {
    const std::clock_t begin = std::clock();
    (void)hits(record);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  for (const char* piece : pieces) {
    std::string half;
    while (half.size() < 60'000) half += piece;
    const double small = seconds(half);
    const double large = seconds(half + half);
    EXPECT_TRUE(large < 1.0 || large < 3 * small) << piece << ": " << small << " s, then " << large << " s";
  }
}

TEST(Threads, OneScannerServesMany) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (hits(R"({"password":"hunter2"})").size() != 1 || !hits("nothing at all").empty()) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tocsin::rules::secrets
