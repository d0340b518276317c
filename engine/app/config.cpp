// tocsin.yml → Config. Each section says which keys it knows; a reader walks the YAML beside that list and
// collects mistakes instead of stopping at the first.
#include "engine/app/config.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/access/person.hpp"
#include "engine/detect/circumstances.hpp"
#include "engine/detect/log_readers.hpp"
#include "engine/exposure/objects.hpp"
#include "engine/intake/pg_prefix.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kMaxConfigBytes = 4 << 20;
constexpr std::size_t kMaxSources = 1000;  // and of any other list

class Walk {
 public:
  Walk(std::vector<ConfigMistake>& mistakes, std::filesystem::path folder)
      : mistakes_(mistakes), folder_(std::move(folder)) {}

  void wrong(const YAML::Node& node, const std::string& key, std::string message, std::string remedy = {}) {
    const YAML::Mark mark = node.Mark();
    mistakes_.push_back({mark.is_null() ? 0 : mark.line + 1, key, std::move(message), std::move(remedy)});
  }

  using Members = std::vector<std::pair<std::string_view, std::function<void(const YAML::Node&, const std::string&)>>>;

  // Calls the reader of each key that is present; complains about any key that has none.
  void map(const YAML::Node& node, const std::string& path, const Members& members) {
    if (node.IsNull()) return;
    if (!node.IsMap()) {
      wrong(node, path, "'" + path + "' must be a map of keys and values");
      return;
    }
    std::set<std::string> seen;
    std::vector<std::string_view> known;
    for (const auto& [name, read] : members) known.push_back(name);
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      const std::string full = path.empty() ? key : path + "." + key;
      if (!seen.insert(key).second) {
        wrong(entry.first, full, "key '" + printable(key, 80) + "' stands here twice", "keep one");
        continue;
      }
      const auto at = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == key; });
      if (at == members.end()) {
        const std::string_view close = nearest(key, known);
        std::string list;
        for (const std::string_view k : known) list += (list.empty() ? "" : ", ") + std::string(k);
        wrong(entry.first, full, "unknown key '" + printable(key, 80) + "'",
              close.empty() ? "known here: " + list : "did you mean '" + std::string(close) + "'?");
        continue;
      }
      at->second(entry.second, full);
    }
  }

  void text(const YAML::Node& node, const std::string& path, std::string& out) {
    if (!node.IsScalar()) wrong(node, path, "'" + path + "' must be a text");
    else out = node.Scalar();
  }

  // A path, made absolute against the configuration's folder.
  void path_text(const YAML::Node& node, const std::string& path, std::string& out) {
    text(node, path, out);
    if (!out.empty() && out != "-") out = (folder_ / out).lexically_normal().string();
  }

  template <class Int>
  void number(const YAML::Node& node, const std::string& path, Int& out, std::uint64_t low, std::uint64_t high) {
    std::uint64_t value = 0;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size() || text.empty() || value < low || value > high) {
      wrong(node, path, "'" + path + "' must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    } else {
      out = static_cast<Int>(value);
    }
  }

  void choice(const YAML::Node& node, const std::string& path, std::string& out, const std::vector<std::string_view>& choices) {
    text(node, path, out);
    // YAML 1.1 readers take a bare on/off for a boolean; people mean the word.
    if (out == "true" || out == "yes") out = "on";
    if (out == "false" || out == "no") out = "off";
    if (std::find(choices.begin(), choices.end(), out) == choices.end()) {
      std::string list;
      for (const std::string_view c : choices) list += (list.empty() ? "" : ", ") + std::string(c);
      wrong(node, path, "'" + path + "' cannot be '" + printable(out, 80) + "'", "one of: " + list);
    }
  }

  void list(const YAML::Node& node, const std::string& path,
            const std::function<void(const YAML::Node&, const std::string&)>& each) {
    if (node.IsNull()) return;
    if (!node.IsSequence()) {
      wrong(node, path, "'" + path + "' must be a list", "begin each entry with '- '");
      return;
    }
    if (node.size() > kMaxSources) {
      wrong(node, path, "'" + path + "' has more than " + std::to_string(kMaxSources) + " entries");
      return;
    }
    for (std::size_t i = 0; i < node.size(); ++i) each(node[i], path + "[" + std::to_string(i) + "]");
  }

  void text_map(const YAML::Node& node, const std::string& path, std::map<std::string, std::string>& out) {
    if (node.IsNull()) return;
    if (!node.IsMap()) {
      wrong(node, path, "'" + path + "' must be a map of names and texts");
      return;
    }
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar()) wrong(entry.first, path, "'" + path + "' must map a name to a text");
      else out[entry.first.Scalar()] = entry.second.Scalar();
    }
  }

 private:
  std::vector<ConfigMistake>& mistakes_;
  std::filesystem::path folder_;
};

const std::vector<std::string_view> kFormats = {"pgaudit-csv", "pgaudit-json", "mariadb-audit", "cloudtrail", "combined", "fhir-audit", "teleport", "json", "text", "pgaudit-stderr"};

void read_source(Walk& walk, const YAML::Node& node, const std::string& path, Config& config) {
  SourceConfig source;
  walk.map(node, path, {
      {"name", [&](const auto& n, const auto& p) { walk.text(n, p, source.name); }},
      {"file", [&](const auto& n, const auto& p) { walk.path_text(n, p, source.file); }},
      {"format", [&](const auto& n, const auto& p) { walk.choice(n, p, source.format, kFormats); }},
      {"description", [&](const auto& n, const auto& p) { walk.text(n, p, source.description); }},
      {"timezone", [&](const auto& n, const auto& p) { walk.text(n, p, source.timezone); }},
      {"fields", [&](const auto& n, const auto& p) { walk.text_map(n, p, source.fields); }},
      {"person", [&](const auto& n, const auto& p) { walk.text_map(n, p, source.person); }},
      {"log_line_prefix", [&](const auto& n, const auto& p) {
         walk.text(n, p, source.log_line_prefix);
         if (auto prefix = PgPrefix::of(source.log_line_prefix); !prefix) walk.wrong(n, p, prefix.error().message, prefix.error().remedy);
       }},
      {"statement_limit", [&](const auto& n, const auto& p) { walk.number(n, p, source.statement_limit, 16, 1'000'000'000); }},
      {"routes", [&](const auto& list, const auto& p) {
         walk.list(list, p, [&](const auto& n, const auto& q) { walk.text(n, q, source.routes.emplace_back()); });
       }},
      {"proxies", [&](const auto& list, const auto& p) {
         walk.list(list, p, [&](const auto& n, const auto& q) {
           walk.text(n, q, source.proxies.emplace_back());
           if (auto done = Networks().add(source.proxies.back()); !done) walk.wrong(n, q, done.error().message);
         });
       }},
      {"read_at", [&](const auto& list, const auto& p) {
         walk.list(list, p, [&](const auto& n, const auto& q) {
           walk.text(n, q, source.read_at.emplace_back());
           if (auto place = LogPlace::parse(source.read_at.back()); !place) walk.wrong(n, q, place.error().message, "write s3://BUCKET/PREFIX, /PATH or the name of a table");
         });
       }},
  });
  constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (source.name.empty()) walk.wrong(node, path, "a source needs a name", "add 'name: …'");
  else if (source.name.find_first_not_of(kNameLetters) != std::string::npos) {
    walk.wrong(node["name"], path + ".name", "a source's name has only letters, digits, '-', '_' and '.'");
  }
  if (source.file.empty()) walk.wrong(node, path, "source '" + source.name + "' needs a file", "add 'file: /path/to/log' (globs are welcome)");
  if (!source.fields.empty() && source.format != "json") {
    walk.wrong(node["fields"], path + ".fields", "a field mapping belongs to format json", "add 'format: json'");
  }
  if (!source.routes.empty() && !source.format.empty() && source.format != "combined") {
    walk.wrong(node["routes"], path + ".routes", "routes belong to format combined");
  }
  if (!source.proxies.empty() && !source.format.empty() && source.format != "combined" && source.format != "json") {
    walk.wrong(node["proxies"], path + ".proxies", "proxies belong to formats combined and json");
  }
  if (source.proxies.empty() && source.fields.count("client.forwarded") > 0) {
    walk.wrong(node["fields"], path + ".fields", "client.forwarded is believed from trusted proxies only", "add 'proxies: [10.0.0.0/8]', their networks");
  }
  if (auto places = check_places(source.person); !places) {
    walk.wrong(node["person"], path + ".person", places.error().message, places.error().remedy);
  }
  for (const SourceConfig& other : config.sources) {
    if (other.name == source.name) walk.wrong(node["name"], path + ".name", "two sources are named '" + source.name + "'");
  }
  config.sources.push_back(std::move(source));
}

void read_dataset(Walk& walk, const YAML::Node& node, const std::string& path, Config& config) {
  DatasetConfig dataset;
  walk.map(node, path, {
      {"name", [&](const auto& n, const auto& p) { walk.text(n, p, dataset.name); }},
      {"key", [&](const auto& n, const auto& p) { walk.text(n, p, dataset.key); }},
      {"register", [&](const auto& n, const auto& p) { walk.path_text(n, p, dataset.register_file); }},
      {"tables", [&](const auto& n, const auto& p) { walk.text_map(n, p, dataset.tables); }},
      {"objects", [&](const auto& list, const auto& p) {
         walk.list(list, p, [&](const auto& n, const auto& q) {
           walk.text(n, q, dataset.objects.emplace_back());
           if (auto parsed = ObjectTemplate::parse(dataset.objects.back()); !parsed) walk.wrong(n, q, parsed.error().message);
         });
       }},
      {"columns", [&](const auto& n, const auto& p) { walk.text_map(n, p, dataset.columns); }},
      {"register_is_kept", [&](const auto& n, const auto& p) {
         std::string word;
         walk.choice(n, p, word, {"on", "off"});
         dataset.register_is_kept = word == "on";
       }},
  });
  if (dataset.name.empty()) walk.wrong(node, path, "a dataset needs a name", "add 'name: patient'");
  if (dataset.key.empty()) walk.wrong(node, path, "dataset '" + dataset.name + "' needs the column that identifies a person", "add 'key: id'");
  for (const DatasetConfig& other : config.datasets) {
    if (other.name == dataset.name) walk.wrong(node["name"], path + ".name", "two datasets are named '" + dataset.name + "'");
  }
  config.datasets.push_back(std::move(dataset));
}

void read_notices(Walk& walk, const YAML::Node& node, const std::string& path, Config& config) {
  NoticesConfig& notices = config.notices;
  SmtpConfig& smtp = notices.smtp;
  walk.map(node, path, {
      {"channel", [&](const auto& n, const auto& p) { walk.choice(n, p, notices.channel, {"mailbox", "smtp"}); }},
      {"mailbox", [&](const auto& n, const auto& p) { walk.path_text(n, p, notices.mailbox); }},
      {"from", [&](const auto& n, const auto& p) { walk.text(n, p, notices.from); }},
      {"per_minute", [&](const auto& n, const auto& p) { walk.number(n, p, notices.per_minute, 0, 1'000'000); }},
      {"smtp", [&](const auto& n, const auto& p) {
         walk.map(n, p, {
             {"host", [&](const auto& m, const auto& q) { walk.text(m, q, smtp.host); }},
             {"port", [&](const auto& m, const auto& q) { walk.number(m, q, smtp.port, 1, 65535); }},
             {"tls", [&](const auto& m, const auto& q) { walk.choice(m, q, smtp.tls, {"starttls", "implicit", "none"}); }},
             {"user", [&](const auto& m, const auto& q) { walk.text(m, q, smtp.user); }},
             {"password_file", [&](const auto& m, const auto& q) { walk.path_text(m, q, smtp.password_file); }},
             {"ca_file", [&](const auto& m, const auto& q) { walk.path_text(m, q, smtp.ca_file); }},
             {"timeout_seconds", [&](const auto& m, const auto& q) { walk.number(m, q, smtp.timeout_seconds, 1, 600); }},
         });
         const bool loopback = smtp.host == "localhost" || smtp.host.rfind("127.", 0) == 0 || smtp.host == "::1";
         if (smtp.tls == "none" && !loopback) {
           walk.wrong(n, p + ".tls", "notices to people would travel unencrypted to " + printable(smtp.host, 80),
                      "use 'tls: starttls' or 'implicit'; 'none' is for a server on this machine");
         }
       }},
  });
  if (notices.channel == "smtp" && smtp.host.empty()) {
    walk.wrong(node, path, "channel smtp needs a server", "add 'smtp: {host: mail.example.org}' under notices");
  }
  const bool plain = notices.from.find_first_of(" \r\n<>") == std::string::npos;
  if (!plain || std::count(notices.from.begin(), notices.from.end(), '@') != 1) {
    walk.wrong(node, path + ".from", "'" + printable(notices.from, 80) + "' is not an e-mail address");
  }
}

void read_listen(Walk& walk, const YAML::Node& node, const std::string& path, Config& config) {
  std::string text;
  walk.text(node, path, text);
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const bool good = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                    std::from_chars(text.data() + colon + 1, end, port).ptr == end && port <= 65535;
  if (!good) {
    walk.wrong(node, path, "'" + printable(text, 80) + "' is not an address and port", "write 127.0.0.1:8700");
    return;
  }
  config.listen_address = text.substr(0, colon);
  if (config.listen_address.size() > 2 && config.listen_address.front() == '[') {
    config.listen_address = config.listen_address.substr(1, config.listen_address.size() - 2);
  }
  config.listen_port = static_cast<std::uint16_t>(port);
}

void read_all(Walk& walk, const YAML::Node& root, Config& config) {
  OrganisationConfig& org = config.organisation;
  std::string data, keys;
  walk.map(root, "", {
      {"organisation", [&](const auto& node, const auto& path) {
         walk.map(node, path, {
             {"name", [&](const auto& n, const auto& p) { walk.text(n, p, org.name); }},
             {"contact", [&](const auto& n, const auto& p) { walk.text(n, p, org.contact); }},
             {"phone", [&](const auto& n, const auto& p) { walk.text(n, p, org.phone); }},
             {"website", [&](const auto& n, const auto& p) { walk.text(n, p, org.website); }},
             {"address", [&](const auto& n, const auto& p) { walk.text(n, p, org.address); }},
             {"country", [&](const auto& n, const auto& p) { walk.text(n, p, org.country); }},
             {"authority", [&](const auto& n, const auto& p) { walk.text(n, p, org.authority); }},
         });
       }},
      {"data", [&](const auto& n, const auto& p) { walk.path_text(n, p, data); }},
      {"keys", [&](const auto& n, const auto& p) { walk.path_text(n, p, keys); }},
      {"listen", [&](const auto& n, const auto& p) { read_listen(walk, n, p, config); }},
      {"public_url", [&](const auto& n, const auto& p) { walk.text(n, p, config.public_url); }},
      {"trusted_proxies", [&](const auto& list, const auto& p) {
         walk.list(list, p, [&](const auto& n, const auto& q) { walk.text(n, q, config.trusted_proxies.emplace_back()); });
       }},
      {"tls", [&](const auto& node, const auto& path) {
         walk.map(node, path, {
             {"certificate", [&](const auto& n, const auto& p) { walk.path_text(n, p, config.tls_certificate); }},
             {"key", [&](const auto& n, const auto& p) { walk.path_text(n, p, config.tls_key); }},
         });
         if (config.tls_certificate.empty() != config.tls_key.empty()) {
           walk.wrong(node, path, "tls needs both 'certificate' and 'key'");
         }
       }},
      {"sources", [&](const auto& node, const auto& path) {
         walk.list(node, path, [&](const auto& n, const auto& p) { read_source(walk, n, p, config); });
       }},
      {"datasets", [&](const auto& node, const auto& path) {
         walk.list(node, path, [&](const auto& n, const auto& p) { read_dataset(walk, n, p, config); });
       }},
      {"exports", [&](const auto& node, const auto& path) {
         walk.map(node, path, {
             {"minimum_people", [&](const auto& n, const auto& p) { walk.number(n, p, config.export_minimum_people, 1, 1'000'000'000); }},
             {"cumulative_people", [&](const auto& n, const auto& p) { walk.number(n, p, config.export_cumulative_people, 1, 1'000'000'000); }},
             {"window_minutes", [&](const auto& n, const auto& p) { walk.number(n, p, config.export_window_minutes, 1, 60 * 24 * 31); }},
             {"first_time_days", [&](const auto& n, const auto& p) { walk.number(n, p, config.export_first_time_days, 0, 3650); }},
             {"hours", [&](const auto& n, const auto& p) {
                walk.text(n, p, config.export_hours);
                if (auto hours = OfficeHours::parse(config.export_hours); !hours) walk.wrong(n, p, hours.error().message);
              }},
             {"networks", [&](const auto& list, const auto& p) {
                walk.list(list, p, [&](const auto& n, const auto& q) {
                  walk.text(n, q, config.export_networks.emplace_back());
                  Networks one;
                  if (auto done = one.add(config.export_networks.back()); !done) walk.wrong(n, q, done.error().message);
                });
              }},
             {"allowed", [&](const auto& list, const auto& p) {
                walk.list(list, p, [&](const auto& n, const auto& q) {
                  AllowedExport allowed;
                  walk.map(n, q, {
                      {"actor", [&](const auto& m, const auto& r) { walk.text(m, r, allowed.actor); }},
                      {"application", [&](const auto& m, const auto& r) { walk.text(m, r, allowed.application); }},
                      {"dataset", [&](const auto& m, const auto& r) { walk.text(m, r, allowed.dataset); }},
                  });
                  if (allowed.actor.empty()) walk.wrong(n, q, "an allowed export names its actor", "add 'actor: …'");
                  config.allowed_exports.push_back(std::move(allowed));
                });
              }},
         });
       }},
      {"rules", [&](const auto& node, const auto& path) {
         walk.map(node, path, {
             {"sigma", [&](const auto& list, const auto& p) {
                walk.list(list, p, [&](const auto& n, const auto& q) { walk.path_text(n, q, config.sigma_rules.emplace_back()); });
              }},
             {"placeholders", [&](const auto& n, const auto& p) { walk.path_text(n, p, config.placeholders); }},
             {"lateness_minutes", [&](const auto& n, const auto& p) { walk.number(n, p, config.lateness_minutes, 0, 10'080); }},
             {"secrets", [&](const auto& list, const auto& p) {
                walk.list(list, p, [&](const auto& n, const auto& q) { walk.path_text(n, q, config.secret_rules.emplace_back()); });
              }},
             {"secret_default_rules", [&](const auto& n, const auto& p) { walk.path_text(n, p, config.secret_default_rules); }},
             {"secret_tokens", [&](const auto& n, const auto& p) { walk.path_text(n, p, config.secret_tokens); }},
             {"secret_words", [&](const auto& n, const auto& p) { walk.path_text(n, p, config.secret_words); }},
             {"secret_scan", [&](const auto& n, const auto& p) { walk.choice(n, p, config.secret_scan, {"on", "off"}); }},
             {"secret_contacts", [&](const auto& n, const auto& p) { walk.choice(n, p, config.secret_contacts, {"on", "off"}); }},
         });
       }},
      {"notices", [&](const auto& n, const auto& p) { read_notices(walk, n, p, config); }},
      {"journal", [&](const auto& node, const auto& path) {
         walk.map(node, path, {
             {"keep_days", [&](const auto& n, const auto& p) { walk.number(n, p, config.journal_keep_days, 1, 36500); }},
         });
       }},
      {"exposure", [&](const auto& node, const auto& path) {
         walk.map(node, path, {
             {"keep_days", [&](const auto& n, const auto& p) { walk.number(n, p, config.exposure_keep_days, 0, 36500); }},
         });
       }},
      {"log", [&](const auto& n, const auto& p) { walk.choice(n, p, config.log_level, {"debug", "info", "warning", "error"}); }},
  });
  if (!data.empty()) config.data = data;
  if (!keys.empty()) config.keys = keys;
}

}  // namespace

LoadedConfig parse_config(const std::string& text, const std::filesystem::path& file) {
  LoadedConfig out;
  out.config.file = file;
  std::error_code ec;
  const std::filesystem::path folder = std::filesystem::absolute(file, ec).parent_path();
  if (text.size() > kMaxConfigBytes) {
    out.mistakes.push_back({0, "", "the file is larger than " + std::to_string(kMaxConfigBytes >> 20) + " MiB", ""});
    return out;
  }
  if (!is_utf8(text)) {
    out.mistakes.push_back({0, "", "the file is not UTF-8", "save it as UTF-8"});
    return out;
  }
  try {
    const YAML::Node root = YAML::Load(text);
    Walk walk(out.mistakes, folder);
    read_all(walk, root, out.config);
  } catch (const YAML::Exception& e) {
    out.mistakes.push_back({e.mark.is_null() ? 0 : e.mark.line + 1, "", "not valid YAML: " + e.msg, "check the indentation and the colons there"});
  }
  std::stable_sort(out.mistakes.begin(), out.mistakes.end(),
                   [](const ConfigMistake& a, const ConfigMistake& b) { return a.line < b.line; });
  return out;
}

Result<LoadedConfig> load_config(const std::filesystem::path& file) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec)) return fail(Errc::kInvalid, "this is a folder, not a configuration", file.string());
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(std::filesystem::exists(file, ec) ? Errc::kIo : Errc::kNotFound,
                std::filesystem::exists(file, ec) ? "cannot be read" : "there is no such configuration", file.string(),
                "ops/docs/configuration.md shows one to start from");
  }
  std::ostringstream text;
  text << in.rdbuf();
  return parse_config(text.str(), file);
}

std::string describe(const ConfigMistake& mistake, const std::filesystem::path& file) {
  std::string out = file.string();
  if (mistake.line > 0) out += ":" + std::to_string(mistake.line);
  out += ": " + mistake.message;
  if (!mistake.remedy.empty()) out += " (" + mistake.remedy + ")";
  return out;
}

}  // namespace tocsin::engine
