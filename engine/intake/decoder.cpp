// The list of formats, and the ids that records carry.
#include "engine/intake/decoder.hpp"

#include <algorithm>
#include <array>

#include "engine/intake/csv.hpp"
#include "engine/intake/factories.hpp"
#include "engine/intake/json_record.hpp"
#include "engine/intake/mariadb.hpp"
#include "engine/intake/pgaudit.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::array<std::string_view, 10> kFormats = {"pgaudit-csv", "pgaudit-json", "mariadb-audit", "cloudtrail", "combined",
                                                      "fhir-audit",  "teleport",     "json",          "text",         "pgaudit-stderr"};

std::string joined(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return {};
  std::string out;
  out.reserve(a.size() + 1 + b.size());
  out += a;
  out += '/';
  out += b;
  return out;
}

}  // namespace

std::span<const std::string_view> known_formats() noexcept { return kFormats; }

bool is_known_format(std::string_view format) noexcept {
  return std::find(kFormats.begin(), kFormats.end(), format) != kFormats.end();
}

Result<std::unique_ptr<Decoder>> make_decoder(std::string_view format, const DecoderOptions& options) {
  auto zone = LocalTime::of(options.timezone);
  if (!zone) return pass(std::move(zone));
  if (format == "pgaudit-csv") return make_pgaudit_csv(std::move(*zone));
  if (format == "pgaudit-json") return make_pgaudit_json(std::move(*zone));
  if (format == "pgaudit-stderr") return make_pgaudit_text(options.prefix, std::move(*zone));
  if (format == "mariadb-audit") return make_mariadb(options, std::move(*zone));
  if (format == "cloudtrail") return make_cloudtrail();
  if (format == "fhir-audit") return make_fhir();
  if (format == "teleport") return make_teleport();
  if (format == "combined") return make_combined(options);
  if (format == "text") return make_text(options);
  if (format == "json") {
    if (auto checked = options.mapping.check(); !checked) return pass(std::move(checked));
    return make_json(options);
  }
  const std::string_view near = nearest(format, {kFormats.begin(), kFormats.end()});
  std::string all;
  for (const std::string_view known : kFormats) all += (all.empty() ? "" : ", ") + std::string(known);
  return fail(Errc::kInvalid,
              "unknown format '" + printable(format, 40) + "'" +
                  (near.empty() ? std::string() : " (did you mean '" + std::string(near) + "'?)"),
              "format", "the formats are " + all);
}

std::string record_id(std::string_view format, std::string_view record, const JsonMapping* mapping) {
  if (format == "pgaudit-csv") {
    thread_local std::vector<CsvField> fields;
    constexpr std::size_t kSession = 5, kLine = 6;
    if (!split_csv(record, fields, kLine + 2) || fields.size() < kLine + 1) return {};
    return joined(fields[kSession].text, fields[kLine].text);
  }
  if (format == "pgaudit-json") {
    std::array<std::string, 2> values;
    constexpr std::array<std::string_view, 2> kNames = {"session_id", "line_num"};
    if (!peek_members(record, kNames, values)) return {};
    return joined(values[0], values[1]);
  }
  if (format == "cloudtrail") {
    std::array<std::string, 1> values;
    constexpr std::array<std::string_view, 1> kNames = {"eventID"};
    if (!peek_members(record, kNames, values)) return {};
    if (!values[0].empty()) return std::move(values[0]);
  } else if (format == "fhir-audit" || format == "teleport") {
    std::array<std::string, 1> values;
    const std::array<std::string_view, 1> names = {format == "teleport" ? "uid" : "id"};
    return peek_members(record, names, values) ? std::move(values[0]) : std::string();
  } else if (format != "json" || mapping == nullptr) {
    return {};
  }
  thread_local rules::Arena arena;
  arena.reset();
  const auto root = parse_record(record, arena);
  if (!root) return {};
  if (format == "cloudtrail") return std::string(text_of(root->get("detail").get("eventID")));
  for (const auto& [field, path] : mapping->paths) {
    if (field == "event_id") return scalar_of(at_path(*root, path));
  }
  return {};
}

}  // namespace tocsin::engine
