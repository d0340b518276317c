// PostgreSQL csvlog: 26 columns (14 and later), 24 (13), 23 (12 and before). The event shows them under the names
// that jsonlog uses, so that one rule serves both.
#include <array>
#include <charconv>

#include "engine/intake/pgaudit.hpp"
#include "engine/intake/utf8.hpp"

namespace tocsin::engine {
namespace {

enum Column : std::size_t {
  kTime, kUser, kDatabase, kPid, kFrom, kSession, kLine, kTag, kStart, kVxid, kTxid, kSeverity, kState, kMessage,
  kDetail, kHint, kInternal, kInternalPosition, kContext, kStatement, kCursor, kLocation, kApplication, kBackend,
  kLeader, kQueryId, kColumns
};

constexpr std::array<std::string_view, kColumns> kNames = {
    "timestamp", "user", "dbname", "pid", "remote_host", "session_id", "line_num", "ps", "session_start", "vxid",
    "txid", "error_severity", "state_code", "message", "detail", "hint", "internal_query", "internal_position",
    "context", "statement", "cursor_position", "func_name", "application_name", "backend_type", "leader_pid",
    "query_id"};

bool is_number(std::size_t column) {
  return column == kPid || column == kLine || column == kTxid || column == kInternalPosition || column == kCursor ||
         column == kLeader || column == kQueryId;
}

template <class T>
bool to_number(std::string_view text, T& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size() && !text.empty();
}

class PgAuditCsv final : public Decoder {
 public:
  explicit PgAuditCsv(LocalTime zone) : reader_(std::move(zone)) {}

  std::string_view format() const noexcept override { return "pgaudit-csv"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    const std::string_view text = valid_utf8(record, arena);
    if (!split_csv(text, fields_)) return fail(Errc::kInvalid, "the CSV quotes of this line do not close");
    const std::size_t count = fields_.size();
    if (count != 26 && count != 24 && count != 23) {
      return fail(Errc::kInvalid, "csvlog has 23, 24 or 26 columns, this line has " + std::to_string(count));
    }
    // Undone quotes must outlive this call: they are shown by the event.
    std::array<std::string_view, kColumns> value;
    for (std::size_t i = 0; i < count; ++i) {
      value[i] = fields_[i].doubled ? arena.copy(fields_[i].value(scratch_)) : fields_[i].text;
    }
    PgMessage m;
    m.time = value[kTime];
    m.user = value[kUser];
    m.database = value[kDatabase];
    m.session = value[kSession];
    m.line = value[kLine];
    m.tag = value[kTag];
    m.severity = value[kSeverity];
    m.state = value[kState];
    m.message = value[kMessage];
    m.statement = value[kStatement];
    m.application = value[kApplication];
    // "127.0.0.1:58610", "::1:58610" (the last colon parts them), "[local]".
    std::string_view host = value[kFrom];
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && to_number(host.substr(colon + 1), m.port)) host = host.substr(0, colon);
    m.host = host;

    Decoded decoded;
    auto says = reader_.read(m, decoded.access);
    if (!says) return pass(std::move(says));
    reader_.tell_gap(m, origin, format(), record, out);
    if (!*says) return {};
    decoded.access.format = "pgaudit-csv";
    decoded.access.origin = origin;
    decoded.event.source = {.product = "postgresql", .category = {}, .service = "pgaudit"};
    decoded.event.root = event_of(value, count, m, arena);
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

 private:
  rules::Value event_of(const std::array<std::string_view, kColumns>& value, std::size_t count, const PgMessage& m,
                        rules::Arena& arena) const {
    const auto room = arena.make<rules::Field>(kColumns + 1);
    std::size_t n = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (value[i].empty() && !fields_[i].quoted) continue;
      if (i == kFrom) {
        room[n++] = {kNames[i], rules::Value::of(m.host)};
        if (m.port != 0) room[n++] = {"remote_port", rules::Value::of(m.port)};
        continue;
      }
      std::int64_t integer = 0;
      if (is_number(i) && to_number(value[i], integer)) room[n++] = {kNames[i], rules::Value::of(integer)};
      else room[n++] = {kNames[i], rules::Value::of(value[i])};
    }
    return rules::Value::object(room.first(n));
  }

  PgReader reader_;
  std::vector<CsvField> fields_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Decoder> make_pgaudit_csv(LocalTime zone) { return std::make_unique<PgAuditCsv>(std::move(zone)); }

}  // namespace tocsin::engine
