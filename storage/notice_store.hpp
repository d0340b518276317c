// Notices and their deliveries: one notice is one text for one incident; one delivery is that text for one
// person. The table itself keeps the promise that nobody is told twice: (incident, round, person) is unique.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::storage {

enum class NoticeState : std::uint8_t { kDraft, kSubmitted, kApproved, kRejected, kSending, kSent };
[[nodiscard]] std::string_view name(NoticeState state) noexcept;  // "draft", "submitted", …

// queued: to be sent · reserved: being handed over · sent: the channel took it · failed: refused for good ·
// unknown: it may have been taken, a person decides · no_contact: there is no address to send to.
enum class DeliveryState : std::uint8_t { kQueued, kReserved, kSent, kFailed, kUnknown, kNoContact };
[[nodiscard]] std::string_view name(DeliveryState state) noexcept;

struct Notice {
  std::int64_t id = 0;
  std::int64_t incident = 0;
  int version = 1;             // counts the texts of one incident and language
  int round = 1;               // 1 = the first word to people; a follow-up is another round
  std::string language;
  std::string audience;        // "all" = everyone not yet told in this round; "language" = only who speaks it
  std::string subject;
  std::string body;
  std::string hash;            // of language, subject, body, audience: what an approval is bound to
  NoticeState state = NoticeState::kDraft;
  std::string author;          // who wrote it last
  Time created{};
  std::optional<Time> submitted_at;
  std::string submitter;
  std::string approver;
  std::optional<Time> approved_at;
  std::string reason;          // of a rejection
  std::string set_hash;        // SHA-256 (hex) of the sorted pseudonyms, frozen at approval
};

struct Delivery {
  std::int64_t id = 0;
  std::int64_t notice = 0;
  std::int64_t incident = 0;
  int round = 1;
  Pseudonym pseudonym;
  std::string dataset;
  std::vector<std::string> fields;  // which of the person's data were reached
  std::string grade;
  DeliveryState state = DeliveryState::kQueued;
  int attempts = 0;
  Time next_at{};                   // not before
  std::string evidence;             // what the channel said last
  std::optional<Time> sent_at;
  std::optional<Time> acknowledged_at;
  std::optional<std::uint64_t> ledger_index;  // the leaf that says this notice was issued
};

struct DeliveryCounts {
  std::uint64_t total = 0, queued = 0, reserved = 0, sent = 0, failed = 0, unknown = 0, no_contact = 0, acknowledged = 0;
};

class NoticeStore {
 public:
  static constexpr std::string_view kFamily = "notices";
  static constexpr std::size_t kMaxPage = 500;

  [[nodiscard]] static std::span<const Migration> migrations();

  [[nodiscard]] static Result<std::optional<Notice>> notice(Reader& reader, std::int64_t id);
  // Of one incident (0 = of all), newest first, at most kMaxPage.
  [[nodiscard]] static Result<std::vector<Notice>> list(Reader& reader, std::int64_t incident);
  [[nodiscard]] static Result<std::int64_t> insert(Transaction& tx, const Notice& notice);
  [[nodiscard]] static Result<void> update(Transaction& tx, const Notice& notice);

  // Adds a delivery unless the person has one in this incident and round already. True if it was added.
  [[nodiscard]] static Result<bool> add(Transaction& tx, const Delivery& delivery);
  // The code's keyed hash by which the portal finds the delivery; set once its id is known.
  [[nodiscard]] static Result<void> set_code(Transaction& tx, std::int64_t delivery, std::string_view code_mac);
  [[nodiscard]] static Result<std::optional<Delivery>> by_code(Reader& reader, std::string_view code_mac);
  [[nodiscard]] static Result<std::optional<Delivery>> delivery(Reader& reader, std::int64_t id);
  [[nodiscard]] static Result<void> update(Transaction& tx, const Delivery& delivery);
  // Queued deliveries of notices in state sending whose time has come, oldest first.
  [[nodiscard]] static Result<std::vector<Delivery>> due(Reader& reader, Time now, std::size_t limit);
  [[nodiscard]] static Result<std::vector<Delivery>> in_state(Reader& reader, DeliveryState state, std::size_t limit);
  [[nodiscard]] static Result<std::vector<Delivery>> of_notice(Reader& reader, std::int64_t notice, std::int64_t after, std::size_t limit);
  [[nodiscard]] static Result<DeliveryCounts> counts(Reader& reader, std::int64_t notice);       // 0 = all notices
  [[nodiscard]] static Result<DeliveryCounts> counts_of_incident(Reader& reader, std::int64_t incident);
  // Notices in state sending that have nothing queued or reserved any more.
  [[nodiscard]] static Result<std::vector<std::int64_t>> finished(Reader& reader);
};

}  // namespace tocsin::storage
