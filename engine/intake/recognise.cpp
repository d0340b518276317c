// Each known shape is tried on the sample; the one that fits the most records wins.
#include "engine/intake/recognise.hpp"

#include <algorithm>
#include <vector>

#include "engine/intake/combined.hpp"
#include "engine/intake/csv.hpp"
#include "engine/intake/framer.hpp"
#include "engine/intake/json_record.hpp"
#include "engine/intake/mariadb.hpp"
#include "engine/intake/pg_prefix.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kLooked = 100;  // records of each shape are enough

struct Score {
  std::size_t fits = 0;
  std::size_t seen = 0;
  [[nodiscard]] bool good() const { return fits > 0 && fits * 2 >= seen; }
};

std::string said(const Score& score, std::string_view what) {
  return std::to_string(score.fits) + " of " + std::to_string(score.seen) + " records " + std::string(what);
}

// Calls `each` for the first records of the sample. The last, unfinished one counts only if it is the only one.
template <class F>
std::size_t for_records(std::string_view sample, Framing framing, F&& each) {
  Framer framer(framing);
  framer.add(sample);
  std::size_t n = 0;
  while (n < kLooked) {
    auto frame = framer.next();
    if (!frame && n == 0) {
      framer.finish();
      frame = framer.next();
    }
    if (!frame) break;
    if (!frame->error.empty() && frame->line == 1) continue;  // the stream begins in the middle
    ++n;
    each(*frame);
  }
  return n;
}

bool is_csvlog(std::string_view record, std::vector<CsvField>& fields) {
  if (!begins_csvlog(record) || !split_csv(record, fields)) return false;
  if (fields.size() != 26 && fields.size() != 24 && fields.size() != 23) return false;
  const std::string_view severity = fields[11].text;
  for (const std::string_view known : {"LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO", "DEBUG"}) {
    if (severity.starts_with(known)) return true;
  }
  return false;
}

}  // namespace

Result<Recognised> recognise(std::string_view sample) {
  sample = sample.substr(0, kRecognitionSample);
  if (sample.starts_with("\xEF\xBB\xBF")) sample.remove_prefix(3);
  if (trim(sample).empty()) return fail(Errc::kUnavailable, "there is nothing yet to recognise a format by");

  Score pgtext, csv, combined, audit, pgjson, cloudtrail, fhir, teleport, json;
  std::vector<CsvField> fields;
  for_records(sample, Framing::kCsvLog, [&](const Frame& frame) {
    ++csv.seen;
    if (frame.error.empty() && is_csvlog(frame.bytes, fields)) ++csv.fits;
  });
  for_records(sample, Framing::kLines, [&](const Frame& frame) {
    ++combined.seen;
    if (frame.error.empty() && parse_combined(frame.bytes)) ++combined.fits;
    ++audit.seen;
    if (frame.error.empty() && parse_server_audit(frame.bytes)) ++audit.fits;
  });
  for_records(sample, Framing::kPgText, [&](const Frame& frame) {
    ++pgtext.seen;
    if (frame.error.empty() && parse_common_prefix(frame.bytes)) ++pgtext.fits;
  });
  const auto look_at_json = [&](std::string_view text) {
    rules::Arena arena;
    for_records(text, Framing::kJson, [&](const Frame& frame) {
      ++json.seen;
      if (!frame.error.empty()) return;
      arena.reset();
      const auto root = parse_record(frame.bytes, arena);
      if (!root) return;
      ++json.fits;
      if (root->get("error_severity").present() && root->get("timestamp").present()) ++pgjson.fits;
      if (text_of(root->get("resourceType")) == "AuditEvent" || text_of(root->get("resource").get("resourceType")) == "AuditEvent") ++fhir.fits;
      if (root->get("cluster_name").present() && root->get("event").present() && root->get("code").present()) ++teleport.fits;
      const rules::Value detail = root->get("detail");
      const rules::Value& aws = root->get("eventSource").present() || detail.kind() != rules::Kind::kObject ? *root : detail;
      if (aws.get("eventSource").present() && aws.get("eventName").present()) ++cloudtrail.fits;
      else if (root->get("Records").kind() == rules::Kind::kArray) ++cloudtrail.fits;
    });
  };
  look_at_json(sample);
  if (!json.good()) {
    // Perhaps the sample begins in the middle of a line.
    const std::size_t line = sample.find('\n');
    if (line != std::string_view::npos) {
      json = {};
      pgjson = {};
      cloudtrail = {};
      fhir = {};
      teleport = {};
      look_at_json(sample.substr(line + 1));
    }
  }
  pgjson.seen = cloudtrail.seen = fhir.seen = teleport.seen = json.seen;

  if (pgjson.good()) return Recognised{"pgaudit-json", said(pgjson, "are JSON with PostgreSQL's error_severity and timestamp")};
  if (cloudtrail.good()) return Recognised{"cloudtrail", said(cloudtrail, "are JSON with CloudTrail's eventSource and eventName")};
  if (fhir.good()) return Recognised{"fhir-audit", said(fhir, "are FHIR AuditEvents")};
  if (teleport.good()) return Recognised{"teleport", said(teleport, "are JSON with Teleport's cluster_name, event and code")};
  if (json.good()) return Recognised{"json", said(json, "are JSON objects of no special kind")};
  if (csv.good()) return Recognised{"pgaudit-csv", said(csv, "have csvlog's columns and begin with a time")};
  if (audit.good()) return Recognised{"mariadb-audit", said(audit, "are server_audit lines")};
  if (pgtext.good()) return Recognised{"pgaudit-stderr", said(pgtext, "are lines of PostgreSQL's log with a common log_line_prefix")};
  if (combined.good()) return Recognised{"combined", said(combined, "are access log lines")};

  if (sample.find('\n') == std::string_view::npos && sample.size() < kRecognitionSample) {
    return fail(Errc::kUnavailable, "one unfinished line is not enough to recognise a format by", {},
                "name it: pgaudit-csv, pgaudit-json, pgaudit-stderr, mariadb-audit, cloudtrail, combined, fhir-audit, teleport, json or text");
  }
  if (sample.find("  AUDIT: ") != std::string_view::npos || sample.find("FATAL:  ") != std::string_view::npos) {
    return fail(Errc::kUnsupported, "this looks like PostgreSQL's stderr log, but its log_line_prefix is none of the common ones", {},
                "name the format pgaudit-stderr and the prefix as the server's log_line_prefix has it");
  }
  // The line itself may hold personal data, so only its shape is told.
  const std::string_view first = trim(sample.substr(0, sample.find('\n')));
  const char c = first.empty() ? ' ' : first[0];
  const bool digit = c >= '0' && c <= '9';
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const std::string looks =
      sample.find('\0') != std::string_view::npos
          ? std::string("it holds bytes that no text has")
          : "its first line has " + std::to_string(first.size()) + " bytes and begins with " +
                (digit ? "a digit" : letter ? "a letter" : "'" + printable(std::string_view(&c, 1), 8) + "'");
  return fail(Errc::kInvalid, "the format is not recognised: " + looks, {},
              "name it: pgaudit-csv, pgaudit-json, pgaudit-stderr, mariadb-audit, cloudtrail, combined, fhir-audit, teleport, json or text (any other text, line by line)");
}

}  // namespace tocsin::engine
