// `tocsin register import`: the people held in a dataset, from a CSV or NDJSON file or a query of a PostgreSQL database.
// `tocsin register apply`: what changed since, one JSON object a line: {"time", "op": "insert"|"update"|"delete", KEY, attribute…}.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "engine/app/cli.hpp"
#include "engine/app/people_desk.hpp"
#include "engine/app/postgres_query.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/progress_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

struct ImportArguments {
  fs::path data, keys;
  std::string dataset, key = "id", file, as_of;
  std::string query, since;
  std::optional<std::string> postgres;  // the connection
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

struct ApplyReport {
  std::uint64_t applied = 0, unknown = 0, bad = 0;
  std::vector<storage::ImportReport::Bad> problems;
};

// One line of a change file; the error never shows its content.
Result<storage::RegisterChange> change_from(const std::string& line, const std::string& key) {
  boost::json::error_code ec;
  const boost::json::value value = boost::json::parse(line, ec);
  if (ec || !value.is_object()) return fail(Errc::kInvalid, "not a JSON object");
  storage::RegisterChange out;
  bool has_time = false, has_op = false, has_key = false;
  for (const auto& [name, member] : value.as_object()) {
    std::string text;
    if (member.is_string()) text = std::string(member.as_string());
    else if (member.is_int64()) text = std::to_string(member.as_int64());
    else if (member.is_uint64()) text = std::to_string(member.as_uint64());
    else if (member.is_bool()) text = member.as_bool() ? "true" : "false";
    else if (member.is_double()) text = boost::json::serialize(member);
    else if (!member.is_null()) return fail(Errc::kInvalid, "a value is an object or a list");
    if (name == "time") {
      const auto time = parse_rfc3339(text, true);
      if (!time) return fail(Errc::kInvalid, "'time' is not a time as 2026-11-23T14:55:50Z");
      out.time = *time;
      has_time = true;
    } else if (name == "op") {
      has_op = true;
      if (text == "insert") out.op = storage::RegisterChange::Op::kInsert;
      else if (text == "update") out.op = storage::RegisterChange::Op::kUpdate;
      else if (text == "delete") out.op = storage::RegisterChange::Op::kDelete;
      else return fail(Errc::kInvalid, "'op' is none of insert, update, delete");
    } else if (std::string_view(name.data(), name.size()) == key) {
      out.id = std::string(trim(text));
      has_key = !out.id.empty();
    } else {
      out.attributes.emplace_back(std::string(name), std::move(text));
    }
  }
  if (!has_time || !has_op || !has_key) return fail(Errc::kInvalid, "it needs 'time', 'op' and '" + key + "'");
  return out;
}

Result<ApplyReport> apply_changes(std::istream& in, const ImportArguments& arguments, storage::People& people) {
  constexpr std::size_t kMaxLine = storage::kMaxImportRecord, kMaxProblems = 100;
  ApplyReport out;
  std::string line;
  for (std::uint64_t number = 1; std::getline(in, line); ++number) {
    if (trim(line).empty()) continue;
    auto change = line.size() > kMaxLine ? Result<storage::RegisterChange>(fail(Errc::kTooLarge, "the line is too long")) : change_from(line, arguments.key);
    if (!change) {
      ++out.bad;
      if (out.problems.size() < kMaxProblems) out.problems.push_back({number, change.error().message});
      continue;
    }
    // Only registered columns are attributes: "user" and the like say who made the change.
    std::erase_if(change->attributes, [&](const auto& a) {
      return std::find(people.columns().begin(), people.columns().end(), a.first) == people.columns().end();
    });
    if (!storage::apply_change(people, *change) && change->op != storage::RegisterChange::Op::kInsert) ++out.unknown;
    ++out.applied;
  }
  if (in.bad()) return fail(Errc::kIo, "cannot read the file");
  return out;
}

// True if every line was good.
Result<bool> run_apply(const ImportArguments& arguments, const Clock& clock) {
  std::ifstream file;
  if (arguments.file != "-") {
    std::error_code ec;
    if (fs::is_directory(arguments.file, ec)) return fail(Errc::kIo, "this is a folder, not a file", arguments.file);
    file.open(arguments.file, std::ios::binary);
    if (!file) return fail(Errc::kNotFound, "cannot read the file", arguments.file, "check its name and permissions");
  }
  auto desk = PeopleDesk::open(arguments.data, arguments.keys, true);
  if (!desk) {
    Error error = std::move(desk).error();
    if (error.code == Errc::kUnavailable) error.remedy = "stop the engine first";
    return tl::unexpected<Error>(std::move(error));
  }
  storage::Registers registers(storage::RegisterStore::hash_with(desk->keys));
  auto loaded = desk->db->read([&](storage::Reader& reader) { return storage::RegisterStore::load(reader, *desk->vault, registers); });
  if (!loaded) return pass(std::move(loaded));
  storage::People* people = registers.find(arguments.dataset);
  if (people == nullptr || !people->registered()) {
    return fail(Errc::kNotFound, "there is no register of this name", arguments.dataset, "import it first: tocsin register import");
  }
  auto report = apply_changes(arguments.file == "-" ? std::cin : file, arguments, *people);
  if (!report) return pass(std::move(report));
  auto done = desk->db->write([&](storage::Transaction& tx) -> Result<void> {
    if (auto saved = storage::RegisterStore::save(tx, *desk->vault, registers, clock.now()); !saved) return saved;
    storage::Entry entry{"register-changed", clock.now(), kCommandLine,
                         {{"dataset", arguments.dataset}, {"applied", std::to_string(report->applied)}, {"bad", std::to_string(report->bad)}}};
    auto recorded = desk->ledger->record(tx, entry);
    if (!recorded) return pass(std::move(recorded));
    return {};
  });
  if (!done) return pass(std::move(done));
  for (const auto& bad : report->problems) {
    std::fprintf(stderr, "%s:%llu: %s\n", arguments.file.c_str(), static_cast<unsigned long long>(bad.line), bad.message.c_str());
  }
  if (arguments.json) {
    std::cout << boost::json::serialize(boost::json::object{{"dataset", arguments.dataset}, {"applied", report->applied}, {"unknown", report->unknown}, {"bad", report->bad}})
              << '\n';
  } else {
    std::printf("%s: %llu applied (%llu about people the register did not know), %llu bad\n", arguments.dataset.c_str(),
                static_cast<unsigned long long>(report->applied), static_cast<unsigned long long>(report->unknown),
                static_cast<unsigned long long>(report->bad));
  }
  return report->bad == 0;
}

// Where the people come from: a file, standard input or a query.
struct RowsSource {
  std::ifstream file;
  std::optional<PostgresQuery> query;
  std::istream* rows = nullptr;
  std::string name;
  std::uint64_t total = 0;  // bytes, if known
};

Result<RowsSource> open_file(const std::string& name) {
  RowsSource out;
  out.name = name;
  if (name != "-") {
    std::error_code ec;
    if (fs::is_directory(name, ec)) return fail(Errc::kIo, "this is a folder, not a file", name);
    out.file.open(name, std::ios::binary);
    if (!out.file) return fail(Errc::kNotFound, "cannot read the file", name, "check its name and permissions");
    out.total = fs::file_size(name, ec);
  }
  return out;
}

// How far the last import by this query came: the column's greatest value. It may be about a person (an id), so it is
// sealed; it counts for the same query and column only.
class Watermark {
 public:
  Watermark(const ImportArguments& arguments, const storage::Keys& keys)
      : keys_(keys), name_("register-since:" + arguments.dataset), what_(arguments.since + '\n' + arguments.query + '\n') {}

  [[nodiscard]] Result<std::optional<std::string>> kept(storage::Database& db) const {
    auto note = db.read([&](storage::Reader& reader) { return storage::ProgressStore::note(reader, name_); });
    if (!note) return pass(std::move(note));
    const auto sealed = from_hex(*note);
    if (note->empty() || !sealed) return std::optional<std::string>();
    auto plain = keys_.unseal(kPurpose, *sealed);
    if (!plain) return pass(std::move(plain));
    if (!plain->starts_with(what_)) return std::optional<std::string>();
    return std::optional<std::string>(plain->substr(what_.size()));
  }

  [[nodiscard]] Result<void> keep(storage::Transaction& tx, const std::string& value) const {
    return storage::ProgressStore::set_note(tx, name_, to_hex(keys_.seal(kPurpose, what_ + value)));
  }

 private:
  static constexpr const char* kPurpose = "register watermark";
  const storage::Keys& keys_;
  std::string name_, what_;
};

Result<RowsSource> open_query(const ImportArguments& arguments, const std::optional<std::string>& after) {
  auto query = PostgresQuery::open({*arguments.postgres, arguments.query, arguments.since, after});
  if (!query) return pass(std::move(query));
  RowsSource out;
  out.name = "the query";
  out.query = std::move(*query);
  return out;
}

// True if every line was good.
Result<bool> run_import(const ImportArguments& arguments, const Clock& clock) {
  auto options = options_from(arguments, clock);
  if (!options) return pass(std::move(options));
  RowsSource source;
  if (!arguments.postgres) {
    auto opened = open_file(arguments.file);
    if (!opened) return pass(std::move(opened));
    source = std::move(*opened);
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
  const Watermark watermark(arguments, *desk->keys);
  if (arguments.postgres) {
    std::optional<std::string> after;
    const storage::People* people = registers.find(arguments.dataset);
    if (auto ready = desk->db->migrate(storage::ProgressStore::kFamily, storage::ProgressStore::migrations()); !ready) return pass(std::move(ready));
    if (!arguments.since.empty() && people != nullptr && people->registered()) {
      auto kept = watermark.kept(*desk->db);
      if (!kept) return pass(std::move(kept));
      after = std::move(*kept);
    }
    auto opened = open_query(arguments, after);
    if (!opened) return pass(std::move(opened));
    source = std::move(*opened);
    options->partial = after.has_value();
    if (arguments.as_of.empty()) options->as_of = source.query->as_of();
  }
  source.rows = source.query ? &source.query->rows() : arguments.file == "-" ? &std::cin : static_cast<std::istream*>(&source.file);
  Progress progress("importing " + arguments.dataset);
  auto report = storage::import_register(*source.rows, *options, registers,
                                         [&](std::uint64_t bytes) { progress.at(bytes, source.total); });
  if (!report) {
    if (source.query) {  // a query that broke off says why itself
      if (auto complete = source.query->finish(); !complete && complete.error().code != Errc::kInternal) return pass(std::move(complete));
    }
    Error error = std::move(report).error();
    error.where = source.name + (error.where.empty() ? "" : ", " + error.where);
    return tl::unexpected<Error>(std::move(error));
  }
  if (source.query) {
    if (auto complete = source.query->finish(); !complete) return pass(std::move(complete));
  }
  auto done = desk->db->write([&](storage::Transaction& tx) -> Result<void> {
    if (auto saved = storage::RegisterStore::save(tx, *desk->vault, registers, clock.now()); !saved) return saved;
    storage::Entry entry{"register-imported", clock.now(), kCommandLine,
                         {{"dataset", arguments.dataset}, {"as_of", format_rfc3339(options->as_of)},
                          {"added", std::to_string(report->added)}, {"changed", std::to_string(report->changed)},
                          {"gone", std::to_string(report->gone)}, {"bad", std::to_string(report->bad)}}};
    auto recorded = desk->ledger->record(tx, entry);
    if (!recorded) return pass(std::move(recorded));
    // A bad line has to come again: then the next import begins where this one did.
    if (source.query && source.query->newest() && report->bad == 0) return watermark.keep(tx, *source.query->newest());
    return {};
  });
  if (!done) return pass(std::move(done));
  for (const auto& bad : report->problems) {
    std::fprintf(stderr, "%s:%llu: %s\n", source.name.c_str(), static_cast<unsigned long long>(bad.line), bad.message.c_str());
  }
  if (report->bad > report->problems.size()) {
    std::fprintf(stderr, "%s: %llu more bad lines\n", source.name.c_str(),
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
  auto* import = command->add_subcommand("import", "take in a register from CSV with a header line, NDJSON, or a PostgreSQL query");
  auto arguments = std::make_shared<ImportArguments>();
  add_data_option(*import, arguments->data);
  import->add_option("--keys", arguments->keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
  import->add_option("--dataset", arguments->dataset, "name of the register, usually its table: patient")->required();
  import->add_option("--key", arguments->key, "column that identifies a person (default: id)");
  import->add_option("--map", arguments->map, "which column holds a contact field: name=full_name");
  import->add_option("--as-of", arguments->as_of, "the moment that the file describes (default: now)")->type_name("TIME");
  import->add_flag("--json", arguments->json, "the counts as JSON");
  auto* file = import->add_option("FILE", arguments->file, "CSV or NDJSON; '-' is standard input");
  auto* postgres = import->add_option("--postgres", arguments->postgres, "connection without a password: host=db dbname=clinic user=register")->type_name("CONNECTION")->excludes(file);
  auto* query = import->add_option("--query", arguments->query, "one SELECT that gives the people")->type_name("SQL")->needs(postgres);
  postgres->needs(query);
  import->add_option("--since", arguments->since, "column of the query that grows with every change: read what is new only")->type_name("COLUMN")->needs(query);
  import->callback([arguments, &context] {
    if (arguments->file.empty() && !arguments->postgres) throw CLI::RequiredError("FILE or --postgres");
    if (arguments->keys.empty()) arguments->keys = arguments->data / "keys";
    auto good = run_import(*arguments, context.clock);
    context.exit_status = good ? (*good ? kAllWell : kFoundWrong) : report(good.error());
  });

  auto* apply = command->add_subcommand("apply", "apply changes, one JSON object a line: time, op, the key, attributes");
  auto changes = std::make_shared<ImportArguments>();
  add_data_option(*apply, changes->data);
  apply->add_option("--keys", changes->keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
  apply->add_option("--dataset", changes->dataset, "name of the register")->required();
  apply->add_option("--key", changes->key, "member that identifies a person (default: id)");
  apply->add_flag("--json", changes->json, "the counts as JSON");
  apply->add_option("FILE", changes->file, "file of changes; '-' is standard input")->required();
  apply->callback([changes, &context] {
    if (changes->keys.empty()) changes->keys = changes->data / "keys";
    auto good = run_apply(*changes, context.clock);
    context.exit_status = good ? (*good ? kAllWell : kFoundWrong) : report(good.error());
  });
}

}  // namespace tocsin::engine
