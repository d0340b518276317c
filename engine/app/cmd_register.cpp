// `tocsin register import`: the people held in a dataset, from a CSV file.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "engine/app/cli.hpp"
#include "engine/app/people_desk.hpp"
#include "rules/base/text.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

struct ImportArguments {
  fs::path data, keys;
  std::string dataset, key = "id", file, as_of;
  std::vector<std::string> map;
  bool json = false;
};

Result<storage::ImportOptions> options_from(const ImportArguments& arguments, const Clock& clock) {
  storage::ImportOptions options;
  options.dataset = arguments.dataset;
  options.key = arguments.key;
  auto as_of = time_option(arguments.as_of, "--as-of");
  if (!as_of) return pass(std::move(as_of));
  options.as_of = as_of->value_or(clock.now());
  for (const std::string& entry : arguments.map) {
    const std::size_t equals = entry.find('=');
    const std::string field = entry.substr(0, equals);
    static const std::vector<std::string_view> kFields = {"name", "email", "phone", "language", "country"};
    if (equals == std::string::npos || equals + 1 == entry.size() ||
        std::find(kFields.begin(), kFields.end(), field) == kFields.end()) {
      const std::string_view near = nearest(field, kFields);
      return fail(Errc::kInvalid, "--map takes FIELD=COLUMN" + (near.empty() ? std::string() : " (did you mean '" + std::string(near) + "'?)"),
                  entry, "fields are name, email, phone, language, country");
    }
    options.names[field] = entry.substr(equals + 1);
  }
  return options;
}

void print_report(const storage::ImportReport& r, const ImportArguments& arguments) {
  if (arguments.json) {
    const boost::json::object out{{"dataset", arguments.dataset}, {"records", r.records}, {"added", r.added},
                                  {"changed", r.changed},         {"unchanged", r.unchanged}, {"gone", r.gone},
                                  {"bad", r.bad}};
    std::cout << boost::json::serialize(out) << '\n';
    return;
  }
  std::printf("%s: %llu added, %llu changed, %llu unchanged, %llu gone, %llu bad\n", arguments.dataset.c_str(),
              static_cast<unsigned long long>(r.added), static_cast<unsigned long long>(r.changed),
              static_cast<unsigned long long>(r.unchanged), static_cast<unsigned long long>(r.gone),
              static_cast<unsigned long long>(r.bad));
}

// True if every line was good.
Result<bool> run_import(const ImportArguments& arguments, const Clock& clock) {
  auto options = options_from(arguments, clock);
  if (!options) return pass(std::move(options));
  std::ifstream file;
  std::uint64_t total = 0;
  if (arguments.file != "-") {
    std::error_code ec;
    if (fs::is_directory(arguments.file, ec)) return fail(Errc::kIo, "this is a folder, not a file", arguments.file);
    file.open(arguments.file, std::ios::binary);
    if (!file) return fail(Errc::kNotFound, "cannot read the file", arguments.file, "check its name and permissions");
    total = fs::file_size(arguments.file, ec);
  }
  auto desk = PeopleDesk::open(arguments.data, arguments.keys, true);
  if (!desk) {
    Error error = std::move(desk).error();
    if (error.code == Errc::kUnavailable) {
      error.remedy = "stop the engine, or name the register in its configuration (datasets: register:)";
    }
    return tl::unexpected<Error>(std::move(error));
  }
  storage::Registers registers(storage::RegisterStore::hash_with(desk->keys));
  auto loaded = desk->db->read([&](storage::Reader& reader) {
    return storage::RegisterStore::load(reader, *desk->vault, registers);
  });
  if (!loaded) return pass(std::move(loaded));
  Progress progress("importing " + arguments.dataset);
  auto report = storage::import_register(arguments.file == "-" ? std::cin : file, *options, registers,
                                         [&](std::uint64_t bytes) { progress.at(bytes, total); });
  if (!report) {
    Error error = std::move(report).error();
    error.where = arguments.file + (error.where.empty() ? "" : ", " + error.where);
    return tl::unexpected<Error>(std::move(error));
  }
  auto done = desk->db->write([&](storage::Transaction& tx) -> Result<void> {
    if (auto saved = storage::RegisterStore::save(tx, *desk->vault, registers, clock.now()); !saved) return saved;
    storage::Entry entry{"register-imported", clock.now(), kCommandLine,
                         {{"dataset", arguments.dataset}, {"as_of", format_rfc3339(options->as_of)},
                          {"added", std::to_string(report->added)}, {"changed", std::to_string(report->changed)},
                          {"gone", std::to_string(report->gone)}, {"bad", std::to_string(report->bad)}}};
    auto recorded = desk->ledger->record(tx, entry);
    if (!recorded) return pass(std::move(recorded));
    return {};
  });
  if (!done) return pass(std::move(done));
  for (const auto& bad : report->problems) {
    std::fprintf(stderr, "%s:%llu: %s\n", arguments.file.c_str(), static_cast<unsigned long long>(bad.line), bad.message.c_str());
  }
  if (report->bad > report->problems.size()) {
    std::fprintf(stderr, "%s: %llu more bad lines\n", arguments.file.c_str(),
                 static_cast<unsigned long long>(report->bad - report->problems.size()));
  }
  if (report->bad > 0 && report->added + report->changed + report->unchanged > 0) {
    std::fprintf(stderr, "tocsin: nobody was taken out of %s, because the file has bad lines\n", arguments.dataset.c_str());
  }
  print_report(*report, arguments);
  return report->bad == 0;
}

}  // namespace

void add_register(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("register", "the people held in a dataset");
  command->require_subcommand(1);
  auto* import = command->add_subcommand("import", "take in a register from a CSV file with a header line");
  auto arguments = std::make_shared<ImportArguments>();
  add_data_option(*import, arguments->data);
  import->add_option("--keys", arguments->keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
  import->add_option("--dataset", arguments->dataset, "name of the register, usually its table: patient")->required();
  import->add_option("--key", arguments->key, "column that identifies a person (default: id)");
  import->add_option("--map", arguments->map, "which column holds a contact field: name=full_name");
  import->add_option("--as-of", arguments->as_of, "the moment that the file describes (default: now)")->type_name("TIME");
  import->add_flag("--json", arguments->json, "the counts as JSON");
  import->add_option("FILE", arguments->file, "CSV file; '-' is standard input")->required();
  import->callback([arguments, &context] {
    if (arguments->keys.empty()) arguments->keys = arguments->data / "keys";
    auto good = run_import(*arguments, context.clock);
    context.exit_status = good ? (*good ? kAllWell : kFoundWrong) : report(good.error());
  });
}

}  // namespace tocsin::engine
