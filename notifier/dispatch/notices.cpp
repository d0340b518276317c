// Each change is one transaction: check the state, change it, record it in the history and the ledger.
#include "notifier/dispatch/notices.hpp"

#include <algorithm>

#include "notifier/channel/channel.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/history_store.hpp"

namespace tocsin::notifier {
namespace {

using storage::Delivery;
using storage::DeliveryState;
using storage::Notice;
using storage::NoticeState;
using storage::NoticeStore;
using storage::Transaction;

// 32 letters that are not taken for one another: no I, O, 0, 1. Twelve of them are 60 bits.
constexpr std::string_view kAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
constexpr std::size_t kMaxSubject = 300;
constexpr std::size_t kMaxBody = 60'000;
constexpr std::size_t kMaxReason = 2'000;

tl::unexpected<Error> not_there() { return fail(Errc::kNotFound, "there is no such notice"); }

NoticeText text_of(const Notice& notice) { return {notice.language, notice.subject, notice.body}; }

std::string set_hash_of(std::vector<storage::Pseudonym> set) {
  std::sort(set.begin(), set.end());
  std::string bytes;
  for (const auto& pseudonym : set) bytes += pseudonym.view();
  return to_hex(sha256(bytes));
}

std::string field_or(const storage::Fields& fields, std::string_view name, std::string_view otherwise = "") {
  const auto at = fields.find(name);
  return at != fields.end() && !at->second.empty() ? at->second : std::string(otherwise);
}

}  // namespace

std::string with_dashes(std::string_view code) {
  std::string out;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (i != 0 && i % 4 == 0) out += '-';
    out += code[i];
  }
  return out;
}

Notices::Notices(storage::Database& db, storage::Ledger& ledger, storage::Vault& vault, IncidentSource& incidents, const Clock& clock,
                 NoticesOptions options, std::function<void(std::int64_t)> on_change)
    : db_(db), ledger_(ledger), vault_(vault), incidents_(incidents), clock_(clock), options_(std::move(options)), on_change_(std::move(on_change)) {}

std::string Notices::code_of(std::int64_t delivery) const {
  const std::string mac = vault_.keys().mac("notice-code", std::to_string(delivery));
  std::string out;
  for (std::size_t i = 0; i < kCodeLetters; ++i) out += kAlphabet[static_cast<unsigned char>(mac[i]) % kAlphabet.size()];
  return out;
}

std::string Notices::code_mac(std::string_view code) const { return vault_.keys().mac("notice-code-lookup", code); }

std::string Notices::salt_of(std::int64_t delivery) const {
  return vault_.keys().mac("notice-salt", std::to_string(delivery)).substr(0, 16);
}

std::string Notices::commitment_of(std::int64_t delivery) const { return to_hex(sha256(salt_of(delivery) + code_of(delivery))); }

Result<Notice> Notices::change(std::int64_t id, const std::string& kind, const std::string& by,
                               const std::function<Result<void>(Transaction&, Notice&)>& body) {
  const Time now = clock_.now();
  return db_.write([&](Transaction& tx) -> Result<Notice> {
    auto found = NoticeStore::notice(tx, id);
    if (!found) return pass(std::move(found));
    if (!*found) return not_there();
    Notice notice = **found;
    const NoticeState before = notice.state;
    const std::string hash_before = notice.hash;
    if (auto done = body(tx, notice); !done) return pass(std::move(done));
    if (auto done = NoticeStore::update(tx, notice); !done) return pass(std::move(done));
    storage::Change row;
    row.subject = "notice";
    row.subject_id = id;
    row.incident = notice.incident;
    row.time = now;
    row.by = by;
    row.field = before == notice.state && hash_before != notice.hash ? "text" : "state";
    row.from = row.field == "text" ? hash_before : std::string(name(before));
    row.to = row.field == "text" ? notice.hash : std::string(name(notice.state));
    row.reason = notice.state == NoticeState::kRejected ? notice.reason : "";
    if (auto done = storage::HistoryStore::add(tx, row); !done) return pass(std::move(done));
    storage::Entry entry;
    entry.kind = kind;
    entry.time = now;
    entry.by = by;
    entry.fields = {{"notice", std::to_string(id)}, {"incident", std::to_string(notice.incident)}, {"text", notice.hash},
                    {"state", std::string(name(notice.state))}};
    if (!notice.set_hash.empty()) entry.fields.emplace_back("people", notice.set_hash);
    auto recorded = ledger_.record(tx, entry);
    if (!recorded) return pass(std::move(recorded));
    tx.after_commit([this, id] { on_change_(id); });
    return notice;
  });
}

Result<Notice> Notices::draft(std::int64_t incident, const std::string& language, const std::string& audience, const std::string& by) {
  if (audience != "all" && audience != "language") {
    return fail(Errc::kInvalid, "the audience is '" + printable(audience, 40) + "'", "", "all, or language (only people who speak it)");
  }
  auto facts = incidents_.facts(incident);
  if (!facts) return pass(std::move(facts));
  auto text = notifier::draft(*facts, language);
  if (!text) return pass(std::move(text));
  const Time now = clock_.now();
  return db_.write([&](Transaction& tx) -> Result<Notice> {
    auto versions = tx.number("SELECT count(*) FROM notice WHERE incident = ?1 AND language = ?2", incident, language);
    if (!versions) return pass(std::move(versions));
    Notice notice;
    notice.incident = incident;
    notice.version = static_cast<int>(*versions) + 1;
    notice.language = language;
    notice.audience = audience;
    notice.subject = text->subject;
    notice.body = text->body;
    notice.hash = text_hash(*text, audience);
    notice.author = by;
    notice.created = now;
    auto id = NoticeStore::insert(tx, notice);
    if (!id) return pass(std::move(id));
    notice.id = *id;
    storage::Change row;
    row.subject = "notice";
    row.subject_id = *id;
    row.incident = incident;
    row.time = now;
    row.by = by;
    row.field = "state";
    row.to = name(NoticeState::kDraft);
    if (auto done = storage::HistoryStore::add(tx, row); !done) return pass(std::move(done));
    storage::Entry entry;
    entry.kind = "notice-drafted";
    entry.time = now;
    entry.by = by;
    entry.fields = {{"notice", std::to_string(*id)}, {"incident", std::to_string(incident)}, {"text", notice.hash}};
    if (auto recorded = ledger_.record(tx, entry); !recorded) return pass(std::move(recorded));
    tx.after_commit([this, saved = *id] { on_change_(saved); });
    return notice;
  });
}

Result<Notice> Notices::edit(std::int64_t id, const std::string& subject, const std::string& body, const std::string& by) {
  if (subject.empty() || subject.size() > kMaxSubject || subject.find_first_of("\r\n") != std::string::npos) {
    return fail(Errc::kInvalid, "a subject is one line of 1 to " + std::to_string(kMaxSubject) + " bytes");
  }
  if (body.empty() || body.size() > kMaxBody) return fail(Errc::kTooLarge, "a text has 1 to " + std::to_string(kMaxBody) + " bytes");
  if (!is_utf8(subject) || !is_utf8(body)) return fail(Errc::kInvalid, "the text is not UTF-8");
  return change(id, "notice-edited", by, [&](Transaction&, Notice& notice) -> Result<void> {
    if (notice.state != NoticeState::kDraft && notice.state != NoticeState::kRejected && notice.state != NoticeState::kSubmitted) {
      return fail(Errc::kConflict, "a notice that is " + std::string(name(notice.state)) + " cannot be changed", "", "draft a new version");
    }
    notice.subject = subject;
    notice.body = body;
    notice.hash = text_hash(text_of(notice), notice.audience);
    notice.author = by;
    notice.state = NoticeState::kDraft;  // whoever had read it has read another text
    notice.submitted_at.reset();
    notice.submitter.clear();
    return {};
  });
}

Result<Notice> Notices::submit(std::int64_t id, const std::string& by) {
  auto current = get(id);
  if (!current) return current;
  auto messages = lint_of(*current);
  if (!messages) return pass(std::move(messages));
  for (const LintMessage& message : *messages) {
    if (message.level == LintLevel::kError) return fail(Errc::kConflict, "the text is not ready: " + message.message, "", "mend it and submit again");
  }
  return change(id, "notice-submitted", by, [&](Transaction&, Notice& notice) -> Result<void> {
    if (notice.state != NoticeState::kDraft) return fail(Errc::kConflict, "only a draft can be submitted; this is " + std::string(name(notice.state)));
    if (notice.hash != current->hash) return fail(Errc::kConflict, "somebody changed the text just now", "", "read it again and submit");
    notice.state = NoticeState::kSubmitted;
    notice.submitted_at = clock_.now();
    notice.submitter = by;
    return {};
  });
}

Result<Notice> Notices::approve(std::int64_t id, const std::string& hash, const std::string& by) {
  auto current = get(id);
  if (!current) return current;
  auto facts = incidents_.facts(current->incident);
  if (!facts) return pass(std::move(facts));
  return change(id, "notice-approved", by, [&](Transaction& tx, Notice& notice) -> Result<void> {
    if (notice.state != NoticeState::kSubmitted) return fail(Errc::kConflict, "only a submitted notice can be approved; this is " + std::string(name(notice.state)));
    if (by == notice.author || by == notice.submitter) {
      return fail(Errc::kForbidden, "the person who wrote or submitted a notice cannot approve it", "", "ask another approver: four eyes");
    }
    if (hash != notice.hash || text_hash(text_of(notice), notice.audience) != notice.hash) {
      return fail(Errc::kConflict, "this is not the text that you have read", "", "reload it, read it again, then approve");
    }
    const Time now = clock_.now();
    auto recipients = incidents_.freeze(tx, notice.incident, id, by, now);
    if (!recipients) return pass(std::move(recipients));
    if (recipients->size() > kMaxRecipients) return fail(Errc::kTooLarge, "more than " + std::to_string(kMaxRecipients) + " people");
    std::vector<storage::Pseudonym> told;
    for (const Recipient& recipient : *recipients) {
      Delivery delivery;
      delivery.notice = id;
      delivery.incident = notice.incident;
      delivery.round = notice.round;
      delivery.pseudonym = recipient.pseudonym;
      delivery.dataset = recipient.dataset;
      delivery.fields = recipient.fields;
      delivery.grade = recipient.grade;
      delivery.next_at = now;
      auto fields = vault_.open(tx, recipient.pseudonym);
      if (!fields && fields.error().code != Errc::kNotFound) return pass(std::move(fields));
      const std::string address = fields ? field_or(*fields, "email") : "";
      if (notice.audience == "language" && (!fields || field_or(*fields, "language") != notice.language)) continue;
      delivery.state = is_mail_address(address) ? DeliveryState::kQueued : DeliveryState::kNoContact;
      auto added = NoticeStore::add(tx, delivery);
      if (!added) return pass(std::move(added));
      if (!*added) continue;  // has another notice of this incident
      if (auto done = NoticeStore::set_code(tx, tx.last_insert_id(), code_mac(code_of(tx.last_insert_id()))); !done) return done;
      told.push_back(recipient.pseudonym);
    }
    if (told.empty()) {
      return fail(Errc::kConflict, "this notice would reach nobody", "",
                  recipients->empty() ? "the incident concerns nobody yet" : "everyone it is for already has a notice of this incident");
    }
    notice.set_hash = set_hash_of(std::move(told));
    notice.state = NoticeState::kApproved;
    notice.approver = by;
    notice.approved_at = now;
    return {};
  });
}

Result<Notice> Notices::reject(std::int64_t id, const std::string& reason, const std::string& by) {
  if (trim(reason).empty() || reason.size() > kMaxReason) return fail(Errc::kInvalid, "a rejection needs a reason of at most 2,000 bytes");
  return change(id, "notice-rejected", by, [&](Transaction&, Notice& notice) -> Result<void> {
    if (notice.state != NoticeState::kSubmitted) return fail(Errc::kConflict, "only a submitted notice can be rejected; this is " + std::string(name(notice.state)));
    notice.state = NoticeState::kRejected;
    notice.reason = reason;
    return {};
  });
}

Result<Notice> Notices::send(std::int64_t id, const std::string& by) {
  return change(id, "notice-sending", by, [&](Transaction&, Notice& notice) -> Result<void> {
    if (notice.state != NoticeState::kApproved) return fail(Errc::kConflict, "only an approved notice can be sent; this is " + std::string(name(notice.state)));
    if (!notice.approved_at || clock_.now() - *notice.approved_at > options_.approval_lifetime) {
      return fail(Errc::kConflict, "the approval is too old", "", "draft a new version and have it approved");
    }
    notice.state = NoticeState::kSending;
    return {};
  });
}

Result<std::uint64_t> Notices::resend(std::int64_t id, const std::string& reason, const std::string& by) {
  if (trim(reason).empty() || reason.size() > kMaxReason) return fail(Errc::kInvalid, "sending again needs a reason of at most 2,000 bytes");
  std::uint64_t count = 0;
  auto done = change(id, "notice-resent", by, [&](Transaction& tx, Notice& notice) -> Result<void> {
    if (notice.state != NoticeState::kSending && notice.state != NoticeState::kSent) return fail(Errc::kConflict, "this notice has not been sent yet");
    auto run = tx.run("UPDATE delivery SET state = ?2, attempts = 0, next_at = ?3 WHERE notice = ?1 AND state IN (?4, ?5)", id,
                      DeliveryState::kQueued, clock_.now(), DeliveryState::kFailed, DeliveryState::kUnknown);
    if (!run) return run;
    count = static_cast<std::uint64_t>(tx.changes());
    if (count == 0) return fail(Errc::kConflict, "nothing failed and nothing is unknown");
    notice.state = NoticeState::kSending;
    return {};
  });
  if (!done) return pass(std::move(done));
  return count;
}

Result<Notice> Notices::get(std::int64_t id) {
  auto found = db_.read([&](storage::Reader& reader) { return NoticeStore::notice(reader, id); });
  if (!found) return pass(std::move(found));
  if (!*found) return not_there();
  return **found;
}

Result<std::vector<LintMessage>> Notices::lint_of(const Notice& notice) {
  auto facts = incidents_.facts(notice.incident);
  if (!facts) {
    if (facts.error().code != Errc::kConflict) return pass(std::move(facts));
    return std::vector<LintMessage>{};  // a closed incident: nothing can be changed any more
  }
  return lint(text_of(notice), *facts);
}

Result<Audience> Notices::audience_of(const Notice& notice) {
  if (notice.approved_at) {
    auto counts = db_.read([&](storage::Reader& reader) { return NoticeStore::counts(reader, notice.id); });
    if (!counts) return pass(std::move(counts));
    return Audience{counts->total, counts->total - counts->no_contact, counts->no_contact, 0};
  }
  auto recipients = incidents_.recipients(notice.incident);
  if (!recipients) return pass(std::move(recipients));
  return db_.read([&](storage::Reader& reader) -> Result<Audience> {
    Audience out;
    for (const Recipient& recipient : *recipients) {
      auto told = reader.number("SELECT count(*) FROM delivery WHERE incident = ?1 AND round = ?2 AND pseudonym = ?3", notice.incident,
                                notice.round, storage::Blob{recipient.pseudonym.view()});
      if (!told) return pass(std::move(told));
      if (*told != 0) {
        ++out.already_told;
        continue;
      }
      auto fields = vault_.open(reader, recipient.pseudonym);
      if (!fields && fields.error().code != Errc::kNotFound) return pass(std::move(fields));
      if (notice.audience == "language" && (!fields || field_or(*fields, "language") != notice.language)) continue;
      ++out.total;
      const bool reachable = fields && is_mail_address(field_or(*fields, "email"));
      ++(reachable ? out.with_contact : out.without_contact);
    }
    return out;
  });
}

Result<NoticeText> Notices::preview(const Notice& notice, std::string_view pseudonym_hex, const std::string& by) {
  Person person;
  person.name = notice.language == "de" ? "Erika Mustermann" : "Jo Sample";
  person.fields = {"name", "email"};
  person.code = "····-····-····";
  person.portal = options_.public_url + "/n";
  if (!pseudonym_hex.empty()) {
    const auto pseudonym = storage::Pseudonym::from_hex(std::string(pseudonym_hex));
    if (!pseudonym) return fail(Errc::kInvalid, "this is not a pseudonym");
    auto recipients = incidents_.recipients(notice.incident);
    if (!recipients) return pass(std::move(recipients));
    const auto at = std::find_if(recipients->begin(), recipients->end(), [&](const Recipient& r) { return r.pseudonym == *pseudonym; });
    if (at == recipients->end()) return fail(Errc::kNotFound, "the incident does not concern this person");
    person.fields = at->fields;
    // Showing a letter names a person: that is a disclosure, and recorded before it happens.
    storage::Entry entry;
    entry.kind = "vault-opened";
    entry.time = clock_.now();
    entry.by = by;
    entry.fields = {{"purpose", "notice preview"}, {"notice", std::to_string(notice.id)}, {"pseudonym", pseudonym->hex()}};
    auto recorded = db_.write([&](Transaction& tx) { return ledger_.record(tx, entry); });
    if (!recorded) return pass(std::move(recorded));
    auto fields = db_.read([&](storage::Reader& reader) { return vault_.open(reader, *pseudonym); });
    if (!fields) return pass(std::move(fields));
    person.name = field_or(*fields, "name", person.name);
  } else if (auto recipients = incidents_.recipients(notice.incident); recipients && !recipients->empty()) {
    person.fields = recipients->front().fields;
  }
  return render(text_of(notice), person);
}

Result<std::optional<Delivery>> Notices::find(std::string_view code) {
  std::string plain;
  for (const char c : code) {
    if (c == '-' || c == ' ') continue;
    plain += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (plain.size() > kCodeLetters) break;
  }
  // A malformed code takes the same way as a wrong one.
  const std::string mac = code_mac(plain);
  return db_.read([&](storage::Reader& reader) { return NoticeStore::by_code(reader, mac); });
}

Result<PortalView> Notices::check(std::string_view code) {
  auto delivery = find(code);
  if (!delivery) return pass(std::move(delivery));
  if (!*delivery || (*delivery)->state == DeliveryState::kQueued || (*delivery)->state == DeliveryState::kNoContact) {
    return fail(Errc::kNotFound, "we do not know this code");
  }
  const Delivery& d = **delivery;
  auto notice = get(d.notice);
  if (!notice) return pass(std::move(notice));
  PortalView out;
  out.language = notice->language;
  out.sent = d.sent_at;
  out.acknowledged_at = d.acknowledged_at;
  out.ledger_index = d.ledger_index;
  out.code_commitment = commitment_of(d.id);
  out.salt = to_hex(salt_of(d.id));
  for (const std::string& field : d.fields) out.fields.push_back(plain_word(field, notice->language));
  Person person;
  person.fields = d.fields;
  person.code = with_dashes(code_of(d.id));
  person.portal = options_.public_url + "/n";
  auto fields = db_.read([&](storage::Reader& reader) { return vault_.open(reader, d.pseudonym); });
  if (!fields && fields.error().code != Errc::kNotFound) return pass(std::move(fields));
  person.name = fields ? field_or(*fields, "name") : "";  // erased since: the letter stays, the name is gone
  auto text = render(text_of(*notice), person);
  if (!text) return pass(std::move(text));
  out.subject = text->subject;
  out.text = text->body;
  return out;
}

Result<Time> Notices::acknowledge(std::string_view code) {
  auto delivery = find(code);
  if (!delivery) return pass(std::move(delivery));
  if (!*delivery || (*delivery)->state == DeliveryState::kQueued || (*delivery)->state == DeliveryState::kNoContact) {
    return fail(Errc::kNotFound, "we do not know this code");
  }
  const std::int64_t id = (*delivery)->id;
  const Time now = clock_.now();
  return db_.write([&](Transaction& tx) -> Result<Time> {
    auto again = NoticeStore::delivery(tx, id);
    if (!again) return pass(std::move(again));
    if (!*again) return fail(Errc::kNotFound, "we do not know this code");
    Delivery d = **again;
    if (d.acknowledged_at) return *d.acknowledged_at;
    d.acknowledged_at = now;
    // Whoever has the code has the notice, whatever the channel said of it.
    if (d.state == DeliveryState::kUnknown) d.state = DeliveryState::kSent;
    if (auto done = NoticeStore::update(tx, d); !done) return pass(std::move(done));
    storage::Entry entry;
    entry.kind = "notice-acknowledged";
    entry.time = now;
    entry.by = "recipient";
    entry.fields = {{"notice", std::to_string(d.notice)}, {"delivery", std::to_string(d.id)}};
    if (auto recorded = ledger_.record(tx, entry); !recorded) return pass(std::move(recorded));
    tx.after_commit([this, notice = d.notice] { on_change_(notice); });
    return now;
  });
}

}  // namespace tocsin::notifier
