// Each table of the query that names people adds its set to the tally of its dataset; at the end each tally becomes a
// reach, with its grade, bounds and reason. Row counts of the log check what the register says.
#include "engine/exposure/answer.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/exposure/paging.hpp"
#include "engine/exposure/people_columns.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Query;
using sql::Source;
using sql::Use;
using storage::Grade;
using storage::People;
using storage::PersonNo;

namespace {

// Whether anything but joins decides which rows come.
bool has_conditions(const Query& query) {
  for (const Source& s : query.sources) {
    if (s.use <= Use::kStatistic) continue;
    for (const int filter : s.filters) {
      if (query.predicates[static_cast<std::size_t>(filter)].op != sql::Op::kSame) return true;
    }
  }
  return false;
}

// A statement that may hand rows to another database.
bool calls_dblink(std::string_view text) {
  const std::size_t at = text.find("dblink");
  return at != std::string_view::npos && text.find('(', at) != std::string_view::npos;
}

bool uses_anything(const Query& query) {
  return std::any_of(query.sources.begin(), query.sources.end(),
                     [](const Source& s) { return s.use > Use::kStatistic; });
}

// Everything about one dataset that a query reached.
struct Tally {
  PeopleSet set{false, true, false, false, {}, {}};
  bool any = false;
  bool collected = false, unbounded = false, main = false, existence = true, certain_row = false;
  std::uint64_t values = 0;  // of min and max
  std::vector<std::pair<int, PersonColumn>> classes;  // one member per class of equal persons
  std::vector<std::string> fields;
  bool opaque = false;  // through a view whose definition is not known
  bool past = false;    // rows of other tables may be about people who have left
  bool only_main = true;
  std::optional<storage::Span> taken;
};
using Tallies = std::map<std::string, Tally>;

// "*" as the columns it stands for, where the table is known.
void add_fields(const StatementLine& line, std::vector<std::string>& fields, const std::string& relation,
                const std::string& column, bool main) {
  const auto add = [&](const std::string& name) {
    std::string field = main ? name : std::string(last_part(relation)) + "." + name;
    if (std::find(fields.begin(), fields.end(), field) == fields.end() && fields.size() < 200) {
      fields.push_back(std::move(field));
    }
  };
  if (column != "*") {
    add(column);
    return;
  }
  const auto* columns = line.catalogue.columns(relation);
  if (columns != nullptr && line.catalogue.columns_complete(relation)) {
    for (const std::string& c : *columns) add(c);
    return;
  }
  add("*");
}

using Persons = std::vector<std::vector<PersonColumn>>;  // by source

EvaluationInput input_for(StatementLine& line, const QueryRun& run, const Query& query, const PersonColumn& key, const Persons& persons,
                          const std::optional<storage::Span>& taken, Trust trust) {
  EvaluationInput input{query, run.parameters, line.state.registers.find(key.dataset), taken ? *taken : run.when, {}, {}, line.state.options.max_ids, false};
  input.mysql = is_mysql(line.access);
  input.trust = trust;
  input.empty_is_null = line.state.kept(key.dataset);
  input.main_key = [&key, &persons](int s) -> std::string {
    for (const PersonColumn& p : persons[static_cast<std::size_t>(s)]) {
      if (p.dataset == key.dataset && p.main) return p.column;
    }
    return "";
  };
  input.has_column = [&line, &query](int s, const std::string& column) {
    const auto* known = line.catalogue.columns(query.sources[static_cast<std::size_t>(s)].relation.text());
    return known != nullptr && std::find(known->begin(), known->end(), column) != known->end();
  };
  return input;
}

void add_source(StatementLine& line, const QueryRun& run, const Query& query, int i, const PersonColumn& key,
                const Persons& persons, std::optional<storage::Span> taken, Trust trust,
                Tally& tally, bool& missing) {
  const Source& source = query.sources[static_cast<std::size_t>(i)];
  EvaluationInput input = input_for(line, run, query, key, persons, taken, trust);
  PeopleSet set = key.column.empty() ? PeopleSet{} : evaluate(input, i, key);
  missing = missing || input.parameter_missing;
  if (key.column.empty() && !key.main && !key.view) input.past = true;
  // A number about many is about nobody; about exactly one named person it is about that person.
  if (source.use == Use::kStatistic && !(set.exact && !set.all && set.size() == 1)) return;

  if (!tally.any) {
    tally.set = std::move(set);
  } else {
    tally.set = unite(std::move(tally.set), std::move(set));
  }
  tally.any = true;
  tally.past = tally.past || input.past;
  tally.only_main = tally.only_main && key.main;
  if (taken) tally.taken = tally.taken ? storage::Span{std::min(tally.taken->from, taken->from), std::max(tally.taken->to, taken->to)} : *taken;
  tally.main = tally.main || key.main;
  tally.collected = tally.collected || source.use == Use::kCollected || source.use == Use::kStatistic;
  tally.existence = tally.existence && source.use == Use::kExistence;
  if (source.use == Use::kValue) tally.values += std::max<std::size_t>(1, source.columns.size());
  if (source.use != Use::kValue && source.merged && !grouped_by_person(input, i, key)) tally.unbounded = true;
  if (key.column.empty()) tally.opaque = true;
  if (source.use >= Use::kExistence && source.use != Use::kCollected && !source.nullable &&
      !query.aggregate && !key.column.empty() && !taken) {
    tally.certain_row = true;
  }
  if (source.use != Use::kValue) {
    const bool known_class = std::any_of(tally.classes.begin(), tally.classes.end(), [&](const auto& c) {
      return same_person(input, c.first, c.second, i, key);
    });
    if (!known_class) tally.classes.emplace_back(i, key);
  }
  const std::string relation = source.relation.text();
  for (const std::string& column : source.columns) {
    add_fields(line, tally.fields, relation, column, key.main);
  }
}

// A table that the log names but the text does not: it was read through a view or a function.
void unnamed_relation(StatementLine& line, const Query& query, std::map<std::string, Tally>& tallies) {
  const Access& access = line.access;
  const std::string& relation = access.resource.dataset;
  if (access.statement.relation.empty() || access.statement.relation_type == "VIEW") return;
  if (access.statement.audit_class != "READ" || names_relation(query, relation)) return;
  // A partition or an heir of a table that the text names: its rows are meant there.
  const auto& parents = line.catalogue.parents(relation);
  if (std::any_of(parents.begin(), parents.end(), [&](const std::string& parent) { return names_relation(query, parent); })) return;
  if (!query.sources.empty() && !uses_anything(query)) return;  // only counted
  for (const PersonColumn& key : person_columns(line, relation)) {
    Tally& tally = tallies[key.dataset];
    tally.any = true;
    tally.opaque = tally.unbounded = true;
    tally.past = tally.past || !key.main;
    tally.only_main = false;
    tally.set = PeopleSet{};
    add_fields(line, tally.fields, relation, "*", key.main);
  }
}

// A set that rests on the register must not be smaller than what the log counted; where nothing was counted,
// attributes exclude nobody unless the register is declared to be kept.
bool agrees(StatementLine& line, const std::string& dataset, const QueryRun& run, const Query& query, const Tally& tally, std::string& why) {
  const PeopleSet& set = tally.set;
  if (set.all || (set.exact && !set.attribute && !set.range)) return true;
  // One row, one person: in the register's own table only.
  const bool comparable = query.one_to_one && tally.only_main && run.rows && !run.several;
  const bool somebody = tally.certain_row && !tally.unbounded && !query.barrier && !run.several && run.rows && *run.rows > 0;
  if (comparable && set.size() < *run.rows) {
    why = "the register gives fewer people than rows came back";
  } else if (somebody && set.size() == 0) {
    why = "the register gives nobody, but rows came back";
  } else if (set.attribute && !comparable && !line.state.kept(dataset)) {
    why = "the condition is on other columns than the key, and the log does not allow to check the register's answer";
    return false;
  } else {
    return true;
  }
  line.state.disprove(dataset);
  return false;
}

// Ids that a complete register does not know are nobody's, be they new or seen in an earlier statement.
void settle_strangers(const StatementLine& line, const std::string& dataset, const QueryRun& run, Tally& tally) {
  if (tally.set.all || !tally.only_main || run.failed || !line.state.kept(dataset)) return;
  const People* people = line.state.registers.find(dataset);
  if (people == nullptr || people->incomplete_since()) return;
  const std::size_t gone = tally.set.strangers.size() + std::erase_if(tally.set.people, [&](PersonNo no) { return !people->at(no).listed; });
  tally.set.strangers.clear();
  tally.set.range = tally.set.range || gone > 0;  // it rests on the register now, so it is checked
}

// Of a list that is cut into pages, those who can be on this one.
void take_page(StatementLine& line, const QueryRun& run, const Query& query, const Persons& persons, const std::string& dataset, Tally& tally,
               std::string& why) {
  if (tally.set.exact && !tally.set.all) return;  // a few people are named anyway
  int only = -1;
  for (std::size_t i = 0; i < query.sources.size(); ++i) {
    if (query.sources[i].use == Use::kNone) continue;
    if (only >= 0) return;
    only = static_cast<int>(i);
  }
  if (only < 0 || tally.opaque || tally.taken || tally.past) return;
  for (const PersonColumn& key : persons[static_cast<std::size_t>(only)]) {
    if (key.dataset != dataset || !key.main || persons[static_cast<std::size_t>(only)].size() != 1) continue;
    EvaluationInput input = input_for(line, run, query, key, persons, std::nullopt, Trust::kAttributes);
    if (auto on_it = page(line, run, query, input, only, key, tally.set, why)) tally.set = std::move(*on_it);
  }
}

std::vector<PersonNo> numbers(StatementLine& line, const std::string& dataset, const PeopleSet& set) {
  std::vector<PersonNo> out = set.people;
  if (!set.strangers.empty() && !line.state.warming) {
    People& people = line.state.registers.of(dataset);
    for (const std::string& id : set.strangers) out.push_back(people.see(id));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  return out;
}

void bound(const QueryRun& run, const Query& query, const Tally& tally, const PeopleSet& set,
           std::optional<std::uint64_t> size, Reach& reach) {
  reach.at_most = size;
  std::optional<std::uint64_t> rows = run.rows ? run.rows : run.most_rows;
  if (query.limit && !query.barrier && (!rows || *query.limit < *rows)) rows = query.limit;
  if (run.failed && !query.limit) rows.reset();
  if (rows && !tally.collected && !tally.unbounded && !tally.opaque) {
    const std::uint64_t each = std::max<std::uint64_t>(tally.classes.size(), tally.classes.empty() ? 0 : 1) + tally.values;
    const std::uint64_t most = *rows > UINT64_MAX / std::max<std::uint64_t>(each, 1) ? UINT64_MAX : *rows * each;
    reach.at_most = size ? std::min(*size, most) : most;
  }
  reach.at_least = 0;
  if (!run.rows || *run.rows == 0 || run.failed || run.several) return;
  if (query.one_to_one && tally.main && !tally.unbounded && !tally.collected && !tally.opaque) {
    reach.at_least = *run.rows;
  } else if (tally.certain_row && !query.barrier) {
    reach.at_least = 1;
  }
  if (!set.all) reach.at_least = std::min(*reach.at_least, static_cast<std::uint64_t>(set.size()));
  if (reach.at_most) reach.at_least = std::min(*reach.at_least, *reach.at_most);
}

std::string explain(const StatementLine& line, const QueryRun& run, const Query& query, const Tally& tally, const PeopleSet& set,
                    const Reach& reach, bool register_known, bool parameter_missing, const std::string& fell_back,
                    bool through_copy) {
  std::string out;
  const std::string known = register_known ? ", " + with_commas(reach.known) + " known at that time" : "";
  if (!set.all) {
    out = reach.grade == Grade::kExact ? "The statement names the ids of " + people_word(set.size())
                    : "The conditions of the statement, applied to the register as of then, give " +
                          people_word(set.size());
  } else if (run.failed) {
    out = "The statement failed, perhaps after rows had been delivered: anyone in " + reach.dataset + known;
  } else if (!line.unread_reason.empty()) {
    out = "Anyone in " + reach.dataset + known + ": " + line.unread_reason;
  } else if (tally.opaque) {
    out = "The table was read through a view or function whose definition is not in the log: anyone in " +
          reach.dataset + known;
  } else {
    const bool narrowed = query.limited || reach.narrowed || (run.most_rows && reach.at_most && *reach.at_most < reach.known);
    if (run.rows && reach.at_most && *reach.at_most < reach.known) {
      out = "Which people the rows are about is not in the log: anyone in " + reach.dataset + known;
    } else if (narrowed) {
      out = "The condition does not tell the people apart: anyone in " + reach.dataset + known;
    } else {
      const char* what = run.way == "copy"      ? "COPY of the whole table"
                         : run.way == "pg_dump" ? "pg_dump of the whole table"
                         : run.way == "cursor"  ? "A cursor over the whole table"
                         : run.way == "mysqldump" ? "mysqldump of the whole table"
                         : run.way == "outfile" ? "The whole table was written to a file on the server"
                                                : "The whole table";
      out = std::string(what) + ": every person in " + reach.dataset + known;
    }
  }
  if (set.all && reach.at_most && (!register_known || *reach.at_most < reach.known)) {
    out += "; at most " + people_word(*reach.at_most);
  }
  if (!fell_back.empty()) out += "; " + fell_back;
  if (parameter_missing && set.all) out += "; the values of the parameters are not in the log";
  if (set.all && register_known && !reach.known_all) out += "; people may have been added whom the register does not know";
  if (through_copy) out += "; by way of a copy made earlier";
  if (tally.collected && !run.failed) out += "; one row may hold many people";
  return out + ".";
}

// From a tally to a reach.
void conclude(StatementLine& line, const QueryRun& run, const Query& query, const std::string& dataset, Tally& tally,
              bool parameter_missing, bool through_view, bool through_copy, const std::string& fell_back,
              std::optional<std::uint64_t> estimate) {
  const People* people = line.state.registers.find(dataset);
  const bool register_known = people != nullptr && people->registered();
  storage::Span when = tally.taken ? *tally.taken : run.when;
  if (tally.past) when.from = storage::kAlways;
  PeopleSet set = std::move(tally.set);

  Reach reach = blank(line, dataset, run.key + "/" + dataset);
  reach.first = run.first != Time{} ? run.first : line.access.time;
  reach.way = through_view && run.way == "select" ? "view" : run.way;
  reach.place = run.place;
  if (reach.place.empty() && calls_dblink(line.access.statement.text)) reach.place = "database";
  reach.rows = run.rows;
  reach.collected = tally.collected;
  reach.paged = query.limited && (set.all || !set.exact);
  reach.estimate = estimate;
  reach.also = run.also;
  reach.narrowed = set.all && has_conditions(query);
  // Other tables may hold people who have never been in the register's own.
  reach.known_all = register_known && !people->incomplete_since() && !tally.past;
  reach.fields = tally.fields;
  reach.known = people == nullptr ? 0 : people->count(when);
  reach.known_from = when.from;
  std::optional<std::uint64_t> size;
  if (set.all) {
    reach.whole = true;
    reach.grade = Grade::kBound;
    if (reach.known_all) size = reach.known;
  } else {
    reach.grade = set.exact && !set.attribute && !set.range ? Grade::kExact : Grade::kDerived;
    if (!tally.past || set.exact) size = set.size();
    reach.people = numbers(line, dataset, set);
  }
  bound(run, query, tally, set, size, reach);
  if (line.access.statement.sub_number > 1) reach.at_least = 0;  // inside a function: its rows need not have left the server
  reach.reason = explain(line, run, query, tally, set, reach, register_known, parameter_missing, fell_back,
                         through_copy);
  emit(line, std::move(reach));
}

// Rows of a foreign table, or of a query that another database answered: whose they are is not in this log.
void from_elsewhere(StatementLine& line, const QueryRun& run, const Query& query, const Persons& persons) {
  std::string what = query.elsewhere.empty() ? "" : "by " + query.elsewhere;
  for (std::size_t i = 0; i < query.sources.size(); ++i) {
    const Source& source = query.sources[i];
    if (source.use > Use::kStatistic && persons[i].empty() && line.catalogue.foreign(source.relation.text())) {
      what = "by the foreign table " + source.relation.text();
    }
  }
  if (what.empty()) return;
  Reach reach = blank(line, "", run.key + "/elsewhere");
  reach.first = run.first != Time{} ? run.first : line.access.time;
  reach.way = run.way;
  reach.rows = run.rows;
  reach.at_least = 0;
  reach.reason = "Rows came from another server, a file or the like " + what + ": whose they are is not in this log.";
  emit(line, std::move(reach));
}

// Rows of a relation of which nobody knows whom it is about.
void from_hidden(StatementLine& line, const QueryRun& run, const Query& query, const Persons& persons, std::string why) {
  const Names names = names_of(line);
  const Catalogue::Entry* some = line.catalogue.find("");  // one was made, and not even its name is known
  for (std::size_t i = 0; why.empty() && i < query.sources.size(); ++i) {
    const Source& source = query.sources[i];
    if (source.use <= Use::kStatistic || !persons[i].empty() || source.relation.is_catalog()) continue;
    const std::vector<std::string> all = line.catalogue.resolve(source.relation, names);
    const bool made_in_view = std::any_of(all.begin(), all.end(), [&](const std::string& name) {
      const Catalogue::Entry* entry = line.catalogue.find(name);
      return entry->complete || entry->stands_for_more();
    });
    if (made_in_view) continue;
    if (some != nullptr) why = some->hidden;
    else if (line.catalogue.full() && all.empty()) why = "more relations are known than there is room for";
  }
  if (why.empty()) return;
  Reach reach = blank(line, "", run.key + "/hidden");
  reach.first = run.first != Time{} ? run.first : line.access.time;
  reach.way = run.way;
  reach.place = run.place;
  reach.rows = run.rows;
  reach.at_least = 0;
  reach.reason = "Rows came from a table or view, and " + why + ".";
  emit(line, std::move(reach));
}

}  // namespace

void answer(StatementLine& line, QueryRun& run) {
  name_resource(line, run.query);
  if (run.rows && *run.rows == 0 && !run.failed) return;  // nothing came back
  line.catalogue.see_columns(run.query);
  Expanded expanded;
  const Names names = names_of(line);
  const bool needed = needs_expansion(run.query, line.catalogue, names);
  if (needed) expanded = expand(run.query, line.catalogue, names);
  const Query& query = needed ? expanded.query : run.query;
  const auto taken = [&](std::size_t i) {
    return needed && i < expanded.taken.size() ? expanded.taken[i] : std::optional<storage::Span>();
  };

  Persons persons(query.sources.size());
  for (std::size_t i = 0; i < query.sources.size(); ++i) {
    if (query.sources[i].relation.is_catalog()) continue;
    persons[i] = person_columns(line, query, i);
  }
  bool missing = false;
  const auto counted = [&](Trust trust) {
    Tallies tallies;
    for (std::size_t i = 0; i < query.sources.size(); ++i) {
      if (query.sources[i].use == Use::kNone) continue;
      for (const PersonColumn& key : persons[i]) {
        add_source(line, run, query, static_cast<int>(i), key, persons, taken(i), trust, tallies[key.dataset], missing);
      }
    }
    unnamed_relation(line, query, tallies);
    return tallies;
  };
  // What does not agree with the rows that came back is worked out again with less trust in the register.
  Tallies tallies = counted(Trust::kAttributes);
  std::optional<Tallies> by_keys, by_ids;
  for (auto& [dataset, tally] : tallies) {
    if (!tally.any) continue;
    std::string fell_back, again;
    std::optional<std::uint64_t> estimate;
    settle_strangers(line, dataset, run, tally);
    take_page(line, run, query, persons, dataset, tally, fell_back);
    if (!agrees(line, dataset, run, query, tally, fell_back)) {
      estimate = tally.set.size();
      if (!by_keys) by_keys = counted(Trust::kKeys);
      tally = (*by_keys)[dataset];
      if (!agrees(line, dataset, run, query, tally, again)) {
        if (!by_ids) by_ids = counted(Trust::kIds);
        tally = (*by_ids)[dataset];
      }
      if (!tally.set.all) estimate.reset();
    }
    conclude(line, run, query, dataset, tally, missing, needed && expanded.through_view, needed && expanded.through_copy, fell_back, estimate);
  }
  from_elsewhere(line, run, query, persons);
  from_hidden(line, run, query, persons, expanded.hidden);
}

void by_relation(StatementLine& line, const std::string& why) {
  const Access& access = line.access;
  if (access.rows.certainty == Certainty::kExact && access.rows.value == 0) return;
  const std::string key = statement_key(line);
  if (access.resource.dataset.empty()) {
    Reach reach = blank(line, "", key);
    reach.way = "select";
    reach.at_least = 0;
    reach.reason = "People may have been reached, but the log does not say in which dataset: " + why + ".";
    emit(line, std::move(reach));
    return;
  }
  // A view or a copy: everyone in what it rests on.
  const std::string& relation = access.resource.dataset;
  const std::size_t dot = relation.find('.');
  const sql::Relation meant{dot == std::string::npos ? "" : relation.substr(0, dot), dot == std::string::npos ? relation : relation.substr(dot + 1)};
  for (const std::string& known : line.catalogue.resolve(meant, names_of(line))) {
    if (!line.catalogue.find(known)->stands_for_more()) continue;
    Query named;
    named.sources.emplace_back();
    named.sources.front().relation = meant;
    named.sources.front().use = Use::kCollected;
    named.sources.front().columns = {"*"};
    named.outputs.push_back({"*", 0, "*"});
    QueryRun run{named, {}, line.when, "select", key};
    line.unread_reason = why;
    answer(line, run);
    line.unread_reason.clear();
    return;
  }
  for (const PersonColumn& person : person_columns(line, access.resource.dataset)) {
    const People* people = line.state.registers.find(person.dataset);
    Reach reach = blank(line, person.dataset, key + "/" + person.dataset);
    reach.known_all = people != nullptr && people->registered() && !people->incomplete_since();
    reach.grade = Grade::kBound;
    reach.whole = true;
    reach.way = "select";
    reach.fields = {"*"};
    reach.known = people == nullptr ? 0 : people->count(line.when);
    reach.at_least = 0;
    reach.collected = true;
    if (reach.known_all) reach.at_most = reach.known;
    if (access.rows.certainty == Certainty::kExact) reach.rows = access.rows.value;
    reach.reason = "Anyone in " + person.dataset + ", " + with_commas(reach.known) + " known at that time: " + why + ".";
    emit(line, std::move(reach));
  }
}

}  // namespace tocsin::engine
