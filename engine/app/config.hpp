// What a person may set: tocsin.yml as a value. Loading names every mistake with its line, not just the first,
// and never guesses: an unknown key is a mistake. ops/docs/configuration.md explains each key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

// One mistake in a configuration: where it stands, what is wrong and how to mend it.
struct ConfigMistake {
  int line = 0;  // 1-based; 0 = the file as a whole
  std::string key;  // "sources[0].format"
  std::string message;
  std::string remedy;
};

struct OrganisationConfig {
  std::string name = "This organisation";
  std::string contact;   // e-mail address that answers affected people; empty = none given
  std::string phone;
  std::string website;
  std::string address;
  std::string country;   // ISO 3166 alpha-2, of the main establishment
  std::string authority; // the supervisory authority's name
};

struct SourceConfig {
  std::string name;      // unique; letters, digits, '-', '_', '.'
  std::string file;      // path or glob, absolute or relative to the configuration file
  std::string format;    // empty = recognised
  std::string description;  // as in "the application log"; shown in alerts; empty = the name
  std::string timezone = "UTC";  // of times that carry no offset
  std::map<std::string, std::string> fields;  // format json: our field -> dotted path
  std::vector<std::string> routes;            // format combined: "/patients/{patient}" names a person
  std::vector<std::string> proxies;           // networks of proxies that are trusted to name the client; formats combined and json
  std::map<std::string, std::string> person;  // account -> what names the person behind it: application_name, role, comment.KEY
  std::vector<std::string> read_at;           // where this log can be read: s3://BUCKET/PREFIX, /PATH, TABLE; who reads it is told once secrets stand in it
  std::string log_line_prefix;                // format pgaudit-stderr: as in postgresql.conf; empty = a common one
  std::uint64_t statement_limit = 0;          // format mariadb-audit: server_audit_query_log_limit; 0 = its default
};

struct DatasetConfig {
  std::string name;
  std::string key;                             // column that identifies the person
  std::string register_file;                   // CSV or NDJSON; empty = imported by hand
  std::map<std::string, std::string> tables;   // relation -> the column that names the person
  std::vector<std::string> objects;            // "s3://scans/patients/{patient}/…", "/patients/{patient}": names that name a person
  std::map<std::string, std::string> columns;  // column -> kind of data ("contact", "health", …)
  bool register_is_kept = false;               // every change of its table is in the log or told by `register apply`
};

struct AllowedExport {
  std::string actor;
  std::string application;  // empty = any
  std::string dataset;      // empty = any
};

struct SmtpConfig {
  std::string host;
  std::uint16_t port = 587;
  std::string tls = "starttls";  // starttls | implicit | none (none only to a loopback address)
  std::string user;
  std::string password_file;
  std::string ca_file;
  std::uint32_t timeout_seconds = 30;
};

struct NoticesConfig {
  std::string channel = "mailbox";  // mailbox | smtp
  std::string mailbox;              // Maildir; empty = DATA/mail
  std::string from = "privacy@localhost";
  std::uint32_t per_minute = 0;     // 0 = as fast as the channel takes them
  SmtpConfig smtp;
};

struct Config {
  std::filesystem::path file;       // where it was read; empty = defaults
  OrganisationConfig organisation;
  std::filesystem::path data = "data";
  std::filesystem::path keys;       // empty = DATA/keys
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8700;
  std::string tls_certificate;
  std::string tls_key;
  std::string public_url;           // empty = http://listen
  std::vector<std::string> trusted_proxies;  // addresses whose X-Forwarded-For and -Proto are believed
  std::vector<SourceConfig> sources;
  std::vector<DatasetConfig> datasets;
  std::vector<AllowedExport> allowed_exports;
  std::uint64_t export_minimum_people = 50;
  std::uint64_t export_cumulative_people = 200;
  std::uint64_t export_window_minutes = 60;
  std::vector<std::string> export_networks;  // clients outside these are told; empty = not looked at
  std::string export_hours;                  // "Mon-Fri 07:00-19:00 +01:00"; empty = not looked at
  std::uint64_t export_first_time_days = 0;  // an export by someone who made none for so long is told; 0 = not looked at
  std::vector<std::string> sigma_rules;    // besides the built-in pack
  std::string placeholders;                // YAML table of values for %placeholders%; empty = none
  std::uint32_t lateness_minutes = 5;      // how late an event may come and still count in correlations
  std::vector<std::string> secret_rules;   // besides the built-in pack
  std::string secret_default_rules;        // what [extend] useDefault in them means; empty = not given
  std::string secret_tokens, secret_words; // what betterleaks' failsTokenEfficiency asks; empty = not given
  std::string secret_scan = "on";          // on | off
  std::string secret_contacts = "off";     // on | off: e-mail addresses and telephone numbers too
  NoticesConfig notices;
  std::uint32_t journal_keep_days = 90;
  std::uint32_t exposure_keep_days = 0;    // who reached whom; 0 = for ever
  std::string log_level = "info";
};

struct LoadedConfig {
  Config config;
  std::vector<ConfigMistake> mistakes;  // empty = usable
};

// Reads and checks a configuration. Relative paths inside it are made absolute against its folder. Fails only
// if the file cannot be read; everything else is a mistake with a line.
[[nodiscard]] Result<LoadedConfig> load_config(const std::filesystem::path& file);

// The same from text; `file` only names it and anchors relative paths.
[[nodiscard]] LoadedConfig parse_config(const std::string& text, const std::filesystem::path& file);

// "tocsin.yml:3: unknown key 'lisen' (did you mean 'listen'?)", one line a mistake.
[[nodiscard]] std::string describe(const ConfigMistake& mistake, const std::filesystem::path& file);

}  // namespace tocsin::engine
