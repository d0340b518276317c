// Handlers are thin: read the request, ask notifier::Notices, show the notice.
#include "engine/api/notices.hpp"

#include <charconv>

#include "engine/api/workflow.hpp"
#include "storage/history_store.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;
using notifier::Notices;
using storage::Notice;


std::int64_t id_of(const Request& request) {
  const std::string text = request.param("id");
  std::int64_t id = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
  return ec == std::errc() && end == text.data() + text.size() ? id : -1;
}

Result<std::string> text_member(const json::object& body, std::string_view key) {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || !value->is_string()) return fail(Errc::kInvalid, "'" + std::string(key) + "' must be a text");
  return std::string(value->as_string());
}

json::object short_notice(const Notice& n) {
  return {{"id", std::to_string(n.id)}, {"incident", std::to_string(n.incident)}, {"version", n.version}, {"round", n.round}, {"language", n.language},
          {"audience", n.audience}, {"subject", n.subject}, {"hash", n.hash}, {"state", storage::name(n.state)},
          {"author", text_or_null(n.author)}, {"created", format_rfc3339(n.created)}, {"submitted_at", time_json(n.submitted_at)},
          {"submitter", text_or_null(n.submitter)}, {"approver", text_or_null(n.approver)}, {"approved_at", time_json(n.approved_at)},
          {"reason", text_or_null(n.reason)}};
}

class Handlers {
 public:
  Handlers(Notices& notices, storage::Database& db, std::function<void()> on_send, std::function<std::string()> trouble)
      : notices_(notices), db_(db), on_send_(std::move(on_send)), trouble_(std::move(trouble)) {}

  Response list(const Request& request) const {
    std::int64_t incident = 0;
    const std::string text = request.query_or("incident", "0");
    if (std::from_chars(text.data(), text.data() + text.size(), incident).ec != std::errc()) {
      return problem({Errc::kInvalid, "'incident' must be a number", "", ""});
    }
    auto found = db_.read([&](storage::Reader& reader) -> Result<json::array> {
      auto notices = storage::NoticeStore::list(reader, incident);
      if (!notices) return pass(std::move(notices));
      json::array items;
      for (const Notice& n : *notices) {
        auto counts = storage::NoticeStore::counts(reader, n.id);
        if (!counts) return pass(std::move(counts));
        json::object item = short_notice(n);
        item["progress"] = progress_json(*counts);
        items.push_back(std::move(item));
      }
      return items;
    });
    if (!found) return problem(found.error());
    return ok(json::object{{"items", std::move(*found)}, {"next", nullptr}});
  }

  Response full(Result<Notice> notice, int status = 200) const {
    if (!notice) return problem(notice.error());
    json::object out = short_notice(*notice);
    out["body"] = notice->body;
    auto lint = notices_.lint_of(*notice);
    if (!lint) return problem(lint.error());
    json::array messages;
    for (const auto& m : *lint) messages.push_back(json::object{{"level", notifier::name(m.level)}, {"code", m.code}, {"message", m.message}});
    out["lint"] = std::move(messages);
    auto audience = notices_.audience_of(*notice);
    if (audience) {
      out["recipients"] = json::object{{"total", audience->total}, {"with_contact", audience->with_contact},
                                       {"without_contact", audience->without_contact}, {"already_told", audience->already_told},
                                       {"set_hash", text_or_null(notice->set_hash)}};
    } else {
      out["recipients"] = nullptr;
    }
    auto rest = db_.read([&](storage::Reader& reader) -> Result<void> {
      auto counts = storage::NoticeStore::counts(reader, notice->id);
      if (!counts) return pass(std::move(counts));
      out["progress"] = progress_json(*counts);
      auto changes = storage::HistoryStore::of(reader, "notice", notice->id);
      if (!changes) return pass(std::move(changes));
      json::array history;
      for (const auto& c : *changes) {
        history.push_back(json::object{{"time", format_rfc3339(c.time)}, {"by", c.by}, {"field", c.field}, {"from", text_or_null(c.from)},
                                       {"to", text_or_null(c.to)}, {"reason", text_or_null(c.reason)}});
      }
      out["history"] = std::move(history);
      return {};
    });
    if (!rest) return problem(rest.error());
    const std::string trouble = notice->state == storage::NoticeState::kSending ? trouble_() : "";
    out["trouble"] = text_or_null(trouble);
    return ok(out, status);
  }

  Response draft(const Request& request) const {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto language = text_member(*body, "language");
    if (!language) return problem(language.error());
    std::string audience = "all";
    if (body->contains("audience")) {
      auto named = text_member(*body, "audience");
      if (!named) return problem(named.error());
      audience = *named;
    }
    auto incident = incident_param(request, db_);
    if (!incident) return problem(incident.error());
    return full(notices_.draft(*incident, *language, audience, request.who.login), 201);
  }

  Response edit(const Request& request) const {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto subject = text_member(*body, "subject");
    auto text = text_member(*body, "body");
    if (!subject) return problem(subject.error());
    if (!text) return problem(text.error());
    return full(notices_.edit(id_of(request), *subject, *text, request.who.login));
  }

  Response approve(const Request& request) const {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto hash = text_member(*body, "hash");
    if (!hash) return problem(hash.error());
    return full(notices_.approve(id_of(request), *hash, request.who.login));
  }

  Response reject(const Request& request) const {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto reason = text_member(*body, "reason");
    if (!reason) return problem(reason.error());
    return full(notices_.reject(id_of(request), *reason, request.who.login));
  }

  Response send(const Request& request) const {
    auto done = notices_.send(id_of(request), request.who.login);
    if (done) on_send_();
    return full(std::move(done));
  }

  Response resend(const Request& request) const {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto reason = text_member(*body, "reason");
    if (!reason) return problem(reason.error());
    auto count = notices_.resend(id_of(request), *reason, request.who.login);
    if (!count) return problem(count.error());
    on_send_();
    return full(notices_.get(id_of(request)));
  }

  Response preview(const Request& request) const {
    auto notice = notices_.get(id_of(request));
    if (!notice) return problem(notice.error());
    auto text = notices_.preview(*notice, request.query_or("pseudonym", ""), request.who.login);
    if (!text) return problem(text.error());
    return ok(json::object{{"subject", text->subject}, {"text", text->body}, {"language", text->language}});
  }

  Response deliveries(const Request& request) const {
    std::int64_t after = 0;
    const std::string text = request.query_or("after", "0");
    if (std::from_chars(text.data(), text.data() + text.size(), after).ec != std::errc()) {
      return problem({Errc::kInvalid, "'after' must be a number", "", ""});
    }
    constexpr std::size_t kPage = 200;
    auto found = db_.read([&](storage::Reader& reader) { return storage::NoticeStore::of_notice(reader, id_of(request), after, kPage); });
    if (!found) return problem(found.error());
    json::array items;
    for (const auto& d : *found) {
      items.push_back(json::object{{"id", std::to_string(d.id)}, {"pseudonym", d.pseudonym.hex()}, {"state", storage::name(d.state)}, {"attempts", d.attempts},
                                   {"evidence", text_or_null(d.evidence)}, {"sent_at", time_json(d.sent_at)},
                                   {"acknowledged_at", time_json(d.acknowledged_at)},
                                   {"ledger_index", d.ledger_index ? json::value(*d.ledger_index) : json::value(nullptr)}});
    }
    const bool more = found->size() == kPage;
    return ok(json::object{{"items", std::move(items)}, {"next", more ? json::value(std::to_string(found->back().id)) : json::value(nullptr)}});
  }

  Notices& notices() const { return notices_; }

 private:
  Notices& notices_;
  storage::Database& db_;
  std::function<void()> on_send_;
  std::function<std::string()> trouble_;
};

}  // namespace

json::object progress_json(const storage::DeliveryCounts& c) {
  return {{"total", c.total}, {"queued", c.queued + c.reserved}, {"sent", c.sent}, {"failed", c.failed}, {"unknown", c.unknown},
          {"no_contact", c.no_contact}, {"acknowledged", c.acknowledged}};
}

void add_notice_routes(Router& router, Notices& notices, storage::Database& db, std::function<void()> on_send, std::function<std::string()> trouble) {
  auto h = std::make_shared<Handlers>(notices, db, std::move(on_send), std::move(trouble));
  const unsigned writers = kAnalyst | kManager;
  router.add("POST", "/v1/incidents/{id}/notices", writers, [h](const Request& r) { return h->draft(r); });
  router.add("GET", "/v1/notices", kAnyUser, [h](const Request& r) { return h->list(r); });
  router.add("GET", "/v1/notices/{id}", kAnyUser, [h](const Request& r) { return h->full(h->notices().get(id_of(r))); });
  router.add("PUT", "/v1/notices/{id}", writers, [h](const Request& r) { return h->edit(r); });
  router.add("POST", "/v1/notices/{id}/submit", writers, [h](const Request& r) { return h->full(h->notices().submit(id_of(r), r.who.login)); });
  router.add("POST", "/v1/notices/{id}/approve", kApprover, [h](const Request& r) { return h->approve(r); });
  router.add("POST", "/v1/notices/{id}/reject", kApprover, [h](const Request& r) { return h->reject(r); });
  router.add("POST", "/v1/notices/{id}/send", kAnalyst | kManager | kApprover, [h](const Request& r) { return h->send(r); });
  router.add("POST", "/v1/notices/{id}/resend", kManager, [h](const Request& r) { return h->resend(r); });
  router.add("GET", "/v1/notices/{id}/preview", kAnalyst | kManager | kApprover, [h](const Request& r) { return h->preview(r); });
  router.add("GET", "/v1/notices/{id}/deliveries", kAnyUser, [h](const Request& r) { return h->deliveries(r); });
}

}  // namespace tocsin::engine
