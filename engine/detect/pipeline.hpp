// The way of an event through detection: raw record → accesses → people reached → findings. The same code runs
// live behind the journal and offline in `tocsin replay`.
//
//   Pipeline pipeline(setup, registers);
//   Effects effects;
//   for (each record, in the order of the journal) pipeline.see(record, effects);
//   … store effects and progress in one transaction …
//
// One object, one thread: it remembers sessions, cursors and episodes. Rules and scanner are shared and read-only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/detect/correlation.hpp"
#include "engine/detect/export.hpp"
#include "engine/detect/log_readers.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/intake/decoder.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/sigma/engine.hpp"
#include "storage/finding.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

// What is known of a source beyond its bytes.
struct SourceSetup {
  std::string format;       // empty = recognised from the first record of each file
  std::string description;  // "the application log"; empty = the source's name
  DecoderOptions decoder;
  std::vector<LogPlace> read_at;  // where this log itself can be read
};

struct PipelineSetup {
  std::shared_ptr<const rules::sigma::Engine> rules;   // null = no Sigma rules
  rules::sigma::Correlator::Options correlations;
  std::optional<rules::secrets::Scanner> scanner;      // nullopt = secrets are not looked for
  ExportOptions exports;
  DatasetMap datasets;
  ExposureReader::Options exposure;
  std::map<std::string, SourceSetup, std::less<>> sources;
};

// One raw record.
struct Incoming {
  std::string_view source;
  std::string_view file;
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
  Time arrived{};
  std::string_view payload;
};

// What detection makes of some records.
struct Effects {
  struct Failure {  // a record that could not be decoded
    std::string source, file;
    std::uint64_t line = 0;
    std::string error, preview;
  };
  struct Count {
    std::uint64_t decoded = 0;
    std::optional<Time> newest;
  };
  std::vector<storage::Finding> findings;  // one per id, grown by merge_finding
  std::vector<Reach> reaches;              // one per key
  std::vector<Failure> failures;
  std::map<std::string, Count, std::less<>> counts;  // by source
  std::uint64_t accesses = 0;

  void add(storage::Finding&& finding);
  void add(Reach&& reach);
  void clear();

 private:
  std::unordered_map<std::string, std::size_t> finding_at_, reach_at_;  // where each id or key stands
};

class Pipeline {
 public:
  // `registers` MUST outlive this.
  Pipeline(PipelineSetup setup, storage::Registers& registers);
  ~Pipeline();

  // Never fails: a record that cannot be decoded becomes a Failure. (Secrets in it are still looked for.)
  void see(const Incoming& record, Effects& effects);
  // Names the format of a source that the setup does not name (offline, where the reader has recognised it).
  void set_format(const std::string& source, const std::string& format);
  // What has not seen a record that was processed before a restart, and learns it now. No effects.
  struct Warm {
    bool sessions = true;  // what sessions are in the middle of; not, if restore_learned knows it already
    bool windows = false;  // of correlations
    bool readers = false;  // of logs in which secrets stand
  };
  // `reached`: what the record was known to reach then.
  void warm(const Incoming& record, const std::vector<Reach>& reached, const Warm& what);

  // Time has come to `newest` without a record: what correlations find absent by then becomes findings.
  void advance(Time newest, Effects& effects);
  // The records are at their end (files, not a running engine): every open window of a correlation is judged.
  void finish(Effects& effects);

  // Other rules from the next record on. Windows of correlations that are the same in both sets live on.
  void adopt(std::shared_ptr<const rules::sigma::Engine> rules);
  // What correlations remember, as bytes, and back. Errors of restore: kCorrupt; the windows are then empty.
  [[nodiscard]] std::string save_windows() const;
  [[nodiscard]] Result<void> restore_windows(std::string_view bytes);
  [[nodiscard]] rules::sigma::Correlator::Statistics windows() const;
  // Only whom a record reached, for one that was processed before: registers and findings stay as they are.
  void reread(const Incoming& record, Effects& effects);
  void forget_sessions();

  // What the reader of exposure has learned of sessions and relations (engine/exposure/learned.hpp), and back.
  [[nodiscard]] LearnedBytes save_learned() const;
  [[nodiscard]] Result<LearnedCounts> restore_learned(std::string_view bytes);

  // What is known of logs in which secrets stand and of who read them (engine/detect/log_readers.hpp), and back. Empty
  // where no source says at which place it can be read.
  [[nodiscard]] std::string save_log_readers() const;
  [[nodiscard]] Result<void> restore_log_readers(std::string_view bytes);

  // The accesses of one record, read and completed: for `tocsin decode` and tests. Valid until the next call.
  [[nodiscard]] Result<const std::vector<Decoded>*> decode(const Incoming& record);

  // For what it remembers over a restart.
  [[nodiscard]] ExportDetector& exports() noexcept;

  // Matches of each rule since start, by rule id.
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& rule_counts() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Adds what `more` says to `into` (the same id): newest numbers, and evidence that is not there yet.
void merge_finding(storage::Finding& into, storage::Finding&& more);

}  // namespace tocsin::engine
