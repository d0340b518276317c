// `tocsin exposed` and `tocsin who-saw`: whom an actor or an incident reached, and who reached a person. The API's
// handlers answer (Front), here or in the engine that runs on the data. Naming people goes on record before the first
// name is printed; with --pseudonyms nobody is named.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "engine/api/people.hpp"
#include "engine/api/url.hpp"
#include "engine/app/cli.hpp"
#include "engine/app/people_desk.hpp"
#include "engine/app/people_front.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;

constexpr const char* kDefaultReason = "asked on the command line";

struct Asked {
  PeopleQuestion where;
  std::string actor, subject, dataset, from, to, incident, set = "now";
  std::string reason = kDefaultReason;
  std::uint64_t events = 3;
  bool json = false;
};

// ---- reading the answer

std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string number(const json::object& object, const char* key, const char* otherwise) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? std::to_string(value->to_number<std::uint64_t>()) : otherwise;
}

std::string joined(const json::value* list) {
  std::string out;
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& word : list->get_array()) {
    if (word.is_string()) out += (out.empty() ? "" : ",") + std::string(word.get_string());
  }
  return out;
}

const json::array& items_of(const json::object& object, const char* key) {
  static const json::array kNone;
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

const json::array& accesses_of(const json::object& item) {
  static const json::array kNone;
  const json::value* list = item.if_contains("accesses");
  return list != nullptr && list->is_object() ? items_of(list->get_object(), "items") : kNone;
}

// Where an access stands, for a person: "postgresql.json:812", or where in the journal to look if only the index has it.
std::string place(const json::object& access) {
  const json::value* event = access.if_contains("event");
  if (event == nullptr || !event->is_object()) {
    const json::value* sealed = access.if_contains("sealed");
    if (sealed == nullptr || !sealed->is_object()) return "at " + text(access, "first");
    return "one of events " + number(sealed->get_object(), "first", "?") + " to " + number(sealed->get_object(), "last", "?");
  }
  const json::object& at = event->get_object();
  std::string file = text(at, "file");
  if (file.empty()) return "event " + number(at, "number", "?");
  const std::string line = number(at, "line", "0");
  return file + (line == "0" ? "" : ":" + line);
}

// What the record says of the actor besides the name, and what of it is only the client's word:
// " as webapp, application 'clinic-web' (its own word), from 10.0.0.7".
std::string appearance(const json::object& a) {
  const std::string actor = text(a, "actor"), account = text(a, "account"), role = text(a, "role"), application = text(a, "application"), client = text(a, "client");
  const std::string by = text(a, "named_by");
  std::string out;
  if (!account.empty() && account != actor) out += ", account " + account;
  if (by == "record") out += ", named in the record";
  if (!role.empty() && role != account) out += ", by SET ROLE " + role;
  if (!application.empty()) out += ", application '" + application + "' (its own word)";
  if (!client.empty()) out += ", from " + client;
  return out;
}

void print_access(const json::object& a, const char* indent) {
  const std::string reached = text(a, "grade") + (a.contains("people") ? ", " + number(a, "people", "?") + " of them" : "");
  std::printf("%s%-24s %-24s %-12s %s (%s)\n", indent, text(a, "first").c_str(), printable(text(a, "actor")).c_str(),
              printable(text(a, "way")).c_str(), (printable(place(a)) + printable(appearance(a))).c_str(), reached.c_str());
}

// ---- asking

Result<std::string> moment(const std::string& given, const char* option) {
  auto time = time_option(given, option);
  if (!time) return pass(std::move(time));
  return *time ? format_rfc3339(**time) : std::string();
}

// Ids by pseudonym; what was erased or never had one is not among them. One entry in the ledger.
Result<std::map<std::string, std::string>> names_of(const Front& front, const Asked& q, const json::array& people) {
  std::map<std::string, std::string> out;
  json::array pseudonyms;
  for (const json::value& person : people) pseudonyms.emplace_back(text(person.get_object(), "pseudonym"));
  if (pseudonyms.empty()) return out;
  json::object body{{"pseudonyms", std::move(pseudonyms)}, {"reason", q.reason}};
  if (!q.incident.empty()) body["incident"] = q.incident;
  auto answer = front.post("/v1/people/reveal", body);
  if (!answer) return pass(std::move(answer));
  for (const json::value& one : items_of(answer->get_object(), "items")) {
    const std::string id = text(one.get_object(), "id");
    if (!id.empty()) out[text(one.get_object(), "pseudonym")] = id;
  }
  return out;
}

void print_person(const Asked& q, json::object person, const std::map<std::string, std::string>& names) {
  const std::string pseudonym = text(person, "pseudonym");
  const auto name = names.find(pseudonym);
  const bool erased = person.contains("erased") && person.at("erased").is_bool() && person.at("erased").get_bool();
  if (q.json) {
    person["subject"] = q.where.pseudonyms ? json::value(pseudonym) : name != names.end() ? json::value(name->second) : json::value(nullptr);
    std::cout << json::serialize(person) << '\n';
    return;
  }
  const std::string subject = q.where.pseudonyms ? pseudonym : name != names.end() ? printable(name->second) : erased ? "(erased)" : "(unknown)";
  const json::array& events = accesses_of(person);
  std::string evidence;
  if (!events.empty()) {
    evidence = place(events.front().get_object());
    const std::string all = number(person.at("accesses").get_object(), "total", "1");
    if (all != "1") evidence += " and " + std::to_string(std::stoull(all) - 1) + " more";
  }
  std::printf("%-34s %-8s %-16s %-24s %-24s %-30s %s\n", subject.c_str(), text(person, "grade").c_str(), printable(text(person, "dataset")).c_str(),
              text(person, "first").c_str(), text(person, "last").c_str(), printable(joined(person.if_contains("fields"))).c_str(),
              printable(evidence).c_str());
}

std::string countries(const json::object& answer) {
  std::string out;
  for (const json::value& one : items_of(answer, "by_country")) {
    const json::object& country = one.get_object();
    const std::string name = text(country, "country");
    out += (out.empty() ? "" : ", ") + (name.empty() ? "not known" : printable(name)) + " " + number(country, "count", "?");
  }
  return out;
}

void print_frozen(const json::object& answer) {
  const json::value* state = answer.if_contains("frozen");
  if (state == nullptr || !state->is_object()) {
    std::printf("Not frozen yet: the first approved notice freezes the set.\n");
    return;
  }
  const json::object& frozen = state->get_object();
  for (const json::value& one : items_of(frozen, "sets")) {
    const json::object& set = one.get_object();
    std::printf("Set %s frozen on %s by %s: %s people, hash %s\n", number(set, "set", "?").c_str(), text(set, "time").c_str(),
                printable(text(set, "by")).c_str(), number(set, "people", "?").c_str(), text(set, "hash").c_str());
  }
  const std::string added = number(frozen, "added", "0");
  if (added == "0") {
    std::printf("Since then nobody has come.\n");
    return;
  }
  std::printf("Since then %s more would be affected, by %s events:\n", added.c_str(), number(frozen, "events_total", "?").c_str());
  for (const json::value& event : items_of(frozen, "events")) print_access(event.get_object(), "  ");
}

// What is true of all, for standard error or, about an incident, for the answer itself.
void print_summary(const json::object& answer, const std::string& who, std::FILE* to) {
  if (number(answer, "at_most", "") == "0") {
    std::fprintf(to, "%s: no access to anybody's data is known\n", who.c_str());
    return;
  }
  std::fprintf(to, "%s: at least %s, at most %s people (%s)\n", who.c_str(), number(answer, "at_least", "an unknown number of").c_str(),
               number(answer, "at_most", "an unknown number of").c_str(), text(answer, "grade").c_str());
  if (const std::string fields = joined(answer.if_contains("fields")); !fields.empty()) std::fprintf(to, "data: %s\n", printable(fields).c_str());
  if (const std::string kinds = joined(answer.if_contains("kinds")); !kinds.empty()) std::fprintf(to, "kinds of data: %s\n", printable(kinds).c_str());
  if (const std::string where = countries(answer); !where.empty()) std::fprintf(to, "countries of residence: %s\n", where.c_str());
  for (const json::value& reason : items_of(answer, "reasons")) {
    if (reason.is_string() && !reason.get_string().empty()) std::fprintf(to, "because: %s\n", printable(std::string(reason.get_string())).c_str());
  }
}

Result<void> exposed(const Asked& q, const Clock& clock) {
  auto from = moment(q.from, "--from");
  if (!from) return pass(std::move(from));
  auto to = moment(q.to, "--to");
  if (!to) return pass(std::move(to));
  auto front = people_front(q.where, clock);
  if (!front) return pass(std::move(front));
  const std::uint64_t page = q.events == 0 ? kMaxPeoplePage : std::min<std::uint64_t>(kMaxPeoplePage, kMaxEventsPage / q.events);
  std::string offset = "0";
  for (bool first = true; !offset.empty(); first = false) {
    const std::string limit = std::to_string(page), events = std::to_string(q.events);
    const std::string target =
        q.incident.empty()
            ? target_of("/v1/exposed", {{"actor", q.actor}, {"dataset", q.dataset}, {"from", *from}, {"to", *to}, {"offset", offset}, {"limit", limit}, {"events", events}})
            : target_of("/v1/incidents/" + percent_encode(q.incident) + "/people", {{"set", q.set}, {"offset", offset}, {"limit", limit}, {"events", events}});
    auto answer = front->get(target);
    if (!answer) return pass(std::move(answer));
    const json::object& got = answer->get_object();
    const json::array& people = items_of(got, "items");
    std::map<std::string, std::string> names;
    if (!q.where.pseudonyms) {
      auto named = names_of(*front, q, people);
      if (!named) return pass(std::move(named));
      names = std::move(*named);
    }
    if (first && !q.incident.empty()) {
      if (q.json) {
        json::object head = got;
        head.erase("items");
        head.erase("next");
        std::cout << json::serialize(head) << '\n';
      } else {
        std::printf("%s  %s\n", text(got, "incident").c_str(), printable(text(got, "title")).c_str());
        print_frozen(got);
        print_summary(got, "Known now", stdout);
        std::printf("\n");
      }
    }
    if (first && !q.json && !people.empty()) {
      std::printf("%-34s %-8s %-16s %-24s %-24s %-30s %s\n", "SUBJECT", "GRADE", "DATASET", "FIRST", "LAST", "FIELDS", "EVIDENCE");
    }
    for (const json::value& person : people) print_person(q, person.get_object(), names);
    std::fflush(stdout);
    std::cout.flush();
    if (first && q.incident.empty()) print_summary(got, q.actor.empty() ? "all actors" : printable(q.actor), stderr);
    offset = text(got, "next");
  }
  return {};
}

Result<void> who_saw(const Asked& q, const Clock& clock) {
  auto from = moment(q.from, "--from");
  if (!from) return pass(std::move(from));
  auto to = moment(q.to, "--to");
  if (!to) return pass(std::move(to));
  auto front = people_front(q.where, clock);
  if (!front) return pass(std::move(front));
  const std::uint64_t page = q.events == 0 ? kMaxWatchersPage : std::min<std::uint64_t>(kMaxWatchersPage, kMaxEventsPage / q.events);
  std::uint64_t offset = 0;
  for (bool first = true, more = true; more; first = false) {
    json::object body{{"subject", q.subject}, {"reason", q.reason}, {"offset", offset}, {"limit", page}, {"events", q.events}};
    if (!q.dataset.empty()) body["dataset"] = q.dataset;
    if (!q.actor.empty()) body["actor"] = q.actor;
    if (!from->empty()) body["from"] = *from;
    if (!to->empty()) body["to"] = *to;
    auto answer = front->post("/v1/who-saw", body);
    if (!answer) return pass(std::move(answer));
    const json::object& got = answer->get_object();
    if (items_of(got, "people").empty()) {
      return fail(Errc::kNotFound, "nobody by that id is known", {}, "check the id, and the dataset with --dataset");
    }
    if (first && !q.json) std::printf("%-24s %-8s %-16s %-24s %-24s %-12s %s\n", "ACTOR", "GRADE", "DATASET", "FIRST", "LAST", "ACCESSES", "FIELDS");
    for (const json::value& one : items_of(got, "items")) {
      const json::object& w = one.get_object();
      if (q.json) {
        std::cout << json::serialize(w) << '\n';
        continue;
      }
      const std::string least = number(w, "at_least", ""), most = number(w, "at_most", number(w, "reaches", "").c_str());
      std::printf("%-24s %-8s %-16s %-24s %-24s %-12s %s\n", printable(text(w, "actor")).c_str(), text(w, "grade").c_str(),
                  printable(text(w, "dataset")).c_str(), text(w, "first").c_str(), text(w, "last").c_str(),
                  (least.empty() || least == most ? most : least + " to " + most).c_str(), printable(joined(w.if_contains("fields"))).c_str());
      for (const json::value& access : accesses_of(w)) print_access(access.get_object(), "    ");
    }
    std::fflush(stdout);
    std::cout.flush();
    const std::string next = text(got, "next");
    more = !next.empty();
    if (more) offset = std::stoull(next);
  }
  return {};
}

void shared_options(CLI::App& command, Asked& q) {
  add_data_option(command, q.where.data, &q.where.config);
  command.add_option("--keys", q.where.keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
  command.add_option("--dataset", q.dataset, "only this register");
  command.add_option("--from", q.from, "only what was reached from this time on")->type_name("TIME");
  command.add_option("--to", q.to, "… up to this time")->type_name("TIME");
  command.add_option("--events", q.events, "how many of the newest accesses of each are shown (default 3)")
      ->check(CLI::Range(std::uint64_t{0}, kMaxEventsEach))->type_name("N");
  command.add_option("--reason", q.reason, "why you ask; its hash goes into the ledger, the words stay here");
  command.add_flag("--json", q.json, "one JSON object a line");
  command.add_flag("--pseudonyms", q.where.pseudonyms, "name nobody: needs no key, leaves no entry in the ledger");
}

}  // namespace

void add_exposed(CLI::App& app, Context& context) {
  auto* one = app.add_subcommand("exposed", "the people whom an actor reached, or whom an incident concerns");
  auto first = std::make_shared<Asked>();
  shared_options(*one, *first);
  auto* actor = one->add_option("--actor", first->actor, "who (account or person); all if not given");
  auto* incident = one->add_option("--incident", first->incident, "an incident, by id or number: its frozen sets, and who has come since");
  incident->excludes(actor)->type_name("N");
  one->add_option("--set", first->set, "of an incident: now (default), frozen, added since, or the number of a frozen set")
      ->needs(incident)->type_name("SET");
  one->callback([first, &context] {
    auto done = exposed(*first, context.clock);
    if (!done) context.exit_status = report(done.error());
  });
  auto* other = app.add_subcommand("who-saw", "who reached a person's data; the question goes on record");
  auto second = std::make_shared<Asked>();
  shared_options(*other, *second);
  other->add_option("--actor", second->actor, "only this one");
  other->add_option("SUBJECT", second->subject, "the person's id, as the register has it; a pseudonym with --pseudonyms")->required();
  other->callback([second, &context] {
    auto done = who_saw(*second, context.clock);
    if (!done) context.exit_status = report(done.error());
  });
}

}  // namespace tocsin::engine
