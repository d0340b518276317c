// Saved windows from a stranger: restoring must refuse or give windows that go on without a fault. The checksum is made
// to fit, so that what lies behind it is reached. The first byte chooses the correlation, the second what follows.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "rules/base/bytes.hpp"
#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"
#include "rules/sigma/engine.hpp"

using namespace tocsin;
using namespace tocsin::rules;

namespace {

const sigma::Loaded& rules_loaded() {
  static const sigma::Loaded loaded = [] {
    std::string text = "title: a\nname: a\nlogsource: {product: p}\ndetection: {s: {e: a}, condition: s}\n---\ntitle: b\nname: b\nlogsource: {product: p}\ndetection: {s: {e: b}, condition: s}\n";
    const char* const sections[] = {
        "type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 3}",
        "type: event_count, rules: [a], timespan: 10s, condition: {lt: 3}",
        "type: value_count, rules: [a], group-by: [u], timespan: 10s, condition: {field: n, gte: 3}",
        "type: temporal, rules: [a, b], timespan: 10s",
        "type: temporal, rules: [a, b], group-by: [u], timespan: 10s, condition: a and not b",
        "type: temporal_ordered, rules: [a, b], group-by: [u], timespan: 10s",
        "type: value_sum, rules: [a], timespan: 10s, condition: {field: n, gte: 3}",
        "type: value_avg, rules: [a], timespan: 10s, condition: {field: n, lt: 3}",
        "type: value_median, rules: [a], timespan: 10s, condition: {field: n, gte: 3}",
        "type: temporal, rules: [k0, k4], group-by: [u], timespan: 1m",
    };
    int number = 0;
    for (const char* section : sections) {
      const std::string name = "k" + std::to_string(number++);
      text += "---\ntitle: " + name + "\nname: " + name + "\ncorrelation: {" + section + "}\n";
    }
    const sigma::RuleSource source{"fuzz.yml", text};
    return sigma::load({&source, 1});
  }();
  return loaded;
}

void feed(sigma::Correlator& correlator, std::vector<sigma::CorrelationAlert>& alerts, int from) {
  const char* const events[] = {R"({"e":"a","u":"x","n":1})", R"({"e":"b","u":"x","n":2.5})", R"({"e":"a","u":["x","y"],"n":[1,2]})", R"({"e":"a","u":"y","n":"3"})"};
  const int seconds[] = {0, 3, 1, 10, 7, 25, 24, 300, 900};
  std::vector<sigma::Match> matches;
  std::uint64_t number = static_cast<std::uint64_t>(from);
  for (const int second : seconds) {
    Arena arena;
    Event event;
    event.root = *parse_json(events[number % 4], arena);
    matches.clear();
    rules_loaded().engine->match(event, matches);
    correlator.see({event, from_micros((std::int64_t{1'800'000'000} + from + second) * 1'000'000), matches, sigma::EventPlace{"s", "f", ++number, 0}, {}}, alerts);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sigma::Correlator::Options options;
  options.limits.groups = 100;
  options.limits.entries_per_group = 50;
  options.limits.exact_values_per_group = 20;
  sigma::Correlator correlator(rules_loaded().engine, options);
  std::vector<sigma::CorrelationAlert> alerts;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string state;
  if (data[0] % 2 == 0) {
    state = rest;
  } else {
    // A real state with changes: pairs of a place and a byte.
    feed(correlator, alerts, 0);
    state = correlator.save();
    for (std::size_t i = 0; i + 4 <= rest.size(); i += 4) {
      std::uint32_t place = 0;
      std::memcpy(&place, rest.data() + i, 3);
      state[place % state.size()] = rest[i + 3];
    }
  }
  constexpr std::size_t kHead = 8 + 4 + 32;
  if (state.size() >= kHead) {
    const Sha256 sum = sha256(std::string_view(state).substr(kHead));
    state.replace(12, 32, bytes_of(sum));
  }
  if (!correlator.restore(state)) {
    if (correlator.statistics().groups != 0) std::abort();
    return 0;
  }
  const std::string again = correlator.save();
  sigma::Correlator twin(rules_loaded().engine, options);
  if (!twin.restore(again)) std::abort();
  if (twin.statistics().entries != correlator.statistics().entries) std::abort();
  alerts.clear();
  feed(correlator, alerts, 5);
  correlator.adopt(rules_loaded().engine);
  correlator.finish(alerts);
  if (correlator.statistics().entries != 0) std::abort();
  return 0;
}
