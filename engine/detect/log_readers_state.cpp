// What is known of logs and their readers, as JSON: it is small, and whoever looks into the database can read it. Nothing is
// trusted on the way back: a value of another type than expected refuses the whole, and the limits hold.
#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

#include "engine/detect/log_readers.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;

constexpr int kVersion = 1;

std::string text(const json::value& value) { return std::string(value.as_string()); }
Time time(const json::value& value) { return from_micros(value.to_number<std::int64_t>()); }

// A name out of a log may hold any bytes; JSON holds text.
json::string words(const std::string& from) { return json::string(to_utf8(from)); }

json::object written(const Access& a) {
  return {{"person", words(a.actor.person)}, {"account", words(a.actor.account)}, {"role", words(a.actor.role)}, {"session", words(a.actor.session)},
          {"via", words(a.via)}, {"ip", words(a.client.ip)}, {"source", words(a.origin.source)}, {"file", words(a.origin.file)}, {"line", a.origin.line},
          {"seq", a.origin.seq}};
}

Access access(const json::object& from) {
  Access out;
  out.actor = {text(from.at("person")), text(from.at("account")), text(from.at("role")), text(from.at("session"))};
  out.via = text(from.at("via"));
  out.client.ip = text(from.at("ip"));
  out.origin = {text(from.at("source")), text(from.at("file")), from.at("line").to_number<std::uint64_t>(), from.at("seq").to_number<std::uint64_t>()};
  return out;
}

}  // namespace

std::string LogReaders::save() const {
  if (places_.empty()) return {};
  json::array logs;
  for (const auto& [source, log] : logs_) {
    json::array leaks, people, readings, told;
    for (const auto& [group, leak] : log.leaks) {
      leaks.push_back(json::object{{"group", words(leak.group)}, {"title", words(leak.alert_title)}, {"noun", words(leak.noun)}, {"time", to_micros(leak.time)}});
    }
    for (const auto& [dataset, who] : log.people) {
      people.push_back(json::object{{"dataset", words(dataset)}, {"more", who.more}, {"numbers", json::array(who.numbers.begin(), who.numbers.end())}});
    }
    for (const auto& [actor, reading] : log.readings) {
      readings.push_back(json::object{{"first", to_micros(reading.first)}, {"last", to_micros(reading.access.time)}, {"times", reading.times},
                                      {"access", written(reading.access)}});
    }
    for (const auto& one : log.told) told.push_back(words(one));
    logs.push_back(json::object{{"source", words(source)}, {"where", words(log.where)}, {"leaks", std::move(leaks)}, {"people", std::move(people)},
                                {"readings", std::move(readings)}, {"told", std::move(told)}});
  }
  return json::serialize(json::object{{"version", kVersion}, {"logs", std::move(logs)}});
}

Result<void> LogReaders::restore(std::string_view bytes, const storage::Registers& registers) {
  logs_.clear();
  decltype(logs_) logs;
  try {
    const json::object root = json::parse(bytes).as_object();
    if (root.at("version") != kVersion) return fail(Errc::kCorrupt, "what was known of readers of logs is of another version");
    for (const auto& one : root.at("logs").as_array()) {
      const json::object& from = one.as_object();
      const std::string source = text(from.at("source"));
      if (!watches(source)) continue;
      Log& log = logs[source];
      log.where = text(from.at("where"));
      for (const auto& leak : from.at("leaks").as_array()) {
        if (log.leaks.size() >= kMaxGroups) break;
        Leak out{text(leak.at("group")), text(leak.at("title")), text(leak.at("noun")), time(leak.at("time"))};
        const std::string group = out.group;
        log.leaks.emplace(group, std::move(out));
      }
      for (const auto& who : from.at("people").as_array()) {
        const std::string dataset = text(who.at("dataset"));
        const storage::People* known = registers.find(dataset);
        People& out = log.people[dataset];
        out.more = who.at("more").as_bool();
        for (const auto& number : who.at("numbers").as_array()) {
          const auto no = number.to_number<storage::PersonNo>();
          if (known != nullptr && no < known->size() && out.numbers.size() < kMaxPeople) out.numbers.push_back(no);
        }
        std::sort(out.numbers.begin(), out.numbers.end());
        out.numbers.erase(std::unique(out.numbers.begin(), out.numbers.end()), out.numbers.end());
      }
      for (const auto& reading : from.at("readings").as_array()) {
        if (log.readings.size() >= kMaxReaders) break;
        Reading out{access(reading.at("access").as_object()), time(reading.at("first")), reading.at("times").to_number<std::uint64_t>()};
        out.access.time = time(reading.at("last"));
        const std::string actor = out.access.actor.shown();
        log.readings.emplace(actor, std::move(out));
      }
      for (const auto& told : from.at("told").as_array()) {
        if (log.told.size() < kMaxGroups * kMaxReaders) log.told.insert(text(told));
      }
    }
  } catch (const std::exception&) {  // of Boost.JSON: no JSON, a part that is missing, a value of another type
    return fail(Errc::kCorrupt, "what was known of readers of logs cannot be read");
  }
  logs_ = std::move(logs);
  return {};
}

}  // namespace tocsin::engine
