// Ledger entry first, vault afterwards: what could not be recorded is not opened.
#include "engine/api/people.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/exposure_events.hpp"
#include "storage/exposure_store.hpp"
#include "storage/history_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

Result<std::optional<Time>> time_from(const std::string& text, std::string_view name) {
  if (text.empty()) return std::nullopt;
  const auto time = parse_rfc3339(text);
  if (!time) {
    return fail(Errc::kInvalid, "'" + std::string(name) + "' is not a time", "", "write it as 2026-11-23T14:55:50Z");
  }
  return time;
}

Result<std::optional<Time>> time_of(const Request& request, const std::string& name) { return time_from(request.query_or(name, ""), name); }

Result<std::optional<Time>> time_in(const json::object& body, std::string_view name) {
  auto text = maybe_text_of(body, name);
  if (!text) return pass(std::move(text));
  return time_from(text->value_or(""), name);
}

// A whole number of a JSON body between 0 and `most`; `fallback` if it is absent.
Result<std::uint64_t> number_in(const json::object& body, std::string_view key, std::uint64_t fallback, std::uint64_t most) {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return fallback;
  if (!value->is_int64() || value->get_int64() < 0 || static_cast<std::uint64_t>(value->get_int64()) > most) {
    return fail(Errc::kInvalid, "'" + std::string(key) + "' must be a whole number between 0 and " + std::to_string(most));
  }
  return static_cast<std::uint64_t>(value->get_int64());
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

// What POST /v1/who-saw asks.
struct WhoSaw {
  std::string subject, dataset, actor, reason;
  std::optional<Time> from, to;
  std::uint64_t offset = 0, limit = 0;         // of the actors
  std::uint64_t events = 0, events_offset = 0;  // of each
};

Result<WhoSaw> who_saw_of(const json::object& body, bool needs_reason) {
  constexpr std::uint64_t kDefaultActors = 100, kDefaultEvents = 5;
  WhoSaw out;
  auto subject = text_of(body, "subject");
  if (!subject) return pass(std::move(subject));
  out.subject = trim(*subject);
  for (const auto& [key, to] : {std::pair{"dataset", &out.dataset}, std::pair{"actor", &out.actor}}) {
    auto text = maybe_text_of(body, key);
    if (!text) return pass(std::move(text));
    *to = text->value_or("");
  }
  if (needs_reason) {
    auto reason = reason_of(body);
    if (!reason) return pass(std::move(reason));
    out.reason = std::move(*reason);
  }
  for (const auto& [key, to] : {std::pair{"from", &out.from}, std::pair{"to", &out.to}}) {
    auto time = time_in(body, key);
    if (!time) return pass(std::move(time));
    *to = *time;
  }
  struct Number {
    const char* key;
    std::uint64_t* to;
    std::uint64_t fallback, most;
  };
  for (const Number& number : {Number{"offset", &out.offset, 0, 1'000'000'000}, Number{"limit", &out.limit, kDefaultActors, kMaxWatchersPage},
                               Number{"events", &out.events, kDefaultEvents, kMaxEventsEach},
                               Number{"events_offset", &out.events_offset, 0, 1'000'000}}) {
    auto value = number_in(body, number.key, number.fallback, number.most);
    if (!value) return pass(std::move(value));
    *number.to = *value;
  }
  if (out.events * out.limit > kMaxEventsPage) {
    return fail(Errc::kInvalid, "more than " + std::to_string(kMaxEventsPage) + " events were asked for", "", "ask for fewer actors or fewer events each");
  }
  return out;
}

// The pseudonyms that may be this subject's, one for each dataset that is asked for.
Result<std::vector<storage::Pseudonym>> candidates(const PeopleApi& api, const WhoSaw& asked) {
  if (api.vault == nullptr) {
    const auto given = storage::Pseudonym::from_hex(asked.subject);
    if (!given) return fail(Errc::kInvalid, "a pseudonym has 32 hexadecimal digits", printable(asked.subject, 64));
    return std::vector{*given};
  }
  std::vector<std::string> datasets{asked.dataset};
  if (asked.dataset.empty()) {
    auto all = api.database.read([](storage::Reader& reader) { return storage::RegisterStore::datasets(reader); });
    if (!all) return pass(std::move(all));
    datasets = std::move(*all);
  }
  std::vector<storage::Pseudonym> out;
  for (const std::string& name : datasets) out.push_back(api.vault->pseudonym(name, asked.subject));
  return out;
}

json::object watcher_json(const storage::Watcher& watcher, const storage::AccessList* list) {
  json::object item{{"actor", to_utf8(watcher.actor)}, {"dataset", to_utf8(watcher.dataset)}, {"grade", storage::name(watcher.grade)},
                    {"fields", safe_texts(watcher.fields)}, {"first", format_rfc3339(watcher.first)},
                    {"last", format_rfc3339(watcher.last)}, {"reaches", watcher.reaches}};
  if (list != nullptr) {
    item["certain"] = list->certain > 0;
    item["at_least"] = list->certain;  // accesses that surely were of this person
    item["at_most"] = std::max(list->total, watcher.reaches);
    item["accesses"] = access_list_json(*list);
  }
  return item;
}

Result<json::object> who_saw(storage::Reader& reader, const std::vector<storage::Pseudonym>& pseudonyms, const WhoSaw& asked) {
  json::array items, people;
  std::uint64_t total = 0;
  for (const storage::Pseudonym& pseudonym : pseudonyms) {
    auto known = storage::RegisterStore::find(reader, pseudonym);
    if (!known) return pass(std::move(known));
    if (!*known || (!asked.dataset.empty() && (*known)->dataset != asked.dataset)) continue;
    people.emplace_back(json::object{{"pseudonym", pseudonym.hex()}, {"dataset", to_utf8((*known)->dataset)}, {"in_register", (*known)->listed},
                                     {"country", (*known)->country.empty() ? json::value(nullptr) : json::value(to_utf8((*known)->country))}});
    auto watchers = storage::ExposureStore::watchers(reader, (*known)->dataset, (*known)->no, asked.from, asked.to);
    if (!watchers) return pass(std::move(watchers));
    if (!asked.actor.empty()) std::erase_if(*watchers, [&](const storage::Watcher& w) { return w.actor != asked.actor; });
    std::vector<const storage::Watcher*> page;
    std::set<std::string> actors;
    for (const storage::Watcher& watcher : *watchers) {
      if (total++ < asked.offset || items.size() + page.size() >= asked.limit) continue;
      page.push_back(&watcher);
      actors.insert(watcher.actor);
    }
    storage::ExposureFilter filter;
    filter.dataset = (*known)->dataset;
    filter.from = asked.from;
    filter.to = asked.to;
    std::map<std::string, storage::AccessList> events;
    if (asked.events > 0 && !page.empty()) {
      auto found = storage::events_of_person(reader, filter, (*known)->no, actors, asked.events, asked.events_offset);
      if (!found) return pass(std::move(found));
      events = std::move(*found);
    }
    for (const storage::Watcher* watcher : page) {
      const auto list = events.find(watcher->actor);
      items.emplace_back(watcher_json(*watcher, list == events.end() ? nullptr : &list->second));
    }
  }
  const bool more = !items.empty() && asked.offset + items.size() < total;
  json::object out;
  out["total"] = total;
  out["people"] = std::move(people);
  out["next"] = more ? json::value(std::to_string(asked.offset + items.size())) : json::value(nullptr);
  out["items"] = std::move(items);
  return out;
}

}  // namespace

void add_people_routes(Router& router, const PeopleApi& api) {
  router.add("GET", "/v1/exposed", kAnalyst | kManager | kApprover, [api](const Request& request) {
    storage::Scope scope;
    scope.actor = request.query_or("actor", "");
    scope.dataset = request.query_or("dataset", "");
    auto from = time_of(request, "from");
    if (!from) return problem(from.error());
    auto to = time_of(request, "to");
    if (!to) return problem(to.error());
    scope.from = from->value_or(storage::kAlways);
    scope.to = to->value_or(storage::kForever);
    auto page = people_page_of(request);
    if (!page) return problem(page.error());
    const std::span<const storage::Scope> scopes(&scope, 1);
    auto answer = api.database.read([&](storage::Reader& reader) -> Result<json::object> {
      auto summary = api.people.summary(reader, scopes);
      if (!summary) return pass(std::move(summary));
      json::object out = people_json(*summary);
      json::array items;
      if (page->limit > 0) {
        auto people = api.people.page(reader, scopes, page->offset, page->limit);
        if (!people) return pass(std::move(people));
        auto told = people_items(reader, scopes, *people, page->events);
        if (!told) return pass(std::move(told));
        items = std::move(*told);
      }
      const bool more = page->offset + items.size() < summary->total && !items.empty();
      out["next"] = more ? json::value(std::to_string(page->offset + items.size())) : json::value(nullptr);
      out["items"] = std::move(items);
      return out;
    });
    if (!answer) return problem(answer.error());
    return ok(*answer);
  });

  router.add("POST", "/v1/who-saw", kAnalyst | kManager, [api](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto asked = who_saw_of(*body, api.ledger != nullptr);
    if (!asked) return problem(asked.error());
    auto pseudonyms = candidates(api, *asked);
    if (!pseudonyms) return problem(pseudonyms.error());
    if (api.ledger != nullptr) {
      auto noted = api.database.write([&](storage::Transaction& tx) -> Result<void> {
        storage::Entry entry;
        entry.kind = "who-saw-asked";
        entry.time = api.clock.now();
        entry.by = request.who.login;
        for (const storage::Pseudonym& pseudonym : *pseudonyms) entry.fields.emplace_back("pseudonym", pseudonym.hex());
        if (auto done = note_reason(tx, entry, asked->reason); !done) return done;
        auto index = api.ledger->record(tx, entry);
        if (!index) return pass(std::move(index));
        return {};
      });
      if (!noted) return problem(noted.error());
    }
    auto answer = api.database.read([&](storage::Reader& reader) { return who_saw(reader, *pseudonyms, *asked); });
    if (!answer) return problem(answer.error());
    return ok(*answer);
  });

  if (api.vault == nullptr || api.ledger == nullptr) return;
  router.add("POST", "/v1/people/reveal", kAnalyst | kManager, [api](const Request& request) {
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
    auto noted = api.database.write([&](storage::Transaction& tx) -> Result<void> {
      storage::Entry entry;
      entry.kind = "vault-opened";
      entry.time = api.clock.now();
      entry.by = request.who.login;
      entry.fields = {{"people", std::to_string(pseudonyms.size())}, {"pseudonyms_sha256", to_hex(sha256(all))}};
      if (auto done = note_reason(tx, entry, *reason); !done) return done;
      if (pseudonyms.size() == 1) entry.fields.emplace_back("pseudonym", pseudonyms[0].hex());
      if (*alert) entry.fields.emplace_back("alert", alert->value().substr(0, 64));
      if (*incident) entry.fields.emplace_back("incident", incident->value().substr(0, 64));
      auto index = api.ledger->record(tx, entry);
      if (!index) return pass(std::move(index));
      return {};
    });
    if (!noted) return problem(noted.error());
    auto answer = api.database.read([&](storage::Reader& reader) -> Result<json::array> {
      json::array items;
      for (const storage::Pseudonym& pseudonym : pseudonyms) {
        json::object item;
        item["pseudonym"] = pseudonym.hex();
        auto known = storage::RegisterStore::find(reader, pseudonym);
        if (!known) return pass(std::move(known));
        item["dataset"] = *known ? json::value(to_utf8((*known)->dataset)) : json::value(nullptr);
        item["id"] = nullptr;
        item["name"] = nullptr;
        auto fields = api.vault->open(reader, pseudonym);
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
