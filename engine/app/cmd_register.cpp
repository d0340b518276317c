// `tocsin register import`: the people held in a dataset, from a CSV or NDJSON file or a query of a PostgreSQL database.
// `tocsin register apply`: what changed since, one JSON object a line: {"time", "op": "insert"|"update"|"delete", KEY, attribute…}.
//
// What is read here goes to the handlers of register_routes.hpp (Front): in this process, or in the engine that runs on the data.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "engine/api/url.hpp"
#include "engine/app/cli.hpp"
#include "engine/app/people_desk.hpp"
#include "engine/app/postgres_query.hpp"
#include "engine/app/register_front.hpp"
#include "engine/app/register_routes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::milliseconds kAskEvery{300};  // how far the import is

struct ImportArguments {
  fs::path data, keys;
  std::string dataset, key = "id", file, as_of;
  std::string query, since;
  std::optional<std::string> postgres;  // the connection
  std::vector<std::string> map;
  bool json = false;
};

// What an import is told besides the rows.
Result<json::object> options_from(const ImportArguments& arguments) {
  json::object out{{"key", arguments.key}};
  auto as_of = time_option(arguments.as_of, "--as-of");
  if (!as_of) return pass(std::move(as_of));
  if (*as_of) out["as_of"] = format_rfc3339(**as_of);
  json::object names;
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
    names[field] = entry.substr(equals + 1);
  }
  out["names"] = std::move(names);
  return out;
}

// A file, or standard input.
Result<std::string> read_all(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    std::error_code ec;
    if (fs::is_directory(name, ec)) return fail(Errc::kIo, "this is a folder, not a file", name);
    file.open(name, std::ios::binary);
    if (!file) return fail(Errc::kNotFound, "cannot read the file", name, "check its name and permissions");
  }
  std::istream& in = name == "-" ? std::cin : file;
  std::string out;
  std::vector<char> piece(1 << 20);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    out.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (out.size() > kMaxRegisterUpload) return fail(Errc::kTooLarge, "more than 1 GiB at once", name, "split it, or read it by --postgres with --since");
  }
  if (in.bad()) return fail(Errc::kIo, "cannot read the file", name);
  return out;
}

// Sends options and rows, and shows meanwhile how far the import is.
Result<json::object> send_rows(const Front& front, const std::string& target, const json::object& options, const std::string& rows, const std::string& label) {
  Progress progress(label);
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;  // guarded by mutex
  std::thread watcher([&] {
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kAskEvery, [&] { return done; })) {
      lock.unlock();
      if (auto at = front.get("/v1/local/registers"); at) {
        const auto total = at->at("total").to_number<std::uint64_t>();
        if (total > 0) progress.at(at->at("done").to_number<std::uint64_t>(), total);
      }
      lock.lock();
    }
  });
  auto answer = front.send("POST", target, json::serialize(options) + "\n" + rows);
  {
    const std::lock_guard lock(mutex);
    done = true;
  }
  ended.notify_all();
  watcher.join();
  if (!answer) return pass(std::move(answer));
  return std::move(answer->as_object());
}

std::uint64_t count(const json::object& report, const char* key) { return report.at(key).to_number<std::uint64_t>(); }

// The lines that were left out, on standard error; true if there was none.
bool tell_problems(const json::object& report, const std::string& source) {
  const json::array& problems = report.at("problems").as_array();
  for (const json::value& bad : problems) {
    std::fprintf(stderr, "%s:%llu: %s\n", source.c_str(), static_cast<unsigned long long>(bad.at("line").to_number<std::uint64_t>()),
                 bad.at("message").as_string().c_str());
  }
  const std::uint64_t bad = count(report, "bad");
  if (bad > problems.size()) std::fprintf(stderr, "%s: %llu more bad lines\n", source.c_str(), static_cast<unsigned long long>(bad - problems.size()));
  return bad == 0;
}

void print_json(json::object report) {
  report.erase("problems");
  std::cout << json::serialize(report) << '\n';
}

// True if every line was good.
Result<bool> run_apply(const ImportArguments& arguments, const Clock& clock) {
  auto changes = read_all(arguments.file);
  if (!changes) return pass(std::move(changes));
  auto front = register_front(arguments.data, arguments.keys, true, clock);
  if (!front) return pass(std::move(front));
  auto report = send_rows(*front, "/v1/local/registers/" + percent_encode(arguments.dataset) + "/changes", {{"key", arguments.key}}, *changes, "applying changes");
  if (!report) return pass(std::move(report));
  const bool good = tell_problems(*report, arguments.file);
  if (arguments.json) {
    print_json(std::move(*report));
  } else {
    std::printf("%s: %llu applied (%llu about people the register did not know), %llu bad\n", arguments.dataset.c_str(),
                static_cast<unsigned long long>(count(*report, "applied")), static_cast<unsigned long long>(count(*report, "unknown")),
                static_cast<unsigned long long>(count(*report, "bad")));
  }
  return good;
}

// The rows of the query; what the import has to know of them is added to `options`.
Result<std::string> read_query(const ImportArguments& arguments, const Front& front, json::object& options) {
  PostgresSettings settings{*arguments.postgres, arguments.query, arguments.since, std::nullopt};
  if (!arguments.since.empty()) {
    auto answer = front.post("/v1/local/registers/" + percent_encode(arguments.dataset) + "/watermark", {{"since", arguments.since}, {"query", arguments.query}});
    if (!answer) return pass(std::move(answer));
    if (const json::value& after = answer->at("after"); after.is_string()) settings.after = std::string(after.get_string());
  }
  auto query = PostgresQuery::open(settings);
  if (!query) return pass(std::move(query));
  std::string rows;
  std::vector<char> piece(1 << 20);
  while (query->rows().read(piece.data(), static_cast<std::streamsize>(piece.size())) || query->rows().gcount() > 0) {
    rows.append(piece.data(), static_cast<std::size_t>(query->rows().gcount()));
    if (rows.size() > kMaxRegisterUpload) return fail(Errc::kTooLarge, "the query gives more than 1 GiB", {}, "read fewer columns, or part by part with --since");
  }
  if (auto complete = query->finish(); !complete) return pass(std::move(complete));
  options["partial"] = settings.after.has_value();
  if (arguments.as_of.empty()) options["as_of"] = format_rfc3339(query->as_of());
  if (query->newest()) {
    options["since"] = arguments.since;
    options["query"] = arguments.query;
    options["newest"] = *query->newest();
  }
  return rows;
}

// True if every line was good.
Result<bool> run_import(const ImportArguments& arguments, const Clock& clock) {
  auto options = options_from(arguments);
  if (!options) return pass(std::move(options));
  std::string rows;
  if (!arguments.postgres) {
    auto read = read_all(arguments.file);
    if (!read) return pass(std::move(read));
    rows = std::move(*read);
  }
  auto front = register_front(arguments.data, arguments.keys, true, clock);
  if (!front) return pass(std::move(front));
  if (arguments.postgres) {
    auto read = read_query(arguments, *front, *options);
    if (!read) return pass(std::move(read));
    rows = std::move(*read);
  }
  const std::string source = arguments.postgres ? "the query" : arguments.file;
  auto report = send_rows(*front, "/v1/local/registers/" + percent_encode(arguments.dataset) + "/import", *options, rows, "importing " + arguments.dataset);
  if (!report) {
    Error error = std::move(report).error();
    if (error.code == Errc::kInvalid) error.message = source + ": " + error.message;
    return tl::unexpected<Error>(std::move(error));
  }
  const bool good = tell_problems(*report, source);
  if (!good && count(*report, "added") + count(*report, "changed") + count(*report, "unchanged") > 0) {
    std::fprintf(stderr, "tocsin: nobody was taken out of %s, because the file has bad lines\n", arguments.dataset.c_str());
  }
  if (arguments.json) {
    print_json(std::move(*report));
  } else {
    const auto of = [&](const char* key) { return static_cast<unsigned long long>(count(*report, key)); };
    std::printf("%s: %llu added, %llu changed, %llu unchanged, %llu gone, %llu bad\n", arguments.dataset.c_str(), of("added"), of("changed"),
                of("unchanged"), of("gone"), of("bad"));
  }
  return good;
}

}  // namespace

void add_register(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("register", "the people held in a dataset; works beside a running engine");
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
