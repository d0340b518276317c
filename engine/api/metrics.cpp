// A thin coat over prometheus-cpp: it keeps series by name and labels, and is thread-safe by itself.
#include "engine/api/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <vector>

namespace tocsin::engine {
namespace {
const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                          0.1,   0.25,   0.5,   1,    2.5,   10};
}

struct Metrics::Impl {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  std::mutex mutex;
  std::vector<std::function<void(Metrics&)>> collectors;  // guarded by mutex
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::add(std::string_view name, std::string_view help, const Labels& labels, double by) {
  prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry).Add(labels)
      .Increment(by);
}

void Metrics::total(std::string_view name, std::string_view help, const Labels& labels, double total) {
  auto& counter =
      prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry).Add(labels);
  const double now = counter.Value();
  if (total > now) counter.Increment(total - now);
}

void Metrics::set(std::string_view name, std::string_view help, const Labels& labels, double value) {
  prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry).Add(labels)
      .Set(value);
}

void Metrics::observe(std::string_view name, std::string_view help, const Labels& labels, double seconds) {
  prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry)
      .Add(labels, kSeconds).Observe(seconds);
}

void Metrics::before_text(std::function<void(Metrics&)> collect) {
  const std::lock_guard lock(impl_->mutex);
  impl_->collectors.push_back(std::move(collect));
}

std::string Metrics::text() {
  std::vector<std::function<void(Metrics&)>> collectors;
  {
    const std::lock_guard lock(impl_->mutex);
    collectors = impl_->collectors;
  }
  for (const auto& collect : collectors) collect(*this);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace tocsin::engine
