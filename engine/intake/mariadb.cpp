// Statement lines carry the text; table lines, one for each table opened, come before it under the same query
// number. Both become accesses; ExposureReader joins them. There are no row counts and no bound values.
#include "engine/intake/mariadb.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "engine/intake/sql_word.hpp"
#include "engine/intake/utf8.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

// As many connections as MariaDB can have open at once, by default; the oldest half is forgotten beyond that.
constexpr std::size_t kMaxConnections = 100'000;
// The log stops writing a text a few bytes before its limit, where an escape no longer fits.
constexpr std::size_t kCutSlack = 8;

constexpr std::array<std::string_view, 11> kOperations = {"CONNECT", "DISCONNECT", "FAILED_CONNECT", "PROXY_CONNECT", "QUERY", "READ",
                                                          "WRITE",   "CREATE",     "ALTER",          "RENAME",        "DROP"};
// With server_audit_events of finer grain, statements are named by their kind.
constexpr std::array<std::string_view, 4> kStatements = {"QUERY", "QUERY_DDL", "QUERY_DML", "QUERY_DCL"};

bool is_operation(std::string_view word) {
  return std::find(kOperations.begin(), kOperations.end(), word) != kOperations.end() ||
         std::find(kStatements.begin(), kStatements.end(), word) != kStatements.end();
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "20261123 14:25:38", or with dashes where server_audit_timestamp_format says so.
bool is_audit_time(std::string_view text) {
  return (text.size() >= 17 && all_digits(text.substr(0, 8)) && text[8] == ' ' && text[11] == ':') ||
         (text.size() >= 19 && text.size() <= 26 && text[4] == '-' && text[7] == '-' && text[10] == ' ' && text[13] == ':');
}

// Past a syslog header: what follows its program name, and the header's time if that has a year.
std::optional<std::string_view> past_header(std::string_view line, std::string_view& time) {
  for (const std::string_view program : {"mysql-server_auditing", "mariadb-server_auditing", "server_audit"}) {
    const std::size_t at = line.find(program);
    if (at == std::string_view::npos) continue;
    std::string_view head = line.substr(0, at);
    if (head.starts_with('<')) head.remove_prefix(std::min(head.find('>') + 1, head.size()));
    if (head.starts_with("1 ")) head.remove_prefix(2);  // RFC 5424
    if (head.size() > 19 && head[4] == '-') time = head.substr(0, head.find(' '));
    std::string_view rest = line.substr(at + program.size());
    const std::size_t first = std::min(rest.find(','), rest.size());
    // The host name before the first comma has no blank; tag, process number and server_audit_syslog_info do.
    const std::size_t blank = rest.substr(0, first).rfind(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    return rest.substr(blank + 1);
  }
  return std::nullopt;
}

std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      default: out += text[i];
    }
  }
  return out;
}

Action action_of(std::string_view word) {
  struct Word { std::string_view word; Action action; };
  static constexpr Word kWords[] = {
      {"SELECT", Action::kRead}, {"TABLE", Action::kRead}, {"VALUES", Action::kRead}, {"HANDLER", Action::kRead},
      {"WITH", Action::kQuery}, {"CALL", Action::kQuery}, {"DO", Action::kQuery}, {"PREPARE", Action::kQuery},
      {"EXECUTE", Action::kQuery}, {"EXPLAIN", Action::kQuery}, {"ANALYZE", Action::kQuery},
      {"SHOW", Action::kList}, {"DESCRIBE", Action::kList}, {"DESC", Action::kList},
      {"INSERT", Action::kWrite}, {"REPLACE", Action::kWrite}, {"UPDATE", Action::kWrite}, {"LOAD", Action::kWrite},
      {"DELETE", Action::kDelete}, {"TRUNCATE", Action::kDelete}, {"DROP", Action::kDelete},
      {"CREATE", Action::kConfigure}, {"ALTER", Action::kConfigure}, {"RENAME", Action::kConfigure},
      {"GRANT", Action::kConfigure}, {"REVOKE", Action::kConfigure}, {"SET", Action::kConfigure}};
  for (const Word& w : kWords) {
    if (w.word == word) return w.action;
  }
  return Action::kUnknown;
}

// The words that detection and exposure know errors by (engine/exposure/reader.cpp).
std::string error_text(std::string_view code) {
  for (const std::string_view refused : {"1044", "1045", "1142", "1143", "1227", "1370", "1410", "1698"}) {
    if (code == refused) return "permission denied (error " + std::string(code) + ")";
  }
  // Found out while the statement is read and its tables are opened, before any row is.
  for (const std::string_view early : {"1046", "1049", "1051", "1052", "1054", "1064", "1065", "1066", "1109", "1115", "1146", "1149",
                                       "1176", "1222", "1241", "1247", "1248", "1305", "1327", "1356"}) {
    if (code == early) return "refused before reading (error " + std::string(code) + ")";
  }
  return "error " + std::string(code);
}

class MariaDb final : public Decoder {
 public:
  MariaDb(const DecoderOptions& options, LocalTime zone)
      : zone_(std::move(zone)), limit_(options.statement_limit > 0 ? options.statement_limit : kServerAuditLimit) {}

  std::string_view format() const noexcept override { return "mariadb-audit"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    const std::string_view text = valid_utf8(record, arena);
    const auto line = parse_server_audit(text);
    if (!line) return fail(Errc::kInvalid, "not a server_audit line: no connection, query number and operation between commas");
    Decoded decoded;
    Access& a = decoded.access;
    if (!line->time.empty()) {
      const auto time = time_of(line->time);
      if (!time) return fail(Errc::kInvalid, LocalTime::complaint(line->time));
      a.time = *time;
      a.time_known = true;
    }
    a.origin = origin;
    a.format = "mariadb-audit";
    a.actor.account = line->user;
    a.actor.session = session(*line, a);
    a.client.ip = line->client == "localhost" ? std::string_view{} : line->client;
    a.resource.system = "mariadb";
    a.resource.store = line->database;
    a.operation = line->operation;
    a.outcome = line->code.empty() || line->code == "0" ? Outcome::kSuccess : Outcome::kFailure;
    if (a.outcome == Outcome::kFailure) a.error = error_text(line->code);
    if (line->operation.starts_with("QUERY")) {
      statement(*line, a);
    } else if (line->operation.find("CONNECT") != std::string_view::npos) {
      if (line->operation != "DISCONNECT") a.action = Action::kAuthenticate;
      if (line->operation == "FAILED_CONNECT") a.outcome = Outcome::kFailure;
    } else {
      table(*line, a);
    }
    decoded.event = event_of(*line, a, arena);
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

 private:
  std::optional<Time> time_of(std::string_view text) {
    if (text.size() >= 17 && text[8] == ' ') {
      std::string spelt(text.substr(0, 4));
      spelt.append("-").append(text.substr(4, 2)).append("-").append(text.substr(6));
      return zone_.parse(spelt);
    }
    return zone_.parse(text);
  }

  // Connection numbers begin again when the server does: with the time a connection was first seen they do not
  // mean two sessions.
  std::string session(const AuditLine& line, const Access& a) {
    const auto known = connections_.find(line.connection);
    if (known != connections_.end() && line.operation != "CONNECT" && line.operation != "FAILED_CONNECT") {
      std::string out = known->second;
      if (line.operation == "DISCONNECT") connections_.erase(known);
      return out;
    }
    if (connections_.size() >= kMaxConnections) connections_.clear();
    std::string out = std::to_string(line.connection) + "@" + std::to_string(to_micros(a.time) / 1'000'000);
    if (line.operation != "DISCONNECT") connections_[line.connection] = out;
    return out;
  }

  void statement(const AuditLine& line, Access& a) const {
    Statement& s = a.statement;
    s.number = line.query;
    s.text = unescaped(line.object);
    s.cut = line.object.size() + kCutSlack >= limit_;
    s.audit_class = "QUERY";
    s.command = first_word(s.text, SqlComments::kMysql);
    a.operation = s.command.empty() ? "QUERY" : s.command;
    a.action = action_of(s.command);
  }

  static void table(const AuditLine& line, Access& a) {
    Statement& s = a.statement;
    s.number = line.query;
    s.audit_class = "TABLE";
    s.command = line.operation;
    s.relation = line.database;
    if (!s.relation.empty()) s.relation += '.';
    s.relation += line.object;
    s.relation_type = "TABLE";
    a.resource.dataset = line.object;
    a.action = line.operation == "READ"    ? Action::kRead
               : line.operation == "WRITE" ? Action::kWrite
               : line.operation == "DROP"  ? Action::kDelete
                                           : Action::kConfigure;
  }

  static rules::Event event_of(const AuditLine& line, const Access& a, rules::Arena& arena) {
    const auto room = arena.make<rules::Field>(10);
    std::size_t n = 0;
    const auto put = [&](std::string_view key, std::string_view value) {
      if (!value.empty()) room[n++] = {key, rules::Value::of(value)};
    };
    put("serverhost", line.server);
    put("username", line.user);
    put("host", line.client);
    room[n++] = {"connectionid", rules::Value::of(line.connection)};
    room[n++] = {"queryid", rules::Value::of(line.query)};
    put("operation", line.operation);
    put("database", line.database);
    put("object", a.statement.text.empty() ? line.object : arena.copy(a.statement.text));
    put("retcode", line.code);
    rules::Event event;
    event.source = {.product = "mariadb", .category = "database", .service = "server_audit"};
    event.root = rules::Value::object(room.first(n));
    return event;
  }

  LocalTime zone_;
  std::size_t limit_;
  std::unordered_map<std::uint64_t, std::string> connections_;
};

}  // namespace

std::optional<AuditLine> parse_server_audit(std::string_view line) {
  AuditLine out;
  std::string_view rest = line;
  if (const std::size_t comma = line.find(','); comma != std::string_view::npos && is_audit_time(line.substr(0, comma))) {
    out.time = line.substr(0, comma);
    rest = line.substr(comma + 1);
  } else if (const auto body = past_header(line, out.time)) {
    rest = *body;
  } else {
    return std::nullopt;
  }
  // host,user,client,connection,query,operation,… — user and client may hold commas, so the operation is looked for.
  constexpr std::size_t kMostCommas = 64;
  std::array<std::size_t, kMostCommas> commas;
  std::size_t count = 0;
  for (std::size_t at = rest.find(','); at != std::string_view::npos && count < kMostCommas; at = rest.find(',', at + 1)) {
    commas[count++] = at;
  }
  const auto field = [&](std::size_t i) {  // between comma i - 1 and comma i
    const std::size_t from = i == 0 ? 0 : commas[i - 1] + 1;
    return rest.substr(from, commas[i] - from);
  };
  std::size_t at = 5;
  for (; at < count; ++at) {
    if (is_operation(field(at)) && all_digits(field(at - 1)) && all_digits(field(at - 2))) break;
  }
  if (at >= count) return std::nullopt;
  const auto connection = number(field(at - 2)), query = number(field(at - 1));
  if (!connection || !query) return std::nullopt;
  out.connection = *connection;
  out.query = *query;
  out.operation = field(at);
  out.server = field(0);
  out.client = field(at - 3);
  out.user = rest.substr(commas[0] + 1, commas[at - 4] - commas[0] - 1);
  rest = rest.substr(commas[at] + 1);
  if (out.operation.starts_with("QUERY")) {
    const std::size_t quote = rest.find(",'");
    if (quote == std::string_view::npos) return std::nullopt;
    out.database = rest.substr(0, quote);
    std::size_t end = quote + 2;
    while (end < rest.size() && rest[end] != '\'') end += rest[end] == '\\' ? 2U : 1U;
    if (end >= rest.size()) return std::nullopt;  // the line itself was cut
    out.object = rest.substr(quote + 2, end - quote - 2);
    rest = rest.substr(end + 1);
    if (!rest.starts_with(',')) return std::nullopt;
    out.code = trim(rest.substr(1));
    return all_digits(out.code) ? std::optional(out) : std::nullopt;
  }
  const std::size_t first = rest.find(','), last = rest.rfind(',');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  out.database = rest.substr(0, first);
  out.object = rest.substr(first + 1, last - first - 1);
  out.code = trim(rest.substr(last + 1));
  return out;
}

std::unique_ptr<Decoder> make_mariadb(const DecoderOptions& options, LocalTime zone) {
  return std::make_unique<MariaDb>(options, std::move(zone));
}

}  // namespace tocsin::engine
