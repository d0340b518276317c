// The true list T, sorted by key, lies between two lists of the register: those who surely are in it (S) and those who may
// be (M). Somebody has a place in T behind all of S with lower keys, and not behind more than all of M with lower keys; so
// whoever has n + m of S before them is on no page (m, n], and neither is whoever has fewer than m of M before them.
#include "engine/exposure/paging.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace tocsin::engine {

using storage::People;
using storage::PersonNo;

namespace {

constexpr std::size_t kMaxListed = 250'000;  // people of a list that is gone through for one page
constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> count_of(const sql::Value& v, const Parameters& parameters) {
  std::string_view text = v.text;
  if (v.parameter > 0) {
    const auto at = static_cast<std::size_t>(v.parameter - 1);
    if (!parameters.known || parameters.values == nullptr || at >= parameters.values->size()) return std::nullopt;
    text = (*parameters.values)[at];
  } else if (!v.known || v.null) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || number > kNoEnd / 4) return std::nullopt;
  return number;
}

std::optional<std::int64_t> key_of(const People& people, PersonNo no) {
  const std::string& id = people.at(no).id;
  std::int64_t key = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), key);
  if (id.empty() || error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return key;
}

// Whether the log says that the list was cut into pages at all.
bool cut(const QueryRun& run, const sql::Query& query) { return query.limited || run.most_rows; }

std::string not_derivable(StatementLine& line, const QueryRun& run, const sql::Query& query, const EvaluationInput& input, int source, const PersonColumn& key) {
  const People* people = input.people;
  if (!query.order || query.order->column.candidates != std::vector<int>{source} || query.order->column.name != key.column || !query.order->column.certain) {
    return "its list is not in the order of keys";
  }
  if (run.jumped) return "its cursor was moved";
  if (!query.one_to_one || query.undecided || query.barrier || query.aggregate || run.failed || run.several || input.mysql) return "not all of its conditions are understood";
  if (people == nullptr || !people->only_integers() || people->incomplete_since() || !line.state.kept(key.dataset)) return "the register is not known to be kept, or its keys are no integers";
  if (input.when.from < people->as_of()) return "the register is newer than the statement";
  if (line.state.departed(key.dataset)) return "people may have left whom the register still has";
  if (line.catalogue.guarded(query.sources[static_cast<std::size_t>(source)].relation, names_of(line))) return "row-level security decides who is on the list";
  return "";
}

}  // namespace

std::optional<PeopleSet> page(StatementLine& line, const QueryRun& run, const sql::Query& query, EvaluationInput& input, int source, const PersonColumn& key,
                              const PeopleSet& set, std::string& why) {
  if (!cut(run, query)) return std::nullopt;
  std::string reason = not_derivable(line, run, query, input, source, key);
  const People* people = input.people;
  if (reason.empty() && people->count(input.when) > kMaxListed) reason = "the register is too large";
  if (!reason.empty() || !set.strangers.empty()) {
    why = "which page of the list it is cannot be told: " + (reason.empty() ? "the register does not know all of its ids" : reason);
    return std::nullopt;
  }

  std::uint64_t first = 0, size = kNoEnd;
  const std::optional<std::uint64_t> limit = query.limit ? query.limit : count_of(query.limit_parameter, run.parameters);
  const std::optional<std::uint64_t> skipped = query.offset ? count_of(query.skipped, run.parameters) : std::optional<std::uint64_t>(0);
  if (limit) size = *limit;
  if (run.most_rows) size = std::min(size, *run.most_rows);
  if (skipped) first = *skipped;
  const std::uint64_t end = skipped && size < kNoEnd / 2 ? first + size : kNoEnd;

  const std::vector<PersonNo> may = set.all ? people->everyone(input.when) : set.people;
  const PeopleSet doubt = may_not_hold(input, source, key);
  struct Listed {
    std::int64_t key;
    PersonNo no;
    bool sure;
  };
  std::vector<Listed> list;
  list.reserve(may.size());
  for (const PersonNo no : may) {
    const auto number = key_of(*people, no);
    if (!number) return std::nullopt;
    const People::Entry& entry = people->at(no);
    const bool sure = !doubt.all && entry.listed && entry.valid.from <= input.when.from && entry.valid.to == storage::kForever &&
                      !std::binary_search(doubt.people.begin(), doubt.people.end(), no) && !line.state.doubtful(key.dataset, no);
    list.push_back({*number, no, sure});
  }
  const bool down = query.order->descending;
  std::sort(list.begin(), list.end(), [down](const Listed& a, const Listed& b) { return down ? a.key > b.key : a.key < b.key; });

  PeopleSet out;
  out.all = false;
  out.range = true;
  out.attribute = set.attribute;
  std::uint64_t sure_before = 0, may_before = 0;
  for (const Listed& one : list) {
    if (sure_before < end && may_before >= first) out.people.push_back(one.no);
    ++may_before;
    if (one.sure) ++sure_before;
  }
  std::sort(out.people.begin(), out.people.end());
  // A page that is not full is the last one: no more people can be on the list than it and those before it.
  if (run.rows && limit && *run.rows < *limit && skipped && !run.most_rows && sure_before > first + *run.rows) {
    why = "the register has more people on the list than there were";
    line.state.disprove(key.dataset);
    return std::nullopt;
  }
  return out;
}

}  // namespace tocsin::engine
