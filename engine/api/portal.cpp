// The public side of a notice. No login, no cookie; a code in the body of a POST, so that it stands in no log, and
// so that a mail scanner which fetches links changes nothing.
#include <mutex>
#include <unordered_map>

#include "engine/api/notices.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;

// So many tries a minute from one address; forgets addresses that have been quiet.
class Limiter {
 public:
  explicit Limiter(std::uint32_t per_minute) : per_minute_(per_minute) {}
  bool allow(const std::string& address, Time now) {
    constexpr std::size_t kMaxAddresses = 100'000;
    const std::lock_guard lock(mutex_);
    if (now - window_ >= std::chrono::minutes(1) || counts_.size() > kMaxAddresses) {
      counts_.clear();
      window_ = now;
    }
    return ++counts_[address] <= per_minute_;
  }

 private:
  std::uint32_t per_minute_;
  std::mutex mutex_;
  Time window_{};                                          // guarded by mutex_
  std::unordered_map<std::string, std::uint32_t> counts_;  // guarded by mutex_
};

// The paragraph under the first heading of that name; authors may have changed headings, so it may be empty.
std::string section(std::string_view text, std::initializer_list<std::string_view> headings) {
  for (const std::string_view heading : headings) {
    const std::size_t at = text.find("\n" + std::string(heading) + "\n");
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at + heading.size() + 2);
    return std::string(trim(rest.substr(0, rest.find("\n\n"))));
  }
  return {};
}

// Lines that begin with "1. ", "2. ", …: what the person can do, in order.
json::array numbered_lines(std::string_view text) {
  json::array out;
  for (const std::string_view line : split(text, '\n')) {
    const bool numbered = line.size() > 3 && line[0] >= '1' && line[0] <= '9' && line[1] == '.' && line[2] == ' ';
    if (numbered) out.emplace_back(line.substr(3));
  }
  return out;
}

Response private_answer(Response response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

struct Portal {
  notifier::Notices& notices;
  storage::Ledger& ledger;
  const Clock& clock;
  PortalOptions options;
  Limiter limiter;

  Portal(notifier::Notices& n, storage::Ledger& l, const Clock& c, PortalOptions o)
      : notices(n), ledger(l), clock(c), options(std::move(o)), limiter(options.checks_per_minute) {}

  Result<std::string> code_of(const Request& request) {
    if (!limiter.allow(request.client_ip, clock.now())) return fail(Errc::kBusy, "too many tries from your address", "", "wait a minute and try again");
    auto body = request.json();
    if (!body) return pass(std::move(body));
    const json::value* code = body->if_contains("code");
    if (code == nullptr || !code->is_string() || code->as_string().size() > 64) return fail(Errc::kInvalid, "'code' must be a short text");
    return std::string(code->as_string());
  }

  Response check(const Request& request) {
    auto code = code_of(request);
    if (!code) return private_answer(problem(code.error()));
    auto view = notices.check(*code);
    if (!view) return private_answer(problem(view.error()));
    json::array fields;
    for (const std::string& field : view->fields) fields.emplace_back(field);
    json::value proof = nullptr;
    if (view->ledger_index) {
      const auto head = ledger.head();
      proof = json::object{{"index", *view->ledger_index}, {"size", head.size}, {"root", to_base64(bytes_of(head.root))},
                           {"checkpoint", head.checkpoint}, {"vkey", ledger.vkey()}, {"commitment", view->code_commitment},
                           {"salt", view->salt}, {"url", options.public_url + "/ledger/checkpoint"}};
      if (auto file = ledger.prove(*view->ledger_index)) proof.as_object()["tlog_proof"] = *file;
    }
    return private_answer(ok(json::object{
        {"genuine", true},
        {"organisation", json::object{{"name", options.organisation}, {"contact", options.contact}, {"phone", options.phone}, {"website", options.website}}},
        {"language", view->language},
        {"subject", view->subject},
        {"text", view->text},
        {"what_happened", section(view->text, {"WHAT HAPPENED", "WAS PASSIERT IST"})},
        {"actions", numbered_lines(view->text)},
        {"fields", std::move(fields)},
        {"sent", view->sent ? json::value(format_rfc3339(*view->sent)) : json::value(nullptr)},
        {"acknowledged_at", view->acknowledged_at ? json::value(format_rfc3339(*view->acknowledged_at)) : json::value(nullptr)},
        {"proof", std::move(proof)}}));
  }

  Response acknowledge(const Request& request) {
    auto code = code_of(request);
    if (!code) return private_answer(problem(code.error()));
    auto at = notices.acknowledge(*code);
    if (!at) return private_answer(problem(at.error()));
    return private_answer(ok(json::object{{"acknowledged_at", format_rfc3339(*at)}}));
  }
};

}  // namespace

void add_portal_routes(Router& router, notifier::Notices& notices, storage::Ledger& ledger, const Clock& clock, PortalOptions options) {
  auto portal = std::make_shared<Portal>(notices, ledger, clock, std::move(options));
  router.add("POST", "/portal/v1/check", kPublic, [portal](const Request& r) { return portal->check(r); });
  router.add("POST", "/portal/v1/acknowledge", kPublic, [portal](const Request& r) { return portal->acknowledge(r); });
}

}  // namespace tocsin::engine
