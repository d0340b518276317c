// The running system as a value: made from a configuration, started, stopped. Start-up is one readable list of
// steps; tear-down is the same list backwards.
//
// Threads: one network thread and a few workers (engine/net), one follower per source, the journal's committer, one
// detector that reads behind the journal, one dispatcher for notices, one housekeeper. Whatever is acknowledged is in
// the journal; whatever detection concludes is stored with its progress in one transaction.
#pragma once

#include <memory>
#include <string>

#include "engine/app/config.hpp"
#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

class Live {
 public:
  // Opens the data directory, loads rules and registers, starts everything. `clock` MUST outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Live>> start(const Config& config, const Clock& clock);
  ~Live();  // stops
  void stop();

  // Reads the Sigma rules again (RuleBook::reload) and puts them to use between two batches. `by` is for the ledger.
  // Thread-safe.
  [[nodiscard]] Result<void> reload_rules(const std::string& by);

  [[nodiscard]] std::string url() const;  // "http://127.0.0.1:8700"
  // The one-time link for the first login; empty once somebody can log in.
  [[nodiscard]] std::string claim_url() const;

 private:
  struct Impl;
  explicit Live(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
