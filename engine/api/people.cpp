// Ledger entry first, vault afterwards: what could not be recorded is not opened.
#include "engine/api/people.hpp"

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/exposure_store.hpp"
#include "storage/history_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

json::value number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(to_utf8(text));
  return out;
}

Result<std::optional<Time>> time_of(const Request& request, const std::string& name) {
  const std::string text = request.query_or(name, "");
  if (text.empty()) return std::nullopt;
  const auto time = parse_rfc3339(text);
  if (!time) {
    return fail(Errc::kInvalid, "'" + name + "' is not a time", "", "write it as 2026-11-23T14:55:50Z");
  }
  return time;
}

// Why somebody asked, in their own words, which may speak of people: the words go into a history row, and only its
// salted hash into the ledger.
Result<void> note_reason(storage::Transaction& tx, storage::Entry& entry, const std::string& reason) {
  storage::Change row;
  row.subject = "people";
  row.time = entry.time;
  row.by = entry.by;
  row.field = entry.kind;
  row.reason = reason;
  auto kept = storage::HistoryStore::add(tx, std::move(row));
  if (!kept) return pass(std::move(kept));
  entry.fields.emplace_back("history:" + std::to_string(kept->id), to_hex(storage::HistoryStore::commitment(*kept)));
  return {};
}

Result<std::string> reason_of(const json::object& body) {
  auto reason = text_of(body, "reason");
  if (!reason) return reason;
  if (trim(*reason).empty() || reason->size() > kMaxReason) {
    return fail(Errc::kInvalid, "'reason' must say why, in at most 2000 bytes");
  }
  return reason;
}

}  // namespace

void add_people_routes(Router& router, storage::Database& database, storage::Vault& vault, storage::Ledger& ledger,
                       const Clock& clock) {
  router.add("GET", "/v1/exposed", kAnalyst | kManager | kApprover, [&database](const Request& request) {
    storage::ExposureFilter filter;
    filter.actor = request.query_or("actor", "");
    filter.dataset = request.query_or("dataset", "");
    auto from = time_of(request, "from");
    if (!from) return problem(from.error());
    auto to = time_of(request, "to");
    if (!to) return problem(to.error());
    filter.from = *from;
    filter.to = *to;
    auto offset = number_of(request, "offset", 0, 1'000'000'000);
    if (!offset) return problem(offset.error());
    auto limit = number_of(request, "limit", 100, kMaxPeoplePage);
    if (!limit) return problem(limit.error());
    auto answer = database.read([&](storage::Reader& reader) -> Result<json::object> {
      auto overview = storage::ExposureStore::overview(reader, filter);
      if (!overview) return pass(std::move(overview));
      std::vector<storage::ExposedPerson> people;
      if (*limit > 0) {
        auto page = storage::ExposureStore::people(reader, filter, *offset, *limit);
        if (!page) return pass(std::move(page));
        people = std::move(*page);
      }
      json::array items;
      for (const auto& person : people) {
        json::object item;
        item["pseudonym"] = person.pseudonym.hex();
        item["dataset"] = to_utf8(person.dataset);
        item["grade"] = storage::name(person.grade);
        item["fields"] = texts(person.fields);
        item["first"] = format_rfc3339(person.first);
        item["last"] = format_rfc3339(person.last);
        item["in_register"] = person.in_register;
        items.emplace_back(std::move(item));
      }
      json::object out;
      out["grade"] = storage::name(overview->summary.grade);
      out["at_least"] = number_or_null(overview->summary.at_least);
      out["at_most"] = number_or_null(overview->summary.at_most);
      out["total"] = overview->total;
      out["reasons"] = texts(overview->reasons);
      const bool more = *offset + items.size() < overview->total && !items.empty();
      out["next"] = more ? json::value(std::to_string(*offset + items.size())) : json::value(nullptr);
      out["items"] = std::move(items);
      return out;
    });
    if (!answer) return problem(answer.error());
    return ok(*answer);
  });

  router.add("POST", "/v1/who-saw", kAnalyst | kManager, [&](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto subject = text_of(*body, "subject");
    if (!subject) return problem(subject.error());
    auto dataset = maybe_text_of(*body, "dataset");
    if (!dataset) return problem(dataset.error());
    auto reason = reason_of(*body);
    if (!reason) return problem(reason.error());
    std::vector<std::string> datasets;
    if (*dataset) {
      datasets.push_back(**dataset);
    } else {
      auto all = database.read([](storage::Reader& reader) { return storage::RegisterStore::datasets(reader); });
      if (!all) return problem(all.error());
      datasets = std::move(*all);
    }
    auto noted = database.write([&](storage::Transaction& tx) -> Result<void> {
      storage::Entry entry;
      entry.kind = "who-saw-asked";
      entry.time = clock.now();
      entry.by = request.who.login;
      for (const std::string& name : datasets) {
        entry.fields.emplace_back("pseudonym", vault.pseudonym(name, *subject).hex());
      }
      if (auto done = note_reason(tx, entry, *reason); !done) return done;
      auto index = ledger.record(tx, entry);
      if (!index) return pass(std::move(index));
      return {};
    });
    if (!noted) return problem(noted.error());
    auto answer = database.read([&](storage::Reader& reader) -> Result<json::array> {
      json::array items;
      for (const std::string& name : datasets) {
        auto known = storage::RegisterStore::find(reader, vault.pseudonym(name, *subject));
        if (!known) return pass(std::move(known));
        if (!*known) continue;
        auto watchers = storage::ExposureStore::watchers(reader, name, (*known)->no);
        if (!watchers) return pass(std::move(watchers));
        for (const auto& watcher : *watchers) {
          json::object item;
          item["actor"] = to_utf8(watcher.actor);
          item["dataset"] = to_utf8(watcher.dataset);
          item["grade"] = storage::name(watcher.grade);
          item["fields"] = texts(watcher.fields);
          item["first"] = format_rfc3339(watcher.first);
          item["last"] = format_rfc3339(watcher.last);
          items.emplace_back(std::move(item));
        }
      }
      return items;
    });
    if (!answer) return problem(answer.error());
    return ok_list(std::move(*answer));
  });

  router.add("POST", "/v1/people/reveal", kAnalyst | kManager, [&](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto wanted = texts_of(*body, "pseudonyms", kMaxRevealed);
    if (!wanted) return problem(wanted.error());
    auto reason = reason_of(*body);
    if (!reason) return problem(reason.error());
    auto alert = maybe_text_of(*body, "alert");
    if (!alert) return problem(alert.error());
    auto incident = maybe_text_of(*body, "incident");
    if (!incident) return problem(incident.error());
    std::vector<storage::Pseudonym> pseudonyms;
    std::string all;
    for (const std::string& text : *wanted) {
      auto pseudonym = storage::Pseudonym::from_hex(text);
      if (!pseudonym) {
        Error error;
        error.code = Errc::kInvalid;
        error.message = "'pseudonyms' holds something that is not a pseudonym";
        return problem(error);
      }
      all += pseudonym->hex();
      pseudonyms.push_back(*pseudonym);
    }
    if (pseudonyms.empty()) return ok_list({});
    auto noted = database.write([&](storage::Transaction& tx) -> Result<void> {
      storage::Entry entry;
      entry.kind = "vault-opened";
      entry.time = clock.now();
      entry.by = request.who.login;
      entry.fields = {{"people", std::to_string(pseudonyms.size())}, {"pseudonyms_sha256", to_hex(sha256(all))}};
      if (auto done = note_reason(tx, entry, *reason); !done) return done;
      if (pseudonyms.size() == 1) entry.fields.emplace_back("pseudonym", pseudonyms[0].hex());
      if (*alert) entry.fields.emplace_back("alert", alert->value().substr(0, 64));
      if (*incident) entry.fields.emplace_back("incident", incident->value().substr(0, 64));
      auto index = ledger.record(tx, entry);
      if (!index) return pass(std::move(index));
      return {};
    });
    if (!noted) return problem(noted.error());
    auto answer = database.read([&](storage::Reader& reader) -> Result<json::array> {
      json::array items;
      for (const storage::Pseudonym& pseudonym : pseudonyms) {
        json::object item;
        item["pseudonym"] = pseudonym.hex();
        auto known = storage::RegisterStore::find(reader, pseudonym);
        if (!known) return pass(std::move(known));
        item["dataset"] = *known ? json::value(to_utf8((*known)->dataset)) : json::value(nullptr);
        item["id"] = nullptr;
        item["name"] = nullptr;
        auto fields = vault.open(reader, pseudonym);
        if (fields) {
          if (const auto id = fields->find("id"); id != fields->end()) item["id"] = to_utf8(id->second);
          if (const auto name = fields->find("name"); name != fields->end()) item["name"] = to_utf8(name->second);
        } else if (fields.error().code != Errc::kNotFound) {
          return pass(std::move(fields));
        }
        items.emplace_back(std::move(item));
      }
      return items;
    });
    if (!answer) return problem(answer.error());
    return ok_list(std::move(*answer));
  });
}

}  // namespace tocsin::engine
