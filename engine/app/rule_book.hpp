// The Sigma rules in use: the built-in pack and the files that the configuration names. They are loaded at start, and
// again whenever somebody asks; a new set that would lose a rule which works today is not taken.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/app/config.hpp"
#include "rules/base/result.hpp"
#include "rules/sigma/engine.hpp"

namespace tocsin::engine {

class RuleBook {
 public:
  // Tells one line.
  using Tell = std::function<void(const std::string&)>;

  // What a (re)load found.
  struct Content {
    std::size_t rules = 0;
    std::size_t correlations = 0;
    std::size_t refused = 0;
    std::string sha256;  // over names and texts of all files, in hex: what was in force
  };

  // Rules that are refused are told one by one and left out. Errors: a file or table that cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<RuleBook>> open(const Config& config, const Tell& tell);

  // Reads everything again. kInvalid if a rule would be refused that is not refused today: the message names the first,
  // and what is in use stays in use. Thread-safe, like all below.
  [[nodiscard]] Result<Content> reload(const Tell& tell);

  [[nodiscard]] std::shared_ptr<const rules::sigma::Engine> engine() const;
  [[nodiscard]] Content content() const;
  // What to call the place of a rule: the pack's name for what is built in, else the file's name.
  [[nodiscard]] static std::string pack_of(const rules::sigma::Description& rule);

 private:
  struct Set {
    rules::sigma::Loaded loaded;
    Content content;
    std::set<std::string> refusals;  // "file: title: code" of each refused rule
  };
  explicit RuleBook(const Config& config) : paths_(config.sigma_rules), placeholders_(config.placeholders) {}
  [[nodiscard]] Result<Set> read() const;
  static void tell_refused(const Set& set, const Tell& tell);

  std::vector<std::string> paths_;
  std::string placeholders_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Set> set_;  // guarded by mutex_
};

}  // namespace tocsin::engine
