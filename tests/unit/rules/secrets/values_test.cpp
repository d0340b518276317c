// Validators and the judgement of keys and values, as tables.
#include <gtest/gtest.h>

#include "rules/base/embedded.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"
#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

std::span<const EmbeddedFile> embedded_secrets();

namespace {

const Vocabulary& vocabulary() {
  static const Vocabulary words = [] {
    for (const auto& file : embedded_secrets()) {
      if (!file.name.ends_with("fields.toml")) continue;
      auto read = Vocabulary::read({std::string(file.name), std::string(file.text)});
      if (!read) throw std::runtime_error(read.error().text());
      return std::move(*read);
    }
    throw std::runtime_error("no vocabulary");
  }();
  return words;
}

TEST(Key, ItsWordsDecide) {
  struct Case {
    const char* key;
    KeyClass want;
  };
  const Case cases[] = {
      {"password", KeyClass::kPassword}, {"PASSWORD", KeyClass::kPassword}, {"new_password", KeyClass::kPassword},
      {"dbPassword", KeyClass::kPassword}, {"password2", KeyClass::kPassword}, {"user.password", KeyClass::kPassword},
      {"mypassword", KeyClass::kPassword}, {"PGPASSWORD", KeyClass::kPassword}, {"contraseña", KeyClass::kPassword},
      {"password_confirmation", KeyClass::kPassword}, {"mot_de_passe", KeyClass::kPassword},
      {"password_changed_at", KeyClass::kAbout}, {"passwordPolicy", KeyClass::kAbout}, {"has_password", KeyClass::kAbout},
      {"proxy_pass", KeyClass::kAbout}, {"password_hash", KeyClass::kHash}, {"hashedPassword", KeyClass::kHash},
      {"compass", KeyClass::kNone}, {"bypass", KeyClass::kNone}, {"passenger", KeyClass::kNone}, {"monkey", KeyClass::kNone},
      {"api_key", KeyClass::kSecret}, {"X-Api-Key", KeyClass::kSecret}, {"apiKey", KeyClass::kSecret}, {"apikey", KeyClass::kSecret},
      {"client_secret", KeyClass::kSecret}, {"AWS_SECRET_ACCESS_KEY", KeyClass::kSecret}, {"accessToken", KeyClass::kSecret},
      {"access_key_id", KeyClass::kAbout}, {"secret_name", KeyClass::kAbout}, {"public_key", KeyClass::kNone}, {"key", KeyClass::kNone},
      {"token", KeyClass::kToken}, {"csrf_token", KeyClass::kAbout}, {"token_type", KeyClass::kAbout}, {"tokens", KeyClass::kNone},
      {"max_tokens", KeyClass::kNone}, {"tokenization_id", KeyClass::kNone}, {"Authorization", KeyClass::kAuthorization},
      {"proxy-authorization", KeyClass::kAuthorization}, {"PHPSESSID", KeyClass::kSession}, {"session_id", KeyClass::kNone},
      {"pin", KeyClass::kPin}, {"pinterest", KeyClass::kNone}, {"cvv", KeyClass::kCardCode}, {"ssn", KeyClass::kPersonalNumber},
      {"customer_ssn", KeyClass::kPersonalNumber}, {"etag", KeyClass::kNone}, {"trace_id", KeyClass::kNone}, {"idempotency-key", KeyClass::kNone},
  };
  for (const auto& c : cases) EXPECT_EQ(static_cast<int>(vocabulary().classify(c.key).cls), static_cast<int>(c.want)) << c.key;
}

TEST(Key, EveryNamingWordContainsAStem) {
  for (const char* key : {"password", "Passwort", "api-key", "apiKey", "token", "cvv", "ssn=", "\"ssn\"", "codice_fiscale", "密码", "Пароль"}) {
    std::string lower = key;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    EXPECT_TRUE(std::any_of(vocabulary().stems().begin(), vocabulary().stems().end(),
                            [&](const std::string& stem) { return lower.find(stem) != std::string::npos; })) << key;
  }
}

TEST(Value, Placeholders) {
  for (const char* v : {"$1", "?", ":name", "@p1", "%s", "%(pw)s", "${X}", "$PASSWORD", "#{x}", "{{ x }}", "{0}", "***", "xxxx", "XXXXX", "....",
                        "[REDACTED]", "<masked>", "(hidden)", "null", "None", "true", "N/A", "hu***", "••••", "-", "varchar", "os.environ['X']",
                        "getPassword()", "vault:secret/db", "arn:aws:secretsmanager:eu", "your_password", "%PASSWORD%", "  ", "$env:PW"}) {
    EXPECT_TRUE(placeholder(v, "password", vocabulary())) << v;
  }
  EXPECT_TRUE(placeholder("password", "password", vocabulary()));
  for (const char* v : {"hunter2", "secret", "123456", "qwerty", "p$1", "$w0rdf1sh", "monkey", "changeme", "admin", "Winter#9", "correct horse",
                        "a*b*c", "x1x", "password1", "(a)b", "100%s"}) {
    EXPECT_FALSE(placeholder(v, "password", vocabulary())) << v << ": " << placeholder(v, "password", vocabulary()).value_or("");
  }
}

TEST(Value, Decoding) {
  EXPECT_EQ(decode_percent("a%20b%zz%4"), "a b%zz%4");
  EXPECT_EQ(decode_percent("%41"), "A");
  EXPECT_EQ(decode_json(R"(a\"b\\c\u0041\u00e9\ud83d\ude00\q\u12)"), "a\"b\\cAé😀\\q\\u12");
  EXPECT_EQ(decode_base64_text("YW5uYTpodW50ZXIy"), "anna:hunter2");
  EXPECT_EQ(decode_base64_text("YW5uYTpodW50ZXI"), "anna:hunter");
  EXPECT_FALSE(decode_base64_text("AAECAw=="));
  EXPECT_FALSE(decode_base64_text("!!!!"));
}

TEST(Numbers, ValidAndInvalid) {
  struct Case {
    const char* kind;
    const char* valid;
    const char* invalid;
  };
  const Case cases[] = {
      {"us-ssn", "536-90-4399", "666-12-3456"}, {"de-tax-id", "36574261809", "36574261890"}, {"hr-oib", "33392005961", "33392005962"},
      {"pl-pesel", "44051401359", "44051401358"}, {"uk-nhs", "9434765870", "9434765871"}, {"es-dni", "54362315K", "54362315Z"},
      {"es-dni", "X2482300W", "X2482300A"}, {"it-codice-fiscale", "RCCMNL83S18D969H", "RCCMNL83S18D969J"},
      {"fi-hetu", "131052-308T", "131052-308U"}, {"fr-nir", "295109912611193", "295109912611199"}, {"br-cpf", "390.533.447-05", "231.002.999-00"},
      {"nl-bsn", "111222333", "111252333"}, {"be-nn", "85.07.30-033.28", "12345678901"}, {"ch-ahv", "756.9217.0769.85", "756.9217.0769.84"},
      {"in-aadhaar", "234123412346", "234123412347"}, {"se-personnummer", "880320-0016", "880320-0017"},
  };
  for (const auto& c : cases) {
    EXPECT_TRUE(check_national_id(c.kind, c.valid)) << c.kind;
    EXPECT_FALSE(check_national_id(c.kind, c.invalid)) << c.kind;
    for (const char* junk : {"", "x", "1", "ééééééééé", "00000000000000000000000000000000000000000000000"}) {
      EXPECT_FALSE(check_national_id(c.kind, junk)) << c.kind << " " << junk;
    }
  }
  EXPECT_TRUE(luhn("4111111111111111"));
  EXPECT_FALSE(luhn("4111111111111112"));
  EXPECT_TRUE(is_card("378282246310005"));
  EXPECT_FALSE(is_card("0000000000000000"));
  EXPECT_TRUE(is_iban("GB29NWBK60161331926819"));
  EXPECT_FALSE(is_iban("GB28NWBK60161331926819"));
  EXPECT_FALSE(is_iban("GB29NWBK6016133192681"));
}

TEST(Tokens, WhatTheySayOfThemselves) {
  struct Case {
    const char* token;
    Tier tier;
    const char* note;
  };
  const std::string fine = "github_pat_1" + std::string(21, 'A') + "_" + std::string(43, 'b') + "KYZFW2ZC" + std::string(8, '0');
  // In pieces, so that public scanners do not take them for real.
  const std::string slack_bot = std::string("xo") + "xb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx";
  const std::string slack_hook = std::string("https://hooks.sla") + "ck.com/services/T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx";
  const std::string stripe_live = std::string("sk_") + "live_4eC39HqLyjWDarjtT1zdp7dc";
  const std::string begin = std::string("-----BEGIN ") + "PRIVATE KEY-----";
  const std::string end = std::string("-----END ") + "PRIVATE KEY-----";
  const std::string key_whole = begin + "\nMAkCAQECAQICAQM=\n" + end;  // SEQUENCE { 1, 2, 3 }
  const std::string key_cut = begin + "\\nMAkCAQECAQI=\\n" + end;
  const Case cases[] = {
      {"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", Tier::kVerified, "npm token, checksum holds"},
      {"npm_0123456789ABCDEFGHIJKLMNOPQRST4PMbyq", Tier::kPattern, "npm token, checksum does not hold"},
      {fine.c_str(), Tier::kVerified, "GitHub fine-grained token, checksum holds"},
      {"glpat-bzoxCnU6MnNBQkNERUZHSElKS0xNTk9QEA.0y1howdk6", Tier::kVerified, "GitLab token, organisation 1, user 100, checksum holds"},
      {"glpat-QUJDREVGR0hJSktMTU5PUG86MQp1OjJzCA.01.0y1c3e75r", Tier::kVerified, "GitLab token, organisation 1, user 100, checksum holds"},
      {"glsa_abcdefghijklmnopqrstuvwxyz012345_8af4f63c", Tier::kVerified, "Grafana service account token, checksum holds"},
      {"glsa_abcdefghijklmnopqrstuvwxyz012345_00000000", Tier::kPattern, "Grafana service account token, checksum does not hold"},
      {slack_bot.c_str(), Tier::kStructure, "Slack bot token, workspace 123456789012"},
      {slack_hook.c_str(), Tier::kStructure, "Slack webhook, team T0AAAAAAA"},
      {stripe_live.c_str(), Tier::kPattern, "Stripe secret key, live mode"},
      {key_whole.c_str(), Tier::kStructure, "PRIVATE KEY, whole"},
      {key_cut.c_str(), Tier::kPattern, "PRIVATE KEY, its parts do not fit"},
      {"AKIAQYLPMN5HFIQR7XYA wJalrXUtnFEMI", Tier::kStructure, "AWS access key id, account 052310077262"},
      {"ASIAQNZGKIQY56JQ7WML", Tier::kStructure, "AWS access key id, account 029608264753"},
      {"AKIAIOSFODNN7EXAMPLE", Tier::kPattern, "AWS access key id"},
  };
  for (const auto& c : cases) {
    const TokenFacts facts = inspect_token(c.token);
    EXPECT_TRUE(facts.known) << c.token;
    EXPECT_EQ(facts.tier, c.tier) << c.token;
    EXPECT_EQ(facts.note, c.note) << c.token;
  }
  for (const char* token : {"", "ghp_", "ey", "eyJ.eyJ.x", "AKIA", "glpat-", "github_pat_", "hunter2"}) EXPECT_FALSE(inspect_token(token).known) << token;
}

}  // namespace
}  // namespace tocsin::rules::secrets
