// Sets of people that do not change: what is kept gives its hash, whoever is erased, and whoever tampers is named.
#include "storage/frozen_store.hpp"

#include <gtest/gtest.h>

#include "rules/base/bytes.hpp"
#include "storage/register_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

const Time kNow = *parse_rfc3339("2026-11-23T12:00:00Z");

struct Case {
  TemporaryDirectory dir;
  std::unique_ptr<Database> db = std::move(*Database::open(dir / "tocsin.db"));
  std::shared_ptr<const Keys> keys = *Keys::open_or_create(dir / "keys");
  std::unique_ptr<Vault> vault = std::move(*Vault::open(*db, keys));
  std::unique_ptr<Ledger> ledger = std::move(*Ledger::open(*db, dir / "ledger", dir / "keys", {}));

  explicit Case(PersonNo people) {
    EXPECT_TRUE(db->migrate(RegisterStore::kFamily, RegisterStore::migrations()));
    EXPECT_TRUE(db->migrate(FrozenStore::kFamily, FrozenStore::migrations()));
    Registers registers(RegisterStore::hash_with(keys));
    for (PersonNo no = 0; no < people; ++no) registers.of("patient").add("p" + std::to_string(no), kAlways, {}, true);
    auto saved = db->write([&](Transaction& tx) { return RegisterStore::save(tx, *vault, registers, kNow); });
    EXPECT_TRUE(saved) << saved.error().text();
  }
  FrozenPerson person(PersonNo no) const {
    FrozenPerson out;
    out.no = no;
    out.dataset = "patient";
    out.pseudonym = vault->pseudonym("patient", "p" + std::to_string(no));
    out.grade = no % 5 == 0 ? Grade::kBound : Grade::kExact;
    out.certain = no % 3 == 0;
    out.fields = no % 2 == 0 ? std::vector<std::string>{"email", "name"} : std::vector<std::string>{"name"};
    return out;
  }
  FrozenSet freeze(std::int64_t incident, const std::vector<FrozenPerson>& people) {
    auto kept = db->write([&](Transaction& tx) -> Result<FrozenSet> {
      FrozenSet set;
      set.incident = incident;
      set.at = kNow;
      set.by = "bela";
      set.notice = 7;
      set.summary = {Grade::kBound, 3, std::nullopt};
      auto done = FrozenStore::add(tx, std::move(set), people);
      if (!done) return done;
      auto entry = ledger->record(tx, {FrozenStore::kEntry, kNow, "bela", {{"incident", std::to_string(incident)}, {"set", std::to_string(done->number)},
                                       {"people", std::to_string(done->people)}, {"hash", done->hash}}});
      if (!entry) return pass(std::move(entry));
      return done;
    });
    EXPECT_TRUE(kept) << kept.error().text();
    return *kept;
  }
  std::vector<std::string> check() { return *db->read([](Reader& r) { return FrozenStore::check(r); }); }
  void run(const std::string& sql) {
    auto done = db->write([&](Transaction& tx) { return tx.run(sql); });
    ASSERT_TRUE(done) << done.error().text();
  }
};

TEST(FrozenPeopleSets, AreKeptCountedPagedAndGiveTheirHash) {
  Case c(200);
  std::vector<FrozenPerson> people, later;
  for (PersonNo no = 0; no < 150; ++no) people.push_back(c.person(no));
  for (PersonNo no = 150; no < 153; ++no) later.push_back(c.person(no));
  const FrozenSet first = c.freeze(4, people), second = c.freeze(4, later), other = c.freeze(5, later);
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(second.number, 2);
  EXPECT_EQ(other.number, 1);
  EXPECT_EQ(second.hash, other.hash);  // the hash is of the people, not of the incident
  EXPECT_NE(first.hash, second.hash);
  const auto sets = c.db->read([](Reader& r) { return FrozenStore::of_incident(r, 4); });
  ASSERT_EQ(sets->size(), 2U);
  EXPECT_EQ((*sets)[0].people, 150U);
  EXPECT_EQ((*sets)[0].by, "bela");
  EXPECT_EQ((*sets)[0].notice, 7);
  EXPECT_EQ((*sets)[0].summary.at_least, 3U);
  EXPECT_FALSE((*sets)[0].summary.at_most);
  // The order in which they are told does not matter.
  std::vector<FrozenPerson> turned(people.rbegin(), people.rend());
  EXPECT_EQ(c.freeze(6, turned).hash, first.hash);
  // Paging gives each once, with all that was frozen of them.
  std::map<PersonNo, FrozenPerson> seen;
  for (std::uint64_t offset = 0; offset < 160; offset += 7) {
    const auto page = c.db->read([&](Reader& r) { return FrozenStore::people(r, 4, 0, offset, 7); });
    ASSERT_TRUE(page);
    for (const FrozenPerson& p : *page) {
      EXPECT_TRUE(seen.emplace(p.no, p).second);
      EXPECT_EQ(p.set, p.no < 150 ? 1 : 2);
    }
  }
  ASSERT_EQ(seen.size(), 153U);
  for (const auto& [no, p] : seen) {
    const FrozenPerson as = c.person(no);
    EXPECT_EQ(p.pseudonym, as.pseudonym);
    EXPECT_EQ(p.grade, as.grade);
    EXPECT_EQ(p.certain, as.certain);
    EXPECT_EQ(p.fields, as.fields);
  }
  EXPECT_EQ(c.db->read([](Reader& r) { return FrozenStore::people(r, 4, 2); })->size(), 3U);
  EXPECT_EQ(c.db->read([](Reader& r) { return FrozenStore::numbers(r, 4); })->at("patient").size(), 153U);
  EXPECT_EQ(c.check(), std::vector<std::string>());
}

TEST(FrozenPeopleSets, AHashMadeByHandIsTheSame) {
  Case c(3);
  const FrozenSet set = c.freeze(1, {c.person(1)});
  const auto text = [](std::string_view t) { return std::string("\0\0\0", 3) + static_cast<char>(t.size()) + std::string(t); };
  // Roaring's portable form of {1}: cookie 12346, one container, key 0, cardinality 1, offset 16, value 1.
  const std::string numbers("\x3a\x30\0\0\x01\0\0\0\0\0\0\0\x10\0\0\0\x01\0", 18);
  const std::string part = text("patient") + text("exact") + text("possible") + text("name") + text(numbers) + text(c.person(1).pseudonym.view());
  const Sha256 hash = sha256(part);
  EXPECT_EQ(set.hash, to_hex(sha256("tocsin frozen people 1\n" + std::string(bytes_of(hash)))));
}

TEST(FrozenPeopleSets, MoreThanOnePartOfAKind) {
  constexpr PersonNo kMany = 140'000;
  Case c(1);
  std::vector<FrozenPerson> people;
  for (PersonNo no = 0; no < kMany; ++no) {
    FrozenPerson p = c.person(no);
    p.grade = Grade::kBound;
    p.certain = false;
    p.fields = {"name"};
    people.push_back(std::move(p));
  }
  const FrozenSet set = c.freeze(1, people);
  EXPECT_EQ(*c.db->read([](Reader& r) { return r.number("SELECT COUNT(*) FROM frozen_part"); }), 3);
  const auto page = c.db->read([](Reader& r) { return FrozenStore::people(r, 1, 0, FrozenStore::kPart - 2, 4); });
  ASSERT_EQ(page->size(), 4U);
  EXPECT_EQ(page->front().no, FrozenStore::kPart - 2);
  EXPECT_EQ(page->back().no, FrozenStore::kPart + 1);
  EXPECT_EQ(*c.db->read([&](Reader& r) { return FrozenStore::hash_of(r, set.id); }), set.hash);
  const auto bytes = c.db->read([](Reader& r) { return r.number("SELECT SUM(length(numbers) + length(pseudonyms)) FROM frozen_part"); });
  EXPECT_LT(*bytes, 17 * std::int64_t{kMany});  // sixteen of them are the pseudonym
}

TEST(FrozenPeopleSets, ErasingAPersonLeavesTheHash) {
  Case c(10);
  c.freeze(1, {c.person(3), c.person(4)});
  const Pseudonym who = c.person(3).pseudonym;
  ASSERT_TRUE(c.db->write([&](Transaction& tx) -> Result<void> {
    if (auto row = RegisterStore::forget(tx, who, kNow); !row) return row;
    return c.vault->erase(tx, who, kNow);
  }));
  EXPECT_EQ(c.check(), std::vector<std::string>());
  EXPECT_EQ(*c.db->read([](Reader& r) { return RegisterStore::erased(r, "patient"); }), std::vector<PersonNo>{3});
  EXPECT_FALSE(c.db->read([&](Reader& r) { return c.vault->open(r, who); }));
}

TEST(FrozenPeopleSets, WhateverIsChangedIsNoticed) {
  const std::pair<const char*, const char*> changes[] = {
      {"UPDATE frozen_part SET pseudonyms = zeroblob(32)", "does not give its hash"},
      {"UPDATE frozen_part SET grade = 2", "does not give its hash"},
      {"UPDATE frozen_part SET certain = 1 - certain", "does not give its hash"},
      {"UPDATE frozen_part SET fields = 'ward'", "does not give its hash"},
      {"UPDATE frozen_part SET numbers = x'00'", "cannot be read"},
      {"DELETE FROM frozen_part", "does not give its hash"},
      {"UPDATE frozen_set SET hash = 'ff'", "does not give its hash"},
      {"UPDATE frozen_set SET people = 5", "the ledger counts 2 people, not 5"},
      {"UPDATE frozen_set SET incident = 9", "the ledger does not know it"},
      {"UPDATE register_person SET pseudonym = zeroblob(16) WHERE no = 3", "1 of its people are others in the register now"},
  };
  for (const auto& [sql, expected] : changes) {
    Case c(10);
    c.freeze(1, {c.person(3), c.person(4)});
    ASSERT_EQ(c.check(), std::vector<std::string>());
    c.run(sql);
    const auto wrong = c.check();
    ASSERT_FALSE(wrong.empty()) << sql;
    EXPECT_TRUE(std::any_of(wrong.begin(), wrong.end(), [&, &words = expected](const std::string& w) { return w.find(words) != std::string::npos; }))
        << sql << ": " << wrong.front();
  }
  // Set and hash changed together: the ledger knows better. Gone altogether: it knows that, too.
  Case c(10);
  c.freeze(1, {c.person(3), c.person(4)});
  c.run("UPDATE frozen_part SET certain = 1");
  c.run("UPDATE frozen_set SET hash = '" + *c.db->read([](Reader& r) { return FrozenStore::hash_of(r, 1); }) + "'");
  EXPECT_NE(c.check().at(0).find("is not the one in the ledger"), std::string::npos);
  c.run("DELETE FROM frozen_part");
  c.run("DELETE FROM frozen_set");
  EXPECT_NE(c.check().at(0).find("but it is not kept"), std::string::npos);
}

TEST(FrozenPeopleSets, NobodyIsNotASet) {
  Case c(1);
  auto none = c.db->write([&](Transaction& tx) {
    FrozenSet set;
    set.incident = 1;
    return FrozenStore::add(tx, std::move(set), {});
  });
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace tocsin::storage
