// A way to hand one message to the outside world. Each channel is a folder; the outbox knows only this.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::notifier {

// One notice for one person, rendered. Plain text only: no tracker, no attachment, nothing to click that asks.
struct Message {
  std::string id;        // deterministic: the same delivery always has the same (letters, digits, '-')
  std::string from;      // address of the organisation
  std::string from_name;
  std::string to;        // one address
  std::string to_name;
  std::string subject;
  std::string body;      // UTF-8, LF line ends
  std::string language;
  Time date{};
};

// What happened to a message that the channel was asked to send.
enum class Handover {
  kDone,       // the next hop has taken responsibility for it
  kTemporary,  // it has not been taken; trying again later is right
  kPermanent,  // it has not been taken and never will be (no such address)
  kUnknown,    // it may or may not have been taken: MUST NOT be sent again without asking a person
};
[[nodiscard]] std::string_view name(Handover handover) noexcept;

struct Receipt {
  Handover handover = Handover::kUnknown;
  std::string evidence;  // what the other side said, one line, printable, without addresses: "250 2.0.0 Ok: queued"
  std::string remedy;    // for what failed: what the operator can do
};

// Not thread-safe: each belongs to one dispatcher.
class Channel {
 public:
  virtual ~Channel() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;  // "mailbox", "smtp"
  // Hands the message over. Never throws, never blocks longer than its own named time-out.
  [[nodiscard]] virtual Receipt send(const Message& message) = 0;
  // After a crash: has a message of that id been handed over? kUnknown where the channel cannot tell.
  [[nodiscard]] virtual Handover find(std::string_view id) = 0;
};

// The message as RFC 5322 bytes with CRLF line ends: From, To, Date, Message-ID <ID@domain>, Subject (RFC 2047),
// Auto-Submitted (RFC 3834), quoted-printable text/plain in UTF-8. Fails (kInvalid) for an address that is not one:
// header injection is refused, never repaired.
[[nodiscard]] Result<std::string> compose_mail(const Message& message);

// An addr-spec this program is willing to send to: RFC 5321 dot-atom local part (or UTF-8 letters), a domain, no
// blanks, no control characters, no angle brackets, at most 254 bytes.
[[nodiscard]] bool is_mail_address(std::string_view address) noexcept;

}  // namespace tocsin::notifier
