// Records to JSON. What is not known is null, never an empty text.
#include "engine/api/workflow.hpp"

#include <charconv>
#include <map>

#include "rules/base/text.hpp"

namespace tocsin::engine {

namespace json = boost::json;
using storage::AlertStore;
using storage::IncidentStore;

namespace {

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc() || end != text.data() + text.size() || out <= 0) return std::nullopt;
  return out;
}

json::string safe(std::string_view text) { return json::string(to_utf8(text)); }

template <class Texts>
json::array texts_json(const Texts& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(safe(text));
  return out;
}

// A stored JSON array; an empty one if it is none.
json::array stored_array(std::string_view text) {
  boost::system::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec || !value.is_array()) return {};
  return std::move(value.get_array());
}

std::string count_words(const json::object& count) {
  const auto number = [&](std::string_view key) -> std::optional<std::int64_t> {
    const json::value* value = count.if_contains(key);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    return value->get_int64();
  };
  const auto least = number("at_least");
  const auto most = number("at_most");
  if (least && most) return *least == *most ? std::to_string(*least) : std::to_string(*least) + " to " + std::to_string(*most);
  if (most) return "at most " + std::to_string(*most);
  return "at least " + std::to_string(least.value_or(0));
}

// The value of a fact, for a person to read.
std::string fact_words(std::string_view stored) {
  boost::system::error_code ec;
  const json::value value = json::parse(stored, ec);
  if (ec) return std::string(stored);
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (const auto* list = value.if_array()) {
    std::string out;
    for (const json::value& item : *list) {
      if (!out.empty()) out += ", ";
      out += item.is_string() ? std::string(item.get_string()) : json::serialize(item);
    }
    return out;
  }
  if (const auto* object = value.if_object(); object != nullptr) {
    if (object->contains("at_least") || object->contains("at_most")) return count_words(*object);
    std::string out;
    for (const auto& member : *object) {
      if (!out.empty()) out += ", ";
      out += std::string(member.key()) + " ";
      const auto* inner = member.value().if_object();
      out += inner != nullptr ? count_words(*inner) : fact_words(json::serialize(member.value()));
    }
    return out;
  }
  return json::serialize(value);
}

json::value exposure_json(const std::optional<storage::ExposureSummary>& exposure) {
  if (!exposure) return nullptr;
  return json::object{{"grade", name(exposure->grade)},
                      {"at_least", count_json(exposure->at_least)},
                      {"at_most", count_json(exposure->at_most)}};
}

std::string id_text(std::int64_t id) { return std::to_string(id); }
json::value id_or_null(const std::optional<std::int64_t>& id) {
  return id ? json::value(id_text(*id)) : json::value(nullptr);
}

}  // namespace

// ----------------------------------------------------------------------------------------------- reading

Result<std::int64_t> id_param(const Request& request, const std::string& param, std::string_view what) {
  const auto id = number_in(request.param(param));
  if (!id) return fail(Errc::kNotFound, "there is no such " + std::string(what));
  return *id;
}

Result<std::int64_t> incident_param(const Request& request, storage::Database& database) {
  const std::string text = request.param("id");
  if (const auto id = number_in(text)) return *id;
  auto found = database.read([&](storage::Reader& reader) { return IncidentStore::by_number(reader, text); });
  if (!found) return pass(std::move(found));
  if (!*found) return fail(Errc::kNotFound, "there is no such incident");
  return (*found)->id;
}

Result<std::optional<std::int64_t>> maybe_id_of(const json::object& body, std::string_view key) {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  std::optional<std::int64_t> id;
  if (value->is_int64() && value->get_int64() > 0) id = value->get_int64();
  if (value->is_string()) id = number_in(value->get_string());
  if (!id) return fail(Errc::kInvalid, "'" + std::string(key) + "' must be an id");
  return id;
}

Result<std::optional<Time>> maybe_time_of(const json::object& body, std::string_view key) {
  auto text = maybe_text_of(body, key);
  if (!text) return pass(std::move(text));
  if (!*text || (*text)->empty()) return std::nullopt;
  const auto time = parse_rfc3339(**text);
  if (!time) {
    return fail(Errc::kInvalid, "'" + std::string(key) + "' must be a time with its zone, as 2026-11-23T16:40:00+01:00");
  }
  return time;
}

Result<By> by_of(const Request& request, const json::object& body) {
  By out;
  out.by = request.who.login;
  auto reason = maybe_text_of(body, "reason");
  if (!reason) return pass(std::move(reason));
  out.reason = reason->value_or("");
  const json::value* version = body.if_contains("version");
  if (version != nullptr && !version->is_null()) {
    if (!version->is_int64()) return fail(Errc::kInvalid, "'version' must be a whole number");
    out.version = version->get_int64();
  }
  return out;
}

// ----------------------------------------------------------------------------------------------- writing

json::value time_json(const std::optional<Time>& time) {
  return time ? json::value(format_rfc3339(*time)) : json::value(nullptr);
}
json::value text_or_null(std::string_view text) { return text.empty() ? json::value(nullptr) : json::value(safe(text)); }
json::value count_json(const std::optional<std::uint64_t>& count) {
  return count ? json::value(*count) : json::value(nullptr);
}

json::object alert_json(const storage::Alert& a) {
  return {{"id", id_text(a.id)},
          {"title", safe(a.title)},
          {"rule", safe(a.rule)},
          {"kind", safe(a.kind)},
          {"level", name(a.level)},
          {"state", name(a.state)},
          {"actor", text_or_null(a.actor)},
          {"dataset", text_or_null(a.dataset)},
          {"first", format_rfc3339(a.first)},
          {"last", format_rfc3339(a.last)},
          {"findings", a.findings},
          {"evidence_count", a.evidence_count},
          {"exposure", exposure_json(a.exposure)},
          {"assignee", text_or_null(a.assignee)},
          {"incident", id_or_null(a.incident)},
          {"former", id_or_null(a.former)},
          {"reason", text_or_null(a.reason)},
          {"opened", format_rfc3339(a.opened)},
          {"updated", format_rfc3339(a.updated)},
          {"version", a.version}};
}

json::object finding_json(const storage::KeptFinding& kept) {
  const storage::Finding& f = kept.finding;
  json::array evidence;
  for (const storage::Evidence& e : f.evidence) {
    evidence.emplace_back(json::object{{"source", safe(e.source)},
                                       {"file", safe(e.file)},
                                       {"line", e.line},
                                       {"time", format_rfc3339(e.time)},
                                       {"text", safe(e.preview)}});
  }
  return {{"id", f.id},
          {"rule", safe(f.rule)},
          {"title", safe(f.title)},
          {"kind", safe(f.kind)},
          {"level", name(f.level)},
          {"time", format_rfc3339(f.time)},
          {"last", format_rfc3339(f.last)},
          {"actor", text_or_null(f.actor)},
          {"dataset", text_or_null(f.dataset)},
          {"reason", safe(f.reason)},
          {"same_secret_first_in", id_or_null(kept.first_alert)},
          {"exposure", exposure_json(f.exposure)},
          {"evidence_count", f.evidence_count},
          {"evidence", std::move(evidence)}};
}

json::object silence_json(const storage::Silence& s, Time now) {
  const auto part = [](const std::optional<std::string>& text) { return text ? text_or_null(*text) : json::value(nullptr); };
  return {{"id", id_text(s.id)},         {"rule", part(s.rule)},
          {"actor", part(s.actor)},      {"dataset", part(s.dataset)},
          {"until", format_rfc3339(s.until)}, {"reason", safe(s.reason)},
          {"by", safe(s.by)},            {"created", format_rfc3339(s.created)},
          {"ended", time_json(s.ended)}, {"matched", s.matched},
          {"active", s.active(now)}};
}

json::object incident_json(const storage::Incident& i) {
  return {{"id", id_text(i.id)},
          {"number", i.number},
          {"title", safe(i.title)},
          {"state", name(i.state)},
          {"severity", text_or_null(i.severity)},
          {"severity_reason", text_or_null(i.severity_reason)},
          {"summary", text_or_null(i.summary)},
          {"opened", format_rfc3339(i.opened)},
          {"opened_by", safe(i.opened_by)},
          {"aware_at", time_json(i.aware_at)},
          {"confirmed_at", time_json(i.confirmed_at)},
          {"contained_at", time_json(i.contained_at)},
          {"recovered_at", time_json(i.recovered_at)},
          {"closed", time_json(i.closed)},
          {"updated", format_rfc3339(i.updated)},
          {"version", i.version}};
}

json::object duty_json(const storage::Duty& d, Time now) {
  const bool done_late = d.state == storage::DutyState::kDone && d.due && d.done_at && *d.done_at > *d.due;
  return {{"id", id_text(d.id)},
          {"key", d.key},
          {"law", safe(d.law)},
          {"title", safe(d.title)},
          {"citation", safe(d.citation)},
          {"towards", safe(d.towards)},
          {"anchor", text_or_null(d.anchor)},
          {"due", time_json(d.due)},
          {"limit", time_json(d.limit)},
          {"soft", text_or_null(d.soft)},
          {"state", d.state_at(now)},
          {"done_late", done_late},
          {"why", text_or_null(d.why)},
          {"unknown_facts", stored_array(d.unknown_facts)},
          {"content", stored_array(d.content)},
          {"done_at", time_json(d.done_at)},
          {"done_by", text_or_null(d.done_by)},
          {"reference", text_or_null(d.reference)},
          {"reason", text_or_null(d.reason)},
          {"confidence", text_or_null(d.confidence)},
          {"verification", text_or_null(d.verification)}};
}

json::object task_json(const storage::Task& t, std::string_view number, Time now) {
  return {{"id", id_text(t.id)},
          {"incident", id_text(t.incident)},
          {"number", number},
          {"title", safe(t.title)},
          {"detail", text_or_null(t.detail)},
          {"phase", text_or_null(t.phase)},
          {"owner", text_or_null(t.owner)},
          {"owner_role", text_or_null(t.owner_role)},
          {"due", time_json(t.due)},
          {"state", name(t.state)},
          {"late", t.late(now)},
          {"asked_proof", text_or_null(t.asked_proof)},
          {"proof", text_or_null(t.proof)},
          {"reason", text_or_null(t.reason)},
          {"created", format_rfc3339(t.created)},
          {"created_by", safe(t.created_by)},
          {"done_at", time_json(t.done_at)},
          {"done_by", text_or_null(t.done_by)},
          {"version", t.version}};
}

json::object change_json(const storage::Change& c, std::string_view about) {
  const bool fact = c.field.starts_with("facts.");
  const auto value = [&](const std::string& text) {
    return text_or_null(fact && !text.empty() ? fact_words(text) : text);
  };
  // "facts.facts.encrypted" → "encrypted"; "facts.times.aware" → "times.aware".
  std::string_view field = c.field;
  for (const std::string_view prefix : {"facts.", "facts."}) {
    if (field.starts_with(prefix)) field.remove_prefix(prefix.size());
  }
  return {{"time", format_rfc3339(c.time)}, {"by", safe(c.by)},         {"subject", c.subject},
          {"subject_id", id_text(c.subject_id)}, {"about", text_or_null(about)}, {"field", safe(field)},
          {"from", value(c.from)},          {"to", value(c.to)},        {"reason", text_or_null(c.reason)}};
}

json::object notice_counts_json(const NoticeCounts& counts) {
  return {{"told", counts.told}, {"reached", counts.reached}, {"acknowledged", counts.acknowledged}, {"failed", counts.failed}};
}

Result<json::array> timeline_json(storage::Reader& reader, std::int64_t incident) {
  auto changes = storage::HistoryStore::of_incident(reader, incident);
  if (!changes) return pass(std::move(changes));
  std::map<std::pair<std::string, std::int64_t>, std::string> titles;
  auto duties = IncidentStore::duties(reader, incident);
  if (!duties) return pass(std::move(duties));
  for (const auto& duty : *duties) titles[{"duty", duty.id}] = duty.law + ": " + duty.title;
  storage::TaskQuery query;
  query.incident = incident;
  query.limit = storage::TaskStore::kMaxPage;
  auto tasks = storage::TaskStore::list(reader, query, Time());
  if (!tasks) return pass(std::move(tasks));
  for (const auto& task : *tasks) titles[{"task", task.id}] = task.title;
  auto alerts = AlertStore::of_incident(reader, incident);
  if (!alerts) return pass(std::move(alerts));
  for (const auto& alert : *alerts) titles[{"alert", alert.id}] = alert.title;
  json::array out;
  for (const auto& change : *changes) {
    const auto title = titles.find({change.subject, change.subject_id});
    out.emplace_back(change_json(change, title == titles.end() ? std::string_view() : title->second));
  }
  return out;
}

Result<json::object> people_page_json(const WorkflowApi& api, storage::Reader& reader,
                                      std::span<const storage::Alert> alerts, const PeoplePage& page) {
  auto summary = api.respond.people(reader, alerts);
  if (!summary) return pass(std::move(summary));
  std::vector<std::int64_t> ids;
  for (const storage::Alert& alert : alerts) ids.push_back(alert.id);
  auto scopes = AlertStore::scopes_of(reader, ids);
  if (!scopes) return pass(std::move(scopes));
  std::set<std::string> datasets;
  for (const storage::Scope& scope : *scopes) datasets.insert(scope.dataset);
  std::string named;
  for (const std::string& dataset : datasets) named += (named.empty() ? "" : ", ") + dataset;

  json::object out = people_json(*summary);
  out["dataset"] = text_or_null(named);
  json::array items;
  const PeopleSource* people = api.respond.deps().people;
  if (people != nullptr && !scopes->empty() && page.limit > 0) {
    auto reached = people->page(reader, *scopes, page.offset, page.limit);
    if (!reached) return pass(std::move(reached));
    auto shown = people_items(reader, *scopes, *reached, page.events);
    if (!shown) return pass(std::move(shown));
    items = std::move(*shown);
  }
  const bool more = !items.empty() && page.offset + items.size() < summary->total;
  out["next"] = more ? json::value(std::to_string(page.offset + items.size())) : json::value(nullptr);
  out["items"] = std::move(items);
  return out;
}

}  // namespace tocsin::engine
