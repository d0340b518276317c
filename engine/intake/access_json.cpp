// Written by hand: the order of members is part of what people see, and a big log is a million lines.
#include "engine/intake/access_json.hpp"

#include "rules/base/text.hpp"
#include "rules/event.hpp"

namespace tocsin::engine {
namespace {

void text(std::string_view value, std::string& out) { rules::write_json(rules::Value::of(value), out); }

void text_or_null(std::string_view value, std::string& out) {
  if (value.empty()) out += "null";
  else text(value, out);
}

void list_or_null(const std::vector<std::string>& values, std::string& out) {
  if (values.empty()) {
    out += "null";
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    text(values[i], out);
  }
  out += ']';
}

void amount(const Amount& a, std::string& out) {
  out += "{\"value\":";
  out += a.certainty == Certainty::kUnknown ? std::string("null") : std::to_string(a.value);
  out += ",\"certainty\":\"";
  out += name(a.certainty);
  out += "\"}";
}

// A path may hold any bytes but must be JSON.
void path(std::string_view file, std::string& out) {
  if (is_utf8(file)) text(file, out);
  else text(to_utf8(file), out);
}

}  // namespace

void write_access(const Access& a, std::string& out) {
  out += "{\"file\":";
  path(a.origin.file, out);
  out += ",\"line\":" + std::to_string(a.origin.line) + ",\"time\":";
  text_or_null(a.time_known ? format_rfc3339(a.time) : std::string(), out);
  out += ",\"actor\":";
  text_or_null(a.actor.shown(), out);
  out += ",\"action\":";
  text_or_null(a.action == Action::kUnknown ? std::string_view{} : name(a.action), out);
  out += ",\"resource\":{\"system\":";
  text_or_null(a.resource.system, out);
  out += ",\"store\":";
  text_or_null(a.resource.store, out);
  out += ",\"dataset\":";
  text_or_null(a.resource.dataset, out);
  out += ",\"columns\":";
  list_or_null(a.resource.columns, out);
  out += "},\"subjects\":";
  list_or_null(a.subjects, out);
  out += ",\"rows\":";
  amount(a.rows, out);
  out += ",\"bytes\":";
  amount(a.bytes, out);
  out += ",\"client\":{\"ip\":";
  text_or_null(a.client.ip, out);
  out += ",\"port\":";
  out += a.client.port == 0 ? std::string("null") : std::to_string(a.client.port);
  out += ",\"user_agent\":";
  text_or_null(a.client.user_agent, out);
  out += "},\"outcome\":";
  text_or_null(a.outcome == Outcome::kUnknown ? std::string_view{} : name(a.outcome), out);
  out += ",\"format\":";
  text_or_null(a.format, out);
  out += ",\"operation\":";
  text_or_null(a.operation, out);
  out += ",\"person\":";
  text_or_null(a.actor.person, out);
  out += ",\"account\":";
  text_or_null(a.actor.account, out);
  out += ",\"role\":";
  text_or_null(a.actor.role, out);
  out += ",\"session\":";
  text_or_null(a.actor.session, out);
  out += ",\"via\":";
  text_or_null(a.via, out);
  out += ",\"failure\":";
  text_or_null(a.error, out);
  out += ",\"event_id\":";
  text_or_null(a.event_id, out);
  out += ",\"statement\":";
  text_or_null(a.statement.text, out);
  out += ",\"parameters\":";
  // Known and none is [], not known is null.
  if (a.statement.parameters_known && a.statement.parameters.empty()) out += "[]";
  else list_or_null(a.statement.parameters, out);
  out += '}';
}

void write_fault(std::string_view file, std::uint64_t line, std::string_view error, std::string& out) {
  out += "{\"file\":";
  path(file, out);
  out += ",\"line\":" + std::to_string(line) + ",\"error\":";
  text(error, out);
  out += '}';
}

}  // namespace tocsin::engine
