// pgaudit 1.6 and later (PostgreSQL 14 and later). What its lines say, and above all what they do not say, was
// measured: shared facts are in ops/docs/formats/sources.md. rows = 0 on COPY, FETCH, DECLARE, PREPARE and
// EXECUTE means "not counted", never none.
#include "engine/intake/pgaudit.hpp"

#include <charconv>
#include <utility>

#include "engine/intake/sql_word.hpp"
#include "engine/access/gap.hpp"
#include "engine/access/replication.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::string_view kAudit = "AUDIT: ";

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "public.patient" → "patient", `"Weird"."T"` → `Weird.T`: as datasets are named.
std::string dataset_of(std::string_view relation) {
  std::string name;
  name.reserve(relation.size());
  for (std::size_t i = 0; i < relation.size(); ++i) {
    if (relation[i] != '"') name += relation[i];
    else if (i + 1 < relation.size() && relation[i + 1] == '"') name += relation[i++];
  }
  constexpr std::string_view kPublic = "public.";
  if (name.starts_with(kPublic)) name.erase(0, kPublic.size());
  return name;
}

Action action_of(std::string_view audit_class, std::string_view command) {
  if (audit_class == "READ") {
    // COPY of class READ is COPY … TO.
    if (command == "COPY") return Action::kExport;
    return command == "SELECT" ? Action::kRead : Action::kQuery;
  }
  if (audit_class == "WRITE") {
    return command == "DELETE" || command.starts_with("TRUNCATE") ? Action::kDelete : Action::kWrite;
  }
  if (audit_class == "FUNCTION") return Action::kQuery;
  if (audit_class == "ROLE" || audit_class == "DDL" || audit_class == "MISC_SET") return Action::kConfigure;
  if (command == "FETCH") return Action::kRead;
  if (command == "EXECUTE") return Action::kQuery;
  if (command == "SET" || command == "RESET") return Action::kConfigure;
  return Action::kUnknown;
}

// Commands whose row count pgaudit knows. For others 0 is what it writes when it does not.
bool counts_rows(std::string_view command) {
  return command == "SELECT" || command == "INSERT" || command == "UPDATE" || command == "DELETE" ||
         command == "MERGE" || command == "???";
}

Action action_of_word(std::string_view word) {
  if (word == "SELECT" || word == "TABLE" || word == "VALUES" || word == "FETCH" || word == "MOVE") return Action::kRead;
  if (word == "COPY") return Action::kExport;
  if (word == "WITH" || word == "DECLARE" || word == "EXECUTE" || word == "PREPARE" || word == "EXPLAIN" ||
      word == "CALL" || word == "DO") {
    return Action::kQuery;
  }
  if (word == "INSERT" || word == "UPDATE" || word == "MERGE") return Action::kWrite;
  if (word == "DELETE" || word == "TRUNCATE") return Action::kDelete;
  if (word == "CREATE" || word == "ALTER" || word == "DROP" || word == "GRANT" || word == "REVOKE" || word == "SET" ||
      word == "RESET") {
    return Action::kConfigure;
  }
  return Action::kUnknown;
}

// The value after ` key=` up to the next ` word=` or " (": "application_name=my app" may hold blanks.
std::string_view value_after(std::string_view message, std::string_view key) {
  const std::size_t at = message.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view rest = message.substr(at + key.size());
  std::size_t end = rest.size();
  for (const std::string_view next : {" database=", " application_name=", " SSL ", " (SSL", " GSS "}) {
    end = std::min(end, rest.find(next));
  }
  return rest.substr(0, end);
}

bool is_authentication_failure(const PgMessage& m) {
  return m.state == "28P01" || m.state == "28000" || m.message.find("authentication failed") != std::string_view::npos;
}

}  // namespace

Result<bool> PgReader::read(const PgMessage& m, Access& a) {
  bool says = false;
  if (m.message.starts_with(kAudit)) {
    auto audit = read_audit(m.message.substr(kAudit.size()), m, a);
    if (!audit) return audit;
    says = true;
  } else if (m.severity == "ERROR" || m.severity == "FATAL" || m.severity == "PANIC") {
    if (is_authentication_failure(m)) {
      a.action = Action::kAuthenticate;
      a.operation = "authentication failed";
      says = true;
    } else {
      says = read_error(m, a);
    }
    if (says) {
      a.outcome = Outcome::kFailure;
      a.error = m.message;
    }
  } else if (m.message.starts_with("connection authenticated:")) {
    read_identity(m);
  } else if (m.message.starts_with("connection authorized:") ||
             m.message.starts_with("replication connection authorized:")) {
    says = read_authentication(m, a);
  }
  if (!says) {
    all_messages_ = all_messages_ || m.severity == "LOG";
    return false;
  }

  const auto time = zone_.parse(m.time);
  if (!time) return fail(Errc::kInvalid, LocalTime::complaint(m.time));
  a.time = *time;
  a.time_known = true;
  if (!m.line.empty()) {
    a.event_id.reserve(m.session.size() + 1 + m.line.size());
    a.event_id = m.session;
    a.event_id += '/';
    a.event_id += m.line;
  }
  if (a.actor.account.empty()) a.actor.account = m.user;
  a.actor.session = m.session;
  if (a.via.empty()) a.via = m.application;
  a.client.user_agent = a.via;
  if (m.host != "[local]") a.client.ip = m.host;
  a.client.port = m.port;
  a.resource.system = "postgresql";
  if (a.resource.store.empty()) a.resource.store = m.database;
  if (const auto known = sessions_.find(m.session); known != sessions_.end()) a.actor.person = known->second.identity;
  return true;
}

void PgReader::tell_gap(const PgMessage& m, const Origin& origin, std::string_view format, std::string_view record, std::vector<Decoded>& out) {
  const auto line = number(m.line);
  if (!line || m.session.empty()) return;
  Session& known = session(m.session);
  const std::uint64_t before = std::exchange(known.line, std::max(known.line, *line));
  if (before == 0 || *line <= before + 1 || !all_messages_) return;
  const auto time = zone_.parse(m.time);
  if (!time) return;
  Decoded gap;
  Access& a = gap.access;
  a.time = *time;
  a.time_known = true;
  a.origin = origin;
  a.format = format;
  a.event_id = std::string(m.session) + "/" + std::string(m.line) + "/gap";
  a.operation = kRecordsMissing;
  a.error = std::to_string(*line - before - 1);
  a.actor.account = m.user;
  a.actor.session = m.session;
  a.via = m.application;
  a.resource.system = "postgresql";
  a.resource.store = m.database;
  gap.event.source = {.product = "postgresql", .category = {}, .service = "pgaudit"};
  gap.event.raw = record;
  gap.raw = record;
  out.push_back(std::move(gap));
}

Result<bool> PgReader::read_audit(std::string_view payload, const PgMessage& m, Access& a) {
  enum { kType, kNumber, kSubNumber, kClass, kCommand, kObjectType, kObject, kStatement, kParameter, kRows };
  if (!split_csv(payload, fields_) || fields_.size() < 9 || fields_.size() > 10) {
    return fail(Errc::kInvalid, "the AUDIT message is not nine or ten CSV fields (cut short?)");
  }
  const auto statement_number = number(fields_[kNumber].text), sub_number = number(fields_[kSubNumber].text);
  if (!statement_number || !sub_number || (fields_[kType].text != "SESSION" && fields_[kType].text != "OBJECT")) {
    return fail(Errc::kInvalid, "the AUDIT message does not begin with SESSION or OBJECT and two numbers");
  }
  Statement& s = a.statement;
  s.number = *statement_number;
  s.sub_number = *sub_number;
  s.audit_class = fields_[kClass].text;
  s.command = fields_[kCommand].text;
  s.relation_type = fields_[kObjectType].text;
  s.relation = fields_[kObject].value(scratch_);
  const std::string_view text = fields_[kStatement].value(scratch_);
  const bool repeated = text == "<previously logged>";
  if (!repeated && text != "<not logged>") s.text = text;

  const std::string_view parameters = fields_[kParameter].value(scratch_);
  if (repeated || parameters == "<previously logged>") {
    const auto known = sessions_.find(m.session);
    if (known != sessions_.end() && known->second.number == s.number && known->second.sub_number == s.sub_number) {
      if (repeated) s.text = known->second.statement;
      s.parameters = known->second.parameters;
      s.parameters_known = known->second.parameters_known;
    }
  } else if (parameters == "<none>") {
    s.parameters_known = true;
  } else if (parameters != "<not logged>") {
    if (split_csv(parameters, parameters_)) {
      s.parameters_known = true;
      s.parameters.reserve(parameters_.size());
      std::string inner;
      for (const CsvField& field : parameters_) {
        s.parameters.emplace_back(field.value(inner));
        if (s.parameters.back() == "<long param suppressed>") s.parameters_known = false;
      }
    }
  }
  if (!repeated && s.text.size() <= kMaxRememberedStatement) {
    Session& kept = session(m.session);
    kept.number = s.number;
    kept.sub_number = s.sub_number;
    kept.statement = s.text;
    kept.parameters = s.parameters;
    kept.parameters_known = s.parameters_known;
  }

  if (fields_.size() == 10) {
    if (const auto rows = number(fields_[kRows].text)) {
      const bool counted = *rows > 0 || counts_rows(s.command);
      a.rows = {counted ? *rows : 0, counted ? Certainty::kExact : Certainty::kUnknown};
    } else if (!fields_[kRows].text.empty()) {
      return fail(Errc::kInvalid, "the row count of the AUDIT message is not a number");
    }
  }
  a.action = action_of(s.audit_class, s.command);
  a.operation = s.command;
  a.resource.dataset = dataset_of(s.relation);
  a.outcome = Outcome::kSuccess;
  return true;
}

bool PgReader::read_authentication(const PgMessage& m, Access& a) const {
  a.action = Action::kAuthenticate;
  a.operation = m.message.starts_with("replication ") ? kReplication : "connection authorized";
  a.outcome = Outcome::kSuccess;
  a.via = value_after(m.message, " application_name=");
  if (m.user.empty()) a.actor.account = value_after(m.message, " user=");
  if (m.database.empty()) a.resource.store = value_after(m.message, " database=");
  return true;
}

// "connection authenticated: identity="…" method=…": who it really was, where that is not the database user.
void PgReader::read_identity(const PgMessage& m) {
  constexpr std::string_view kIdentity = "identity=\"";
  const std::size_t at = m.message.find(kIdentity);
  const std::size_t end = m.message.rfind("\" method=");
  if (at == std::string_view::npos || end == std::string_view::npos || end < at + kIdentity.size()) return;
  const std::string_view identity = m.message.substr(at + kIdentity.size(), end - at - kIdentity.size());
  if (identity != m.user) session(m.session).identity = identity;
}

bool PgReader::read_error(const PgMessage& m, Access& a) {
  if (m.statement.empty()) return false;
  a.statement.text = m.statement;
  const std::string word = first_word(m.statement, SqlComments::kPostgres);
  // While a statement is only parsed or bound, the tag says so; its own first word says more.
  const bool tagged = !m.tag.empty() && m.tag != "PARSE" && m.tag != "BIND" && m.tag != "idle" && m.tag != "startup";
  a.statement.command = tagged ? std::string(m.tag) : word;
  a.action = action_of_word(word);
  a.operation = a.statement.command;
  return true;
}

PgReader::Session& PgReader::session(std::string_view id) {
  const auto known = sessions_.find(id);
  if (known != sessions_.end()) return known->second;
  if (sessions_.size() >= kMaxSessions) sessions_.erase(sessions_.begin());
  return sessions_[std::string(id)];
}

}  // namespace tocsin::engine
