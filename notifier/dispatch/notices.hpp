// The life of a notice: drafted, submitted, approved by somebody else, sent, checked, acknowledged.
//
//   draft → submitted → approved → sending → sent
//             ↘ rejected → (edited) draft
//
// Four eyes: an approval is bound to the hash of the exact text and audience, and is never given by the person
// who wrote or submitted it. At approval the set of people is frozen (IncidentSource::freeze) and its hash goes into
// the ledger; the hash of those whom this very notice is for is kept with it.
// Each decision is a ledger entry in the transaction that makes it; if the ledger is not healthy, it is refused.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notifier/compose/notice_text.hpp"
#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/notice_store.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::notifier {

// One person whom an incident concerns.
struct Recipient {
  storage::Pseudonym pseudonym;
  std::string dataset;
  std::vector<std::string> fields;
  std::string grade;
};

// What the notifier asks of whoever owns incidents. Thread-safe.
class IncidentSource {
 public:
  virtual ~IncidentSource() = default;
  // Facts of a confirmed incident for its notices. kNotFound, or kConflict if it is not confirmed or is closed.
  [[nodiscard]] virtual Result<NoticeFacts> facts(std::int64_t incident) = 0;
  // Everyone whom its notices are for, in a stable order.
  [[nodiscard]] virtual Result<std::vector<Recipient>> recipients(std::int64_t incident) = 0;
  // The same from now on fixed, in the transaction of the approval: what comes later does not change whom these are.
  [[nodiscard]] virtual Result<std::vector<Recipient>> freeze(storage::Transaction& tx, std::int64_t incident, std::int64_t notice,
                                                              const std::string& by, Time now) = 0;
};

struct NoticesOptions {
  std::string public_url;   // "https://tocsin.example.org": where the portal is
  Duration approval_lifetime = std::chrono::hours(24 * 7);  // after it, approve again
};

// How many people a notice would reach, counted now.
struct Audience {
  std::uint64_t total = 0;
  std::uint64_t with_contact = 0;
  std::uint64_t without_contact = 0;
  std::uint64_t already_told = 0;  // have another notice of this incident and round
};

// What a person sees at the portal; no other person's data, and nothing but what the code's owner was sent.
struct PortalView {
  std::string organisation, contact, language, subject, text;
  std::vector<std::string> fields;  // in plain words
  std::optional<Time> sent;
  std::optional<Time> acknowledged_at;
  std::optional<std::uint64_t> ledger_index;
  std::string code_commitment;      // hex; what the ledger entry holds instead of the code
  std::string salt;                 // hex; commitment = SHA-256(salt ‖ code without dashes)
};

// Thread-safe.
class Notices {
 public:
  static constexpr std::size_t kMaxRecipients = 5'000'000;
  static constexpr std::size_t kCodeLetters = 12;

  Notices(storage::Database& db, storage::Ledger& ledger, storage::Vault& vault, IncidentSource& incidents, const Clock& clock,
          NoticesOptions options, std::function<void(std::int64_t notice)> on_change);

  [[nodiscard]] Result<storage::Notice> draft(std::int64_t incident, const std::string& language, const std::string& audience,
                                              const std::string& by);
  [[nodiscard]] Result<storage::Notice> edit(std::int64_t id, const std::string& subject, const std::string& body, const std::string& by);
  [[nodiscard]] Result<storage::Notice> submit(std::int64_t id, const std::string& by);
  // `hash` is what the approver has seen; kConflict if the text is another by now.
  [[nodiscard]] Result<storage::Notice> approve(std::int64_t id, const std::string& hash, const std::string& by);
  [[nodiscard]] Result<storage::Notice> reject(std::int64_t id, const std::string& reason, const std::string& by);
  [[nodiscard]] Result<storage::Notice> send(std::int64_t id, const std::string& by);
  // For deliveries that failed or are unknown: a person decides that they are to be sent (again).
  [[nodiscard]] Result<std::uint64_t> resend(std::int64_t id, const std::string& reason, const std::string& by);

  [[nodiscard]] Result<storage::Notice> get(std::int64_t id);
  [[nodiscard]] Result<std::vector<LintMessage>> lint_of(const storage::Notice& notice);
  [[nodiscard]] Result<Audience> audience_of(const storage::Notice& notice);
  // The text as one of its people will see it (an invented person if `pseudonym` is empty); the code is not shown.
  [[nodiscard]] Result<NoticeText> preview(const storage::Notice& notice, std::string_view pseudonym_hex, const std::string& by);

  // Portal. Wrong, expired and malformed codes give the same kNotFound.
  [[nodiscard]] Result<PortalView> check(std::string_view code);
  [[nodiscard]] Result<Time> acknowledge(std::string_view code);

  // For the dispatcher: the message for one delivery, or why there is none. `code_of` a delivery is derived from
  // the vault's key and never stored.
  [[nodiscard]] std::string code_of(std::int64_t delivery) const;
  [[nodiscard]] std::string code_mac(std::string_view code) const;
  [[nodiscard]] std::string salt_of(std::int64_t delivery) const;
  [[nodiscard]] std::string commitment_of(std::int64_t delivery) const;
  [[nodiscard]] const NoticesOptions& options() const noexcept { return options_; }
  // Where the portal is, once the server knows its port. Before anything is sent.
  void set_public_url(std::string url) { options_.public_url = std::move(url); }

 private:
  [[nodiscard]] Result<storage::Notice> change(std::int64_t id, const std::string& kind, const std::string& by,
                                               const std::function<Result<void>(storage::Transaction&, storage::Notice&)>& body);
  [[nodiscard]] Result<std::optional<storage::Delivery>> find(std::string_view code);

  storage::Database& db_;
  storage::Ledger& ledger_;
  storage::Vault& vault_;
  IncidentSource& incidents_;
  const Clock& clock_;
  NoticesOptions options_;
  std::function<void(std::int64_t)> on_change_;
};

// "ABCDEFGHJKLM" → "ABCD-EFGH-JKLM".
[[nodiscard]] std::string with_dashes(std::string_view code);

}  // namespace tocsin::notifier
