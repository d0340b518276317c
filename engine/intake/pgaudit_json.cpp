// PostgreSQL jsonlog (15 and later): one object a line, absent members omitted.
#include "engine/intake/json_record.hpp"
#include "engine/intake/pgaudit.hpp"

namespace tocsin::engine {
namespace {

class PgAuditJson final : public Decoder {
 public:
  explicit PgAuditJson(LocalTime zone) : reader_(std::move(zone)) {}

  std::string_view format() const noexcept override { return "pgaudit-json"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    auto root = parse_record(record, arena);
    if (!root) return pass(std::move(root));
    PgMessage m;
    std::string line;
    bool has_message = false;
    for (const rules::Field& field : root->fields()) {
      const std::string_view key = field.key;
      const std::string_view text = text_of(field.value);
      if (key == "timestamp") m.time = text;
      else if (key == "user") m.user = text;
      else if (key == "dbname") m.database = text;
      else if (key == "remote_host") m.host = text;
      else if (key == "remote_port") m.port = static_cast<std::uint16_t>(count_of(field.value).value_or(0) & 0xFFFFU);
      else if (key == "session_id") m.session = text;
      else if (key == "line_num") line = scalar_of(field.value);
      else if (key == "ps") m.tag = text;
      else if (key == "error_severity") m.severity = text;
      else if (key == "state_code") m.state = text;
      else if (key == "message") { m.message = text; has_message = true; }
      else if (key == "statement") m.statement = text;
      else if (key == "application_name") m.application = text;
    }
    m.line = line;
    if (m.time.empty() || m.severity.empty()) {
      return fail(Errc::kInvalid, "not a jsonlog record: it has no timestamp or no error_severity");
    }
    if (!has_message) return {};

    Decoded decoded;
    auto says = reader_.read(m, decoded.access);
    if (!says) return pass(std::move(says));
    reader_.tell_gap(m, origin, format(), record, out);
    if (!*says) return {};
    decoded.access.format = "pgaudit-json";
    decoded.access.origin = origin;
    decoded.event.source = {.product = "postgresql", .category = {}, .service = "pgaudit"};
    decoded.event.root = *root;
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

 private:
  PgReader reader_;
};

}  // namespace

std::unique_ptr<Decoder> make_pgaudit_json(LocalTime zone) { return std::make_unique<PgAuditJson>(std::move(zone)); }

}  // namespace tocsin::engine
