// What is not known is null; a list that is empty because nothing was asked is left out.
#include "engine/api/people_json.hpp"

#include <map>

#include "rules/base/text.hpp"

namespace tocsin::engine {

namespace json = boost::json;

namespace {

json::value text_or_nothing(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(to_utf8(text)); }

}  // namespace

Result<PeoplePage> people_page_of(const Request& request) {
  constexpr std::uint64_t kDefaultPeople = 100;
  PeoplePage page;
  auto offset = number_of(request, "offset", 0, 1'000'000'000);
  if (!offset) return pass(std::move(offset));
  auto limit = number_of(request, "limit", kDefaultPeople, kMaxPeoplePage);
  if (!limit) return pass(std::move(limit));
  auto events = number_of(request, "events", 0, kMaxEventsEach);
  if (!events) return pass(std::move(events));
  if (*events * *limit > kMaxEventsPage) {
    return fail(Errc::kInvalid, "more than " + std::to_string(kMaxEventsPage) + " events were asked for", "", "ask for fewer people or fewer events each");
  }
  page.offset = *offset;
  page.limit = *limit;
  page.events = *events;
  return page;
}

json::array safe_texts(std::span<const std::string> texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(to_utf8(text));
  return out;
}

json::value number_or_null(const std::optional<std::uint64_t>& number) { return number ? json::value(*number) : json::value(nullptr); }

// Which part of the record named the actor; how far it can be believed is another matter in each case.
const char* named_by(const storage::AccessEvent& e) {
  if (e.actor.empty() || e.sealed) return "";
  if (e.actor == e.account) return "account";
  if (e.actor == e.role) return "role";
  if (e.actor == e.application) return "application";
  return "record";
}

json::object access_json(const storage::AccessEvent& e) {
  json::value place = nullptr;
  if (!e.sealed && (!e.file.empty() || e.seq > 0)) {
    place = json::object{{"source", to_utf8(e.source)}, {"file", to_utf8(e.file)}, {"line", e.line},
                         {"number", e.seq > 0 ? json::value(e.seq) : json::value(nullptr)}};
  }
  return {{"first", format_rfc3339(e.first)}, {"last", format_rfc3339(e.last)},
          {"actor", to_utf8(e.actor)}, {"dataset", to_utf8(e.dataset)},
          {"grade", storage::name(e.grade)}, {"certain", e.certain}, {"whole", e.whole},
          {"fields", safe_texts(e.fields)}, {"way", to_utf8(e.way)},
          {"reason", text_or_nothing(e.reason)}, {"at_least", number_or_null(e.at_least)},
          {"at_most", number_or_null(e.at_most)}, {"client", text_or_nothing(e.client_ip)},
          {"account", text_or_nothing(e.account)}, {"role", text_or_nothing(e.role)}, {"application", text_or_nothing(e.application)},
          {"named_by", text_or_nothing(named_by(e))}, {"event", std::move(place)},
          {"sealed", e.sealed && e.seq > 0 ? json::value(json::object{{"first", e.seq}, {"last", e.last_seq}}) : json::value(nullptr)}};
}

json::object access_list_json(const storage::AccessList& list) {
  json::array items;
  for (const auto& event : list.events) items.emplace_back(access_json(event));
  return {{"total", list.total}, {"certain", list.certain}, {"items", std::move(items)}};
}

json::object people_json(const PeopleSummary& p) {
  json::array by_country;
  for (const auto& [country, count] : p.by_country) {
    by_country.emplace_back(json::object{{"country", to_utf8(country)}, {"count", count}});
  }
  const std::vector<std::string> fields(p.fields.begin(), p.fields.end()), kinds(p.kinds.begin(), p.kinds.end());
  return {{"grade", storage::name(p.grade)}, {"at_least", number_or_null(p.at_least)}, {"at_most", number_or_null(p.at_most)},
          {"total", p.total}, {"reasons", safe_texts(p.reasons)}, {"by_country", std::move(by_country)},
          {"fields", safe_texts(fields)}, {"kinds", safe_texts(kinds)}, {"kinds_complete", p.kinds_complete}};
}

Result<json::array> people_items(storage::Reader& reader, std::span<const storage::Scope> scopes, std::span<const PersonReached> people,
                                 std::size_t events) {
  std::map<std::string, std::map<storage::PersonNo, storage::AccessList>> accesses;
  if (events > 0) {
    std::vector<storage::ExposureFilter> filters;
    for (const storage::Scope& scope : scopes) {
      storage::ExposureFilter filter;
      filter.actor = scope.actor;
      filter.dataset = scope.dataset;
      filter.from = scope.from;
      filter.to = scope.to;
      filters.push_back(std::move(filter));
    }
    std::map<std::string, storage::exposure::PersonSet> wanted;
    for (const PersonReached& person : people) wanted[person.dataset].add(person.no);
    for (const auto& [dataset, set] : wanted) {
      auto found = storage::events_of_people(reader, filters, dataset, set, events);
      if (!found) return pass(std::move(found));
      accesses.emplace(dataset, std::move(*found));
    }
  }
  json::array out;
  for (const PersonReached& person : people) {
    json::object item{{"pseudonym", person.pseudonym}, {"dataset", to_utf8(person.dataset)}, {"grade", storage::name(person.grade)},
                      {"certain", person.certain}, {"fields", safe_texts(person.fields)}, {"first", format_rfc3339(person.first)},
                      {"last", format_rfc3339(person.last)}, {"in_register", person.in_register}, {"erased", person.erased},
                      {"country", text_or_nothing(person.country)}};
    if (events > 0) item["accesses"] = access_list_json(accesses[person.dataset][person.no]);
    out.emplace_back(std::move(item));
  }
  return out;
}

json::value frozen_json(const FrozenPeople::State& state) {
  if (state.sets.empty()) return nullptr;
  json::array sets;
  for (const storage::FrozenSet& set : state.sets) {
    sets.emplace_back(json::object{{"set", set.number}, {"time", format_rfc3339(set.at)}, {"by", to_utf8(set.by)},
                                   {"notice", set.notice > 0 ? json::value(std::to_string(set.notice)) : json::value(nullptr)},
                                   {"people", set.people}, {"hash", set.hash}, {"grade", storage::name(set.summary.grade)},
                                   {"at_least", number_or_null(set.summary.at_least)}, {"at_most", number_or_null(set.summary.at_most)}});
  }
  json::array events;
  for (const storage::Reaching::One& one : state.by.events) {
    json::object event = access_json(one.event);
    event["people"] = one.people;
    events.emplace_back(std::move(event));
  }
  return json::object{{"sets", std::move(sets)}, {"people", state.people}, {"added", state.added},
                      {"events_total", state.by.total}, {"events", std::move(events)}};
}

}  // namespace tocsin::engine
