// Teleport's audit log: the one source of SQL that knows the person behind a shared database account. What a query
// gave back is not recorded there.
#include "engine/intake/factories.hpp"
#include "engine/intake/json_record.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

using rules::Kind;
using rules::Value;

class Teleport final : public Decoder {
 public:
  std::string_view format() const noexcept override { return "teleport"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    auto root = parse_record(record, arena);
    if (!root) return pass(std::move(root));
    const std::string_view event = text_of(root->get("event"));
    const auto time = parse_rfc3339(text_of(root->get("time")), true);
    if (event.empty() || !time) return fail(Errc::kInvalid, "not a Teleport event: it has no 'event' or no 'time'");
    Decoded decoded;
    Access& a = decoded.access;
    a.time = *time;
    a.time_known = true;
    a.origin = origin;
    a.format = "teleport";
    a.event_id = text_of(root->get("uid"));
    a.operation = event;
    a.actor.person = text_of(root->get("user"));
    a.actor.account = text_of(root->get("db_user"));
    if (a.actor.account.empty()) a.actor.account = text_of(root->get("login"));
    if (a.actor.account.empty()) a.actor.account = a.actor.person;
    a.actor.session = text_of(root->get("sid"));
    std::string_view address = text_of(root->get("addr.remote"));
    if (const std::size_t colon = address.rfind(':'); colon != std::string_view::npos) {
      address = address.substr(0, colon);
      if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    }
    a.client.ip = address;
    a.client.user_agent = text_of(root->get("user_agent"));
    a.via = text_of(root->get("db_service"));
    const Value success = root->get("success");
    a.outcome = success.kind() == Kind::kBool && !success.as_bool() ? Outcome::kFailure : Outcome::kSuccess;
    if (a.outcome == Outcome::kFailure) {
      a.error = text_of(root->get("error"));
      if (a.error.empty()) a.error = text_of(root->get("message"));
    }
    if (event.starts_with("db.session.")) database(*root, event, a);
    else if (event == "user.login" || event == "auth" || event == "session.start") a.action = Action::kAuthenticate;
    decoded.event.source = {.product = "teleport", .category = {}, .service = "audit"};
    decoded.event.root = *root;
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

 private:
  static void database(const Value& root, std::string_view event, Access& a) {
    const std::string_view protocol = text_of(root.get("db_protocol"));
    a.resource.system = protocol == "postgres" || protocol == "cockroachdb" || protocol.empty() ? "postgresql" : protocol;
    a.resource.store = text_of(root.get("db_name"));
    if (a.resource.store.empty()) a.resource.store = text_of(root.get("db_database"));
    if (event == "db.session.start" || event == "db.session.end") {
      a.action = Action::kAuthenticate;
      return;
    }
    // "…statements.parse" prepares, "…statements.execute" names what was prepared; only texts can be read.
    const std::string_view text = text_of(root.get("db_query"));
    if (text.empty()) return;
    a.action = Action::kQuery;
    Statement& s = a.statement;
    s.text = text;
    const Value parameters = root.get("db_query_parameters");
    s.parameters_known = parameters.kind() == Kind::kArray;
    if (s.parameters_known) {
      for (const Value& item : parameters.items()) s.parameters.push_back(scalar_of(item));
    }
  }
};

}  // namespace

std::unique_ptr<Decoder> make_teleport() { return std::make_unique<Teleport>(); }

}  // namespace tocsin::engine
