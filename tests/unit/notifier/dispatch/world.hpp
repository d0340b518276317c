// A small world for notice tests: a data directory, a vault of invented people, and an incident that concerns them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "notifier/channel/mailbox/mailbox.hpp"
#include "notifier/dispatch/dispatcher.hpp"
#include "notifier/dispatch/notices.hpp"
#include "storage/history_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::notifier {

class OneIncident final : public IncidentSource {
 public:
  std::vector<Recipient> people;
  Result<NoticeFacts> facts(std::int64_t) override {
    NoticeFacts f;
    f.organisation = "Linden Clinic";
    f.contact = "privacy@linden-clinic.example";
    f.happened_on = "23 November 2026";
    f.noticed_on = "24 November 2026";
    f.kinds = {"contact", "identity"};
    f.measures = "We have locked the account.";
    f.certain = true;
    return f;
  }
  Result<std::vector<Recipient>> recipients(std::int64_t) override { return people; }
  Result<std::vector<Recipient>> freeze(storage::Transaction&, std::int64_t, std::int64_t, const std::string&, Time) override {
    return people;
  }
};

// Everything on one data directory; opening it again is what a restart does.
struct World {
  const Clock& clock;
  std::filesystem::path dir;
  std::unique_ptr<storage::Database> db;
  std::shared_ptr<const storage::Keys> keys;
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::Ledger> ledger;
  OneIncident incidents;
  std::unique_ptr<Notices> notices;
  std::unique_ptr<Dispatcher> dispatcher;

  World(const std::filesystem::path& where, const Clock& c, int people) : clock(c), dir(where) {
    db = storage::Database::open(dir / "tocsin.db").value();
    EXPECT_TRUE(db->migrate(storage::NoticeStore::kFamily, storage::NoticeStore::migrations()));
    EXPECT_TRUE(db->migrate(storage::HistoryStore::kFamily, storage::HistoryStore::migrations()));
    keys = storage::Keys::open_or_create(dir / "keys").value();
    vault = storage::Vault::open(*db, keys).value();
    storage::Ledger::Options options;
    ledger = storage::Ledger::open(*db, dir / "ledger", dir / "keys", options).value();
    std::vector<storage::Person> rows;
    for (int i = 1; i <= people; ++i) {
      storage::Person person;
      person.dataset = "patient";
      person.id = std::to_string(i);
      person.fields = {{"name", "Person " + std::to_string(i)}, {"language", i % 4 == 0 ? "en" : "de"}};
      if (i % 10 != 0) person.fields["email"] = "p" + std::to_string(i) + "@example.org";
      rows.push_back(person);
      incidents.people.push_back({vault->pseudonym("patient", person.id), "patient", {"name", "email"}, "exact"});
    }
    auto put = db->write([&](storage::Transaction& tx) { return vault->put(tx, rows, clock.now()); });
    EXPECT_TRUE(put);
    NoticesOptions notice_options;
    notice_options.public_url = "https://tocsin.example";
    notices = std::make_unique<Notices>(*db, *ledger, *vault, incidents, clock, notice_options, [](std::int64_t) {});
    DispatchOptions dispatch;
    dispatch.from = "privacy@linden-clinic.example";
    dispatch.from_name = "Linden Clinic";
    dispatcher = std::make_unique<Dispatcher>(*db, *ledger, *vault, *notices, open_mailbox(dir / "mail").value(), clock, dispatch,
                                              [](std::int64_t) {});
    EXPECT_TRUE(dispatcher->recover());
  }

  std::int64_t approved(const std::string& audience = "all", const std::string& language = "en") {
    auto drafted = notices->draft(1, language, audience, "anna");
    EXPECT_TRUE(drafted) << drafted.error().text();
    auto submitted = notices->submit(drafted->id, "anna");
    EXPECT_TRUE(submitted) << submitted.error().text();
    auto done = notices->approve(drafted->id, submitted->hash, "bela");
    EXPECT_TRUE(done) << done.error().text();
    return drafted->id;
  }
  storage::DeliveryCounts counts(std::int64_t notice) {
    return db->read([&](storage::Reader& r) { return storage::NoticeStore::counts(r, notice); }).value();
  }
  std::size_t mails() const {
    std::size_t n = 0;
    for (const auto& e : std::filesystem::directory_iterator(dir / "mail" / "new")) n += e.is_regular_file() ? 1U : 0U;
    return n;
  }
};

}  // namespace tocsin::notifier
