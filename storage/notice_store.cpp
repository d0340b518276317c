// Two tables: the text and its approvals, and one row for each person who is told.
#include "storage/notice_store.hpp"

#include "rules/base/text.hpp"

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {{1, R"(
CREATE TABLE notice(
  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL, version INTEGER NOT NULL, round INTEGER NOT NULL,
  language TEXT NOT NULL, audience TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL,
  state INTEGER NOT NULL, author TEXT NOT NULL, created INTEGER NOT NULL, submitted_at INTEGER, submitter TEXT NOT NULL,
  approver TEXT NOT NULL, approved_at INTEGER, reason TEXT NOT NULL, set_hash TEXT NOT NULL);
CREATE INDEX notice_incident ON notice(incident);
CREATE TABLE delivery(
  id INTEGER PRIMARY KEY, notice INTEGER NOT NULL, incident INTEGER NOT NULL, round INTEGER NOT NULL,
  pseudonym BLOB NOT NULL, dataset TEXT NOT NULL, fields TEXT NOT NULL, grade TEXT NOT NULL, state INTEGER NOT NULL,
  attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, evidence TEXT NOT NULL, sent_at INTEGER, acknowledged_at INTEGER,
  ledger_index INTEGER, code_mac BLOB);
CREATE UNIQUE INDEX delivery_once ON delivery(incident, round, pseudonym);
CREATE UNIQUE INDEX delivery_code ON delivery(code_mac);
CREATE INDEX delivery_notice ON delivery(notice, state);
CREATE INDEX delivery_state ON delivery(state, next_at);
)"}};

constexpr std::string_view kNotice =
    "SELECT id, incident, version, round, language, audience, subject, body, hash, state, author, created, submitted_at, "
    "submitter, approver, approved_at, reason, set_hash FROM notice ";

Notice read_notice(const Columns& c) {
  Notice n;
  n.id = c.integer(0);
  n.incident = c.integer(1);
  n.version = static_cast<int>(c.integer(2));
  n.round = static_cast<int>(c.integer(3));
  n.language = c.text(4);
  n.audience = c.text(5);
  n.subject = c.text(6);
  n.body = c.text(7);
  n.hash = c.text(8);
  n.state = static_cast<NoticeState>(c.integer(9));
  n.author = c.text(10);
  n.created = c.time(11);
  n.submitted_at = c.maybe_time(12);
  n.submitter = c.text(13);
  n.approver = c.text(14);
  n.approved_at = c.maybe_time(15);
  n.reason = c.text(16);
  n.set_hash = c.text(17);
  return n;
}

constexpr std::string_view kDelivery =
    "SELECT d.id, d.notice, d.incident, d.round, d.pseudonym, d.dataset, d.fields, d.grade, d.state, d.attempts, d.next_at, "
    "d.evidence, d.sent_at, d.acknowledged_at, d.ledger_index FROM delivery d ";

Delivery read_delivery(const Columns& c) {
  Delivery d;
  d.id = c.integer(0);
  d.notice = c.integer(1);
  d.incident = c.integer(2);
  d.round = static_cast<int>(c.integer(3));
  d.pseudonym = Pseudonym::from_bytes(c.text(4)).value_or(Pseudonym{});
  d.dataset = c.text(5);
  const std::string fields = c.text(6);
  if (!fields.empty()) {
    for (const std::string_view field : split(fields, '\n')) d.fields.emplace_back(field);
  }
  d.grade = c.text(7);
  d.state = static_cast<DeliveryState>(c.integer(8));
  d.attempts = static_cast<int>(c.integer(9));
  d.next_at = c.time(10);
  d.evidence = c.text(11);
  d.sent_at = c.maybe_time(12);
  d.acknowledged_at = c.maybe_time(13);
  if (const auto index = c.maybe_integer(14)) d.ledger_index = static_cast<std::uint64_t>(*index);
  return d;
}

std::string joined(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) out += (out.empty() ? "" : "\n") + field;
  return out;
}

std::string sql(std::string_view select, std::string_view rest) { return std::string(select) + std::string(rest); }

Result<DeliveryCounts> count(Reader& reader, std::string_view where, std::int64_t id) {
  DeliveryCounts out;
  auto done = reader.each(sql("SELECT state, count(*), count(acknowledged_at) FROM delivery WHERE ", where) + " GROUP BY state",
                          [&](const Columns& c) {
                            const auto n = static_cast<std::uint64_t>(c.integer(1));
                            out.total += n;
                            out.acknowledged += static_cast<std::uint64_t>(c.integer(2));
                            switch (static_cast<DeliveryState>(c.integer(0))) {
                              case DeliveryState::kQueued: out.queued = n; break;
                              case DeliveryState::kReserved: out.reserved = n; break;
                              case DeliveryState::kSent: out.sent = n; break;
                              case DeliveryState::kFailed: out.failed = n; break;
                              case DeliveryState::kUnknown: out.unknown = n; break;
                              case DeliveryState::kNoContact: out.no_contact = n; break;
                            }
                            return true;
                          },
                          {Binding(id)});
  if (!done) return pass(std::move(done));
  return out;
}

}  // namespace

std::string_view name(NoticeState state) noexcept {
  switch (state) {
    case NoticeState::kDraft: return "draft";
    case NoticeState::kSubmitted: return "submitted";
    case NoticeState::kApproved: return "approved";
    case NoticeState::kRejected: return "rejected";
    case NoticeState::kSending: return "sending";
    case NoticeState::kSent: return "sent";
  }
  return "draft";
}

std::string_view name(DeliveryState state) noexcept {
  switch (state) {
    case DeliveryState::kQueued: return "queued";
    case DeliveryState::kReserved: return "reserved";
    case DeliveryState::kSent: return "sent";
    case DeliveryState::kFailed: return "failed";
    case DeliveryState::kUnknown: return "unknown";
    case DeliveryState::kNoContact: return "no_contact";
  }
  return "queued";
}

std::span<const Migration> NoticeStore::migrations() { return kMigrations; }

Result<std::optional<Notice>> NoticeStore::notice(Reader& reader, std::int64_t id) {
  return reader.row<Notice>(sql(kNotice, "WHERE id = ?1"), read_notice, id);
}

Result<std::vector<Notice>> NoticeStore::list(Reader& reader, std::int64_t incident) {
  return reader.rows<Notice>(sql(kNotice, "WHERE ?1 = 0 OR incident = ?1 ORDER BY id DESC LIMIT ?2"), read_notice, incident, kMaxPage);
}

Result<std::int64_t> NoticeStore::insert(Transaction& tx, const Notice& n) {
  auto done = tx.run(
      "INSERT INTO notice(incident, version, round, language, audience, subject, body, hash, state, author, created, submitted_at, "
      "submitter, approver, approved_at, reason, set_hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
      n.incident, n.version, n.round, n.language, n.audience, n.subject, n.body, n.hash, n.state, n.author, n.created, n.submitted_at,
      n.submitter, n.approver, n.approved_at, n.reason, n.set_hash);
  if (!done) return pass(std::move(done));
  return tx.last_insert_id();
}

Result<void> NoticeStore::update(Transaction& tx, const Notice& n) {
  return tx.run(
      "UPDATE notice SET version=?2, language=?3, audience=?4, subject=?5, body=?6, hash=?7, state=?8, author=?9, submitted_at=?10, "
      "submitter=?11, approver=?12, approved_at=?13, reason=?14, set_hash=?15 WHERE id=?1",
      n.id, n.version, n.language, n.audience, n.subject, n.body, n.hash, n.state, n.author, n.submitted_at, n.submitter, n.approver,
      n.approved_at, n.reason, n.set_hash);
}

Result<bool> NoticeStore::add(Transaction& tx, const Delivery& d) {
  const std::string fields = joined(d.fields);
  auto done = tx.run(
      "INSERT INTO delivery(notice, incident, round, pseudonym, dataset, fields, grade, state, attempts, next_at, evidence) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,0,?9,'') ON CONFLICT(incident, round, pseudonym) DO NOTHING",
      d.notice, d.incident, d.round, Blob{d.pseudonym.view()}, d.dataset, fields, d.grade, d.state, d.next_at);
  if (!done) return pass(std::move(done));
  return tx.changes() == 1;
}

Result<void> NoticeStore::set_code(Transaction& tx, std::int64_t delivery, std::string_view code_mac) {
  return tx.run("UPDATE delivery SET code_mac = ?2 WHERE id = ?1", delivery, Blob{code_mac});
}

Result<std::optional<Delivery>> NoticeStore::by_code(Reader& reader, std::string_view code_mac) {
  return reader.row<Delivery>(sql(kDelivery, "WHERE d.code_mac = ?1"), read_delivery, Blob{code_mac});
}

Result<std::optional<Delivery>> NoticeStore::delivery(Reader& reader, std::int64_t id) {
  return reader.row<Delivery>(sql(kDelivery, "WHERE d.id = ?1"), read_delivery, id);
}

Result<void> NoticeStore::update(Transaction& tx, const Delivery& d) {
  return tx.run(
      "UPDATE delivery SET state=?2, attempts=?3, next_at=?4, evidence=?5, sent_at=?6, acknowledged_at=?7, ledger_index=?8 WHERE id=?1",
      d.id, d.state, d.attempts, d.next_at, d.evidence, d.sent_at, d.acknowledged_at, d.ledger_index);
}

Result<std::vector<Delivery>> NoticeStore::due(Reader& reader, Time now, std::size_t limit) {
  return reader.rows<Delivery>(
      sql(kDelivery, "JOIN notice n ON n.id = d.notice WHERE d.state = ?1 AND d.next_at <= ?2 AND n.state = ?3 ORDER BY d.next_at, d.id LIMIT ?4"),
      read_delivery, DeliveryState::kQueued, now, NoticeState::kSending, limit);
}

Result<std::vector<Delivery>> NoticeStore::in_state(Reader& reader, DeliveryState state, std::size_t limit) {
  return reader.rows<Delivery>(sql(kDelivery, "WHERE d.state = ?1 ORDER BY d.id LIMIT ?2"), read_delivery, state, limit);
}

Result<std::vector<Delivery>> NoticeStore::of_notice(Reader& reader, std::int64_t notice, std::int64_t after, std::size_t limit) {
  return reader.rows<Delivery>(sql(kDelivery, "WHERE d.notice = ?1 AND d.id > ?2 ORDER BY d.id LIMIT ?3"), read_delivery, notice, after, limit);
}

Result<DeliveryCounts> NoticeStore::counts(Reader& reader, std::int64_t notice) { return count(reader, "(?1 = 0 OR notice = ?1)", notice); }

Result<DeliveryCounts> NoticeStore::counts_of_incident(Reader& reader, std::int64_t incident) { return count(reader, "incident = ?1", incident); }

Result<std::vector<std::int64_t>> NoticeStore::finished(Reader& reader) {
  return reader.rows<std::int64_t>(
      "SELECT n.id FROM notice n WHERE n.state = ?1 AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.notice = n.id AND d.state IN (?2, ?3))",
      [](const Columns& c) { return c.integer(0); }, NoticeState::kSending, DeliveryState::kQueued, DeliveryState::kReserved);
}

}  // namespace tocsin::storage
