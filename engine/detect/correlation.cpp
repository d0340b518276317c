// Records are remembered from the moment they match a rule that some correlation refers to, since the alert comes
// later; the longest remembered is forgotten first, and then an alert says less about it, never something else.
#include "engine/detect/correlation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace sigma = rules::sigma;
using storage::Evidence;
using storage::ExposureSummary;
using storage::Finding;
using storage::Grade;

constexpr std::string_view kMagic = "TCD1";
constexpr std::size_t kHashBytes = 16;

std::string place_key(std::string_view source, std::string_view file, std::uint64_t line, std::uint64_t seq) {
  std::string key(source);
  key += '\n';
  key += file;
  key += '\n' + std::to_string(line) + '\n' + std::to_string(seq);
  return key;
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto [end, ec] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return ec == std::errc() ? std::string(buffer.data(), end) : std::string("?");
}

std::string duration_text(Duration span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits = {{{86400, " days"}, {3600, " hours"}, {60, " minutes"}, {1, " seconds"}}};
  for (const auto& [unit, name] : kUnits) {
    if (seconds >= 2 * unit || (unit == 1)) return std::to_string(seconds / unit) + name;
  }
  return "0 seconds";
}

// What the number of a correlation counts, for a sentence.
std::string counted(const sigma::Correlation& rule) {
  using Type = sigma::CorrelationType;
  std::string field;
  for (const std::string& one : rule.fields) field += (field.empty() ? "" : ", ") + one;
  switch (rule.type) {
    case Type::kEventCount: return "events";
    case Type::kValueCount: return "different values of " + field;
    case Type::kTemporal:
    case Type::kTemporalOrdered: return "of its rules";
    case Type::kValueSum: return "in all for " + field;
    case Type::kValueAvg: return "on average for " + field;
    case Type::kValuePercentile: return "at percentile " + number_text(rule.percentile) + " of " + field;
    case Type::kValueMedian: return "in the median of " + field;
  }
  return "events";
}

storage::Level level_of(sigma::Level level) noexcept { return static_cast<storage::Level>(level); }
static_assert(static_cast<int>(storage::Level::kCritical) == static_cast<int>(sigma::Level::kCritical));

// --- bytes ---

void put(std::string& out, std::uint64_t number) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  out.append(bytes.data(), bytes.size());
}
void put(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

class Taker {
 public:
  explicit Taker(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool number(std::uint64_t& out) {
    if (left_.size() < 8) return false;
    out = 0;
    for (std::size_t i = 8; i-- > 0;) out = out << 8 | static_cast<unsigned char>(left_[i]);
    left_.remove_prefix(8);
    return true;
  }
  [[nodiscard]] bool view(std::string_view& out) {
    std::uint64_t size = 0;
    if (!number(size) || size > left_.size()) return false;
    out = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }
  [[nodiscard]] bool text(std::string& out) {
    std::string_view shown;
    if (!view(shown)) return false;
    out = shown;
    return true;
  }
  [[nodiscard]] bool done() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace

CorrelationDetector::CorrelationDetector(std::shared_ptr<const sigma::Engine> engine, sigma::Correlator::Options options)
    : engine_(std::move(engine)), options_(options), correlator_(engine_, options) {
  find_feeders();
}

void CorrelationDetector::find_feeders() {
  feeds_.assign(engine_->rules().size(), false);
  for (const sigma::CompiledCorrelation& correlation : engine_->correlations()) {
    for (const auto& input : correlation.inputs) {
      if (!input.correlation) feeds_[input.index] = true;
    }
  }
}

void CorrelationDetector::see(const Seen& seen, std::vector<Finding>& out) {
  names_.clear();
  subjects_.clear();
  const bool feeds = std::any_of(seen.matches.begin(), seen.matches.end(), [&](const sigma::Match& m) { return feeds_[m.index]; });
  if (feeds) {
    Remembered what;
    what.actor = seen.access.actor.shown();
    what.dataset = seen.access.resource.dataset;
    what.preview = seen.preview();
    std::uint64_t unnamed = 0;
    bool open = false;
    for (const Reach& reach : seen.reached) {
      what.about_people = true;
      what.grade = std::max(what.grade, reach.grade);
      what.at_least = std::max(what.at_least, reach.at_least.value_or(0));
      if (!reach.dataset.empty()) what.dataset = reach.dataset;
      const bool named = !reach.whole && reach.grade != Grade::kUnknown && names_.size() + reach.people.size() <= kMaxPeoplePerRecord;
      if (named) {
        for (const storage::PersonNo no : reach.people) names_.push_back(reach.dataset + '/' + std::to_string(no));
      } else {
        what.named = false;
        if (reach.at_most) unnamed += *reach.at_most;
        else open = true;
      }
    }
    if (!open) what.at_most = unnamed;
    for (const std::string& name : names_) subjects_.push_back(name);
    remember(place_key(seen.place.source, seen.place.file, seen.place.line, seen.place.seq), std::move(what));
  }
  const sigma::EventPlace place{seen.place.source, seen.place.file, seen.place.line, seen.place.seq};
  alerts_.clear();
  correlator_.see({seen.event, seen.time, seen.matches, place, subjects_}, alerts_);
  report(out);
}

void CorrelationDetector::advance(Time newest, std::vector<Finding>& out) {
  alerts_.clear();
  correlator_.advance(newest, alerts_);
  report(out);
}

void CorrelationDetector::finish(std::vector<Finding>& out) {
  alerts_.clear();
  correlator_.finish(alerts_);
  report(out);
}

void CorrelationDetector::adopt(std::shared_ptr<const sigma::Engine> engine) {
  engine_ = std::move(engine);
  correlator_.adopt(engine_);
  find_feeders();
}

void CorrelationDetector::remember(std::string key, Remembered&& what) {
  const auto [at, is_new] = remembered_.try_emplace(key, std::move(what));
  if (!is_new) return;  // the other form of the same record
  order_.push_back(std::move(key));
  if (order_.size() <= kMaxRemembered) return;
  remembered_.erase(order_.front());
  order_.pop_front();
}

void CorrelationDetector::report(std::vector<Finding>& out) {
  for (const sigma::CorrelationAlert& alert : alerts_) out.push_back(finding(alert));
}

Finding CorrelationDetector::finding(const sigma::CorrelationAlert& alert) const {
  const sigma::Correlation& rule = *alert.rule;
  Finding f;
  f.id = alert.id;
  f.rule = rule.key();
  f.level = level_of(rule.level);
  f.kind = "rule";
  f.time = alert.first;
  f.last = alert.last;
  f.evidence_count = alert.event_count;

  std::vector<const Remembered*> records;
  for (const sigma::EvidenceEvent& event : alert.events) {
    Evidence e;
    e.source = event.source;
    e.file = event.file;
    e.line = event.line;
    e.seq = event.seq;
    e.time = event.time;
    const auto known = remembered_.find(place_key(event.source, event.file, event.line, event.seq));
    records.push_back(known == remembered_.end() ? nullptr : &known->second);
    if (records.back() != nullptr) e.preview = records.back()->preview;
    if (f.evidence.size() < Finding::kMaxEvidence) f.evidence.push_back(std::move(e));
  }
  // One actor and one dataset if the records agree on them.
  const auto agreed = [&](std::string Remembered::*what) {
    std::string one;
    for (const Remembered* record : records) {
      if (record == nullptr || (record->*what).empty()) continue;
      if (!one.empty() && one != record->*what) return std::string();
      one = record->*what;
    }
    return one;
  };
  f.actor = agreed(&Remembered::actor);
  f.dataset = agreed(&Remembered::dataset);

  std::string group;
  for (const auto& [field, value] : alert.group) group += (group.empty() ? "" : ", ") + field + " " + printable(value, 120);
  const std::string who = !f.actor.empty() ? f.actor : group;
  f.title = f.alert_title = rule.title + (who.empty() ? "" : ": " + printable(who, 120));
  f.group = "rule/" + f.rule + "/" + (f.actor.empty() ? group : f.actor);

  f.reason = rule.description;
  f.reason += (f.reason.empty() ? "" : " ") + std::string("Seen: ") + number_text(alert.value) + " " + counted(rule) + " within " +
              duration_text(rule.timespan) + (group.empty() ? "" : " for " + group) + ".";
  if (alert.estimated) f.reason += " The number is an estimate.";
  if (alert.under_counted) f.reason += " Some events came too late or were too many to keep: the truth may be more.";
  f.exposure = exposure(alert, records);
  return f;
}

// The interval over all records of an alert: people named one by one are counted once, others are added up.
std::optional<ExposureSummary> CorrelationDetector::exposure(const sigma::CorrelationAlert& alert, std::span<const Remembered* const> records) const {
  ExposureSummary s;
  s.grade = Grade::kExact;
  std::uint64_t least = 0;
  std::uint64_t most = alert.subject_count;
  bool open = alert.event_count > records.size() || alert.under_counted;
  bool sure = true;  // each record gave all the people that it names
  bool people = false;
  for (const Remembered* record : records) {
    if (record == nullptr) {
      open = true;
      sure = false;
      continue;
    }
    if (!record->about_people) continue;
    people = true;
    s.grade = std::max(s.grade, record->grade);
    least = std::max(least, record->at_least);
    sure = sure && record->named && record->grade == Grade::kExact && record->at_least > 0;
    if (record->at_most) most += *record->at_most;
    else open = true;
  }
  if (!people) return std::nullopt;
  s.at_least = sure ? std::max(least, alert.subject_count) : least;
  if (!open) s.at_most = std::max(most, *s.at_least);
  return s;
}

std::string CorrelationDetector::save() const {
  std::string out(kMagic);
  put(out, correlator_.save());
  put(out, static_cast<std::uint64_t>(order_.size()));
  for (const std::string& key : order_) {
    const Remembered& r = remembered_.at(key);
    put(out, key);
    put(out, r.actor);
    put(out, r.dataset);
    put(out, r.preview);
    put(out, static_cast<std::uint64_t>(r.about_people) | static_cast<std::uint64_t>(r.named) << 1 | static_cast<std::uint64_t>(r.at_most.has_value()) << 2 |
                 static_cast<std::uint64_t>(r.grade) << 3);
    put(out, r.at_least);
    put(out, r.at_most.value_or(0));
  }
  out += bytes_of(sha256(out)).substr(0, kHashBytes);
  return out;
}

Result<void> CorrelationDetector::restore(std::string_view bytes) {
  const auto forget = [&] {
    remembered_.clear();
    order_.clear();
    correlator_ = sigma::Correlator(engine_, options_);
  };
  forget();
  const auto corrupt = [&] {
    forget();
    return fail(Errc::kCorrupt, "the kept windows of the correlations are damaged", "", "they are built up again from new events");
  };
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + kHashBytes) return corrupt();
  const std::string_view body = bytes.substr(0, bytes.size() - kHashBytes);
  const Sha256 hash = sha256(body);
  if (bytes.substr(body.size()) != bytes_of(hash).substr(0, kHashBytes)) return corrupt();
  Taker take(body.substr(kMagic.size()));
  std::string_view windows;
  std::uint64_t count = 0;
  if (!take.view(windows) || !take.number(count) || count > kMaxRemembered) return corrupt();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key;
    Remembered r;
    std::uint64_t flags = 0;
    std::uint64_t most = 0;
    if (!take.text(key) || !take.text(r.actor) || !take.text(r.dataset) || !take.text(r.preview) || !take.number(flags) || !take.number(r.at_least) ||
        !take.number(most) || flags >> 3 > static_cast<std::uint64_t>(Grade::kUnknown)) {
      return corrupt();
    }
    r.about_people = (flags & 1) != 0;
    r.named = (flags & 2) != 0;
    if ((flags & 4) != 0) r.at_most = most;
    r.grade = static_cast<Grade>(flags >> 3);
    remember(std::move(key), std::move(r));
  }
  if (!take.done()) return corrupt();
  auto restored = correlator_.restore(windows);
  if (!restored) forget();
  return restored;
}

}  // namespace tocsin::engine
