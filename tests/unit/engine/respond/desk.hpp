// A desk to tell stories at: a real SQLite file, a clock that is moved by hand, the built-in law, people from a
// list, and a recorder that keeps what it is told.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>

#include "engine/respond/respond.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine::testing_desk {

inline Time at(std::string_view text) { return parse_rfc3339(text).value(); }

// Everyone of a list is reached by every scope.
class ListedPeople final : public PeopleSource {
 public:
  PeopleSummary everyone;
  std::vector<PersonReached> persons;
  Result<PeopleSummary> summary(storage::Reader&, std::span<const storage::Scope> scopes) const override {
    return scopes.empty() ? PeopleSummary() : everyone;
  }
  Result<std::vector<PersonReached>> page(storage::Reader&, std::span<const storage::Scope>, std::size_t offset,
                                          std::size_t limit) const override {
    std::vector<PersonReached> out;
    for (std::size_t i = offset; i < persons.size() && out.size() < limit; ++i) out.push_back(persons[i]);
    return out;
  }
  std::vector<storage::ExposedPerson> numbered;
  Result<std::vector<storage::ExposedPerson>> everybody(storage::Reader&, std::span<const storage::Scope>) const override { return numbered; }
  Result<storage::PeopleByDataset> listed(storage::Reader&, std::span<const storage::Scope>) const override {
    std::map<std::string, storage::exposure::PersonSet> out;
    for (const auto& person : numbered) out[person.dataset].add(person.no);
    return out;
  }
};

class Desk : public testing::Test {
 protected:
  Desk() : clock_(at("2026-11-23T16:40:00Z")) {}
  void SetUp() override {
    db_ = storage::Database::open(dir_ / "tocsin.db").value();
    auto migrated = Respond::migrate(*db_);
    ASSERT_TRUE(migrated) << migrated.error().text();
    auto counsel = LawCounsel::built_in();
    ASSERT_TRUE(counsel) << counsel.error().text();
    counsel_ = std::move(*counsel);
    people_.everyone.grade = storage::Grade::kBound;
    people_.everyone.at_least = 1;
    people_.everyone.at_most = 2000;
    people_.everyone.total = 2000;
    people_.everyone.by_country = {{"DE", 1990}, {"", 10}};
    people_.everyone.fields = {"name", "birth_date"};
    people_.everyone.kinds = {"name", "birth_date", "health"};
    Respond::Deps deps{.database = *db_, .clock = clock_, .counsel = *counsel_};
    deps.people = &people_;
    deps.record = [this](storage::Transaction&, const storage::Entry& entry) -> Result<void> {
      if (!ledger_works_) return fail(Errc::kUnavailable, "the ledger cannot be written", "", "free some space");
      const std::lock_guard lock(mutex_);
      entries_.push_back(entry);
      return {};
    };
    deps.tell = [this](std::string_view kind, std::string_view id) {
      const std::lock_guard lock(mutex_);
      told_.push_back(std::string(kind) + " " + std::string(id));
    };
    deps.standing_facts = boost::json::object{{"controller", "yes"}, {"eu_establishment", "yes"}};
    respond_ = std::make_unique<Respond>(std::move(deps));
  }
  void TearDown() override {
    respond_.reset();
    db_.reset();
  }

  // "COPY patient TO …" by mallory, as finding number `n`.
  storage::Finding export_finding(int n = 1) const {
    storage::Finding f;
    f.rule = "tocsin.export.copy";
    f.id = storage::finding_id(f.rule, std::to_string(n));
    f.title = "COPY of patient by mallory";
    f.alert_title = "Bulk export of patient by mallory";
    f.level = storage::Level::kHigh;
    f.time = at("2026-11-23T16:00:00Z") + std::chrono::seconds(n);
    f.last = f.time;
    f.actor = "mallory";
    f.dataset = "patient";
    f.kind = "export";
    f.group = "export/mallory/patient";
    f.reason = "The whole table left in one statement.";
    f.evidence_count = 1;
    storage::Evidence e;
    e.source = "postgres";
    e.file = "/var/log/postgresql/postgresql.csv";
    e.line = static_cast<std::uint64_t>(n);
    e.time = f.time;
    e.preview = "COPY patient TO '/tmp/p.csv'";
    f.evidence.push_back(e);
    f.exposure = storage::ExposureSummary{storage::Grade::kBound, 0, 2000};
    return f;
  }

  storage::Finding secret_finding() const {
    storage::Finding f;
    f.rule = "tocsin.secret.password";
    f.id = storage::finding_id(f.rule, "app");
    f.title = "Plaintext password in the application log";
    f.level = storage::Level::kMedium;
    f.time = at("2026-11-23T16:10:00Z");
    f.last = f.time;
    f.kind = "secret";
    f.group = "secret/app";
    f.reason = "The line holds a password in plain text.";
    f.evidence_count = 1;
    storage::Evidence e;
    e.source = "app";
    e.file = "app.log";
    e.line = 7;
    e.time = f.time;
    e.preview = "login ok user=kim password=********";
    f.evidence.push_back(e);
    return f;
  }

  Respond::Applied apply(std::vector<storage::Finding> findings) {
    auto out = db_->write([&](storage::Transaction& tx) { return respond_->apply(tx, findings, clock_.now()); });
    EXPECT_TRUE(out) << (out ? "" : out.error().text());
    return out ? *out : Respond::Applied();
  }

  storage::Alert alert(std::int64_t id) {
    return db_->read([&](storage::Reader& r) { return storage::AlertStore::alert(r, id); }).value().value();
  }
  std::vector<storage::Duty> duties(std::int64_t incident) {
    return db_->read([&](storage::Reader& r) { return storage::IncidentStore::duties(r, incident); }).value();
  }
  storage::Duty duty(std::int64_t incident, std::string_view key) {
    for (const auto& d : duties(incident)) {
      if (d.key == key) return d;
    }
    ADD_FAILURE() << "no duty " << key;
    return {};
  }
  std::vector<storage::Task> tasks(std::int64_t incident) {
    storage::TaskQuery query;
    query.incident = incident;
    return db_->read([&](storage::Reader& r) { return storage::TaskStore::list(r, query, clock_.now()); }).value();
  }
  std::vector<storage::Change> history(std::string_view subject, std::int64_t id) {
    return db_->read([&](storage::Reader& r) { return storage::HistoryStore::of(r, subject, id); }).value();
  }
  std::vector<storage::Change> timeline(std::int64_t incident) {
    return db_->read([&](storage::Reader& r) { return storage::HistoryStore::of_incident(r, incident); }).value();
  }
  static By by(std::string login, std::string reason) { return {std::move(login), std::move(reason), std::nullopt}; }

  // The export, promoted and confirmed by anna.
  storage::Incident confirmed() {
    const auto opened = apply({export_finding()}).opened;
    Respond::Promotion promotion;
    promotion.alerts = opened;
    promotion.confirm = true;
    auto incident = respond_->promote(promotion, by("anna", "the whole table was copied to a file"));
    EXPECT_TRUE(incident) << (incident ? "" : incident.error().text());
    return incident ? *incident : storage::Incident();
  }

  FixedClock clock_;
  TemporaryDirectory dir_;
  std::unique_ptr<storage::Database> db_;
  std::unique_ptr<LawCounsel> counsel_;
  ListedPeople people_;
  std::unique_ptr<Respond> respond_;
  std::mutex mutex_;
  bool ledger_works_ = true;
  std::vector<storage::Entry> entries_;  // guarded by mutex_
  std::vector<std::string> told_;        // guarded by mutex_
};

}  // namespace tocsin::engine::testing_desk
