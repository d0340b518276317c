// Counters of the running system, shown at GET /metrics in Prometheus' text format. Labels come from fixed sets
// (routes, sources, reasons): never a login, an address or anything about a person.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::engine {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  Metrics();
  ~Metrics();

  // Each makes the series on first use; thread-safe. Names as Prometheus wants them ("tocsin_events_total").
  void add(std::string_view name, std::string_view help, const Labels& labels, double by = 1);        // counter
  // A counter that somebody else counts: moves it up to `total` (never down).
  void total(std::string_view name, std::string_view help, const Labels& labels, double total);
  void set(std::string_view name, std::string_view help, const Labels& labels, double value);         // gauge
  void observe(std::string_view name, std::string_view help, const Labels& labels, double seconds);   // histogram

  // Called before each text(): the place to set() what is only worth knowing when somebody asks.
  void before_text(std::function<void(Metrics&)> collect);
  [[nodiscard]] std::string text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
