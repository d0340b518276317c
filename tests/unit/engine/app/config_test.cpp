// A configuration names all of its mistakes at once, each with line and remedy.
#include "engine/app/config.hpp"

#include <gtest/gtest.h>

namespace tocsin::engine {
namespace {

TEST(Config, TheDemoHasNoMistakes) {
  auto loaded = load_config(std::string(TOCSIN_SOURCE_DIR) + "/ops/demo/tocsin.yml");
  ASSERT_TRUE(loaded) << loaded.error().text();
  for (const auto& m : loaded->mistakes) ADD_FAILURE() << describe(m, "tocsin.yml");
  EXPECT_EQ(loaded->config.sources.size(), 2U);
  EXPECT_EQ(loaded->config.datasets.at(0).tables.at("visit"), "patient_id");
  EXPECT_EQ(loaded->config.sources.at(0).file, std::string(TOCSIN_SOURCE_DIR) + "/ops/demo/recording/postgresql.json");
}

TEST(Config, NamesEachMistakeWithItsLine) {
  struct Row {
    const char* name;
    const char* text;
    int line;
    const char* message;  // part of it
    const char* remedy;   // part of it
  };
  const Row rows[] = {
      {"typo", "lisen: 127.0.0.1:1\n", 1, "unknown key 'lisen'", "did you mean 'listen'"},
      {"typo deep inside", "notices:\n  smtp:\n    hots: a\n", 3, "unknown key 'hots'", "did you mean 'host'"},
      {"no close word", "zebra: 1\n", 1, "unknown key 'zebra'", "known here: organisation"},
      {"twice", "data: a\ndata: b\n", 2, "stands here twice", "keep one"},
      {"not a map", "sources:\n  - 7\n", 2, "must be a map", ""},
      {"not a list", "sources: 7\n", 1, "must be a list", "begin each entry"},
      {"source without file", "sources:\n  - name: a\n", 2, "needs a file", "add 'file"},
      {"unknown format", "sources:\n  - {name: a, file: b, format: xml}\n", 2, "cannot be 'xml'", "one of: pgaudit-csv"},
      {"same name", "sources:\n  - {name: a, file: b}\n  - {name: a, file: c}\n", 3, "two sources", ""},
      {"bad address", "listen: here\n", 1, "not an address and port", "127.0.0.1:8700"},
      {"port too large", "listen: 127.0.0.1:70000\n", 1, "not an address and port", ""},
      {"number", "journal: {keep_days: soon}\n", 1, "whole number from 1 to 36500", ""},
      {"dataset without key", "datasets:\n  - name: patient\n", 2, "identifies a person", "add 'key"},
      {"smtp without host", "notices:\n  channel: smtp\n", 2, "needs a server", "add 'smtp"},
      {"plain smtp across the network", "notices: {smtp: {host: mail.example.org, tls: none}}\n", 1, "unencrypted", "starttls"},
      {"half of tls", "tls: {key: a}\n", 1, "both", ""},
      {"hostile from", "notices: {from: \"a@b\\r\\nBcc: c@d\"}\n", 1, "not an e-mail address", ""},
      {"broken YAML", "data: [a\nlisten: b\n", 2, "not valid YAML", ""},
      {"not UTF-8", "data: \xff\n", 0, "not UTF-8", ""},
  };
  for (const Row& row : rows) {
    const LoadedConfig loaded = parse_config(row.text, "tocsin.yml");
    ASSERT_FALSE(loaded.mistakes.empty()) << row.name;
    const ConfigMistake& m = loaded.mistakes.front();
    if (row.line > 0 && std::string(row.name) != "broken YAML") {
      EXPECT_EQ(m.line, row.line) << row.name;
    }
    EXPECT_NE(m.message.find(row.message), std::string::npos) << row.name << ": " << m.message;
    EXPECT_NE(m.remedy.find(row.remedy), std::string::npos) << row.name << ": " << m.remedy;
  }
  const LoadedConfig both = parse_config("lisen: a\nsources: 1\njournal: {keep_days: 0}\n", "tocsin.yml");
  EXPECT_EQ(both.mistakes.size(), 3U);
}

TEST(Config, AnEmptyFileIsTheDefault) {
  const LoadedConfig loaded = parse_config("", "tocsin.yml");
  EXPECT_TRUE(loaded.mistakes.empty());
  EXPECT_EQ(loaded.config.listen_port, 8700);
}

}  // namespace
}  // namespace tocsin::engine
