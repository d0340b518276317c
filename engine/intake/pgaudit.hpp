// What csvlog and jsonlog have in common: the fields of one PostgreSQL log message, and how they become an access.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/intake/csv.hpp"
#include "engine/intake/decoder.hpp"
#include "engine/intake/zone.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

// One message. All views belong to the record or to the decoder's buffers.
struct PgMessage {
  std::string_view time;
  std::string_view user;
  std::string_view database;
  std::string_view host;         // address or "[local]"
  std::uint16_t port = 0;
  std::string_view session;
  std::string_view line;         // its number in the session
  std::string_view tag;          // command tag: "SELECT", "authentication", "idle"
  std::string_view severity;
  std::string_view state;        // SQLSTATE
  std::string_view message;
  std::string_view statement;    // of an error
  std::string_view application;
};

// Reads the messages of one server's log. It remembers, per session and bounded, what later lines refer back to:
// "<previously logged>" statements and the identity that authenticated.
class PgReader {
 public:
  explicit PgReader(LocalTime zone) : zone_(std::move(zone)) {}

  // Call it for each message that read() understood: appends an access of operation kRecordsMissing where messages of its session
  // are missing before it, as their numbers tell. A log that holds audit lines only has such gaps everywhere, so
  // it needs to have shown another kind of message first.
  void tell_gap(const PgMessage& message, const Origin& origin, std::string_view format, std::string_view record, std::vector<Decoded>& out);

  // Fills `access` and returns true, or returns false for a message that says nothing about data.
  // kInvalid for a malformed audit payload or time.
  [[nodiscard]] Result<bool> read(const PgMessage& message, Access& access);

 private:
  static constexpr std::size_t kMaxSessions = 4096;
  static constexpr std::size_t kMaxRememberedStatement = 16 * 1024;
  // Lets a view find a string's entry.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  struct Session {
    std::string identity;
    std::uint64_t line = 0;                    // the highest number seen
    std::uint64_t number = 0, sub_number = 0;  // of the statement kept
    std::string statement;
    std::vector<std::string> parameters;
    bool parameters_known = false;
  };

  [[nodiscard]] Result<bool> read_audit(std::string_view payload, const PgMessage& message, Access& access);
  [[nodiscard]] bool read_authentication(const PgMessage& message, Access& access) const;
  [[nodiscard]] static bool read_error(const PgMessage& message, Access& access);
  void read_identity(const PgMessage& message);
  [[nodiscard]] Session& session(std::string_view id);

  LocalTime zone_;
  bool all_messages_ = false;  // not only audit lines reach us
  std::vector<CsvField> fields_;
  std::vector<CsvField> parameters_;
  std::string scratch_;
  std::unordered_map<std::string, Session, Hash, std::equal_to<>> sessions_;
};

[[nodiscard]] std::unique_ptr<Decoder> make_pgaudit_csv(LocalTime zone);
[[nodiscard]] std::unique_ptr<Decoder> make_pgaudit_json(LocalTime zone);
// `prefix`: log_line_prefix; empty: one of the common ones. kInvalid for one without a time or a process.
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_pgaudit_text(std::string_view prefix, LocalTime zone);

}  // namespace tocsin::engine
