// The outbox loop: issue, reserve, hand over, note; a crash between any two of them is one of the known cases.
#include "notifier/dispatch/dispatcher.hpp"

#include <algorithm>
#include <map>

#include "rules/base/bytes.hpp"

namespace tocsin::notifier {
namespace {

using storage::Delivery;
using storage::DeliveryState;
using storage::Notice;
using storage::NoticeStore;
using storage::Transaction;

constexpr std::chrono::milliseconds kTick{500};
constexpr std::size_t kRecoverAtOnce = 1000;
constexpr std::size_t kPutOffStop = 3;     // messages put off one after another
constexpr std::chrono::seconds kTroublePause{10};
constexpr std::size_t kIssueAtOnce = 200;  // ledger entries that are published together

// Waiting time after the n-th failed attempt: a minute, then about twice as long each time, at most four hours.
Duration backoff(int attempts) {
  const int doublings = std::min(attempts - 1, 8);
  return std::min<Duration>(std::chrono::minutes(1) * (1 << doublings), std::chrono::hours(4));
}

std::string message_id(const storage::Keys& keys, const Delivery& delivery) {
  return "n" + std::to_string(delivery.notice) + "-" + to_hex(keys.mac("message-id", std::to_string(delivery.id)).substr(0, 12));
}

}  // namespace

Dispatcher::Dispatcher(storage::Database& db, storage::Ledger& ledger, storage::Vault& vault, Notices& notices, std::unique_ptr<Channel> channel,
                       const Clock& clock, DispatchOptions options, std::function<void(std::int64_t)> on_change)
    : db_(db), ledger_(ledger), vault_(vault), notices_(notices), channel_(std::move(channel)), clock_(clock), options_(std::move(options)),
      on_change_(std::move(on_change)) {
  // A channel that cannot be asked leaves at most one message in doubt.
  if (channel_->find("n0") == Handover::kUnknown) options_.batch = 1;
}

Dispatcher::~Dispatcher() { stop(); }

Result<void> Dispatcher::recover() {
  for (;;) {
    auto reserved = db_.read([&](storage::Reader& reader) { return NoticeStore::in_state(reader, DeliveryState::kReserved, kRecoverAtOnce); });
    if (!reserved) return pass(std::move(reserved));
    if (reserved->empty()) return {};
    auto settled = db_.write([&](Transaction& tx) -> Result<void> {
      for (Delivery& delivery : *reserved) {
        switch (channel_->find(message_id(vault_.keys(), delivery))) {
          case Handover::kDone:
            delivery.state = DeliveryState::kSent;
            delivery.sent_at = clock_.now();
            delivery.evidence = "found in the " + std::string(channel_->name()) + " after a restart";
            break;
          case Handover::kTemporary:
            delivery.state = DeliveryState::kQueued;
            break;
          default:
            delivery.state = DeliveryState::kUnknown;
            delivery.evidence = "tocsin stopped while this was being handed over; it may have been sent";
            break;
        }
        if (auto done = NoticeStore::update(tx, delivery); !done) return done;
      }
      return {};
    });
    if (!settled) return settled;
  }
}

Result<std::size_t> Dispatcher::run_once() {
  const Time now = clock_.now();
  std::size_t limit = kIssueAtOnce;
  if (now < not_before_) return 0;
  if (options_.per_minute > 0) {
    limit = std::min<std::size_t>(limit, std::max<std::size_t>(1, options_.per_minute / 60));
    not_before_ = now + std::chrono::duration_cast<Duration>(std::chrono::minutes(1)) * static_cast<int>(limit) / static_cast<int>(options_.per_minute);
  }
  auto due = db_.read([&](storage::Reader& reader) { return NoticeStore::due(reader, now, limit); });
  if (!due) return pass(std::move(due));
  if (due->empty()) {
    if (auto done = finish(); !done) return pass(std::move(done));
    return 0;
  }

  // 1. Say in the ledger that these notices are issued. Published once for all of them; until that has worked,
  //    nothing leaves.
  std::map<std::int64_t, Notice> texts;
  auto issued = db_.write([&](Transaction& tx) -> Result<void> {
    for (Delivery& delivery : *due) {
      if (texts.find(delivery.notice) == texts.end()) {
        auto notice = NoticeStore::notice(tx, delivery.notice);
        if (!notice) return pass(std::move(notice));
        if (!*notice) return fail(Errc::kInternal, "a delivery without its notice");
        texts[delivery.notice] = **notice;
      }
      if (delivery.ledger_index) continue;
      storage::Entry entry;
      entry.kind = "notice-issued";
      entry.time = now;
      entry.by = "tocsin";
      entry.fields = {{"notice", std::to_string(delivery.notice)}, {"delivery", std::to_string(delivery.id)},
                      {"text", texts[delivery.notice].hash}, {"code", notices_.commitment_of(delivery.id)}};
      auto index = ledger_.record(tx, entry);
      if (!index) return pass(std::move(index));
      delivery.ledger_index = *index;
      if (auto done = NoticeStore::update(tx, delivery); !done) return done;
    }
    return {};
  });
  if (!issued) return pass(std::move(issued));
  if (!ledger_.healthy()) return fail(Errc::kUnavailable, "the ledger cannot be written: " + ledger_.trouble());

  // 2. Reserve some, hand them over, note what is known: from reserving on, a crash leaves a question, never a second
  //    letter. How many at once is how many may be in question.
  std::size_t handed = 0, put_off = 0;
  for (std::size_t at = 0; at < due->size(); at += options_.batch) {
    const std::span<Delivery> some(due->data() + at, std::min(options_.batch, due->size() - at));
    for (Delivery& delivery : some) {
      delivery.state = DeliveryState::kReserved;
      ++delivery.attempts;
    }
    if (auto done = keep(some); !done) return pass(std::move(done));
    for (Delivery& delivery : some) hand_over(delivery, texts[delivery.notice], now);
    if (auto done = keep(some); !done) return pass(std::move(done));
    handed += some.size();
    for (const Delivery& delivery : some) put_off = delivery.state == DeliveryState::kQueued ? put_off + 1 : 0;
    if (put_off >= kPutOffStop) {  // the channel is in trouble: do not knock on its door for everybody
      not_before_ = clock_.now() + kTroublePause;
      break;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) break;
  }
  for (const auto& [id, notice] : texts) on_change_(id);
  if (auto done = finish(); !done) return pass(std::move(done));
  return handed;
}

Result<void> Dispatcher::keep(std::span<const Delivery> deliveries) {
  return db_.write([&](Transaction& tx) -> Result<void> {
    for (const Delivery& delivery : deliveries) {
      if (auto done = NoticeStore::update(tx, delivery); !done) return done;
    }
    return {};
  });
}

void Dispatcher::hand_over(Delivery& delivery, const Notice& notice, Time now) {
  auto fields = db_.read([&](storage::Reader& reader) { return vault_.open(reader, delivery.pseudonym); });
  const auto field = [&](std::string_view key) {
    if (!fields) return std::string();
    const auto at = fields->find(key);
    return at != fields->end() ? at->second : std::string();
  };
  Person person;
  person.name = field("name");
  person.fields = delivery.fields;
  person.code = with_dashes(notices_.code_of(delivery.id));
  person.portal = notices_.options().public_url + "/n";
  auto text = render({notice.language, notice.subject, notice.body}, person);
  Receipt receipt;
  if (!fields || !is_mail_address(field("email"))) {
    receipt = {Handover::kPermanent, "there is no address for this person any more", ""};
  } else if (!text) {
    receipt = {Handover::kPermanent, text.error().message, ""};
  } else {
    Message message;
    message.id = message_id(vault_.keys(), delivery);
    message.from = options_.from;
    message.from_name = options_.from_name;
    message.to = field("email");
    message.to_name = person.name;
    message.subject = text->subject;
    message.body = text->body;
    message.language = notice.language;
    message.date = now;
    receipt = channel_->send(message);
  }
  delivery.evidence = receipt.evidence;
  switch (receipt.handover) {
    case Handover::kDone:
      delivery.state = DeliveryState::kSent;
      delivery.sent_at = clock_.now();
      break;
    case Handover::kPermanent: delivery.state = DeliveryState::kFailed; break;
    case Handover::kUnknown: delivery.state = DeliveryState::kUnknown; break;
    case Handover::kTemporary:
      delivery.state = delivery.attempts >= options_.most_attempts ? DeliveryState::kFailed : DeliveryState::kQueued;
      delivery.next_at = clock_.now() + backoff(delivery.attempts);
      break;
  }
  const std::lock_guard lock(mutex_);
  trouble_ = receipt.handover == Handover::kTemporary ? receipt.evidence + (receipt.remedy.empty() ? "" : " (" + receipt.remedy + ")") : "";
}

Result<void> Dispatcher::finish() {
  auto finished = db_.read([&](storage::Reader& reader) { return NoticeStore::finished(reader); });
  if (!finished) return pass(std::move(finished));
  for (const std::int64_t id : *finished) {
    const Time now = clock_.now();
    auto done = db_.write([&](Transaction& tx) -> Result<void> {
      auto notice = NoticeStore::notice(tx, id);
      if (!notice) return pass(std::move(notice));
      if (!*notice || (*notice)->state != storage::NoticeState::kSending) return {};
      (*notice)->state = storage::NoticeState::kSent;
      auto counts = NoticeStore::counts(tx, id);
      if (!counts) return pass(std::move(counts));
      storage::Entry entry;
      entry.kind = "notice-sent";
      entry.time = now;
      entry.by = "tocsin";
      entry.fields = {{"notice", std::to_string(id)}, {"sent", std::to_string(counts->sent)}, {"failed", std::to_string(counts->failed)},
                      {"unknown", std::to_string(counts->unknown)}, {"without contact", std::to_string(counts->no_contact)}};
      if (auto recorded = ledger_.record(tx, entry); !recorded) return pass(std::move(recorded));
      return NoticeStore::update(tx, **notice);
    });
    if (!done) return done;
    on_change_(id);
  }
  return {};
}

void Dispatcher::start() {
  thread_ = std::thread([this] { loop(); });
}

void Dispatcher::loop() {
  for (;;) {
    auto sent = run_once();
    std::unique_lock lock(mutex_);
    if (!sent) trouble_ = sent.error().text();
    if (stopping_) return;
    if (sent && *sent > 0) continue;
    wake_.wait_for(lock, kTick, [&] { return stopping_ || woken_; });
    woken_ = false;
    if (stopping_) return;
  }
}

void Dispatcher::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_one();
}

void Dispatcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::string Dispatcher::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace tocsin::notifier
