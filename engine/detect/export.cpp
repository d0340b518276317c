// Per (actor, dataset): one running episode for each way out, and the people seen within the window, so that
// many small reads add up. A statement that comes again (another line, another FETCH) replaces its numbers.
#include "engine/detect/export.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "rules/base/text.hpp"

namespace tocsin::engine {

using storage::Evidence;
using storage::Finding;
using storage::Grade;
using storage::Level;
using storage::PersonNo;

namespace {

constexpr std::size_t kMaxKeys = 20'000;        // statements of one episode whose numbers are kept apart
constexpr std::size_t kMaxWindowPeople = 50'000;  // of one actor and dataset
constexpr std::size_t kMaxSmall = 2'000;          // small reads remembered as evidence to come
constexpr std::size_t kMaxUnion = 200'000;      // people of one episode counted exactly

std::string with_commas(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

// The statement with its texts blotted out: what was done, without whom it was about.
std::string blotted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\'') {
      out += text[i];
      continue;
    }
    std::size_t end = i + 1;
    while (end < text.size() && (text[end] != '\'' || (end + 1 < text.size() && text[end + 1] == '\''))) {
      end += text[end] == '\'' ? 2U : 1U;
    }
    out += "'…'";
    i = end;
  }
  return out;
}

Evidence evidence_of(const Origin& origin, Time time, std::string preview) {
  Evidence e;
  e.source = origin.source;
  e.file = origin.file;
  e.line = origin.line;
  e.seq = origin.seq;
  e.time = time;
  e.preview = std::move(preview);
  return e;
}

std::string preview_of(const Access& access) {
  std::string text = access.statement.text.empty() ? access.operation : blotted(access.statement.text);
  return printable(text, Evidence::kMaxPreview);
}

std::string duration_text(Duration d) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d).count();
  if (seconds < 120) return std::to_string(std::max<std::int64_t>(seconds, 1)) + " seconds";
  if (seconds < 7200) return std::to_string(seconds / 60) + " minutes";
  return std::to_string(seconds / 3600) + " hours";
}

// How many people a statement may have given, for judging its size; nullopt = nothing limits it.
std::optional<std::uint64_t> judged(const Reach& r) {
  std::optional<std::uint64_t> most = r.at_most;
  if (!r.whole && r.grade != Grade::kUnknown) most = std::min<std::uint64_t>(most.value_or(UINT64_MAX), r.people.size());
  if (r.rows && !r.collected) most = std::min(most.value_or(UINT64_MAX), *r.rows);
  if (!r.rows && r.estimate) most = std::min(most.value_or(UINT64_MAX), *r.estimate);
  // A condition that was not counted and cannot be evaluated: an ordinary look-up more often than not.
  if (r.narrowed && !r.rows && !r.estimate && r.way == "select") return 0;
  if (r.whole && !most && (r.way == "select" || r.way == "view" || r.way == "event") && !r.collected) return 0;
  return most;
}

}  // namespace

struct ExportDetector::Impl {
  struct Counted {
    std::uint64_t at_least = 0;
    std::optional<std::uint64_t> at_most;
    bool whole = false;
  };
  struct Episode {
    Finding finding;
    std::map<std::string, Counted> counted;  // by reach key
    // Running sums over `counted`, so that growing costs the same however long the episode is.
    std::uint64_t best_least = 0, sum_least = 0, loose_most = 0, open = 0, uneven = 0;
    std::size_t kept = 0;                    // evidence handed out
    std::set<PersonNo> people;               // of exact and derived reaches
    std::uint64_t overflow_most = 0;         // of statements beyond kMaxKeys, and before a restart
    std::uint64_t earlier = 0;               // statements before a restart
    std::uint64_t known = 0;
    std::uint64_t biggest = 0;
    bool unlimited = false;
    bool known_all = false;                  // `known` is the dataset's size
    std::string biggest_reason;
    Grade grade = Grade::kExact;
    std::set<std::pair<std::string, std::uint64_t>> lines;  // evidence already there
  };
  struct Small {  // a read below the limit, waiting for others
    Evidence evidence;
    std::string key;
    std::uint64_t people = 0;
    Reach reach;
  };
  struct Watch {  // one actor and dataset
    std::string key;
    std::map<std::string, Episode> episodes;  // by way
    std::unordered_map<PersonNo, Time> seen;  // within the window
    std::list<Small> small;
    std::uint64_t paged = 0;                  // rows of pages within the window
  };

  ExportOptions options;
  std::list<Watch> watches;  // most recent first
  std::uint64_t recalled = 0;  // reaches of the sealed index, for keys of their own
  std::unordered_map<std::string, std::list<Watch>::iterator> by_key;

  Watch& watch(const std::string& actor, const std::string& dataset) {
    std::string key = actor + '\x1f' + dataset;
    const auto found = by_key.find(key);
    if (found != by_key.end()) {
      watches.splice(watches.begin(), watches, found->second);
      return watches.front();
    }
    watches.emplace_front();
    watches.front().key = key;
    by_key.emplace(std::move(key), watches.begin());
    if (watches.size() > options.max_actors) {
      by_key.erase(watches.back().key);
      watches.pop_back();
    }
    return watches.front();
  }

  bool allowed(const Reach& r) const {
    return std::any_of(options.allowed.begin(), options.allowed.end(), [&](const AllowedExporter& a) {
      return a.actor == r.actor && (a.application.empty() || a.application == r.application) &&
             (a.dataset.empty() || a.dataset == r.dataset);
    });
  }

  bool at_once(const Reach& r, std::optional<std::uint64_t> most) const {
    if (!most || *most >= options.minimum_people) return true;
    return r.known_all && r.known >= options.minimum_dataset &&
           static_cast<double>(*most) >= options.minimum_share * static_cast<double>(r.known);
  }

  void see(const Access& access, const std::vector<Reach>& reaches, std::vector<Finding>& out) {
    if (access.outcome == Outcome::kFailure && access.error.starts_with("permission denied")) denied(access, out);
    for (const Reach& r : reaches) {
      if (r.actor.empty()) continue;
      const auto most = judged(r);
      Watch& w = watch(r.actor, r.dataset);
      const std::string way = r.paged && r.way != "failed" ? "paging" : r.way;
      const auto running = w.episodes.find(way);
      const bool grows = running != w.episodes.end() && running->second.counted.count(r.key) > 0;
      const std::size_t before = out.size();
      if (grows || at_once(r, most)) {
        add(w, way, access, r, most, out);
      } else {
        little(w, access, r, most.value_or(0), out);
      }
      if (!allowed(r)) circumstances(w, access, r, most, out.size() > before, out);
    }
  }

  void circumstances(Watch& w, const Access& access, const Reach& r, std::optional<std::uint64_t> most, bool bulk, std::vector<Finding>& out) {
    const std::string data = r.dataset.empty() ? "people's data" : r.dataset;
    if (!r.place.empty()) {
      const std::string where = r.place == "program" ? "a program on the database server" : r.place == "file" ? "a file on the database server" : "another database";
      extra(w, "outside", access, r, most, r.actor + " moved " + data + " to " + where, "The rows went to " + where + ".", out);
    } else if (bulk && !options.networks.empty() && !options.networks.hold(r.client_ip)) {
      extra(w, "outside", access, r, most, r.actor + " exported " + data + " to an address outside", "The client's address " + printable(r.client_ip, 60) + " is in none of the configured networks.", out);
    }
    if (!bulk) return;
    if (!options.hours.hold(access.time)) {
      extra(w, "off-hours", access, r, most, r.actor + " exported " + data + " outside office hours", "It was " + options.hours.clock(access.time) + ", outside the configured office hours.", out);
    }
    if (options.first_time <= Duration{}) return;
    const auto key = std::pair(r.actor, r.dataset);
    const auto known = options.earlier.find(key);
    const bool running = w.episodes.count("first-time") > 0 && access.time - w.episodes.at("first-time").finding.last <= options.episode_gap;
    if (running || known == options.earlier.end() || access.time - known->second > options.first_time) {
      const auto days = std::chrono::duration_cast<std::chrono::hours>(options.first_time).count() / 24;
      extra(w, "first-time", access, r, most, "First export of " + data + " by " + r.actor,
            r.actor + " has made no bulk export of it in the last " + std::to_string(days) + " days, as far as is remembered.", out);
    }
    if (options.earlier.size() >= options.max_actors && known == options.earlier.end()) options.earlier.erase(options.earlier.begin());
    Time& newest = options.earlier[key];
    newest = std::max(newest, access.time);
  }

  void extra(Watch& w, const std::string& way, const Access& access, const Reach& r, std::optional<std::uint64_t> most, std::string title, const std::string& why,
             std::vector<Finding>& out) {
    Episode& e = episode(w, way, access, r);
    e.finding.title = std::move(title);
    support(e, evidence_of(r.origin, access.time, preview_of(access)));
    count(e, r, most);
    finish(e, way, access, r, out);
    out.back().reason = why + " " + out.back().reason;
  }

  Episode& episode(Watch& w, const std::string& way, const Access& access, const Reach& r) {
    auto& slot = w.episodes[way];
    if (!slot.finding.id.empty() && access.time - slot.finding.last <= options.episode_gap) return slot;
    slot = Episode{};
    Finding& f = slot.finding;
    f.rule = "tocsin.export." + way;
    f.id = storage::finding_id(f.rule, r.actor + '\x1f' + r.dataset + '\x1f' + r.key);
    f.title = r.dataset.empty() ? "Bulk export by " + r.actor : "Bulk export of " + r.dataset + " by " + r.actor;
    f.alert_title = f.title;
    f.kind = "export";
    f.actor = r.actor;
    f.dataset = r.dataset;
    f.group = "export/" + r.actor + "/" + r.dataset;
    f.time = f.last = access.time;
    return slot;
  }

  static void support(Episode& e, Evidence evidence) {
    if (e.lines.size() < kMaxKeys && !e.lines.emplace(evidence.file, evidence.line).second) return;
    ++e.finding.evidence_count;
    if (e.kept >= Finding::kMaxEvidence) return;
    ++e.kept;
    e.finding.evidence.push_back(std::move(evidence));
  }

  // Adds a statement's numbers to the sums, or takes them out again.
  static void tell(Episode& e, const Counted& c, bool in) {
    const auto move = [in](std::uint64_t& sum, std::uint64_t by) { sum = in ? sum + by : sum - by; };
    if (in) e.best_least = std::max(e.best_least, c.at_least);
    move(e.sum_least, c.at_least);
    move(e.uneven, !c.at_most || *c.at_most != c.at_least ? 1U : 0U);
    if (!c.whole) return;
    if (c.at_most) move(e.loose_most, std::min<std::uint64_t>(*c.at_most, UINT64_MAX / (4 * kMaxKeys)));
    else move(e.open, 1);
  }

  void count(Episode& e, const Reach& r, std::optional<std::uint64_t> most) const {
    if (r.known_all) e.known = std::max(e.known, r.known);
    e.grade = std::max(e.grade, r.grade);
    const Counted c{r.at_least.value_or(0), r.at_most, r.whole || r.grade == Grade::kUnknown};
    const auto before = e.counted.find(r.key);
    if (before != e.counted.end()) {
      tell(e, before->second, false);
      before->second = c;
      tell(e, c, true);
    } else if (e.counted.size() < kMaxKeys) {
      e.counted.emplace(r.key, c);
      tell(e, c, true);
    } else {
      e.overflow_most += c.at_most.value_or(r.known);
    }
    if (e.people.size() < kMaxUnion) e.people.insert(r.people.begin(), r.people.end());
    const std::uint64_t size = most.value_or(r.known);
    if (!most || (!e.unlimited && size >= e.biggest) || e.biggest_reason.empty()) e.biggest_reason = r.reason;
    e.biggest = std::max(e.biggest, size);
    if (!most) e.unlimited = true;
  }

  // The interval over all statements of the episode.
  static storage::ExposureSummary summary(const Episode& e) {
    storage::ExposureSummary s;
    s.grade = e.grade;
    const bool open = e.open > 0;
    const std::uint64_t most = e.people.size() + e.overflow_most + e.loose_most;
    std::uint64_t least = e.best_least;
    // Each statement named its people and surely gave them: then so many different people were reached.
    if (e.grade == Grade::kExact && e.uneven == 0) {
      least = std::max<std::uint64_t>(least, std::min<std::uint64_t>(e.people.size(), e.sum_least));
    }
    s.at_least = least;
    if (e.known_all) s.at_most = open ? e.known : std::min(most, e.known);
    else if (!open) s.at_most = most;
    return s;
  }

  Level level(const Episode& e, const Reach& r) const {
    if (allowed(r)) return Level::kInformational;
    const auto most = e.finding.exposure ? e.finding.exposure->at_most : std::nullopt;
    if (r.dataset.empty()) return Level::kMedium;
    if (most && *most >= options.critical_people) return Level::kCritical;
    const bool everyone = e.known >= options.minimum_dataset &&
                          (e.unlimited || e.biggest * 10 >= e.known * 9);
    return everyone ? Level::kCritical : Level::kHigh;
  }

  void add(Watch& w, const std::string& way, const Access& access, const Reach& r, std::optional<std::uint64_t> most,
           std::vector<Finding>& out) {
    Episode& e = episode(w, way, access, r);
    for (const Origin& origin : r.also) support(e, evidence_of(origin, access.time, {}));
    support(e, evidence_of(r.origin, access.time, preview_of(access)));
    count(e, r, most);
    finish(e, way, access, r, out);
  }

  // The finding with the evidence that is new since the last time.
  static void hand_out(Episode& e, std::vector<Finding>& out) {
    std::vector<Evidence> fresh = std::exchange(e.finding.evidence, {});
    out.push_back(e.finding);
    out.back().evidence = std::move(fresh);
  }

  void finish(Episode& e, const std::string& way, const Access& access, const Reach& r, std::vector<Finding>& out) {
    Finding& f = e.finding;
    f.last = std::max(f.last, access.time);
    e.known_all = e.known_all || r.known_all;
    f.exposure = summary(e);
    f.level = level(e, r);
    f.reason = reason(e, way, r);
    hand_out(e, out);
  }

  std::string reason(const Episode& e, const std::string& way, const Reach& r) const {
    const Finding& f = e.finding;
    std::string out;
    if (way == "paging" || way == "one-by-one") {
      const std::uint64_t most = f.exposure && f.exposure->at_most ? *f.exposure->at_most : e.people.size();
      out = way == "paging" ? "Page after page: " : "One by one: ";
      out += with_commas(e.counted.size() + e.earlier) + " statements within " + duration_text(f.last - f.time) + " could give " +
             with_commas(most) + " people of " + r.dataset;
      if (e.known >= options.minimum_dataset && most <= e.known) {
        out += ", " + std::to_string(most * 100 / e.known) + " % of the " + with_commas(e.known) + " known";
      }
      out += ".";
    } else {
      out = e.biggest_reason;
      if (e.known >= options.minimum_dataset && e.biggest < e.known && e.biggest > 0 && !e.unlimited) {
        out += " That is " + std::to_string(e.biggest * 100 / e.known) + " % of the dataset.";
      }
      if (e.counted.size() > 1) out += " " + with_commas(e.counted.size()) + " statements like this.";
    }
    if (allowed(r)) out += " This export is allowed by the configuration.";
    return out;
  }

  // A small read: it counts when many come together.
  void little(Watch& w, const Access& access, const Reach& r, std::uint64_t most, std::vector<Finding>& out) {
    const Time oldest = access.time - options.window;
    while (!w.small.empty() && w.small.front().evidence.time < oldest) {
      w.paged -= std::min(w.paged, w.small.front().people);
      w.small.pop_front();
    }
    if (w.seen.size() > kMaxWindowPeople) w.seen.clear();
    Small s{evidence_of(r.origin, access.time, preview_of(access)), r.key, 0, r};
    if (r.whole || r.grade == Grade::kUnknown) {
      const bool again = !w.small.empty() && w.small.back().key == r.key;
      s.people = again ? 0 : most;
      w.paged += s.people;
    } else {
      for (const PersonNo no : r.people) w.seen[no] = access.time;
    }
    w.small.push_back(std::move(s));
    if (w.small.size() > kMaxSmall) {
      w.paged -= std::min(w.paged, w.small.front().people);
      w.small.pop_front();
    }
    if (w.seen.size() >= options.cumulative_people) {
      std::erase_if(w.seen, [&](const auto& entry) { return entry.second < oldest; });
    }
    const auto running = w.episodes.find("one-by-one");
    const bool goes_on = running != w.episodes.end() && access.time - running->second.finding.last <= options.episode_gap;
    if (!goes_on && w.seen.size() + w.paged < options.cumulative_people) return;
    Episode& e = episode(w, "one-by-one", access, w.small.front().reach);
    e.finding.time = std::min(e.finding.time, w.small.front().evidence.time);
    for (Small& one : w.small) {
      count(e, one.reach, one.people);
      if (!one.evidence.source.empty()) support(e, std::move(one.evidence));  // the sealed index does not know the line
    }
    w.small.clear();
    w.paged = 0;
    finish(e, "one-by-one", access, r, out);
  }

  void resume(const Finding& finding, std::uint64_t evidence_kept) {
    Episode& e = watch(finding.actor, finding.dataset).episodes["one-by-one"];
    if (!e.finding.id.empty() && e.finding.last >= finding.last) return;
    e = Episode{};
    e.finding = finding;
    e.finding.evidence.clear();
    e.kept = evidence_kept;
    e.earlier = finding.evidence_count;
    if (!finding.exposure) return;
    e.grade = finding.exposure->grade;
    e.best_least = e.sum_least = finding.exposure->at_least.value_or(0);
    e.overflow_most = finding.exposure->at_most.value_or(0);
    e.uneven = finding.exposure->at_most == finding.exposure->at_least ? 0 : 1;
    e.open = finding.exposure->at_most ? 0 : 1;
  }

  void remember(Reach r, Time time) {
    const auto most = judged(r);
    if (at_once(r, most)) return;
    Watch& w = watch(r.actor, r.dataset);
    const auto running = w.episodes.find("one-by-one");
    const bool counted = running != w.episodes.end() && time <= running->second.finding.last;
    const bool named = !r.whole && r.grade != Grade::kUnknown;
    for (const PersonNo no : named ? r.people : std::vector<PersonNo>()) {
      if (w.seen.size() >= kMaxWindowPeople) break;
      Time& newest = w.seen.try_emplace(no, time).first->second;
      newest = std::max(newest, time);
      if (!counted || !running->second.people.insert(no).second) continue;
      if (running->second.overflow_most > 0) --running->second.overflow_most;  // now known by number
    }
    if (counted) return;
    if (r.key.empty()) r.key = "sealed " + std::to_string(++recalled);
    Small s{evidence_of(r.origin, time, {}), r.key, named ? 0 : most.value_or(0), std::move(r)};
    w.paged += s.people;
    auto at = w.small.end();
    while (at != w.small.begin() && std::prev(at)->evidence.time > time) --at;
    w.small.insert(at, std::move(s));
    if (w.small.size() <= kMaxSmall) return;
    w.paged -= std::min(w.paged, w.small.front().people);
    w.small.pop_front();
  }

  void denied(const Access& access, std::vector<Finding>& out) {
    if (access.resource.dataset.empty() || access.actor.shown().empty()) return;
    if (access.action != Action::kRead && access.action != Action::kExport && access.action != Action::kQuery) return;
    const std::string actor = access.actor.shown(), dataset = access.resource.dataset;
    Watch& w = watch(actor, dataset);
    Reach r;
    r.actor = actor;
    r.dataset = dataset;
    r.key = access.event_id.empty() ? std::to_string(access.origin.line) : access.event_id;
    Episode& e = episode(w, "denied", access, r);
    e.finding.title = e.finding.alert_title = "Refused read of " + dataset + " by " + actor;
    e.finding.level = Level::kLow;
    support(e, evidence_of(access.origin, access.time, preview_of(access)));
    e.finding.last = access.time;
    e.finding.reason = actor + " tried to read " + dataset + " and was refused" +
                       (e.finding.evidence_count > 1 ? ", " + with_commas(e.finding.evidence_count) + " times." : ".");
    hand_out(e, out);
  }
};

ExportDetector::ExportDetector(ExportOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
}
ExportDetector::~ExportDetector() = default;
ExportDetector::ExportDetector(ExportDetector&&) noexcept = default;
ExportDetector& ExportDetector::operator=(ExportDetector&&) noexcept = default;

const ExportOptions& ExportDetector::options() const { return impl_->options; }
void ExportDetector::resume(const storage::Finding& finding, std::uint64_t evidence_kept) { impl_->resume(finding, evidence_kept); }
void ExportDetector::remember(const Reach& reach, Time time) { impl_->remember(reach, time); }

void ExportDetector::see(const Access& access, const std::vector<Reach>& reaches, std::vector<Finding>& out) {
  impl_->see(access, reaches, out);
}

}  // namespace tocsin::engine
