// tocsin decode FILE…: the accesses that logs speak of, one line each.
#include <fnmatch.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/app/cli.hpp"
#include "engine/app/config.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/intake/access_json.hpp"
#include "engine/intake/decoder.hpp"
#include "engine/intake/file_reader.hpp"
#include "rules/base/text.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {
namespace {

struct Options {
  std::string format;
  std::string config;
  std::string timezone;
  bool json = false;
  std::vector<std::string> files;
};

constexpr std::size_t kFlushAt = 64 * 1024;

// Standard output in big pieces. Nobody listening any more (a closed pipe) is no failure of ours, only an end.
class Output {
 public:
  explicit Output(bool json) : json_(json) {
    if (!json_) {
      text_ = "TIME                      ACTOR                 ACTION        DATASET                   ROWS       "
              "CLIENT           OUTCOME\n";
    }
  }
  ~Output() { flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void access(const Access& a) {
    if (json_) {
      write_access(a, text_);
      text_ += '\n';
    } else {
      cell(a.time_known ? format_rfc3339(a.time) : "-", 26);
      cell(a.actor.shown(), 22);
      cell(a.action == Action::kUnknown ? a.operation : std::string(name(a.action)), 14);
      cell(a.resource.dataset.empty() ? a.resource.store : a.resource.dataset, 26);
      cell(a.rows.certainty == Certainty::kUnknown ? "?" : std::to_string(a.rows.value), 11);
      cell(a.client.ip, 17);
      text_ += a.outcome == Outcome::kUnknown ? "-" : name(a.outcome);
      text_ += '\n';
    }
    if (text_.size() >= kFlushAt) flush();
  }

  void fault(const std::string& file, std::uint64_t line, const std::string& error) {
    if (json_) {
      write_fault(file, line, error, text_);
      text_ += '\n';
      return;
    }
    flush();
    std::fprintf(stderr, "%s:%llu: %s\n", file.c_str(), static_cast<unsigned long long>(line), error.c_str());
  }

  void flush() {
    if (!text_.empty()) std::fwrite(text_.data(), 1, text_.size(), stdout);
    text_.clear();
    std::fflush(stdout);
  }
  [[nodiscard]] static bool closed() { return std::ferror(stdout) != 0; }

 private:
  void cell(std::string_view value, std::size_t width) {
    std::string shown = value.empty() ? "-" : printable(value, width - 4);
    std::size_t columns = 0;
    for (const char c : shown) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    text_ += shown;
    text_.append(columns < width ? width - columns : 1, ' ');
  }

  bool json_;
  std::string text_;
};

// What the configuration says about a file: the source whose pattern matches it, else the first of its format.
const SourceConfig* source_of(const Config& config, const std::string& path, const std::string& format) {
  std::error_code ec;
  const std::string absolute = std::filesystem::absolute(path, ec).lexically_normal().string();
  for (const SourceConfig& source : config.sources) {
    if (::fnmatch(source.file.c_str(), absolute.c_str(), FNM_PATHNAME) == 0) return &source;
  }
  for (const SourceConfig& source : config.sources) {
    if (!format.empty() && source.format == format) return &source;
  }
  return nullptr;
}

struct Run {
  const Options& options;
  const Config* config;
  ExposureReader& exposure;
  Output& output;
  std::uint64_t faults = 0;

  Result<void> file(const std::string& path) {
    const SourceConfig* source = config == nullptr ? nullptr : source_of(*config, path, options.format);
    ReadOptions read;
    read.format = options.format;
    if (read.format.empty() && source != nullptr) read.format = source->format;
    auto reader = FileReader::open(path, read);
    if (!reader) return pass(std::move(reader));
    FileReader& in = **reader;
    if (in.format().empty()) return {};  // an empty file says nothing
    if (!in.reason().empty()) {
      std::fprintf(stderr, "%s: read as %s (%s)\n", path.c_str(), in.format().c_str(), in.reason().c_str());
    }
    DecoderOptions how;
    how.timezone = options.timezone;
    if (source != nullptr) {
      if (how.timezone.empty()) how.timezone = source->timezone;
      if (in.format() == "json") {
        auto mapping = JsonMapping::from(source->fields);
        if (!mapping) return pass(std::move(mapping));
        how.mapping = std::move(*mapping);
      }
    }
    auto decoder = make_decoder(in.format(), how);
    if (!decoder) return pass(std::move(decoder));

    Progress progress(path);
    rules::Arena arena;
    std::vector<Decoded> decoded;
    std::vector<Reach> reaches;
    Origin origin;
    origin.source = source != nullptr ? source->name : path;
    origin.file = path;
    while (!Output::closed()) {
      auto frame = in.next();
      if (!frame) return pass(std::move(frame));
      if (!*frame) break;
      progress.at(in.bytes_read(), in.bytes_total());
      origin.line = (*frame)->line;
      if (!(*frame)->error.empty()) {
        fault(path, (*frame)->line, (*frame)->error);
        continue;
      }
      arena.reset();
      decoded.clear();
      if (auto done = (*decoder)->decode((*frame)->bytes, origin, arena, decoded); !done) {
        fault(path, (*frame)->line, done.error().message);
        continue;
      }
      for (Decoded& one : decoded) {
        reaches.clear();
        exposure.read(one.access, reaches);
        output.access(one.access);
      }
    }
    return {};
  }

  void fault(const std::string& path, std::uint64_t line, const std::string& error) {
    ++faults;
    output.fault(path, line, error);
  }
};

int decode(const Options& options) {
  std::optional<Config> config;
  DatasetMap datasets;
  if (!options.config.empty()) {
    auto loaded = load_config(options.config);
    if (!loaded) return report(loaded.error());
    for (const ConfigMistake& mistake : loaded->mistakes) {
      std::fprintf(stderr, "%s\n", describe(mistake, options.config).c_str());
    }
    if (!loaded->mistakes.empty()) return kFoundWrong;
    config = std::move(loaded->config);
    for (const DatasetConfig& dataset : config->datasets) {
      DatasetSpec spec;
      spec.name = dataset.name;
      spec.key = dataset.key;
      spec.tables = dataset.tables;
      spec.columns = dataset.columns;
      spec.kept = dataset.register_is_kept;
      datasets.add(std::move(spec));
    }
  }
  storage::Registers registers(storage::process_hash());
  ExposureReader exposure(std::move(datasets), registers, {});
  Output output(options.json);
  Run run{options, config ? &*config : nullptr, exposure, output};
  int status = kAllWell;
  for (const std::string& file : options.files) {
    if (auto done = run.file(file); !done) {
      output.flush();
      status = std::max(status, report(done.error()));
    }
  }
  if (run.faults > 0) {
    output.flush();
    std::fprintf(stderr, "tocsin: %llu records could not be decoded\n", static_cast<unsigned long long>(run.faults));
    status = std::max<int>(status, kFoundWrong);
  }
  return status;
}

}  // namespace

void add_decode(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("decode", "show the accesses that log files speak of");
  command->add_option("--format", options->format,
                      "pgaudit-csv, pgaudit-json, cloudtrail, combined, json or text (default: recognised)")
      ->check([](const std::string& name) {
        auto made = make_decoder(name, {});
        return made ? std::string() : made.error().text();
      });
  command->add_option("--config", options->config, "take field mappings, time zones and datasets from this configuration")
      ->type_name("FILE");
  command->add_option("--timezone", options->timezone, "zone of logs that print only its short name (Europe/Berlin)");
  command->add_flag("--json", options->json, "one JSON object per access, and {\"file\", \"line\", \"error\"} per faulty record");
  command->add_option("FILE", options->files, "log files, plain or gzip; - is standard input")->required();
  command->callback([options, &context] { context.exit_status = decode(*options); });
}

}  // namespace tocsin::engine
