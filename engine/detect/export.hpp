// Bulk export of people's data, by whatever way: COPY, pg_dump, cursors, whole-table selects, views, prepared
// statements, one-row aggregates, paging, one by one.
//
//   ExportDetector detector(options);
//   detector.see(access, reaches, findings);   // after ExposureReader::read, in the order of the log
//
// Two rules. "At once": one statement (or one cursor) could give at least `minimum_people` people, or
// `minimum_share` of a dataset that is not tiny. "Little by little": one actor reaches `cumulative_people`
// different people of a dataset within `window`; paging counts the rows of its pages.
// Three circumstances make findings of their own beside these, each with its exposure: rows that leave for a place
// outside ("tocsin.export.outside": a program, a file of the server, another database, or, in bulk, a client outside the
// configured networks), a bulk export outside office hours ("…off-hours"), and one by an actor who has made none of
// this dataset for long ("…first-time"; earlier ones are given at start, so a restart forgets nothing).
// A finding is one (actor, dataset, way) and goes on while the gap is at most `episode_gap`: the same id comes
// again, with the evidence that is new and the numbers as they now are. All findings of one actor and dataset share an alert.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/detect/circumstances.hpp"
#include "engine/exposure/reader.hpp"
#include "storage/finding.hpp"

namespace tocsin::engine {

struct AllowedExporter {
  std::string actor;
  std::string application;  // empty = any
  std::string dataset;      // empty = any
};

struct ExportOptions {
  std::uint64_t minimum_people = 50;      // at once
  double minimum_share = 0.5;             // … or this share of the dataset, if it has minimum_dataset people
  std::uint64_t minimum_dataset = 20;
  std::uint64_t cumulative_people = 200;  // little by little
  Duration window = std::chrono::hours(1);
  Duration episode_gap = std::chrono::hours(1);
  std::uint64_t critical_people = 10'000;  // critical from here, or the whole dataset
  std::vector<AllowedExporter> allowed;    // their findings are informational
  Networks networks;                       // clients outside are told; empty = not looked at
  OfficeHours hours;                       // bulk exports outside are told; unset = not looked at
  Duration first_time{};                   // one that did not happen for so long is told; 0 = not looked at
  std::map<std::pair<std::string, std::string>, Time> earlier;  // (actor, dataset) -> their newest bulk export
  std::size_t max_actors = 100'000;        // (actor, dataset) pairs remembered; the longest idle goes first
};

class ExportDetector {
 public:
  explicit ExportDetector(ExportOptions options);
  ~ExportDetector();
  ExportDetector(ExportDetector&&) noexcept;
  ExportDetector& operator=(ExportDetector&&) noexcept;

  static constexpr std::string_view kLittleByLittle = "tocsin.export.one-by-one";
  [[nodiscard]] const ExportOptions& options() const;
  // Before the first see(), after a restart: a finding of kLittleByLittle that may go on, as it was last stored; then what
  // was reached within `window` before, in any order. Bulk by itself is passed over. So a slow export is found at the same
  // person as without the restart, and one that was found goes on under its id.
  void resume(const storage::Finding& finding, std::uint64_t evidence_kept);
  void remember(const Reach& reach, Time time);

  // Appends new or grown findings. Rule ids: "tocsin.export.<way>", way as in Reach plus "paging", "one-by-one";
  // "tocsin.export.denied" (low) for a refused read of a table of people.
  void see(const Access& access, const std::vector<Reach>& reaches, std::vector<storage::Finding>& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
