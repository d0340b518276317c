// A front to tell stories through: the real router with the workflow's routes over a Desk, and a real ledger. Every
// answer is held against engine/api/openapi.yaml.
#pragma once

#include "engine/api/alerts.hpp"
#include "engine/api/incidents.hpp"
#include "engine/api/overview.hpp"
#include "engine/api/report.hpp"
#include "engine/api/tasks.hpp"
#include "rules/base/text.hpp"
#include "storage/ledger/ledger.hpp"
#include "tests/unit/engine/api/json_schema.hpp"
#include "tests/unit/engine/respond/desk.hpp"

namespace tocsin::engine::testing_desk {

struct Answer {
  int status = 0;
  boost::json::value body;
  Response response;
  [[nodiscard]] const boost::json::value& at(std::string_view pointer) const { return body.at_pointer(pointer); }
  [[nodiscard]] std::string text(std::string_view pointer) const { return std::string(at(pointer).as_string()); }
  [[nodiscard]] std::string detail() const { return body.is_object() && body.get_object().contains("detail") ? text("/detail") : ""; }
};

class Front : public Desk {
 protected:
  void SetUp() override {
    Desk::SetUp();
    std::filesystem::create_directories(dir_ / "keys");
    auto ledger = storage::Ledger::open(*db_, dir_ / "ledger", dir_ / "keys", {.origin = "example.org/tocsin"});
    ASSERT_TRUE(ledger) << ledger.error().text();
    ledger_ = std::move(*ledger);
    Respond::Deps deps = respond_->deps();
    deps.record = [this](storage::Transaction& tx, const storage::Entry& entry) -> Result<void> {
      if (!ledger_works_) return fail(Errc::kUnavailable, "the ledger cannot be written", "", "free some space");
      auto index = ledger_->record(tx, entry);
      if (!index) return pass(std::move(index));
      return {};
    };
    respond_ = std::make_unique<Respond>(std::move(deps));
    Surroundings around;
    around.notice_counts = [this](storage::Reader&, std::optional<std::int64_t>) { return counts_; };
    around.notices = [](storage::Reader&, std::int64_t) {
      return boost::json::array{boost::json::object{{"id", "1"}, {"subject", "Your data"}, {"language", "en"},
                                                    {"state", "sent"}, {"author", "anna"}, {"approver", "paul"}}};
    };
    around.ledger = [this] {
      const auto head = ledger_->head();
      return boost::json::object{{"size", head.size}, {"root", to_base64(bytes_of(head.root))}, {"origin", ledger_->origin()}};
    };
    around.organisation = {{"name", "Example Clinic"}};
    WorkflowApi api{*respond_, std::move(around)};
    add_alert_routes(router_, api);
    add_incident_routes(router_, api);
    add_task_routes(router_, api);
    add_overview_routes(router_, api);
    add_report_routes(router_, api);
    for (int i = 0; i < 30; ++i) {
      PersonReached person;
      person.pseudonym = std::string(31, 'a') + static_cast<char>('a' + i % 26);
      person.dataset = "patient";
      person.grade = storage::Grade::kBound;
      person.fields = {"name"};
      person.first = person.last = clock_.now();
      person.in_register = true;
      people_.persons.push_back(person);
    }
    people_.everyone.total = 30;
  }
  void TearDown() override {
    ledger_.reset();
    Desk::TearDown();
  }

  Answer call(unsigned roles, const std::string& login, const std::string& method, const std::string& target,
              const std::string& body = "") {
    Request request;
    request.method = method;
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) {
      std::string rest = target.substr(question + 1);
      for (const std::string_view pair : split(rest, '&')) {
        const auto equals = pair.find('=');
        request.query[std::string(pair.substr(0, equals))] = std::string(pair.substr(equals + 1));
      }
    }
    request.body = body;
    if (!body.empty()) request.headers["content-type"] = "application/json";
    request.who = {login, login, roles};
    Answer out;
    out.response = router_.handle(request);
    out.status = out.response.status;
    if (out.response.content_type.find("json") == std::string::npos || out.response.body.empty()) return out;
    out.body = boost::json::parse(out.response.body);
    static const test::OpenApi document(std::string(TOCSIN_SOURCE_DIR) + "/engine/api/openapi.yaml");
    std::string lower = method;
    for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
    EXPECT_EQ(document.check_answer(request.route, lower, out.status, out.response.body), "") << method << " " << target;
    return out;
  }
  Answer analyst(const std::string& method, const std::string& target, const std::string& body = "") {
    return call(kAnalyst, "anna", method, target, body);
  }
  Answer manager(const std::string& method, const std::string& target, const std::string& body = "") {
    return call(kManager, "mia", method, target, body);
  }
  Answer admin(const std::string& method, const std::string& target, const std::string& body = "") {
    return call(kAdmin, "root", method, target, body);
  }

  std::unique_ptr<storage::Ledger> ledger_;
  Router router_;
  NoticeCounts counts_;
};

}  // namespace tocsin::engine::testing_desk
