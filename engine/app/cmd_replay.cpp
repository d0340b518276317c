// tocsin replay FILE…: the whole detection way over files, offline. Findings to standard output.
#include <boost/json.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "engine/app/cli.hpp"
#include "engine/app/people_source.hpp"
#include "engine/app/rule_book.hpp"
#include "engine/app/state.hpp"
#include "engine/intake/file_reader.hpp"
#include "rules/base/text.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;

constexpr std::size_t kBatch = 1000;
constexpr std::size_t kMostTold = 5;  // undecodable lines shown one by one

struct Options {
  std::string config;
  std::string data;
  std::string format;
  bool json = false;
  std::vector<std::string> files;
};

json::value number_or_null(const std::optional<std::uint64_t>& n) { return n ? json::value(*n) : json::value(nullptr); }
json::value text_or_null(const std::string& s) { return s.empty() ? json::value(nullptr) : json::value(to_utf8(s)); }

void print_json(const storage::Finding& f) {
  json::array evidence;
  for (const storage::Evidence& e : f.evidence) evidence.push_back(json::object{{"file", to_utf8(e.file)}, {"line", e.line}});
  json::object exposure{{"grade", nullptr}, {"at_least", nullptr}, {"at_most", nullptr}};
  if (f.exposure) {
    exposure["grade"] = storage::name(f.exposure->grade);
    exposure["at_least"] = number_or_null(f.exposure->at_least);
    exposure["at_most"] = number_or_null(f.exposure->at_most);
  }
  const json::object line{{"finding", f.id}, {"rule", f.rule}, {"title", to_utf8(f.title)}, {"level", storage::name(f.level)},
                          {"time", format_rfc3339(f.time)}, {"last", format_rfc3339(f.last)}, {"actor", text_or_null(f.actor)},
                          {"dataset", text_or_null(f.dataset)}, {"kind", f.kind}, {"reason", to_utf8(f.reason)},
                          {"evidence_count", f.evidence_count}, {"evidence", std::move(evidence)}, {"exposure", std::move(exposure)}};
  std::printf("%s\n", json::serialize(line).c_str());
}

void print_table(const std::vector<storage::Finding>& findings) {
  for (const storage::Finding& f : findings) {
    std::string people = "-";
    if (f.exposure) {
      people = std::string(storage::name(f.exposure->grade));
      if (f.exposure->at_least && f.exposure->at_most && *f.exposure->at_least == *f.exposure->at_most) {
        people += ", " + std::to_string(*f.exposure->at_least) + " people";
      } else if (f.exposure->at_most) {
        people += ", " + std::to_string(f.exposure->at_least.value_or(0)) + " to " + std::to_string(*f.exposure->at_most) + " people";
      } else if (f.exposure->at_least) {
        people += ", at least " + std::to_string(*f.exposure->at_least) + " people";
      }
    }
    std::printf("%-13s %s  %s\n", std::string(storage::name(f.level)).c_str(), format_rfc3339(f.time).c_str(), printable(f.title, 200).c_str());
    std::printf("              %s\n", printable(f.reason, 400).c_str());
    std::printf("              people: %s   evidence: %llu lines", people.c_str(), static_cast<unsigned long long>(f.evidence_count));
    if (!f.evidence.empty()) std::printf(", first %s:%llu", printable(f.evidence.front().file, 200).c_str(), static_cast<unsigned long long>(f.evidence.front().line));
    std::printf("\n\n");
  }
}

// What replay needs of the world: a data directory if one is named, else only memory.
struct World {
  std::unique_ptr<State> state;                  // null without --data
  std::unique_ptr<storage::Journal> journal;     // with --data
  std::unique_ptr<LawCounsel> counsel;
  std::unique_ptr<ExposedPeople> people;
  std::unique_ptr<Respond> respond;
  std::unique_ptr<storage::Registers> registers;  // without --data
  std::unique_ptr<Pipeline> pipeline;
  [[nodiscard]] storage::Registers& known() { return state ? *state->registers : *registers; }
};

Result<void> import_into_memory(storage::Registers& registers, const Config& config, Time now) {
  for (const DatasetConfig& dataset : config.datasets) {
    if (dataset.register_file.empty()) continue;
    std::ifstream in(dataset.register_file, std::ios::binary);
    if (!in) return fail(Errc::kIo, "the register cannot be read", dataset.register_file);
    storage::ImportOptions options;
    options.dataset = dataset.name;
    options.key = dataset.key;
    options.as_of = now;
    auto report = storage::import_register(in, options, registers);
    if (!report) return pass(std::move(report));
  }
  return {};
}

Result<World> make_world(const Options& options, const Config& config, const Clock& clock) {
  World world;
  const auto tell = [](const std::string& line) { std::fprintf(stderr, "tocsin: %s\n", line.c_str()); };
  std::shared_ptr<const storage::Keys> keys;
  if (!options.data.empty()) {
    auto state = State::open(options.data, config.keys, ledger_origin(config));
    if (!state) return pass(std::move(state));
    world.state = std::move(*state);
    keys = world.state->keys;
    auto journal = storage::Journal::open(world.state->dir / "journal", clock, {});
    if (!journal) return pass(std::move(journal));
    world.journal = std::move(*journal);
    auto law = LawCounsel::built_in();
    if (!law) return pass(std::move(law));
    world.counsel = std::move(*law);
    world.people = std::make_unique<ExposedPeople>(dataset_map(config));
    Respond::Deps deps{.database = *world.state->db, .clock = clock, .counsel = *world.counsel, .people = world.people.get()};
    world.respond = std::make_unique<Respond>(std::move(deps));
    if (auto done = import_registers(*world.state, config, clock.now(), tell); !done) return pass(std::move(done));
  } else {
    world.registers = std::make_unique<storage::Registers>(storage::process_hash());
    if (auto done = import_into_memory(*world.registers, config, clock.now()); !done) return pass(std::move(done));
  }
  auto rules = RuleBook::open(config, tell);
  if (!rules) return pass(std::move(rules));
  auto setup = make_setup(config, (*rules)->engine(), keys, tell);
  if (!setup) return pass(std::move(setup));
  world.pipeline = std::make_unique<Pipeline>(std::move(*setup), world.known());
  return world;
}

class Replay {
 public:
  Replay(const Options& options, const Config& config, World& world, const Clock& clock)
      : options_(options), config_(config), world_(world), clock_(clock) {}

  Result<void> file(const std::string& path) {
    ReadOptions read;
    read.format = options_.format;
    if (read.format.empty()) {
      for (const SourceConfig& source : config_.sources) {
        if (source.file == path) read.format = source.format;
      }
    }
    auto reader = FileReader::open(path, read);
    if (!reader) return pass(std::move(reader));
    source_ = source_name(path);
    world_.pipeline->set_format(source_, (*reader)->format());
    Progress progress(path);
    for (;;) {
      auto frame = (*reader)->next();
      if (!frame) {
        if (auto done = flush(path); !done) return done;
        return pass(std::move(frame));
      }
      if (!*frame) break;
      if (!(*frame)->error.empty()) {
        undecodable(path, (*frame)->line, (*frame)->error);
        continue;
      }
      batch_.push_back({std::string((*frame)->bytes), (*frame)->line, (*frame)->end.offset});
      if (batch_.size() >= kBatch) {
        if (auto done = flush(path); !done) return done;
        progress.at((*reader)->bytes_read(), (*reader)->bytes_total());
      }
    }
    return flush(path);
  }

  // After the last file: what was still open is judged.
  Result<void> finish() {
    effects_.clear();
    world_.pipeline->finish(effects_);
    return store(0);
  }

  std::vector<storage::Finding> findings() {
    std::vector<storage::Finding> out;
    for (auto& [id, finding] : findings_) out.push_back(std::move(finding));
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    return out;
  }
  [[nodiscard]] std::uint64_t undecoded() const { return undecoded_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  struct Kept {
    std::string bytes;
    std::uint64_t line;
    std::uint64_t end;
  };

  std::string source_name(const std::string& path) const {
    for (const SourceConfig& source : config_.sources) {
      if (source.file == path) return source.name;
    }
    return path == "-" ? "stdin" : std::filesystem::path(path).filename().string();
  }

  void undecodable(const std::string& file, std::uint64_t line, const std::string& error) {
    if (++undecoded_ <= kMostTold) std::fprintf(stderr, "%s:%llu: %s\n", file.c_str(), static_cast<unsigned long long>(line), error.c_str());
  }

  Result<void> flush(const std::string& path) {
    if (batch_.empty()) return {};
    const Time now = clock_.now();
    std::vector<storage::Seq> seqs(batch_.size(), 0);
    storage::Seq last = 0;
    if (world_.journal) {
      std::error_code ec;
      const std::string absolute = path == "-" ? path : std::filesystem::absolute(path, ec).string();
      std::vector<storage::Record> records;
      for (const Kept& kept : batch_) {
        storage::Record r;
        r.source = source_;
        r.file = path;
        r.line = kept.line;
        r.arrived = now;
        r.event_id = world_.state->keys->event_id(source_, absolute + ":" + std::to_string(kept.end) + ":" + kept.bytes.substr(0, 64));
        r.payload = kept.bytes;
        records.push_back(r);
      }
      auto appended = world_.journal->append(records);
      if (!appended) return pass(std::move(appended));
      storage::Seq next = appended->first;
      std::size_t duplicate = 0;
      for (std::size_t i = 0; i < batch_.size(); ++i) {
        if (duplicate < appended->duplicates.size() && appended->duplicates[duplicate] == i) ++duplicate;
        else seqs[i] = next++;
      }
      last = appended->last();
    }
    effects_.clear();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      Incoming in;
      in.source = source_;
      in.file = path;
      in.line = batch_[i].line;
      in.seq = seqs[i];
      in.arrived = now;
      in.payload = batch_[i].bytes;
      world_.pipeline->see(in, effects_);
    }
    records_ += batch_.size();
    batch_.clear();
    for (const Effects::Failure& failure : effects_.failures) undecodable(failure.file, failure.line, failure.error);
    return store(last);
  }

  // Keeps what the pipeline has made so far: in the data directory if there is one, and for the output.
  Result<void> store(storage::Seq last) {
    if (world_.state) {
      if (auto done = keep(*world_.state, *world_.respond, effects_, last, clock_.now()); !done) return done;
    }
    for (storage::Finding& finding : effects_.findings) {
      const auto [at, is_new] = findings_.try_emplace(finding.id);
      if (is_new) at->second = std::move(finding);
      else merge_finding(at->second, std::move(finding));
    }
    return {};
  }

  const Options& options_;
  const Config& config_;
  World& world_;
  const Clock& clock_;
  std::string source_;
  std::vector<Kept> batch_;
  Effects effects_;
  std::map<std::string, storage::Finding> findings_;
  std::uint64_t undecoded_ = 0;
  std::uint64_t records_ = 0;
};

int replay(const Options& options, Context& context) {
  Config config;
  if (!options.config.empty()) {
    auto loaded = load_config(options.config);
    if (!loaded) return report(loaded.error());
    for (const ConfigMistake& mistake : loaded->mistakes) std::fprintf(stderr, "%s\n", describe(mistake, options.config).c_str());
    if (!loaded->mistakes.empty()) return kFoundWrong;
    config = std::move(loaded->config);
  }
  auto world = make_world(options, config, context.clock);
  if (!world) return report(world.error());
  Replay run(options, config, *world, context.clock);
  int status = kAllWell;
  for (const std::string& file : options.files) {
    if (auto done = run.file(file); !done) status = std::max(status, report(done.error()));
  }
  if (auto done = run.finish(); !done) status = std::max(status, report(done.error()));
  const std::vector<storage::Finding> findings = run.findings();
  if (options.json) {
    for (const storage::Finding& finding : findings) print_json(finding);
  } else {
    print_table(findings);
  }
  std::fprintf(stderr, "%llu records, %zu findings", static_cast<unsigned long long>(run.records()), findings.size());
  if (run.undecoded() > 0) {
    std::fprintf(stderr, ", %llu lines that cannot be decoded (see 'tocsin decode')", static_cast<unsigned long long>(run.undecoded()));
    status = std::max<int>(status, kFoundWrong);
  }
  std::fprintf(stderr, "\n");
  return status;
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("replay", "run the whole detection over files, offline; findings as a table or NDJSON");
  auto options = std::make_shared<Options>();
  command->add_option("FILE", options->files, "log files, plain or gzip; '-' is standard input")->required();
  command->add_option("--config", options->config, "configuration: datasets, registers, rules, allowed exports")->type_name("FILE");
  command->add_option("--data", options->data, "keep the state there, as serve would, for exposed and who-saw")->type_name("DIR");
  command->add_option("--format", options->format, "format of all files (default: recognised)");
  command->add_flag("--json", options->json, "one JSON object per finding");
  command->callback([options, &context] { context.exit_status = replay(*options, context); });
}

}  // namespace tocsin::engine
