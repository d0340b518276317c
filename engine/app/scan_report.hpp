// What `tocsin scan` prints: lines for people, one JSON object per finding, or one SARIF 2.1.0 log. Findings carry a
// preview and a keyed fingerprint, never the secret.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/app/scan_targets.hpp"
#include "rules/secrets/stream.hpp"

namespace tocsin::engine {

class ScanReport {
 public:
  enum class Form : std::uint8_t { kText, kJson, kSarif };
  virtual ~ScanReport() = default;

  // `file` as it was named. Offsets in hits count from the line's start; those beyond its end are cut to it.
  virtual void hit(const std::string& file, const rules::secrets::Stream::Line& line, const rules::secrets::Hit& hit) = 0;
  virtual void drop(const std::string& file, const rules::secrets::Stream::Line& line, const rules::secrets::Drop& drop) = 0;
  // How the run went: what was said about the rules, what was not looked at.
  struct Outcome {
    std::vector<rules::secrets::Diagnostic> notes;
    std::vector<NotScanned> left_out;
    int exit_status = 0;
    bool explain = false;  // also what was passed over on purpose
  };
  virtual void finish(const Outcome&) {}

  // The scanner must outlive the report. Prints to standard output.
  [[nodiscard]] static std::unique_ptr<ScanReport> make(Form form, const rules::secrets::Scanner& scanner);
};

}  // namespace tocsin::engine
