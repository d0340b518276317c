// Opening, importing, keeping: the seams between configuration, detection and storage.
#include "engine/app/state.hpp"

#include <cstring>
#include <fstream>
#include <sstream>

#include "engine/app/data_folder.hpp"
#include "engine/app/secret_files.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/exposure_store.hpp"
#include "storage/notice_store.hpp"
#include "storage/progress_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {

namespace {

constexpr std::size_t kMaxRegisterBytes = 4UL << 30;
constexpr std::string_view kLearnedSeal = "what exposure learned";

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::kIo, "cannot be read", path, "check that the file exists and that tocsin may read it");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::string ledger_origin(const Config& config) {
  const std::size_t scheme = config.public_url.find("://");
  if (scheme == std::string::npos) return {};
  std::string host = config.public_url.substr(scheme + 3);
  while (!host.empty() && host.back() == '/') host.pop_back();
  return host + "/ledger";
}

Result<std::unique_ptr<State>> State::open(const std::filesystem::path& dir, const std::filesystem::path& keys_dir, const std::string& origin,
                                           const std::function<void(const std::string&)>& tell) {
  auto state = std::make_unique<State>();
  state->dir = dir;
  if (auto folder = open_data_folder(dir, tell); !folder) return pass(std::move(folder));
  auto db = storage::Database::open(dir / "tocsin.db");
  if (!db) return pass(std::move(db));
  state->db = std::move(*db);
  const std::filesystem::path keys_at = keys_dir.empty() ? dir / "keys" : keys_dir;
  auto keys = storage::Keys::open_or_create(keys_at);
  if (!keys) return pass(std::move(keys));
  state->keys = std::move(*keys);
  auto vault = storage::Vault::open(*state->db, state->keys);
  if (!vault) return pass(std::move(vault));
  state->vault = std::move(*vault);
  // Only a new ledger takes a name: a later change of the public address must not make it another one.
  std::error_code gone;
  storage::Ledger::Options options;
  if (!std::filesystem::exists(dir / "ledger" / "checkpoint", gone)) options.origin = origin;
  auto ledger = storage::Ledger::open(*state->db, dir / "ledger", keys_at, options);
  if (!ledger) return pass(std::move(ledger));
  state->ledger = std::move(*ledger);
  for (const auto& [family, migrations] :
       {std::pair{storage::RegisterStore::kFamily, storage::RegisterStore::migrations()},
        std::pair{storage::ExposureStore::kFamily, storage::ExposureStore::migrations()},
        std::pair{storage::ProgressStore::kFamily, storage::ProgressStore::migrations()},
        std::pair{storage::NoticeStore::kFamily, storage::NoticeStore::migrations()}}) {
    if (auto done = state->db->migrate(family, migrations); !done) return pass(std::move(done));
  }
  if (auto done = Respond::migrate(*state->db); !done) return pass(std::move(done));
  state->registers = std::make_unique<storage::Registers>(storage::RegisterStore::hash_with(state->keys));
  auto loaded = state->db->read([&](storage::Reader& reader) { return storage::RegisterStore::load(reader, *state->vault, *state->registers); });
  if (!loaded) return pass(std::move(loaded));
  return state;
}

Result<void> import_registers(State& state, const Config& config, Time now, const std::function<void(const std::string&)>& tell) {
  for (const DatasetConfig& dataset : config.datasets) {
    if (dataset.register_file.empty()) continue;
    std::error_code ec;
    if (std::filesystem::file_size(dataset.register_file, ec) > kMaxRegisterBytes && !ec) {
      return fail(Errc::kTooLarge, "the register is larger than 4 GiB", dataset.register_file, "import it in parts with 'tocsin register import'");
    }
    auto text = read_file(dataset.register_file);
    if (!text) return pass(std::move(text));
    // The same file is imported once: people the audit log has shown since must not leave the register again.
    const std::string hash = to_hex(sha256(*text)), name = "register:" + dataset.name;
    auto known = state.db->read([&](storage::Reader& reader) { return storage::ProgressStore::note(reader, name); });
    if (!known) return pass(std::move(known));
    if (*known == hash) continue;
    storage::ImportOptions options;
    options.dataset = dataset.name;
    options.key = dataset.key;
    options.as_of = now;
    std::istringstream in(*text);
    auto report = storage::import_register(in, options, *state.registers);
    if (!report) return pass(std::move(report));
    auto saved = state.db->write([&](storage::Transaction& tx) -> Result<void> {
      if (auto done = storage::RegisterStore::save(tx, *state.vault, *state.registers, now); !done) return done;
      storage::Entry entry;
      entry.kind = "register-imported";
      entry.time = now;
      entry.by = "tocsin";
      entry.fields = {{"dataset", dataset.name}, {"file", hash}, {"records", std::to_string(report->records)}, {"added", std::to_string(report->added)},
                      {"gone", std::to_string(report->gone)}};
      if (auto recorded = state.ledger->record(tx, entry); !recorded) return pass(std::move(recorded));
      return storage::ProgressStore::set_note(tx, name, hash);
    });
    if (!saved) return saved;
    tell("register of " + dataset.name + ": " + std::to_string(report->records) + " people, " + std::to_string(report->added) + " new");
    for (const auto& bad : report->problems) tell(dataset.register_file + ":" + std::to_string(bad.line) + ": " + bad.message);
  }
  return {};
}

Result<void> keep(State& state, Respond& respond, const Effects& effects, storage::Seq processed, Time now, const Memory& memory) {
  std::vector<storage::StoredReach> reaches;
  reaches.reserve(effects.reaches.size());
  for (const Reach& reach : effects.reaches) reaches.push_back(stored_form(reach));
  return state.db->write([&](storage::Transaction& tx) -> Result<void> {
    if (auto done = storage::RegisterStore::save(tx, *state.vault, *state.registers, now); !done) return done;
    if (auto done = storage::ExposureStore::add(tx, reaches); !done) return done;
    if (!effects.findings.empty()) {
      if (auto applied = respond.apply(tx, effects.findings, now); !applied) return pass(std::move(applied));
    }
    if (processed == 0) return {};
    if (!memory.windows.empty()) {
      if (auto done = storage::ProgressStore::set_snapshot(tx, storage::ProgressStore::kWindows, processed, memory.windows); !done) return done;
    }
    if (!memory.learned.empty()) {
      // It holds texts of statements, and these may hold anything: sealed, as only the journal shows them.
      const std::string sealed = state.keys->seal(kLearnedSeal, memory.learned);
      if (auto done = storage::ProgressStore::set_snapshot(tx, storage::ProgressStore::kLearned, processed, sealed); !done) return done;
    }
    if (!memory.log_readers.empty()) {
      if (auto done = storage::ProgressStore::set_snapshot(tx, storage::ProgressStore::kLogReaders, processed, memory.log_readers); !done) return done;
    }
    return storage::ProgressStore::set_processed(tx, processed);
  });
}

Result<std::optional<storage::ProgressStore::Snapshot>> kept_learned(const State& state) {
  auto kept = state.db->read([](storage::Reader& r) { return storage::ProgressStore::snapshot(r, storage::ProgressStore::kLearned); });
  if (!kept || !*kept) return kept;
  auto plain = state.keys->unseal(kLearnedSeal, (*kept)->bytes);
  if (!plain) return pass(std::move(plain));
  (*kept)->bytes = std::move(*plain);
  return kept;
}

DatasetMap dataset_map(const Config& config) {
  DatasetMap map;
  for (const DatasetConfig& dataset : config.datasets) {
    DatasetSpec spec;
    spec.name = dataset.name;
    spec.key = dataset.key;
    spec.tables = dataset.tables;
    for (const std::string& text : dataset.objects) {
      if (auto object = ObjectTemplate::parse(text)) spec.objects.push_back(std::move(*object));
    }
    if (spec.tables.empty()) spec.tables[dataset.name] = dataset.key;
    spec.columns = dataset.columns;
    spec.kept = dataset.register_is_kept;
    map.add(std::move(spec));
  }
  return map;
}

storage::StoredReach stored_form(const Reach& r) {
  storage::StoredReach s;
  s.key = r.key;
  s.source = r.source;
  s.file = r.origin.file;
  s.line = r.origin.line;
  s.seq = r.origin.seq;
  s.first = r.first;
  s.last = r.last;
  s.known_from = r.known_from;
  s.actor = r.actor;
  s.account = r.account;
  s.role = r.role;
  s.session = r.session;
  s.application = r.application;
  s.client_ip = r.client_ip;
  s.dataset = r.dataset;
  s.grade = r.grade;
  s.whole = r.whole;
  s.people = r.people;
  s.fields = r.fields;
  s.at_least = r.at_least;
  s.at_most = r.at_most;
  s.rows = r.rows;
  s.way = r.way;
  s.reason = r.reason;
  return s;
}

Reach reach_from(const storage::StoredReach& stored) {
  Reach r;
  r.key = stored.key;
  r.source = r.origin.source = stored.source;
  r.origin.file = stored.file;
  r.origin.line = stored.line;
  r.origin.seq = stored.seq;
  r.actor = stored.actor;
  r.dataset = stored.dataset;
  r.way = stored.way;
  r.reason = stored.reason;
  r.rows = stored.rows;
  r.grade = stored.grade;
  r.whole = stored.whole || (stored.people.empty() && stored.at_most.value_or(1) > 0);  // too many to be listed
  r.people = stored.people;
  r.at_least = stored.at_least;
  r.at_most = stored.at_most;
  return r;
}

Result<PipelineSetup> make_setup(const Config& config, std::shared_ptr<const rules::sigma::Engine> rules, std::shared_ptr<const storage::Keys> keys,
                                 const std::function<void(const std::string&)>& tell) {
  PipelineSetup setup;
  setup.rules = std::move(rules);
  setup.correlations.lateness = std::chrono::minutes(config.lateness_minutes);
  if (keys) {
    // Kept windows are hashed with it, so it must be the same after a restart, and nobody outside may know it.
    const auto fingerprint = keys->fingerprint("seed of the windows of correlations");
    std::memcpy(&setup.correlations.seed, fingerprint.data(), sizeof(setup.correlations.seed));
  }

  if (config.secret_scan == "on") {
    std::vector<rules::secrets::RuleFile> files;
    for (const std::string& path : config.secret_rules) {
      auto file = read_secret_rules(path, config.secret_default_rules);
      if (!file) return pass(std::move(file));
      files.push_back(std::move(*file));
    }
    rules::secrets::Options options;
    options.contacts = config.secret_contacts == "on";
    auto tokens = read_token_measure(config.secret_tokens, config.secret_words);
    if (!tokens) return pass(std::move(tokens));
    options.tokens = std::move(*tokens);
    if (keys) {
      options.fingerprint = [keys](std::string_view secret) { return to_hex(keys->fingerprint(secret)); };
    } else {
      // Without the vault's key the same secret is known again within this run only.
      options.fingerprint = [salt = storage::random_bytes(16)](std::string_view secret) {
        return to_hex(sha256(salt + std::string(secret))).substr(0, 32);
      };
    }
    auto scanner = rules::secrets::Scanner::load(files, std::move(options));
    if (!scanner) return pass(std::move(scanner));
    for (const auto& d : scanner->diagnostics) tell(d.where + ": " + d.message);
    setup.scanner = std::move(scanner->scanner);
  }

  setup.datasets = dataset_map(config);
  setup.exports.minimum_people = config.export_minimum_people;
  setup.exports.cumulative_people = config.export_cumulative_people;
  setup.exports.window = std::chrono::minutes(config.export_window_minutes);
  setup.exports.first_time = std::chrono::hours(24 * config.export_first_time_days);
  for (const std::string& network : config.export_networks) {
    if (auto done = setup.exports.networks.add(network); !done) return pass(std::move(done));
  }
  if (!config.export_hours.empty()) {
    auto hours = OfficeHours::parse(config.export_hours);
    if (!hours) return pass(std::move(hours));
    setup.exports.hours = *hours;
  }
  for (const AllowedExport& a : config.allowed_exports) setup.exports.allowed.push_back({a.actor, a.application, a.dataset});
  for (const SourceConfig& s : config.sources) {
    SourceSetup source;
    source.format = s.format;
    source.description = s.description;
    if (s.timezone != "UTC") source.decoder.timezone = s.timezone;
    source.decoder.routes = s.routes;
    for (const std::string& network : s.proxies) {
      if (auto done = source.decoder.proxies.add(network); !done) return pass(std::move(done));
    }
    source.decoder.prefix = s.log_line_prefix;
    source.decoder.statement_limit = s.statement_limit;
    for (const std::string& text : s.read_at) {
      auto place = LogPlace::parse(text);
      if (!place) return pass(std::move(place));
      source.read_at.push_back(std::move(*place));
    }
    if (!s.person.empty()) setup.exposure.persons[s.name] = s.person;
    auto mapping = JsonMapping::from(s.fields);
    if (!mapping) return fail(Errc::kInvalid, "source '" + s.name + "': " + mapping.error().message, config.file.string(), mapping.error().remedy);
    source.decoder.mapping = std::move(*mapping);
    setup.sources.emplace(s.name, std::move(source));
  }
  return setup;
}

}  // namespace tocsin::engine
