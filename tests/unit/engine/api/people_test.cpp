// Names behind pseudonyms, and the record: nothing is opened that was not recorded, and what is public holds no names.
#include "engine/api/people.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "engine/api/record.hpp"
#include "engine/api/sources.hpp"
#include "engine/app/people_source.hpp"
#include "storage/exposure_store.hpp"
#include "storage/history_store.hpp"
#include "storage/register_store.hpp"
#include "tests/unit/engine/api/fixture.hpp"

namespace tocsin::engine {
namespace {
namespace json = boost::json;
using test::Api;

// Five patients, of whom mallory reached all and alice one.
struct People : Api {
  std::shared_ptr<const storage::Keys> keys = storage::Keys::open_or_create(dir / "keys").value();
  std::unique_ptr<storage::Vault> vault = storage::Vault::open(*database, keys).value();
  std::unique_ptr<storage::Ledger> ledger = storage::Ledger::open(*database, dir / "ledger", dir / "keys", {}).value();
  ExposedPeople exposed{DatasetMap()};
  SourceBoard board;
  Login analyst;
  std::string reloaded_by;
  bool bad_rules = false;

  People() {
    EXPECT_TRUE(database->migrate(storage::HistoryStore::kFamily, storage::HistoryStore::migrations()));
    EXPECT_TRUE(database->migrate(storage::RegisterStore::kFamily, storage::RegisterStore::migrations()));
    EXPECT_TRUE(database->migrate(storage::ExposureStore::kFamily, storage::ExposureStore::migrations()));
    add_people_routes(router, PeopleApi{*database, exposed, clock, vault.get(), ledger.get()});
    add_ledger_routes(router, *database, *ledger, dir / "ledger");
    add_source_routes(router, board);
    add_rule_routes(router, [] {
      return std::vector<RuleInfo>{{"tocsin.export.copy", "Bulk export", "high", "export", "", 2}};
    }, [this](const std::string& by) -> Result<RulesLoaded> {
      reloaded_by = by;
      if (bad_rules) return fail(Errc::kInvalid, "the new rules are not taken: x.yml:3: rule 'X' refused", "x.yml", "mend the rule");
      return RulesLoaded{70, 15, 1, "00ff"};
    });
    storage::Registers registers(storage::RegisterStore::hash_with(keys));
    std::istringstream csv("id,name\n1,Ann One\n2,Bob Two\n3,Cid Three\n4,Dan Four\n5,Eve Five\n");
    storage::ImportOptions options;
    options.dataset = "patient";
    EXPECT_TRUE(storage::import_register(csv, options, registers));
    std::vector<storage::StoredReach> reaches(2);
    for (auto& reach : reaches) {
      reach.first = reach.last = reach.known_from = clock.now();
      reach.dataset = "patient";
      reach.fields = {"email"};
      reach.way = "select";
    }
    reaches[0].key = "a";
    reaches[0].actor = "mallory";
    reaches[0].grade = storage::Grade::kBound;
    reaches[0].whole = true;
    reaches[0].at_most = 5;
    reaches[0].at_least = 0;
    reaches[0].reason = "the whole table was read";
    reaches[1].key = "b";
    reaches[1].actor = "alice";
    reaches[1].grade = storage::Grade::kExact;
    reaches[1].people = {*registers.of("patient").find("3")};
    reaches[1].at_least = reaches[1].at_most = 1;
    auto wrote = database->write([&](storage::Transaction& tx) -> Result<void> {
      if (auto saved = storage::RegisterStore::save(tx, *vault, registers, clock.now()); !saved) return saved;
      return storage::ExposureStore::add(tx, reaches);
    });
    EXPECT_TRUE(wrote) << wrote.error().text();
    user("ana", kAnalyst);
    analyst = log_in("ana");
  }
  std::uint64_t entries() const { return ledger->head().size; }
};

TEST(People, WhoWasExposedIsToldByPseudonyms) {
  People api;
  const auto all = api.call("GET", "/v1/exposed?actor=mallory&limit=2", "", api.analyst.headers());
  ASSERT_EQ(all.status, 200) << all.body;
  const auto body = json::parse(all.body);
  EXPECT_EQ(body.at("total").to_number<int>(), 5);
  EXPECT_EQ(body.at("items").as_array().size(), 2U);
  EXPECT_EQ(body.at("next").as_string(), "2");
  EXPECT_EQ(all.body.find("Ann"), std::string::npos);
  const auto rest = api.call("GET", "/v1/exposed?actor=mallory&offset=4", "", api.analyst.headers());
  EXPECT_EQ(json::parse(rest.body).at("items").as_array().size(), 1U);
  EXPECT_TRUE(json::parse(rest.body).at("next").is_null());
  EXPECT_EQ(api.call("GET", "/v1/exposed?from=yesterday", "", api.analyst.headers()).status, 400);
  EXPECT_EQ(api.call("GET", "/v1/exposed?limit=100000", "", api.analyst.headers()).status, 400);
  EXPECT_EQ(api.call("GET", "/v1/exposed?limit=-1", "", api.analyst.headers()).status, 400);
}

TEST(People, AskingForAPersonGoesOnRecordFirst) {
  People api;
  const auto before = api.entries();
  EXPECT_EQ(api.call("POST", "/v1/who-saw", R"({"subject":"3"})", api.analyst.headers()).status, 400);
  EXPECT_EQ(api.call("POST", "/v1/who-saw", R"({"subject":"3","reason":"  "})", api.analyst.headers()).status, 400);
  EXPECT_EQ(api.entries(), before);
  const auto saw = api.call("POST", "/v1/who-saw", R"({"subject":"3","reason":"she asked us"})", api.analyst.headers());
  ASSERT_EQ(saw.status, 200) << saw.body;
  EXPECT_EQ(json::parse(saw.body).at("items").as_array().size(), 2U);
  EXPECT_EQ(api.entries(), before + 1);
  const auto nobody = api.call("POST", "/v1/who-saw", R"({"subject":"99","reason":"x"})", api.analyst.headers());
  EXPECT_EQ(json::parse(nobody.body).at("items").as_array().size(), 0U);
}

TEST(People, NamesAreRevealedWithAReasonAndOnRecord) {
  People api;
  const std::string three = api.vault->pseudonym("patient", "3").hex();
  const std::string unknown(32, '0');
  const auto before = api.entries();
  const auto revealed = api.call("POST", "/v1/people/reveal",
                                 R"({"pseudonyms":[")" + three + "\",\"" + unknown + R"("],"reason":"to call them","incident":"1"})",
                                 api.analyst.headers());
  ASSERT_EQ(revealed.status, 200) << revealed.body;
  const auto items = json::parse(revealed.body).at("items").as_array();
  EXPECT_EQ(items.at(0).at("id").as_string(), "3");
  EXPECT_EQ(items.at(0).at("name").as_string(), "Cid Three");
  EXPECT_TRUE(items.at(1).at("id").is_null());
  EXPECT_EQ(api.entries(), before + 1);
  const auto entries = api.call("GET", "/v1/ledger/entries?from=" + std::to_string(before), "", api.analyst.headers());
  EXPECT_NE(entries.body.find("vault-opened"), std::string::npos);
  EXPECT_EQ(entries.body.find("Cid"), std::string::npos);
  EXPECT_EQ(entries.body.find("to call them"), std::string::npos);  // words may speak of people: only their hash

  ASSERT_TRUE(api.database->write([&](storage::Transaction& tx) {
    return api.vault->erase(tx, api.vault->pseudonym("patient", "3"), api.clock.now());
  }));
  const auto erased = api.call("POST", "/v1/people/reveal", R"({"pseudonyms":[")" + three + R"("],"reason":"again"})",
                               api.analyst.headers());
  EXPECT_TRUE(json::parse(erased.body).at("items").at(0).at("name").is_null());
  for (const char* bad : {R"({"pseudonyms":["../x"],"reason":"x"})", R"({"pseudonyms":"x","reason":"x"})",
                          R"({"pseudonyms":[1],"reason":"x"})", R"({"pseudonyms":[]})"}) {
    EXPECT_EQ(api.call("POST", "/v1/people/reveal", bad, api.analyst.headers()).status, 400) << bad;
  }
  api.user("boss", kAdmin | kApprover);
  EXPECT_EQ(api.call("POST", "/v1/people/reveal", "{}", api.log_in("boss").headers()).status, 403);
}

TEST(Record, ShowsItsStateEntriesAndProofsAndPublishesHashesOnly) {
  People api;
  static_cast<void>(api.call("POST", "/v1/who-saw", R"({"subject":"3","reason":"she asked us"})", api.analyst.headers()));
  const auto state = api.call("GET", "/v1/ledger", "", api.analyst.headers());
  ASSERT_EQ(state.status, 200) << state.body;
  EXPECT_TRUE(json::parse(state.body).at("healthy").as_bool());
  EXPECT_EQ(api.call("GET", "/v1/ledger").status, 401);
  EXPECT_EQ(api.call("GET", "/ledger/checkpoint").status, 200);
  EXPECT_EQ(api.call("GET", "/ledger/tile/0/000.p/1").status, 200);
  EXPECT_EQ(api.call("GET", "/ledger/tile/entries/000.p/1").status, 401);
  EXPECT_EQ(api.call("GET", "/ledger/tile/entries/000.p/1", "", {{"cookie", api.analyst.cookie}}).status, 200);
  for (const char* bad : {"/ledger/tile/0/001", "/ledger/tile/x", "/ledger/tile/0/%2500", "/ledger/tile/tocsin.db",
                          "/ledger/tile/64/000", "/ledger/tile/0/x000/1"}) {
    EXPECT_EQ(api.call("GET", bad).status, 404) << bad;
  }
  EXPECT_EQ(api.call("GET", "/v1/ledger/proof/0", "", api.analyst.headers()).status, 200);
  for (const char* bad : {"/v1/ledger/proof/99", "/v1/ledger/proof/-1", "/v1/ledger/proof/0x0"}) {
    EXPECT_EQ(api.call("GET", bad, "", api.analyst.headers()).status, 404) << bad;
  }
}

TEST(Sources, ShowCountsAndLinesThatCouldNotBeRead) {
  People api;
  const auto meter = api.board.meter("web-1", "http", "", "json");
  meter->accepted(3, api.clock.now());
  Reject reject;
  reject.line = 7;
  reject.error = "not JSON";
  reject.preview = "\x1b[31mred";
  reject.time = api.clock.now();
  meter->rejected(reject);
  EXPECT_NE(api.call("GET", "/v1/sources", "", api.analyst.headers()).body.find("\"accepted\":3"), std::string::npos);
  const auto rejects = api.call("GET", "/v1/sources/web-1/rejects", "", api.analyst.headers());
  EXPECT_EQ(rejects.status, 200);
  EXPECT_EQ(rejects.body.find('\x1b'), std::string::npos);
  EXPECT_EQ(api.call("GET", "/v1/sources/none/rejects", "", api.analyst.headers()).status, 404);
  EXPECT_EQ(api.call("GET", "/v1/rules", "", api.analyst.headers()).status, 200);
}

TEST(ApiRules, AreLoadedAgainByAnAdminAndABadSetSaysWhatIsWrong) {
  People api;
  EXPECT_EQ(api.call("POST", "/v1/rules/reload", "", api.analyst.headers()).status, 403);
  EXPECT_EQ(api.reloaded_by, "");
  api.user("root", kAdmin);
  const auto root = api.log_in("root");
  const auto done = api.call("POST", "/v1/rules/reload", "", root.headers());
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_NE(done.body.find("\"correlations\":15"), std::string::npos) << done.body;
  EXPECT_EQ(api.reloaded_by, "root");
  api.bad_rules = true;
  const auto refused = api.call("POST", "/v1/rules/reload", "", root.headers());
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_NE(refused.body.find("rule 'X' refused"), std::string::npos) << refused.body;
}

}  // namespace
}  // namespace tocsin::engine
