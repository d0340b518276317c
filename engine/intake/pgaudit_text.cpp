// PostgreSQL's plain log (log_destination = 'stderr'). One message is several lines with fronts of their own: an
// ERROR, then its STATEMENT; lines of other sessions may come between. What the front does not say (the application,
// without %a; the session, without %c) is taken from the session's connection messages.
#include <charconv>
#include <unordered_map>

#include "engine/intake/pg_prefix.hpp"
#include "engine/intake/pgaudit.hpp"
#include "engine/intake/utf8.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kMaxProcesses = 8192;      // remembered; the one that is forgotten loses what it was in the middle of
constexpr std::size_t kMaxError = 64 * 1024;     // of an ERROR that waits for its STATEMENT

class PgAuditText final : public Decoder {
 public:
  PgAuditText(std::optional<PgPrefix> prefix, LocalTime zone) : prefix_(std::move(prefix)), reader_(std::move(zone)) {}

  std::string_view format() const noexcept override { return "pgaudit-stderr"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena, std::vector<Decoded>& out) override {
    const std::string_view text = valid_utf8(record, arena);
    auto parsed = prefix_ ? prefix_->parse(text) : read_common_prefix(text);
    if (!parsed) return pass(std::move(parsed));
    if (!*parsed) return fail(Errc::kInvalid, "the line does not begin with the log_line_prefix and a severity");
    const PgLine& line = **parsed;
    // The server writes a tab before each further line.
    std::string_view message = line.message;
    if (message.find("\n\t") != std::string_view::npos) {
      std::string joined;
      joined.reserve(message.size());
      for (std::size_t i = 0; i < message.size(); ++i) {
        joined += message[i];
        if (message[i] == '\n' && i + 1 < message.size() && message[i + 1] == '\t') ++i;
      }
      message = arena.copy(joined);
    }
    Process& process = process_of(line, message);
    const std::string session = line.session.empty() ? process.session : std::string(line.session);

    PgMessage m;
    m.time = line.time;
    m.user = line.user.empty() ? std::string_view(process.user) : line.user;
    m.database = line.database.empty() ? std::string_view(process.database) : line.database;
    m.application = line.application.empty() ? std::string_view(process.application) : line.application;
    m.host = line.host.empty() ? std::string_view(process.host) : line.host;
    if (const std::string_view port = line.port; !port.empty()) std::from_chars(port.data(), port.data() + port.size(), m.port);
    m.session = session;
    // Without %c the number alone would be the same for every process.
    const std::string_view own_line = line.session.empty() ? std::string_view() : line.line;
    m.line = own_line;
    m.tag = line.tag;
    m.severity = line.severity;
    m.state = line.state;
    m.message = message;
    // Every line counts, also those that only belong to another.
    const auto tell_gap = [&] {
      m.line = own_line;
      reader_.tell_gap(m, origin, format(), record, out);
    };

    const bool error = line.severity == "ERROR" || line.severity == "FATAL" || line.severity == "PANIC";
    if (error && message.size() <= kMaxError) {
      process.error = std::string(message);
      process.severity = line.severity;
      process.time = line.time;
      process.state = line.state;
      process.line = m.line;
      process.tag = line.tag;
    } else if (line.severity == "STATEMENT") {
      if (process.error.empty()) {
        tell_gap();
        return {};
      }
      m.statement = message;
      m.message = arena.copy(without_place(std::exchange(process.error, {})));
      m.severity = arena.copy(process.severity);
      m.time = arena.copy(process.time);
      m.state = arena.copy(process.state);
      m.line = arena.copy(process.line);
      m.tag = arena.copy(process.tag);
    } else if (line.severity == "DETAIL" || line.severity == "HINT" || line.severity == "CONTEXT" || line.severity == "QUERY" ||
               line.severity == "LOCATION" || line.severity == "BACKTRACE") {
      tell_gap();
      return {};
    } else if (!error) {
      process.error.clear();
    }

    Decoded decoded;
    auto says = reader_.read(m, decoded.access);
    if (!says) return pass(std::move(says));
    tell_gap();
    if (!*says) return {};
    decoded.access.format = "pgaudit-stderr";
    decoded.access.origin = origin;
    decoded.event.source = {.product = "postgresql", .category = {}, .service = "pgaudit"};
    decoded.event.root = event_of(m, line, arena);
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

 private:
  // What is known of a server process: one session after another may have its number.
  struct Process {
    std::string session;
    std::uint64_t sessions = 0, statement = 0;
    std::string user, database, application, host;
    std::string error, severity, time, state, line, tag;  // an ERROR whose STATEMENT has not come
  };

  Process& process_of(const PgLine& line, std::string_view message) {
    const std::string key(line.process.empty() ? line.session : line.process);
    if (processes_.size() >= kMaxProcesses && processes_.count(key) == 0) processes_.erase(processes_.begin());
    Process& p = processes_[key];
    // A new session: its connection is told, or its statements are counted from the beginning again.
    bool fresh = p.session.empty() || message.starts_with("connection received:") || message.starts_with("connection authorized:");
    const std::uint64_t number = statement_number(message);
    if (number > 0 && number < p.statement) fresh = true;
    if (fresh) {
      const std::uint64_t sessions = p.sessions + 1;
      p = {};
      p.sessions = sessions;
      p.session = key + "." + std::to_string(sessions);
      if (!line.start.empty()) p.session = key + "@" + std::string(line.start);
    }
    if (number > 0) p.statement = number;
    if (message.starts_with("connection authorized:")) {
      p.user = value(message, " user=");
      p.database = value(message, " database=");
      p.application = value(message, " application_name=");
    }
    return p;
  }

  static std::uint64_t statement_number(std::string_view message) {
    for (const std::string_view front : {"AUDIT: SESSION,", "AUDIT: OBJECT,"}) {
      if (!message.starts_with(front)) continue;
      std::uint64_t out = 0;
      std::from_chars(message.data() + front.size(), message.data() + message.size(), out);
      return out;
    }
    return 0;
  }

  // The plain log adds where in the statement the mistake is; the other two have a field for it.
  static std::string without_place(std::string message) {
    constexpr std::string_view kPlace = " at character ";
    const std::size_t at = message.rfind(kPlace);
    if (at != std::string::npos && message.find_first_not_of("0123456789", at + kPlace.size()) == std::string::npos) message.resize(at);
    return message;
  }

  static std::string value(std::string_view message, std::string_view key) {
    const std::size_t at = message.find(key);
    if (at == std::string_view::npos) return {};
    std::string_view rest = message.substr(at + key.size());
    std::size_t end = rest.size();
    for (const std::string_view next : {" database=", " application_name=", " SSL ", " (SSL", " GSS "}) end = std::min(end, rest.find(next));
    return std::string(rest.substr(0, end));
  }

  // Under the names of jsonlog, so that one rule serves all three.
  static rules::Value event_of(const PgMessage& m, const PgLine& line, rules::Arena& arena) {
    const auto room = arena.make<rules::Field>(12);
    std::size_t n = 0;
    const auto add = [&](std::string_view name, std::string_view text) {
      if (!text.empty()) room[n++] = {name, rules::Value::of(arena.copy(text))};
    };
    add("timestamp", m.time);
    add("user", m.user);
    add("dbname", m.database);
    add("remote_host", m.host);
    add("session_id", m.session);
    add("ps", m.tag);
    add("error_severity", m.severity);
    add("state_code", m.state);
    add("message", m.message);
    add("statement", m.statement);
    add("application_name", m.application);
    std::int64_t pid = 0;
    const auto [end, bad] = std::from_chars(line.process.data(), line.process.data() + line.process.size(), pid);
    if (bad == std::errc{} && end == line.process.data() + line.process.size() && pid > 0) room[n++] = {"pid", rules::Value::of(pid)};
    return rules::Value::object(room.first(n));
  }

  std::optional<PgPrefix> prefix_;
  PgReader reader_;
  std::unordered_map<std::string, Process> processes_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> make_pgaudit_text(std::string_view prefix, LocalTime zone) {
  std::optional<PgPrefix> parsed;
  if (!prefix.empty()) {
    auto of = PgPrefix::of(prefix);
    if (!of) return pass(std::move(of));
    parsed = std::move(*of);
  }
  return std::unique_ptr<Decoder>(std::make_unique<PgAuditText>(std::move(parsed), std::move(zone)));
}

}  // namespace tocsin::engine
