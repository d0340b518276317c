// Everything is read and checked before the registers are touched, so that whoever owns them is kept waiting for no more than
// the change itself. What is wrong with a line is said by its number, never by its content.
#include "engine/app/register_routes.hpp"

#include <algorithm>
#include <atomic>
#include <istream>
#include <optional>
#include <streambuf>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/progress_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxProblems = 100;  // told; the rest is counted
constexpr const char* kSealOfWatermark = "register watermark";

// A text as a stream, without a copy of it.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // only read
    setg(begin, begin, begin + text.size());
  }
};

struct Progressing {
  std::atomic<std::uint64_t> done{0}, total{0};
};

// The first line is a JSON object, the rest is a file.
struct Upload {
  json::object options;
  std::string_view rows;  // of the request's body
};

Result<Upload> upload_of(const Request& request) {
  const std::string_view body = request.body;
  const std::size_t end = body.find('\n');
  if (end == std::string_view::npos) return fail(Errc::kInvalid, "the first line must hold the options as JSON");
  Request head;
  head.body = std::string(body.substr(0, end));
  auto options = head.json();
  if (!options) return pass(std::move(options));
  return Upload{std::move(*options), body.substr(end + 1)};
}

json::array problems_json(const std::vector<storage::ImportReport::Bad>& problems) {
  json::array out;
  for (const auto& bad : problems) out.push_back(json::object{{"line", bad.line}, {"message", bad.message}});
  return out;
}

// Stores what the registers have learned, with an entry in the ledger and whatever else belongs to it.
Result<void> store(const RegisterDesk& desk, storage::Registers& registers, const storage::Entry& entry,
                   const std::function<Result<void>(storage::Transaction&)>& besides) {
  for (;;) {
    auto done = desk.db.write([&](storage::Transaction& tx) -> Result<void> {
      if (auto saved = storage::RegisterStore::save(tx, desk.vault, registers, entry.time); !saved) return saved;
      auto recorded = desk.ledger.record(tx, entry);
      if (!recorded) return pass(std::move(recorded));
      return besides ? besides(tx) : Result<void>();
    });
    if (done || !desk.again || !desk.again(done.error())) return done;
  }
}

// ---- how far an import by a query came
//
// It is the column's greatest value, which may be about a person (an id), so it is sealed; it counts for the same query and
// column only.

std::string name_of_watermark(const std::string& dataset) { return "register-since:" + dataset; }
std::string what_of(const std::string& since, const std::string& query) { return since + '\n' + query + '\n'; }

Result<std::optional<std::string>> watermark(const RegisterDesk& desk, const std::string& dataset, const std::string& what) {
  auto note = desk.db.read([&](storage::Reader& reader) { return storage::ProgressStore::note(reader, name_of_watermark(dataset)); });
  if (!note) return pass(std::move(note));
  const auto sealed = from_hex(*note);
  if (note->empty() || !sealed) return std::optional<std::string>();
  auto plain = desk.keys->unseal(kSealOfWatermark, *sealed);
  if (!plain) return pass(std::move(plain));
  if (!plain->starts_with(what)) return std::optional<std::string>();
  return std::optional<std::string>(plain->substr(what.size()));
}

Response ask_watermark(const RegisterDesk& desk, const Request& request) {
  auto body = request.json();
  if (!body) return problem(body.error());
  auto since = text_of(*body, "since"), query = text_of(*body, "query");
  if (!since) return problem(since.error());
  if (!query) return problem(query.error());
  const std::string dataset = request.param("dataset");
  auto kept = watermark(desk, dataset, what_of(*since, *query));
  if (!kept) return problem(kept.error());
  return ok(json::object{{"after", *kept ? json::value(**kept) : json::value(nullptr)}});
}

// ---- import

struct ImportRequest {
  storage::ImportOptions options;
  std::optional<std::pair<std::string, std::string>> watermark;  // what it is of, and its value
};

Result<ImportRequest> import_request(const json::object& given, const std::string& dataset, Time now) {
  ImportRequest out;
  out.options.dataset = dataset;
  out.options.max_errors = kMaxProblems;
  auto key = text_of(given, "key");
  if (!key) return pass(std::move(key));
  out.options.key = std::move(*key);
  auto as_of = maybe_text_of(given, "as_of");
  if (!as_of) return pass(std::move(as_of));
  const auto time = *as_of ? parse_rfc3339(**as_of) : std::optional(now);
  if (!time) return fail(Errc::kInvalid, "'as_of' is not a time", {}, "write it as 2026-11-23T14:55:50Z");
  out.options.as_of = *time;
  auto partial = maybe_bool_of(given, "partial");
  if (!partial) return pass(std::move(partial));
  out.options.partial = partial->value_or(false);
  if (const json::value* names = given.if_contains("names"); names != nullptr) {
    if (!names->is_object()) return fail(Errc::kInvalid, "'names' must be an object");
    for (const auto& [field, column] : names->get_object()) {
      if (!column.is_string()) return fail(Errc::kInvalid, "'names' must hold texts");
      out.options.names[std::string(field)] = std::string(column.get_string());
    }
  }
  auto since = maybe_text_of(given, "since"), query = maybe_text_of(given, "query"), newest = maybe_text_of(given, "newest");
  if (!since) return pass(std::move(since));
  if (!query) return pass(std::move(query));
  if (!newest) return pass(std::move(newest));
  if (*since && *query && *newest) out.watermark = {what_of(**since, **query), **newest};
  return out;
}

Response import_rows(const RegisterDesk& desk, const Request& request, Progressing& progressing) {
  auto upload = upload_of(request);
  if (!upload) return problem(upload.error());
  const std::string dataset = request.param("dataset");
  const Time now = desk.clock.now();
  auto wanted = import_request(upload->options, dataset, now);
  if (!wanted) return problem(wanted.error());
  progressing.done = 0;
  progressing.total = upload->rows.size();
  storage::ImportReport report;
  auto done = desk.alone(true, [&](storage::Registers& registers) -> Result<void> {
    ViewBuffer buffer(upload->rows);
    std::istream rows(&buffer);
    auto read = storage::import_register(rows, wanted->options, registers, [&](std::uint64_t bytes) { progressing.done = bytes; });
    if (!read) return pass(std::move(read));
    report = std::move(*read);
    const storage::Entry entry{"register-imported", now, request.who.login,
                               {{"dataset", dataset}, {"as_of", format_rfc3339(wanted->options.as_of)},
                                {"added", std::to_string(report.added)}, {"changed", std::to_string(report.changed)},
                                {"gone", std::to_string(report.gone)}, {"bad", std::to_string(report.bad)}}};
    return store(desk, registers, entry, [&](storage::Transaction& tx) -> Result<void> {
      // A bad line has to come again: then the next import begins where this one did.
      if (!wanted->watermark || report.bad > 0) return {};
      const auto& [what, value] = *wanted->watermark;
      return storage::ProgressStore::set_note(tx, name_of_watermark(dataset), to_hex(desk.keys->seal(kSealOfWatermark, what + value)));
    });
  });
  progressing.total = 0;
  if (!done) return problem(done.error());
  return ok(json::object{{"dataset", dataset}, {"records", report.records}, {"added", report.added}, {"changed", report.changed},
                         {"unchanged", report.unchanged}, {"gone", report.gone}, {"bad", report.bad}, {"problems", problems_json(report.problems)}});
}

// ---- changes

// One line of a change file. null is no value, "" is an empty text, as in a register.
Result<storage::RegisterChange> change_from(std::string_view line, std::string_view key) {
  boost::system::error_code ec;
  const json::value value = json::parse(line, ec);
  if (ec || !value.is_object()) return fail(Errc::kInvalid, "not a JSON object");
  storage::RegisterChange out;
  bool has_time = false, has_op = false, has_key = false;
  for (const auto& [name, member] : value.get_object()) {
    std::string text;
    if (member.is_string()) text = std::string(member.get_string());
    else if (member.is_int64()) text = std::to_string(member.get_int64());
    else if (member.is_uint64()) text = std::to_string(member.get_uint64());
    else if (member.is_bool()) text = member.get_bool() ? "true" : "false";
    else if (member.is_double()) text = json::serialize(member);
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
      if (member.is_string() && text.empty()) text = storage::kEmptyText;
      out.attributes.emplace_back(std::string(name), std::move(text));
    }
  }
  if (!has_time || !has_op || !has_key) return fail(Errc::kInvalid, "it needs 'time', 'op' and '" + std::string(key) + "'");
  return out;
}

Response apply_changes(const RegisterDesk& desk, const Request& request) {
  auto upload = upload_of(request);
  if (!upload) return problem(upload.error());
  auto key = text_of(upload->options, "key");
  if (!key) return problem(key.error());
  const std::string dataset = request.param("dataset");
  std::vector<storage::RegisterChange> changes;
  std::vector<storage::ImportReport::Bad> problems;
  std::uint64_t bad = 0, number = 0, unknown = 0;
  for (std::string_view rest = upload->rows; !rest.empty();) {
    ++number;
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    auto change = line.size() > storage::kMaxImportRecord ? Result<storage::RegisterChange>(fail(Errc::kTooLarge, "the line is too long")) : change_from(line, *key);
    if (change) {
      changes.push_back(std::move(*change));
      continue;
    }
    ++bad;
    if (problems.size() < kMaxProblems) problems.push_back({number, change.error().message});
  }
  const Time now = desk.clock.now();
  auto done = desk.alone(true, [&](storage::Registers& registers) -> Result<void> {
    storage::People* people = registers.find(dataset);
    if (people == nullptr || !people->registered()) {
      return fail(Errc::kNotFound, "there is no register of this name", dataset, "import it first: tocsin register import");
    }
    const std::vector<std::string>& columns = people->columns();
    for (storage::RegisterChange& change : changes) {
      // Only registered columns are attributes: "user" and the like say who made the change.
      std::erase_if(change.attributes, [&](const auto& a) { return std::find(columns.begin(), columns.end(), a.first) == columns.end(); });
      if (!storage::apply_change(*people, change) && change.op != storage::RegisterChange::Op::kInsert) ++unknown;
    }
    const storage::Entry entry{"register-changed", now, request.who.login,
                               {{"dataset", dataset}, {"applied", std::to_string(changes.size())}, {"bad", std::to_string(bad)}}};
    return store(desk, registers, entry, {});
  });
  if (!done) return problem(done.error());
  return ok(json::object{{"dataset", dataset}, {"applied", changes.size()}, {"unknown", unknown}, {"bad", bad}, {"problems", problems_json(problems)}});
}

// ---- erasing

Response erase(const RegisterDesk& desk, const Request& request) {
  auto body = request.json();
  if (!body) return problem(body.error());
  auto subject = text_of(*body, "subject"), reason = text_of(*body, "reason");
  if (!subject) return problem(subject.error());
  if (!reason) return problem(reason.error());
  if (trim(*reason).empty()) {
    const Error error = fail(Errc::kInvalid, "the reason must say why", {}, "it is kept in the ledger; name nobody in it").value();
    return problem(error);
  }
  const std::string dataset = request.param("dataset"), id(trim(*subject));
  const storage::Pseudonym pseudonym = desk.keys->pseudonym(dataset, id);
  auto known = desk.db.read([&](storage::Reader& reader) { return storage::RegisterStore::find(reader, pseudonym); });
  if (!known) return problem(known.error());
  if (!*known) {
    const Error error = fail(Errc::kNotFound, "nobody by that id is known in " + dataset, {}, "check --dataset and the id").value();
    return problem(error);
  }
  auto done = desk.alone(false, [&](storage::Registers& registers) -> Result<void> {
    const Time now = desk.clock.now();
    auto erased = desk.db.write([&](storage::Transaction& tx) -> Result<void> {
      const storage::Entry entry{"person-erased", now, request.who.login,
                                 {{"dataset", dataset}, {"pseudonym", pseudonym.hex()}, {"reason", *reason}}};
      auto recorded = desk.ledger.record(tx, entry);
      if (!recorded) return pass(std::move(recorded));
      if (auto row = storage::RegisterStore::forget(tx, pseudonym, now); !row) return row;
      return desk.vault.erase(tx, pseudonym, now);
    });
    if (!erased) return erased;
    if (storage::People* people = registers.find(dataset); people != nullptr) {
      if (const auto no = people->find(id)) people->forget(*no);
    }
    auto settled = desk.vault.settle(desk.db);
    if (!settled) return pass(std::move(settled));
    return {};
  });
  if (!done) return problem(done.error());
  return ok(json::object{{"pseudonym", pseudonym.hex()}});
}

}  // namespace

void add_register_routes(Router& router, RegisterDesk given) {
  const auto desk = std::make_shared<const RegisterDesk>(std::move(given));
  const auto progressing = std::make_shared<Progressing>();
  const std::string base = "/v1/local/registers";
  router.add("POST", base + "/{dataset}/import", kAdmin, [desk, progressing](const Request& r) { return import_rows(*desk, r, *progressing); }, kMaxRegisterUpload);
  router.add("POST", base + "/{dataset}/changes", kAdmin, [desk](const Request& r) { return apply_changes(*desk, r); }, kMaxRegisterUpload);
  router.add("POST", base + "/{dataset}/watermark", kAdmin, [desk](const Request& r) { return ask_watermark(*desk, r); });
  router.add("POST", base + "/{dataset}/erase", kAdmin, [desk](const Request& r) { return erase(*desk, r); });
  router.add("GET", base, kAdmin, [progressing](const Request&) {
    return ok(json::object{{"done", progressing->done.load()}, {"total", progressing->total.load()}});
  });
}

}  // namespace tocsin::engine
