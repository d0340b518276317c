// The assessment. Predicates are evaluated in Kleene's three-valued logic; an unknown answer always says which facts
// are missing. Exemptions lift a duty only when they are positively known to hold: while one is unknown, the duty
// stands, because telling once too often can be explained and silence cannot.
#include "rules/law/assess.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace tocsin::rules::law {
namespace {

// What one leaf of a predicate asks, as a name for people: "risk_unlikely", "people in EEA".
std::string leaf_name(const Predicate& p) {
  switch (p.op) {
    case Predicate::Op::kPeople: return "number of people";
    case Predicate::Op::kResidents: return "people in " + p.name;
    case Predicate::Op::kData: return "data: " + p.name;
    default: return p.name;
  }
}

Tri at_least(const Count& count, std::uint64_t n) {
  if (count.at_least >= n) return Tri::kYes;
  if (count.at_most && *count.at_most < n) return Tri::kNo;
  return Tri::kUnknown;
}

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

// A sum of intervals: without an upper end as soon as one part has none.
struct Sum {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  bool bounded = true;

  void add_count(const Count& count) {
    least = add(least, count.at_least);
    most = add(most, count.at_most.value_or(0));
    bounded = bounded && count.at_most.has_value();
  }
  Count count() const { return bounded ? Count{least, most} : Count{least, std::nullopt}; }
};

// How many people live in the named country or group. People not placed anywhere may live there too.
Count residents(const Facts& facts, const Pack& pack, const std::string& of) {
  const auto group = pack.groups.find(of);
  Sum inside;
  std::uint64_t outside_least = 0;
  for (const auto& [country, count] : facts.countries) {
    const bool in = group != pack.groups.end() ? group->second.contains(country) : country == of;
    if (in) {
      inside.add_count(count);
    } else {
      outside_least = add(outside_least, count.at_least);
    }
  }
  if (facts.countries_complete) return inside.count();
  inside.bounded = false;
  if (facts.people && facts.people->at_most) {
    const std::uint64_t all = *facts.people->at_most;
    inside.bounded = true;
    inside.most = std::max(inside.least, all > outside_least ? all - outside_least : 0);
  }
  return inside.count();
}

Tri has_data(const Facts& facts, const Pack& pack, const std::string& wanted) {
  for (const auto& kind : facts.data) {
    if (kind == wanted) return Tri::kYes;
    const auto category = pack.severity.kinds.find(kind);
    if (category != pack.severity.kinds.end() && category->second == wanted) return Tri::kYes;
  }
  return facts.data_complete ? Tri::kNo : Tri::kUnknown;
}

// Evaluates predicates over facts, with some leaves overridden by assumption.
class Logic {
 public:
  using Assumed = std::map<std::string, Tri, std::less<>>;
  Logic(const Facts& facts, const Pack& pack) : facts_(facts), pack_(pack) {}

  Tri eval(const Predicate& p, const Assumed* assumed = nullptr) const {
    switch (p.op) {
      case Predicate::Op::kAlways: return Tri::kYes;
      case Predicate::Op::kAll: return fold(p.parts, Tri::kNo, assumed);
      case Predicate::Op::kAny: return fold(p.parts, Tri::kYes, assumed);
      case Predicate::Op::kNot: return negate(eval(p.parts.front(), assumed));
      default: return leaf(p, assumed);
    }
  }

  // The unknown leaves on which the value of `p` still hangs.
  void unknowns(const Predicate& p, std::vector<std::string>& out) const {
    if (eval(p) != Tri::kUnknown) return;
    if (p.op == Predicate::Op::kFact) {
      const auto derived = pack_.derived.find(p.name);
      if (derived != pack_.derived.end()) return unknowns(derived->second, out);
    }
    if (p.parts.empty()) {
      const std::string leaf = leaf_name(p);
      if (std::find(out.begin(), out.end(), leaf) == out.end()) out.push_back(leaf);
      return;
    }
    for (const auto& part : p.parts) unknowns(part, out);
  }

 private:
  static Tri negate(Tri value) {
    return value == Tri::kYes ? Tri::kNo : value == Tri::kNo ? Tri::kYes : Tri::kUnknown;
  }

  // "all" is decided by one no, "any" by one yes.
  Tri fold(const std::vector<Predicate>& parts, Tri deciding, const Assumed* assumed) const {
    Tri out = negate(deciding);
    for (const auto& part : parts) {
      const Tri value = eval(part, assumed);
      if (value == deciding) return deciding;
      if (value == Tri::kUnknown) out = Tri::kUnknown;
    }
    return out;
  }

  Tri leaf(const Predicate& p, const Assumed* assumed) const {
    if (p.op == Predicate::Op::kFact) {
      const auto derived = pack_.derived.find(p.name);
      if (derived != pack_.derived.end()) return eval(derived->second, assumed);
    }
    const Tri known = known_leaf(p);
    if (known == Tri::kUnknown && assumed != nullptr) {
      const auto found = assumed->find(leaf_name(p));
      if (found != assumed->end()) return found->second;
    }
    return known;
  }

  Tri known_leaf(const Predicate& p) const {
    switch (p.op) {
      case Predicate::Op::kPeople: return facts_.people ? at_least(*facts_.people, p.at_least) : people_by_country(p.at_least);
      case Predicate::Op::kResidents: return at_least(residents(facts_, pack_, p.name), p.at_least);
      case Predicate::Op::kData: return has_data(facts_, pack_, p.name);
      default: return facts_.answer(p.name);
    }
  }

  Tri people_by_country(std::uint64_t n) const {
    Sum sum;
    for (const auto& [country, count] : facts_.countries) sum.add_count(count);
    if (!facts_.countries_complete) sum.bounded = false;
    return at_least(sum.count(), n);
  }

  const Facts& facts_;
  const Pack& pack_;
};

constexpr std::size_t kMaxDecisive = 3;      // a larger set is no help to a person
constexpr std::size_t kMaxCandidates = 12;   // facts tried; bounds the search to a few thousand evaluations

// The smallest set of unknown facts that has answers under which `decided` holds.
std::vector<std::string> smallest_set(const std::vector<std::string>& unknown,
                                      const std::function<bool(const Logic::Assumed&)>& decided) {
  const std::size_t n = std::min(unknown.size(), kMaxCandidates);
  Logic::Assumed assumed;
  std::vector<std::string> chosen;
  const std::function<bool(std::size_t, std::size_t)> search = [&](std::size_t from, std::size_t left) {
    if (left == 0) return decided(assumed);
    for (std::size_t i = from; i + left <= n; ++i) {
      chosen.push_back(unknown[i]);
      for (const Tri value : {Tri::kNo, Tri::kYes}) {
        assumed[unknown[i]] = value;
        if (search(i + 1, left - 1)) return true;
      }
      assumed.erase(unknown[i]);
      chosen.pop_back();
    }
    return false;
  };
  for (std::size_t size = 1; size <= std::min(n, kMaxDecisive); ++size) {
    if (search(0, size)) return chosen;
  }
  return {};
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
    out += words[i];
  }
  return out;
}

// Law in force at the time of the incident decides; without any time, the law that is in force.
bool in_force(const Row& row, const Facts& facts) {
  if (row.status != "in_force") return false;
  std::optional<Time> when;
  for (const auto& [anchor, time] : facts.times) when = when ? std::max(*when, time) : time;
  for (const auto& anchor : row.anchors) {
    const auto found = facts.times.find(anchor);
    if (found != facts.times.end()) when = found->second;
  }
  if (!when) return true;
  return (!row.in_force_from || *when >= *row.in_force_from) && (!row.in_force_to || *when <= *row.in_force_to);
}

void start_clock(const Row& row, const Facts& facts, Duty& duty) {
  for (const auto& anchor : row.anchors) {
    const auto found = facts.times.find(anchor);
    if (found == facts.times.end()) continue;
    if (!duty.anchored_at || found->second < *duty.anchored_at) {
      duty.anchor = anchor;
      duty.anchored_at = found->second;
    }
  }
  if (!row.hard) return;
  if (!duty.anchored_at) {
    duty.unknown_facts.push_back("time of " + row.anchors.front());
    return;
  }
  const Ends both = ends(*duty.anchored_at, *row.hard);
  duty.due = both.due;
  duty.limit = both.limit;
}

// The state of the exemptions of one row.
struct Exempt {
  const Exemption* holds = nullptr;     // lifts the duty
  const Exemption* instead = nullptr;   // replaces its form
  std::vector<std::string> unknown;     // facts that could make one hold
};

Exempt exemptions_of(const Row& row, const Logic& logic) {
  Exempt out;
  for (const auto& exemption : row.exemptions) {
    switch (logic.eval(exemption.when)) {
      case Tri::kYes:
        if (exemption.instead.empty()) {
          if (out.holds == nullptr) out.holds = &exemption;
        } else if (out.instead == nullptr) {
          out.instead = &exemption;
        }
        break;
      case Tri::kUnknown: logic.unknowns(exemption.when, out.unknown); break;
      case Tri::kNo: break;
    }
  }
  return out;
}

void append_new(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const auto& word : from) {
    if (std::find(to.begin(), to.end(), word) == to.end()) to.push_back(word);
  }
}

bool lifted(const Row& row, const Logic& logic, const Logic::Assumed& assumed) {
  return std::any_of(row.exemptions.begin(), row.exemptions.end(), [&](const Exemption& e) {
    return e.instead.empty() && logic.eval(e.when, &assumed) == Tri::kYes;
  });
}

Duty answer(const Row& row, const Facts& facts, const Pack& pack) {
  Duty duty;
  duty.row = &row;
  const Logic logic(facts, pack);
  if (!in_force(row, facts)) {
    duty.applies = Tri::kNo;
    duty.why = row.status == "in_force" ? "This law was not in force at the time of the incident."
                                        : "This law is not in force: " + row.status + ".";
    return duty;
  }
  duty.applies = logic.eval(row.when);
  if (duty.applies == Tri::kNo) {
    duty.why = "Does not apply. It would if " + pack.say(row.when) + ".";
    return duty;
  }
  const Exempt exempt = exemptions_of(row, logic);
  if (exempt.holds != nullptr) {
    duty.applies = Tri::kNo;
    duty.exemption = exempt.holds->id;
    duty.why = "Not required by " + exempt.holds->citation + ": " + exempt.holds->text;
    return duty;
  }
  if (exempt.instead != nullptr) {
    duty.exemption = exempt.instead->id;
    duty.instead = exempt.instead->instead;
  }
  logic.unknowns(row.when, duty.unknown_facts);
  append_new(duty.unknown_facts, exempt.unknown);
  // What would turn the answer: to yes or no where it is unknown, to no where an exemption may still lift it.
  duty.decisive_facts = smallest_set(duty.unknown_facts, [&](const Logic::Assumed& assumed) {
    const Tri value = logic.eval(row.when, &assumed);
    if (duty.applies == Tri::kUnknown) return value != Tri::kUnknown;
    return value == Tri::kNo || lifted(row, logic, assumed);
  });
  std::string open;
  for (const auto& fact : duty.unknown_facts) open += " " + pack.question(fact);
  if (duty.applies == Tri::kYes) {
    duty.why = "Applies, because " + pack.say(row.when) + ".";
    if (!open.empty()) duty.why += " It stands while this is open:" + open;
  } else {
    duty.why = "Cannot be answered yet. It applies if " + pack.say(row.when) + ". Open:" + open;
  }
  start_clock(row, facts, duty);
  return duty;
}

// ---- severity

void score_context(const Facts& facts, const SeverityTables& tables, Severity& out) {
  if (facts.processing_context) {
    out.dpc_least = out.dpc_most = std::clamp(facts.processing_context->value, 1, 4);
    out.reasons.push_back("Processing context set to " + std::to_string(out.dpc_least) + ": " + facts.processing_context->reason);
    return;
  }
  std::string highest;
  for (const auto& kind : facts.data) {
    const auto found = tables.kinds.find(kind);
    if (found == tables.kinds.end()) {
      out.unknown_facts.push_back("category of the data '" + kind + "'");
      out.dpc_most = 4;
      continue;
    }
    int least = 1;
    int most = 1;
    if (found->second == "credentials") {
      // Stolen credentials count as what they open; unknown means anything.
      most = facts.credentials_open.empty() ? 4 : 1;
      for (const auto& opened : facts.credentials_open) {
        const auto category = tables.categories.find(opened);
        const int base = category == tables.categories.end() ? 4 : category->second.base;
        least = std::max(least, base);
        most = std::max(most, base);
      }
      if (facts.credentials_open.empty()) out.unknown_facts.push_back("what the credentials open");
    } else {
      least = most = tables.categories.at(found->second).base;
    }
    if (least > out.dpc_least || highest.empty()) highest = kind;
    out.dpc_least = std::max(out.dpc_least, least);
    out.dpc_most = std::max(out.dpc_most, most);
  }
  if (!highest.empty()) out.reasons.push_back("Processing context " + std::to_string(out.dpc_least) + " because of: " + highest);
  if (!facts.data_complete) {
    out.dpc_most = 4;
    out.unknown_facts.push_back("whether other kinds of data were reached");
  }
  out.dpc_most = std::max(out.dpc_most, out.dpc_least);
}

void score_identification(const Facts& facts, const SeverityTables& tables, Severity& out) {
  if (facts.identification) {
    out.ei4_least = out.ei4_most = std::clamp(facts.identification->value, 1, 4);
    out.reasons.push_back("Ease of identification set to " + std::to_string(out.ei4_least) + " quarters: " + facts.identification->reason);
    return;
  }
  std::string best;
  for (const auto& identifier : tables.identifiers) {
    const bool all = std::all_of(identifier.data.begin(), identifier.data.end(),
                                 [&](const std::string& kind) { return facts.data.contains(kind); });
    if (!all) continue;
    if (identifier.ei4 > out.ei4_least || best.empty()) best = listed(identifier.data);
    out.ei4_least = std::max(out.ei4_least, identifier.ei4);
  }
  if (!best.empty()) out.reasons.push_back("Identification " + std::to_string(out.ei4_least) + " of 4 quarters by: " + best);
  out.ei4_most = facts.data_complete ? out.ei4_least : 4;
}

void score_circumstances(const Facts& facts, const Pack& pack, Severity& out) {
  const Logic logic(facts, pack);
  for (const auto& circumstance : pack.severity.circumstances) {
    int least = std::numeric_limits<int>::max();
    int most = 0;
    bool decided = false;
    for (const auto& step : circumstance.steps) {
      const Tri holds = logic.eval(step.when);
      if (holds == Tri::kNo) continue;
      least = std::min(least, step.quarters);
      most = std::max(most, step.quarters);
      if (holds == Tri::kYes) {
        decided = true;
        if (step.quarters > 0) out.reasons.push_back(circumstance.name + ": " + step.text);
        break;
      }
      logic.unknowns(step.when, out.unknown_facts);
    }
    if (!decided) least = 0;
    out.circumstances_least += least;
    out.circumstances_most += most;
  }
}

Severity severity_of(const Facts& facts, const Pack& pack) {
  Severity out;
  score_context(facts, pack.severity, out);
  score_identification(facts, pack.severity, out);
  score_circumstances(facts, pack, out);
  out.least = out.dpc_least * out.ei4_least + out.circumstances_least;
  out.most = out.dpc_most * out.ei4_most + out.circumstances_most;
  out.band = severity_band(out.least);
  out.could_reach = severity_band(out.most);
  out.over_100_people = facts.people && facts.people->at_least > 100;
  const auto unintelligible = pack.derived.find("unintelligible");
  if (unintelligible != pack.derived.end()) out.unintelligible = Logic(facts, pack).eval(unintelligible->second);
  std::vector<std::string> unique;
  append_new(unique, out.unknown_facts);
  out.unknown_facts = std::move(unique);
  return out;
}

}  // namespace

std::string_view name(Band band) noexcept {
  switch (band) {
    case Band::kLow: return "low";
    case Band::kMedium: return "medium";
    case Band::kHigh: return "high";
    case Band::kVeryHigh: return "very high";
  }
  return "low";
}

Ends ends(Time anchor, const Limit& limit) noexcept {
  const Time due = anchor + limit.length;
  if (limit.counting == Counting::kElapsed) return {due, due};
  // The hour of the event does not count: the period starts with the next full hour. Authorities of the EEA keep
  // whole-hour offsets from UTC, so their full hours are UTC's; the n hours that follow are elapsed hours.
  const auto start = std::chrono::floor<std::chrono::hours>(anchor) + std::chrono::hours(1);
  return {due, start + limit.length};
}

std::optional<Time> Assessment::earliest_due() const {
  std::optional<Time> out;
  for (const auto& duty : duties) {
    if (duty.applies == Tri::kNo || !duty.due) continue;
    out = out ? std::min(*out, *duty.due) : *duty.due;
  }
  return out;
}

Assessment assess(const Facts& facts, const Pack& pack) {
  Assessment out;
  out.severity = severity_of(facts, pack);
  for (const auto& row : pack.rows) out.duties.push_back(answer(row, facts, pack));
  return out;
}

}  // namespace tocsin::rules::law
