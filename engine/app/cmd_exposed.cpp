// `tocsin exposed` and `tocsin who-saw`: whom an actor reached, and who reached a person. Naming people needs the
// vault's key and goes on record before the first name is printed; with --pseudonyms neither is needed.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "engine/app/cli.hpp"
#include "engine/app/people_desk.hpp"
#include "rules/base/text.hpp"
#include "storage/exposure_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

using storage::ExposedPerson;
using storage::ExposureStore;
using storage::Pseudonym;

struct Question {
  std::filesystem::path data, keys;
  std::string actor, subject, dataset, from, to;
  bool json = false;
  bool pseudonyms = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

std::string number(const std::optional<std::uint64_t>& n) { return n ? std::to_string(*n) : "an unknown number of"; }

boost::json::array array_of(const std::vector<std::string>& words) {
  boost::json::array out;
  for (const std::string& word : words) out.emplace_back(word);
  return out;
}

Result<storage::ExposureFilter> filter_from(const Question& q) {
  storage::ExposureFilter filter;
  filter.actor = q.actor;
  filter.dataset = q.dataset;
  auto from = time_option(q.from, "--from");
  if (!from) return pass(std::move(from));
  auto to = time_option(q.to, "--to");
  if (!to) return pass(std::move(to));
  filter.from = *from;
  filter.to = *to;
  return filter;
}

Result<void> on_record(PeopleDesk& desk, const Clock& clock, const char* kind,
                       std::vector<std::pair<std::string, std::string>> fields) {
  storage::Entry entry{kind, clock.now(), kCommandLine, std::move(fields)};
  return desk.db->write([&](storage::Transaction& tx) -> Result<void> {
    auto recorded = desk.ledger->record(tx, entry);
    if (!recorded) return pass(std::move(recorded));
    return {};
  });
}

void print_person(const Question& q, const ExposedPerson& p, const std::optional<std::string>& subject) {
  if (q.json) {
    boost::json::object out;
    if (subject) out["subject"] = *subject;
    else out["subject"] = nullptr;
    out["grade"] = name(p.grade);
    out["dataset"] = p.dataset;
    out["fields"] = array_of(p.fields);
    out["first"] = format_rfc3339(p.first);
    out["last"] = format_rfc3339(p.last);
    out["in_register"] = p.in_register;
    if (p.erased) out["erased"] = true;
    if (!subject) out["pseudonym"] = p.pseudonym.hex();
    std::cout << boost::json::serialize(out) << '\n';
    return;
  }
  std::printf("%-34s %-8s %-16s %-24s %-24s %s\n",
              subject ? printable(*subject).c_str() : (p.erased ? "(erased)" : "(unknown)"),
              std::string(name(p.grade)).c_str(), printable(p.dataset).c_str(), format_rfc3339(p.first).c_str(),
              format_rfc3339(p.last).c_str(), printable(joined(p.fields)).c_str());
}

Result<void> exposed(const Question& q, const Clock& clock) {
  auto filter = filter_from(q);
  if (!filter) return pass(std::move(filter));
  auto desk = q.pseudonyms ? PeopleDesk::open_pseudonyms(q.data) : PeopleDesk::open(q.data, q.keys, false);
  if (!desk) return pass(std::move(desk));
  auto people = desk->db->read([&](storage::Reader& r) { return ExposureStore::people(r, *filter); });
  if (!people) return pass(std::move(people));
  auto overview = desk->db->read([&](storage::Reader& r) { return ExposureStore::overview(r, *filter); });
  if (!overview) return pass(std::move(overview));
  if (!q.pseudonyms) {
    auto recorded = on_record(*desk, clock, "people-named",
                              {{"question", "exposed"}, {"dataset", q.dataset}, {"people", std::to_string(people->size())},
                               {"from", q.from}, {"to", q.to}});
    if (!recorded) return recorded;
  }
  if (!q.json) std::printf("%-34s %-8s %-16s %-24s %-24s %s\n", "SUBJECT", "GRADE", "DATASET", "FIRST", "LAST", "FIELDS");
  auto printed = desk->db->read([&](storage::Reader& reader) -> Result<void> {
    for (const ExposedPerson& p : *people) {
      std::optional<std::string> subject;
      if (q.pseudonyms) {
        subject = p.pseudonym.hex();
      } else if (!p.erased) {
        auto fields = desk->vault->open(reader, p.pseudonym);
        if (fields) subject = (*fields)["id"];
        else if (fields.error().code != Errc::kNotFound) return pass(std::move(fields));
      }
      print_person(q, p, subject);
    }
    return {};
  });
  if (!printed) return printed;
  std::cout.flush();
  std::fprintf(stderr, "%s: at least %s, at most %s people (%s)\n", q.actor.empty() ? "all actors" : printable(q.actor).c_str(),
               number(overview->summary.at_least).c_str(), number(overview->summary.at_most).c_str(),
               std::string(name(overview->summary.grade)).c_str());
  return {};
}

// The person in each dataset that knows them.
Result<std::vector<storage::RegisterStore::Known>> find_subject(const PeopleDesk& desk, const Question& q) {
  return desk.db->read([&](storage::Reader& reader) -> Result<std::vector<storage::RegisterStore::Known>> {
    std::vector<storage::RegisterStore::Known> out;
    std::vector<Pseudonym> candidates;
    if (const auto given = q.pseudonyms ? Pseudonym::from_hex(q.subject) : std::nullopt) {
      candidates.push_back(*given);
    } else if (!q.pseudonyms) {
      auto datasets = storage::RegisterStore::datasets(reader);
      if (!datasets) return pass(std::move(datasets));
      for (const std::string& dataset : *datasets) {
        if (q.dataset.empty() || q.dataset == dataset) candidates.push_back(desk.keys->pseudonym(dataset, trim(q.subject)));
      }
    }
    for (const Pseudonym& pseudonym : candidates) {
      auto known = storage::RegisterStore::find(reader, pseudonym);
      if (!known) return pass(std::move(known));
      if (*known) out.push_back(std::move(**known));
    }
    return out;
  });
}

Result<void> who_saw(const Question& q, const Clock& clock) {
  auto filter = filter_from(q);
  if (!filter) return pass(std::move(filter));
  if (q.pseudonyms && !Pseudonym::from_hex(q.subject)) {
    return fail(Errc::kInvalid, "a pseudonym has 32 hexadecimal digits", q.subject);
  }
  auto desk = q.pseudonyms ? PeopleDesk::open_pseudonyms(q.data) : PeopleDesk::open(q.data, q.keys, false);
  if (!desk) return pass(std::move(desk));
  auto people = find_subject(*desk, q);
  if (!people) return pass(std::move(people));
  if (people->empty()) {
    return fail(Errc::kNotFound, "nobody by that id is known", {}, "check the id, and the dataset with --dataset");
  }
  if (!q.pseudonyms) {
    for (const auto& person : *people) {
      auto recorded = on_record(*desk, clock, "people-named",
                                {{"question", "who-saw"}, {"dataset", person.dataset}, {"pseudonym", person.pseudonym.hex()}});
      if (!recorded) return recorded;
    }
  }
  if (!q.json) std::printf("%-24s %-8s %-16s %-24s %-24s %s\n", "ACTOR", "GRADE", "DATASET", "FIRST", "LAST", "FIELDS");
  for (const auto& person : *people) {
    auto watchers = desk->db->read([&](storage::Reader& r) {
      return ExposureStore::watchers(r, person.dataset, person.no, filter->from, filter->to);
    });
    if (!watchers) return pass(std::move(watchers));
    for (const storage::Watcher& w : *watchers) {
      if (q.json) {
        const boost::json::object out{{"actor", w.actor},   {"grade", name(w.grade)},
                                      {"dataset", w.dataset}, {"fields", array_of(w.fields)},
                                      {"first", format_rfc3339(w.first)}, {"last", format_rfc3339(w.last)},
                                      {"reaches", w.reaches}};
        std::cout << boost::json::serialize(out) << '\n';
      } else {
        std::printf("%-24s %-8s %-16s %-24s %-24s %s\n", printable(w.actor).c_str(), std::string(name(w.grade)).c_str(),
                    printable(w.dataset).c_str(), format_rfc3339(w.first).c_str(), format_rfc3339(w.last).c_str(),
                    printable(joined(w.fields)).c_str());
      }
    }
  }
  return {};
}

void shared_options(CLI::App& command, Question& q) {
  add_data_option(command, q.data);
  command.add_option("--keys", q.keys, "folder of the keys (default: DATA/keys)")->type_name("DIR");
  command.add_option("--dataset", q.dataset, "only this register");
  command.add_option("--from", q.from, "only what was reached from this time on")->type_name("TIME");
  command.add_option("--to", q.to, "… up to this time")->type_name("TIME");
  command.add_flag("--json", q.json, "one JSON object a line");
  command.add_flag("--pseudonyms", q.pseudonyms, "name nobody: needs no key, leaves no entry in the ledger");
}

}  // namespace

void add_exposed(CLI::App& app, Context& context) {
  auto* one = app.add_subcommand("exposed", "the people whom an actor reached");
  auto first = std::make_shared<Question>();
  shared_options(*one, *first);
  one->add_option("--actor", first->actor, "who (account or person); all if not given");
  one->callback([first, &context] {
    if (first->keys.empty()) first->keys = first->data / "keys";
    auto done = exposed(*first, context.clock);
    if (!done) context.exit_status = report(done.error());
  });
  auto* other = app.add_subcommand("who-saw", "who reached a person's data");
  auto second = std::make_shared<Question>();
  shared_options(*other, *second);
  other->add_option("SUBJECT", second->subject, "the person's id, as the register has it; a pseudonym with --pseudonyms")->required();
  other->callback([second, &context] {
    if (second->keys.empty()) second->keys = second->data / "keys";
    auto done = who_saw(*second, context.clock);
    if (!done) context.exit_status = report(done.error());
  });
}

}  // namespace tocsin::engine
