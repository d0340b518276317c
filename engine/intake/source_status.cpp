// Counters behind one mutex per source: a batch touches them a few times, never once per record.
#include "engine/intake/source_status.hpp"

#include <algorithm>

#include "rules/base/text.hpp"

namespace tocsin::engine {

std::optional<double> SourceStatus::lag_seconds() const {
  if (!last_event || !last_arrival) return std::nullopt;
  return std::max(0.0, std::chrono::duration<double>(*last_arrival - *last_event).count());
}

SourceMeter::SourceMeter(std::string name, std::string kind, std::string path, std::string format) {
  status_.name = std::move(name);
  status_.kind = std::move(kind);
  status_.path = std::move(path);
  status_.format = std::move(format);
  status_.state = "starting";
}

void SourceMeter::accepted(std::uint64_t records, Time now) {
  const std::lock_guard lock(mutex_);
  status_.accepted += records;
  if (!status_.last_arrival || *status_.last_arrival < now) status_.last_arrival = now;
}

void SourceMeter::decoded(std::uint64_t records, std::optional<Time> newest_event) {
  const std::lock_guard lock(mutex_);
  status_.decoded += records;
  if (newest_event && (!status_.last_event || *status_.last_event < *newest_event)) status_.last_event = newest_event;
}

void SourceMeter::duplicates(std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  status_.duplicates += records;
}

void SourceMeter::rejected(Reject reject) {
  reject.preview = printable(reject.preview.substr(0, Reject::kMaxPreview), Reject::kMaxPreview);
  const std::lock_guard lock(mutex_);
  ++status_.rejected;
  rejects_.push_back(std::move(reject));
  if (rejects_.size() > Reject::kMaxKept) rejects_.pop_front();
}

void SourceMeter::state(std::string_view state, std::string_view error) {
  const std::lock_guard lock(mutex_);
  status_.state = state;
  status_.error = error;
}

void SourceMeter::format(std::string_view format) {
  const std::lock_guard lock(mutex_);
  status_.format = format;
}

void SourceMeter::behind(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  status_.behind_bytes = bytes;
}

SourceStatus SourceMeter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::vector<Reject> SourceMeter::rejects() const {
  const std::lock_guard lock(mutex_);
  return {rejects_.rbegin(), rejects_.rend()};
}

std::shared_ptr<SourceMeter> SourceBoard::meter(const std::string& name, const std::string& kind,
                                                const std::string& path, const std::string& format) {
  const std::lock_guard lock(mutex_);
  auto& slot = meters_[name];
  if (!slot) slot = std::make_shared<SourceMeter>(name, kind, path, format);
  return slot;
}

std::shared_ptr<SourceMeter> SourceBoard::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = meters_.find(name);
  return found == meters_.end() ? nullptr : found->second;
}

std::vector<SourceStatus> SourceBoard::all() const {
  std::vector<std::shared_ptr<SourceMeter>> meters;
  {
    const std::lock_guard lock(mutex_);
    meters.reserve(meters_.size());
    for (const auto& [name, meter] : meters_) meters.push_back(meter);
  }
  std::vector<SourceStatus> out;
  out.reserve(meters.size());
  for (const auto& meter : meters) out.push_back(meter->status());
  return out;
}

}  // namespace tocsin::engine
