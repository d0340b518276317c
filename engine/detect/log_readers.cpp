// Two halves that may come in either order: what stood in a log, and who read it. What was read before anything stood
// there is nothing.
#include "engine/detect/log_readers.hpp"

#include <algorithm>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::string_view kS3 = "s3://";

std::string often(std::uint64_t times) { return times == 1 ? "once" : std::to_string(times) + " times"; }

bool reads(const Access& access) {
  const bool way = access.action == Action::kRead || access.action == Action::kQuery || access.action == Action::kExport || access.action == Action::kShare;
  return way && access.outcome != Outcome::kFailure;
}

}  // namespace

std::string with_article(const std::string& noun) {
  if (noun.empty() || noun.ends_with("credentials")) return noun;
  return (std::string_view("aeioAEIO").find(noun.front()) == std::string_view::npos ? "a " : "an ") + noun;
}

Result<LogPlace> LogPlace::parse(std::string_view text) {
  LogPlace out;
  if (text.starts_with(kS3)) {
    text.remove_prefix(kS3.size());
    const std::size_t slash = std::min(text.find('/'), text.size());
    out.form_ = Form::kBucket;
    out.store_ = text.substr(0, slash);
    out.name_ = text.substr(std::min(slash + 1, text.size()));
    if (out.store_.empty()) return fail(Errc::kInvalid, "a bucket has a name: s3://BUCKET/PREFIX");
    return out;
  }
  if (text.empty()) return fail(Errc::kInvalid, "a place is s3://BUCKET/PREFIX, /PATH or a table");
  if (text.starts_with('/')) out.form_ = Form::kPath;
  out.name_ = text;
  return out;
}

bool LogPlace::holds(const Resource& resource) const {
  switch (form_) {
    case Form::kBucket: return resource.store == store_ && !resource.object.empty() && resource.object.starts_with(name_);
    case Form::kPath: return resource.object.starts_with(name_);
    case Form::kTable: return iequals(resource.dataset, name_) || (resource.dataset.size() == name_.size() + 7 && iequals(resource.dataset, "public." + name_));
  }
  return false;
}

void LogReaders::tell(const std::string& source, Log& log, const Leak& leak, const Reading& reading, std::vector<Told>& out) {
  const std::string actor = reading.access.actor.shown().empty() ? "someone" : reading.access.actor.shown();
  Told told;
  told.origin = reading.access.origin;
  storage::Finding& f = told.finding;
  f.rule = "tocsin.secret.read";
  f.actor = reading.access.actor.shown();
  f.title = printable(actor, 120) + " read " + log.where + ", in which " + with_article(leak.noun) + " stands in plain text";
  f.level = storage::Level::kHigh;
  f.kind = "secret";
  f.group = leak.group;
  f.alert_title = leak.alert_title;
  f.time = f.last = reading.access.time;
  f.reason = printable(actor, 120) + " read " + log.where + " " + often(reading.times) + " since " + with_article(leak.noun) + " stands there. Which lines were read the events do not say, so every secret in it counts as known to the reader.";
  std::uint64_t people = 0;
  bool more = false;
  for (const auto& [dataset, who] : log.people) {
    Reach reach;
    reach.key = "log\n" + source + "\n" + dataset + "\n" + actor;
    reach.source = reading.access.origin.source;
    reach.origin = reading.access.origin;
    reach.first = reading.first;
    reach.last = reading.access.time;
    reach.actor = reading.access.actor.shown();
    reach.account = reading.access.actor.account;
    reach.role = reading.access.actor.role;
    reach.session = reading.access.actor.session;
    reach.application = reading.access.via;
    reach.client_ip = reading.access.client.ip;
    reach.dataset = dataset;
    reach.grade = storage::Grade::kBound;
    reach.whole = who.more;
    reach.known_from = reading.first;
    reach.people = who.more ? std::vector<storage::PersonNo>() : who.numbers;
    reach.at_least = 0;
    if (!who.more) reach.at_most = who.numbers.size();
    reach.way = "log";
    reach.reason = "Numbers of these people stand in " + log.where + ", which was read. Which lines of it, the events do not say.";
    people += who.numbers.size();
    more = more || who.more;
    f.dataset = dataset;
    told.reaches.push_back(std::move(reach));
  }
  if (!log.people.empty()) f.exposure = storage::ExposureSummary{storage::Grade::kBound, 0, more ? std::nullopt : std::optional(people)};
  told.key = f.rule + '\n' + leak.group + '\n' + actor;
  out.push_back(std::move(told));
}

void LogReaders::stood(std::string_view source, std::string_view where, const Leak& leak, const Reach* about, std::vector<Told>& out) {
  if (!watches(source)) return;
  auto& log = logs_[std::string(source)];
  log.where = where;
  bool grown = false;
  if (about != nullptr && !about->dataset.empty()) {
    People& who = log.people[about->dataset];
    for (const storage::PersonNo number : about->people) {
      const auto at = std::lower_bound(who.numbers.begin(), who.numbers.end(), number);
      if (at != who.numbers.end() && *at == number) continue;
      if (who.numbers.size() >= kMaxPeople) {
        who.more = true;
        break;
      }
      who.numbers.insert(at, number);
      grown = true;
    }
  }
  if (log.leaks.size() < kMaxGroups || log.leaks.contains(leak.group)) {
    const auto [first, is_new] = log.leaks.try_emplace(leak.group, leak);
    if (!is_new) first->second.time = std::min(first->second.time, leak.time);
  }
  for (const auto& [actor, reading] : log.readings) {
    if (reading.access.time < leak.time) continue;
    if (log.told.insert(leak.group + "\n" + actor).second || grown) tell(std::string(source), log, leak, reading, out);
  }
}

void LogReaders::read(const Access& access, std::vector<Told>& out) {
  if (places_.empty() || !reads(access)) return;
  for (const auto& [source, places] : places_) {
    if (std::none_of(places.begin(), places.end(), [&](const LogPlace& place) { return place.holds(access.resource); })) continue;
    Log& log = logs_[source];
    const std::string actor = access.actor.shown();
    auto at = log.readings.find(actor);
    if (at == log.readings.end()) {
      if (log.readings.size() >= kMaxReaders) continue;
      at = log.readings.emplace(actor, Reading{{}, access.time, 0}).first;
    }
    Reading& reading = at->second;
    const Time newest = reading.times == 0 ? access.time : std::max(reading.access.time, access.time);
    reading.first = std::min(reading.first, access.time);
    reading.access = access;
    reading.access.time = newest;
    reading.access.statement = {};
    ++reading.times;
    for (const auto& [group, leak] : log.leaks) {
      if (access.time < leak.time) continue;
      log.told.insert(group + "\n" + actor);
      tell(source, log, leak, reading, out);
    }
  }
}

std::string LogReaders::readers_of(std::string_view source) const {
  const auto at = logs_.find(source);
  if (at == logs_.end() || at->second.readings.empty() || at->second.leaks.empty()) return {};
  Time since = at->second.leaks.begin()->second.time;
  for (const auto& [group, leak] : at->second.leaks) since = std::min(since, leak.time);
  std::string out;
  std::size_t named = 0, all = 0;
  for (const auto& [actor, reading] : at->second.readings) {
    if (reading.access.time < since) continue;
    if (++all > kNamed) continue;
    out += (named++ == 0 ? "" : ", ") + printable(actor.empty() ? "someone" : actor, 120) + " (" + often(reading.times) + ")";
  }
  if (all > named) out += " and " + std::to_string(all - named) + " more";
  return out;
}

}  // namespace tocsin::engine
