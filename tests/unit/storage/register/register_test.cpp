// Registers from CSV, on disk and back; and the exposure that is asked of them.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "storage/exposure_store.hpp"
#include "storage/register_store.hpp"
#include "tests/unit/storage/exposure/asked.hpp"

namespace tocsin::storage {
namespace {

namespace fs = std::filesystem;

const Time kNoon = *parse_rfc3339("2026-11-23T12:00:00Z");

Result<ImportReport> take_in(Registers& registers, const std::string& csv, ImportOptions options = {}) {
  std::istringstream in(csv);
  options.dataset = "patient";
  if (options.as_of == Time{}) options.as_of = kNoon;
  return import_register(in, options, registers);
}

TEST(RegisterImport, ReadsQuotedFieldsAndLineBreaks) {
  Registers registers(process_hash());
  auto report = take_in(registers, "\xEF\xBB\xBFid,name,email\r\n1,\"Berg, Anna\",a@example.org\r\n2,\"Two\nlines \"\"x\"\"\",b@example.org\r\n");
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->added, 2U);
  const People& people = *registers.find("patient");
  EXPECT_EQ(people.at(0).id, "1");
  EXPECT_EQ(people.having("name", {"berg, anna"}, {})->size(), 1U);
  EXPECT_EQ(people.having("name", {"Two\nlines \"x\""}, {})->size(), 1U);
}

TEST(RegisterImport, ReadsNdjsonAsItReadsCsv) {
  Registers registers(process_hash());
  auto report = take_in(registers, "\xEF\xBB\xBF{\"id\": 1, \"name\": \"Berg, Anna\", \"born\": null, \"insured\": true, \"number\": 12345678901234567890123}\r\n\n"
                                   "{\"name\": \"Two\\nlines\", \"id\": \"zwei\", \"born\": \"\", \"number\": 1.50}\n");
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->added, 2U);
  EXPECT_EQ(report->columns, (std::vector<std::string>{"id", "name", "born", "insured", "number"}));
  const People& people = *registers.find("patient");
  EXPECT_EQ(people.at(0).id, "1");
  EXPECT_EQ(people.at(1).id, "zwei");
  EXPECT_EQ(people.having("name", {"Two\nlines"}, {})->size(), 1U);
  EXPECT_EQ(people.having("insured", {"true"}, {})->size(), 1U);
  EXPECT_EQ(people.having("number", {"12345678901234567890123"}, {})->size(), 1U) << "no digit is lost";
  Registers twin(process_hash());
  ASSERT_TRUE(take_in(twin, "id,name,born,insured,number\n1,\"Berg, Anna\",,true,12345678901234567890123\nzwei,\"Two\nlines\",\"\",,1.50\n"));
  for (const char* column : {"name", "born", "insured", "number"}) {
    for (const char* value : {"", "\"\"", "true", "1.50", "12345678901234567890123", "Two\nlines"}) {
      EXPECT_EQ(people.having(column, {value}, {}), twin.find("patient")->having(column, {value}, {})) << column << " = " << value;
    }
  }
}

TEST(RegisterImport, TellsEachBadLineOfNdjsonAndGoesOn) {
  Registers registers(process_hash());
  auto report = take_in(registers, "{\"id\": 1, \"name\": \"Anna\"}\n"
                                   "{\"id\": 2, \"nmae\": \"Ben\"}\n"
                                   "{\"id\": 3, \"name\": {\"first\": \"Cleo\"}}\n"
                                   "{\"id\": 4, \"name\": \"Dina\"} x\n"
                                   "{\"id\": 5, \"name\": \"Emil\"\n"
                                   "5,Emil\n"
                                   "{\"id\": 6, \"id\": 7, \"name\": \"Finn\"}\n"
                                   "{\"id\": 8e, \"name\": \"Gil\"}\n"
                                   "{\"name\": \"Hanna\"}\n"
                                   "{\"id\": 9, \"name\": \"\xFF\"}\n"
                                   "{\"id\": 10, \"name\": \"" + std::string(70'000, 'x') + "\"}\n"
                                   "{\"id\": 11, \"name\": \"Ida\"}");
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->added, 2U);
  std::vector<std::uint64_t> lines;
  for (const auto& bad : report->problems) lines.push_back(bad.line);
  EXPECT_EQ(lines, (std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  for (const auto& bad : report->problems) EXPECT_EQ(bad.message.find("Emil"), std::string::npos) << "the message shows no content";
}

TEST(RegisterImport, TellsEachBadLineAndGoesOn) {
  Registers registers(process_hash());
  auto report = take_in(registers, "id,name\n1,Anna\n2\n,Nobody\n1,Again\n3,\xFF\n4,Dina\"x\n5,Emil\n");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->added, 2U);
  EXPECT_EQ(report->bad, 5U);
  ASSERT_EQ(report->problems.size(), 5U);
  EXPECT_EQ(report->problems[0].line, 3U);
  EXPECT_EQ(report->problems[3].line, 6U);
  for (const auto& p : report->problems) EXPECT_EQ(p.message.find("Again"), std::string::npos) << p.message;
}

TEST(RegisterImport, NamesWhatIsMissing) {
  Registers registers(process_hash());
  EXPECT_EQ(take_in(registers, "").error().code, Errc::kInvalid);
  EXPECT_NE(take_in(registers, "idd,name\n1,Anna\n").error().message.find("did you mean 'idd'"), std::string::npos);
  EXPECT_FALSE(take_in(registers, "id,name\n"));
  ImportOptions options;
  options.names = {{"name", "full_name"}};
  EXPECT_FALSE(take_in(registers, "id,name\n1,Anna\n", options));
  EXPECT_FALSE(take_in(registers, "id,name\n\"1," + std::string(10 * kMaxImportRecord, 'x')));
}

TEST(RegisterImport, ASecondFileChangesAddsAndEnds) {
  Registers registers(process_hash());
  ASSERT_TRUE(take_in(registers, "id,email\n1,a@x\n2,b@x\n3,c@x\n"));
  ImportOptions later;
  later.as_of = kNoon + std::chrono::hours(24);
  auto report = take_in(registers, "id,email\n1,a@x\n2,new@x\n4,d@x\n", later);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->unchanged, 1U);
  EXPECT_EQ(report->changed, 1U);
  EXPECT_EQ(report->added, 1U);
  EXPECT_EQ(report->gone, 1U);
  const People& people = *registers.find("patient");
  const Span before{kNoon - std::chrono::hours(1), kNoon - std::chrono::hours(1)};
  const Span between{kNoon + std::chrono::hours(1), kNoon + std::chrono::hours(1)};
  const Span after{later.as_of + std::chrono::hours(1), later.as_of + std::chrono::hours(1)};
  EXPECT_EQ(people.count(before), 3U);
  EXPECT_EQ(people.count(between), 4U);  // who came and who went are both possible
  EXPECT_EQ(people.count(after), 3U);
  EXPECT_EQ(people.having("email", {"b@x"}, before)->size(), 1U);
  EXPECT_EQ(people.having("email", {"b@x"}, between)->size(), 1U);
  EXPECT_EQ(people.having("email", {"new@x"}, between)->size(), 1U);
  EXPECT_EQ(people.having("email", {"b@x"}, after)->size(), 0U);
}

TEST(RegisterImport, OfSomePeopleOnlyTakesNobodyOutAndKeepsDoubts) {
  Registers registers(process_hash());
  ASSERT_TRUE(take_in(registers, "id,country\n1,DE\n2,AT\n"));
  People& people = registers.of("patient");
  people.taint("country");
  people.mark_incomplete(kNoon);
  ImportOptions some;
  some.partial = true;
  some.as_of = kNoon + std::chrono::hours(1);
  const auto report = take_in(registers, "id,country\n3,FR\n2,DE\n", some);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->added, 1U);
  EXPECT_EQ(report->gone, 0U);
  EXPECT_EQ(people.at(*people.find("1")).valid.to, kForever);
  EXPECT_EQ(people.tainted(), std::vector<std::string>{"country"});
  EXPECT_TRUE(people.incomplete_since().has_value());
  EXPECT_EQ(people.as_of(), kNoon) << "what the log says of the others since then still counts";
  EXPECT_TRUE(take_in(registers, "id,country\n", some)) << "nothing new is no mistake";
  EXPECT_FALSE(take_in(registers, "id,city\n4,Bonn\n", some));
  Registers empty(process_hash());
  EXPECT_FALSE(take_in(empty, "id\n1\n", some)) << "somebody has to say first who is there";
}

TEST(RegisterChanges, WidenInDoubtAndFollowOtherwise) {
  Registers registers(process_hash());
  ASSERT_TRUE(take_in(registers, "id,country\n1,DE\n2,FR\n"));
  People& people = *registers.find("patient");
  const auto at = [](int minutes) { const Time t = kNoon + std::chrono::minutes(minutes); return Span{t, t}; };
  using Op = RegisterChange::Op;
  EXPECT_FALSE(apply_change(people, {kNoon + std::chrono::minutes(10), Op::kInsert, "3", {{"country", "DE"}}}));
  EXPECT_EQ(people.count(at(5)), 2U);
  EXPECT_EQ(people.count(at(10)), 3U);
  EXPECT_TRUE(apply_change(people, {kNoon + std::chrono::minutes(20), Op::kUpdate, "1", {{"country", "IT"}}}));
  EXPECT_EQ(people.having("country", {"DE"}, at(15))->size(), 2U);
  EXPECT_EQ(people.having("country", {"IT"}, at(15))->size(), 0U);
  EXPECT_EQ(people.having("country", {"IT"}, at(20))->size(), 1U);
  EXPECT_EQ(people.having("country", {"DE"}, at(20))->size(), 2U);  // the old value may still be seen
  EXPECT_EQ(people.having("country", {"DE"}, at(30))->size(), 1U);
  EXPECT_TRUE(apply_change(people, {kNoon + std::chrono::minutes(40), Op::kDelete, "2", {}}));
  EXPECT_EQ(people.count(at(40)), 3U);
  EXPECT_EQ(people.count(at(50)), 2U);
  // What is told twice, or was already in the import, takes nobody away.
  EXPECT_TRUE(apply_change(people, {kNoon - std::chrono::minutes(5), Op::kDelete, "1", {}}));
  EXPECT_EQ(people.count(at(50)), 2U);
  EXPECT_TRUE(apply_change(people, {kNoon - std::chrono::minutes(5), Op::kUpdate, "3", {{"country", "PL"}}}));
  EXPECT_EQ(people.having("country", {"DE"}, at(50))->size(), 1U);
  // Somebody unknown is changed: they have been there all the time, with values nobody knows.
  EXPECT_FALSE(apply_change(people, {kNoon + std::chrono::minutes(60), Op::kUpdate, "9", {{"country", "PL"}}}));
  EXPECT_EQ(people.count(at(5)), 3U);
  EXPECT_EQ(people.having("country", {"XX"}, at(5))->size(), 1U);
}

TEST(People, RangesNeedIntegerKeys) {
  Registers registers(process_hash());
  ASSERT_TRUE(take_in(registers, "id,x\n1,a\n2,b\n10,c\n"));
  const People& people = *registers.find("patient");
  EXPECT_EQ(people.between(2, 10, {})->size(), 2U);
  EXPECT_EQ(people.between({}, 1, {})->size(), 1U);
  Registers texts(process_hash());
  ASSERT_TRUE(take_in(texts, "id,x\nA1,a\nA2,b\n"));
  EXPECT_FALSE(texts.find("patient")->between(1, 2, {}));
  EXPECT_FALSE(people.having("unregistered", {"a"}, {}));
}

TEST(People, ComparesSoThatEqualsAreNeverLost) {
  EXPECT_EQ(comparable(" 0042 "), comparable("42"));
  EXPECT_EQ(comparable("+7"), comparable("7"));
  EXPECT_EQ(comparable("-0"), comparable("0"));
  EXPECT_EQ(comparable("Anna@X.org"), comparable("anna@x.ORG  "));
  EXPECT_NE(comparable("4 2"), comparable("42"));
}

class Store : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("tocsin-register-" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    db_ = std::move(*Database::open(dir_ / "tocsin.db"));
    ASSERT_TRUE(db_->migrate(RegisterStore::kFamily, RegisterStore::migrations()));
    ASSERT_TRUE(db_->migrate(ExposureStore::kFamily, ExposureStore::migrations()));
    keys_ = *Keys::open_or_create(dir_ / "keys");
    vault_ = std::move(*Vault::open(*db_, keys_));
  }
  void TearDown() override {
    vault_.reset();
    db_.reset();
    fs::remove_all(dir_);
  }
  void save(Registers& registers) {
    auto done = db_->write([&](Transaction& tx) { return RegisterStore::save(tx, *vault_, registers, kNoon); });
    ASSERT_TRUE(done) << done.error().text();
  }
  std::unique_ptr<Registers> load() {
    auto out = std::make_unique<Registers>(RegisterStore::hash_with(keys_));
    auto done = db_->read([&](Reader& r) { return RegisterStore::load(r, *vault_, *out); });
    EXPECT_TRUE(done) << (done ? "" : done.error().text());
    return out;
  }

  fs::path dir_;
  std::unique_ptr<Database> db_;
  std::shared_ptr<const Keys> keys_;
  std::unique_ptr<Vault> vault_;
};

TEST_F(Store, ARegisterComesBackAsItWas) {
  Registers registers(RegisterStore::hash_with(keys_));
  ASSERT_TRUE(take_in(registers, "id,name,email,country\n1,Anna,a@x,DE\n2,Bela,b@x,FR\n"));
  People& people = registers.of("patient");
  people.see("99");
  people.remove(1, kNoon);
  people.change(0, kNoon, kNoon + std::chrono::seconds(60), {{"email", "new@x"}});
  people.taint("country");
  save(registers);
  save(registers);  // nothing left to do
  const auto back = load();
  const People& again = *back->find("patient");
  ASSERT_EQ(again.size(), 3U);
  EXPECT_EQ(again.at(0).id, "1");
  EXPECT_EQ(again.at(0).country, "DE");
  EXPECT_EQ(again.at(1).valid.to, kNoon);
  EXPECT_FALSE(again.at(2).listed);
  EXPECT_TRUE(again.registered());
  EXPECT_FALSE(again.having("country", {"DE"}, {}));
  EXPECT_EQ(again.having("email", {"new@x"}, {})->size(), 2U);  // Anna, and the stranger whose address nobody knows
  const Span later{kNoon + std::chrono::hours(1), kForever};
  EXPECT_EQ(again.having("email", {"a@x"}, later)->size(), 1U);  // the stranger alone
  // The vault has the contacts, with what the log changed.
  auto fields = db_->read([&](Reader& r) { return vault_->open(r, vault_->pseudonym("patient", "1")); });
  ASSERT_TRUE(fields);
  EXPECT_EQ((*fields)["email"], "new@x");
  EXPECT_EQ((*fields)["name"], "Anna");
}

TEST_F(Store, NoPlainValueIsInTheDatabase) {
  Registers registers(RegisterStore::hash_with(keys_));
  ASSERT_TRUE(take_in(registers, "id,name,email,birth_date\nKEYVALUE77,Zebedaeus,zebedaeus@example.org,1999-09-09\n"));
  save(registers);
  ASSERT_TRUE(db_->checkpoint());
  std::ifstream file(dir_ / "tocsin.db", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const char* secret : {"Zebedaeus", "zebedaeus@example.org", "1999-09-09", "KEYVALUE77"}) {
    EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
  }
}

// Conditions that hashes cannot answer (LIKE, ranges, NOT) are answered after a restart as before it, spellings and former
// values too; what some holder's record does not tell is unknown, so that nobody is left out.
TEST_F(Store, TextsOfValuesComeBackWithTheirPeople) {
  const auto wards = [](std::string_view prefix) {
    return [prefix](std::string_view value) { return Verdict{value.starts_with(prefix), !value.starts_with(prefix)}; };
  };
  const Span later{kNoon + std::chrono::hours(1), kForever}, before{kNoon - std::chrono::hours(1), kNoon - std::chrono::minutes(1)};
  Registers registers(RegisterStore::hash_with(keys_));
  ASSERT_TRUE(take_in(registers, "id,name,ward\n1,Anna,north 1\n2,Bela,North 1\n3,Cleo,south\n4,Dora,\n5,Emil,\"\"\n"));
  registers.of("patient").change(2, kNoon, kNoon, {{"ward", "north 2"}});
  save(registers);
  const auto same = [&](const People& one, const People& other) {
    for (const std::string_view prefix : {"north", "North", "south", "x"}) {
      for (const Span& when : {later, before}) {
        for (const bool wanted : {true, false}) {
          EXPECT_EQ(one.judged("ward", wanted, wards(prefix), when), other.judged("ward", wanted, wards(prefix), when)) << prefix << wanted;
        }
      }
    }
    EXPECT_TRUE(other.shape("ward") != nullptr);
  };
  std::unique_ptr<Registers> back = load();
  same(registers.of("patient"), *back->find("patient"));
  EXPECT_EQ(*back->find("patient")->judged("ward", true, wards("north"), later), (std::vector<PersonNo>{0, 1, 2}));  // 1: another case may be meant
  EXPECT_EQ(*back->find("patient")->judged("ward", true, wards("south"), before), (std::vector<PersonNo>{2}));
  // The same value in another writing is a new text, although its hash is known: somebody else may go.
  ASSERT_TRUE(take_in(*back, "id,name,ward\n1,Anna,NORTH 1\n2,Bela,North 1\n3,Cleo,north 2\n4,Dora,\n5,Emil,\"\"\n"));
  save(*back);
  same(*back->find("patient"), *load()->find("patient"));
  EXPECT_EQ(*load()->find("patient")->judged("ward", true, wards("NORTH"), later), (std::vector<PersonNo>{0, 1}));

  // A record without the texts (an older one): its value is unknown, although another holder told it.
  ASSERT_TRUE(db_->write([&](Transaction& tx) -> Result<void> {
    auto put = vault_->put(tx, "patient", "1", {{"name", "Anna"}}, kNoon);
    if (!put) return pass(std::move(put));
    return {};
  }));
  back = load();
  EXPECT_EQ(back->find("patient")->shape("ward"), nullptr);
  EXPECT_EQ(*back->find("patient")->judged("ward", true, wards("x"), later), (std::vector<PersonNo>{0, 1}));
  // The next import of everybody tells them again, and they stay.
  ASSERT_TRUE(take_in(*back, "id,name,ward\n1,Anna,NORTH 1\n2,Bela,North 1\n3,Cleo,north 2\n4,Dora,\n5,Emil,\"\"\n"));
  save(*back);
  EXPECT_EQ(load()->find("patient")->judged("ward", true, wards("x"), later), std::vector<PersonNo>{});

  // They go with their person's key.
  ASSERT_TRUE(db_->write([&](Transaction& tx) -> Result<void> {
    const Pseudonym cleo = vault_->pseudonym("patient", "3");
    if (auto row = RegisterStore::forget(tx, cleo, kNoon); !row) return row;
    return vault_->erase(tx, cleo, kNoon);
  }));
  EXPECT_EQ(db_->read([&](Reader& r) { return vault_->open(r, vault_->pseudonym("patient", "3")); }).error().code, Errc::kNotFound);
  EXPECT_EQ(load()->find("patient")->judged("ward", true, wards("x"), later), std::vector<PersonNo>{2});  // nothing is known of Cleo: always in
  // More than a record may hold is not kept; then the values are unknown, and the import does not fail.
  const std::string much(20 * 1024, 'w');
  ASSERT_TRUE(take_in(*back, "id,name,ward\n1,Anna," + much + "\n2,Bela,North 1\n3,Cleo,north 2\n4,Dora,\n5,Emil,\"\"\n"));
  back->find("patient")->change(0, kNoon, kNoon, {{"ward", much + "again"}});
  save(*back);
  EXPECT_EQ(*load()->find("patient")->judged("ward", true, wards("x"), later), (std::vector<PersonNo>{0, 1, 2}));  // 1 has what 0 once had
}

TEST_F(Store, ErasedPeopleStayErased) {
  Registers registers(RegisterStore::hash_with(keys_));
  ASSERT_TRUE(take_in(registers, "id,name,country\n1,Anna,DE\n2,Bela,FR\n"));
  save(registers);
  const Pseudonym anna = vault_->pseudonym("patient", "1");
  auto erased = db_->write([&](Transaction& tx) -> Result<void> {
    if (auto row = RegisterStore::forget(tx, anna, kNoon); !row) return row;
    return vault_->erase(tx, anna, kNoon);
  });
  ASSERT_TRUE(erased) << erased.error().text();
  const auto back = load();
  EXPECT_EQ(back->find("patient")->at(0).id, "");
  EXPECT_FALSE(back->find("patient")->find("1"));
  ASSERT_TRUE(take_in(*back, "id,name,country\n1,Anna,DE\n2,Bela,FR\n"));
  save(*back);
  auto known = db_->read([&](Reader& r) { return RegisterStore::find(r, anna); });
  ASSERT_TRUE(known && *known);
  EXPECT_TRUE((*known)->erased);
  EXPECT_FALSE(*db_->read([&](Reader& r) { return vault_->exists(r, anna); }));
  EXPECT_FALSE(db_->write([&](Transaction& tx) { return RegisterStore::forget(tx, vault_->pseudonym("patient", "none"), kNoon); }));
}

StoredReach reach(const char* key, const char* actor, std::vector<PersonNo> people, int minute) {
  StoredReach r;
  r.key = key;
  r.actor = actor;
  r.dataset = "patient";
  r.first = r.last = kNoon + std::chrono::minutes(minute);
  r.known_from = r.first;
  r.grade = Grade::kExact;
  r.at_least = r.at_most = people.size();
  r.people = std::move(people);
  r.fields = {"name"};
  return r;
}

class Exposed : public Store {
 protected:
  void SetUp() override {
    Store::SetUp();
    Registers registers(RegisterStore::hash_with(keys_));
    ASSERT_TRUE(take_in(registers, "id,name,country\n1,A,DE\n2,B,FR\n3,C,DE\n4,D,IT\n"));
    registers.of("patient").remove(3, kNoon + std::chrono::minutes(30));  // D leaves at 12:30
    save(registers);
  }
  void add(const std::vector<StoredReach>& reaches) {
    auto done = db_->write([&](Transaction& tx) { return ExposureStore::add(tx, reaches); });
    ASSERT_TRUE(done) << done.error().text();
  }
  ExposureOverview overview(const ExposureFilter& f) { return *db_->read([&](Reader& r) { return overview_of(r, f); }); }
  std::vector<ExposedPerson> people(const ExposureFilter& f) { return *db_->read([&](Reader& r) { return people_of(r, f); }); }
  std::vector<Watcher> watchers(PersonNo no) { return *db_->read([&](Reader& r) { return ExposureStore::watchers(r, "patient", no); }); }
};

TEST_F(Exposed, AnswersWhoWasReachedAndWhoSawWhom) {
  add({reach("a", "anna", {0}, 1), reach("b", "anna", {0, 2}, 5), reach("c", "bela", {2}, 7)});
  const auto by_anna = people({"anna", "", {}, {}});
  ASSERT_EQ(by_anna.size(), 2U);
  EXPECT_EQ(by_anna[0].pseudonym, vault_->pseudonym("patient", "1"));
  EXPECT_EQ(by_anna[0].first, kNoon + std::chrono::minutes(1));
  EXPECT_EQ(by_anna[0].last, kNoon + std::chrono::minutes(5));
  EXPECT_EQ(by_anna[0].country, "DE");
  const auto summary = overview({"anna", "", {}, {}}).summary;
  EXPECT_EQ(summary.at_least, 2U);
  EXPECT_EQ(summary.at_most, 2U);
  EXPECT_EQ(people({"anna", "", {}, kNoon + std::chrono::minutes(2)}).size(), 1U);
  EXPECT_EQ(people({"anna", "other", {}, {}}).size(), 0U);
  const auto saw = watchers(2);
  ASSERT_EQ(saw.size(), 2U);
  EXPECT_EQ(saw[0].actor, "bela");
}

TEST_F(Exposed, TheSameKeyReplaces) {
  add({reach("a", "anna", {0, 1}, 1)});
  add({reach("a", "anna", {1}, 2)});
  ASSERT_EQ(people({"anna", "", {}, {}}).size(), 1U);
  EXPECT_TRUE(watchers(0).empty());
  EXPECT_EQ(watchers(1).size(), 1U);
}

TEST_F(Exposed, WholeDatasetsAreExpandedAsOfThen) {
  StoredReach early = reach("w", "mallory", {}, 10), late = reach("v", "late", {}, 45);
  for (StoredReach* r : {&early, &late}) {
    r->whole = true;
    r->grade = Grade::kBound;
    r->at_least = 0;
    r->at_most = r == &early ? 4 : 2;
    r->fields = {"*"};
  }
  add({early, late, reach("x", "mallory", {1}, 11)});
  EXPECT_EQ(people({"mallory", "", {}, {}}).size(), 4U);
  EXPECT_EQ(people({"late", "", {}, {}}).size(), 3U);  // D had left
  EXPECT_EQ(people({"mallory", "", {}, {}})[1].grade, Grade::kExact);
  EXPECT_EQ(people({"mallory", "", {}, {}})[0].grade, Grade::kBound);
  const auto summary = overview({"late", "", {}, {}});
  EXPECT_EQ(summary.summary.at_most, 2U);  // at most two, though it cannot be said which
  EXPECT_EQ(summary.total, 3U);
  const auto countries = db_->read([](Reader& r) -> Result<std::map<std::string, std::uint64_t>> {
    auto listed = listed_of(r, {"late", "", {}, {}});
    if (!listed) return pass(std::move(listed));
    return ExposureStore::countries(r, *listed);
  });
  EXPECT_EQ(countries->at("DE"), 2U);
  EXPECT_EQ(watchers(3).size(), 1U);
  EXPECT_EQ(watchers(0).size(), 2U);
}

TEST_F(Exposed, LargeSetsAndUnknownsAreKept) {
  Registers registers(RegisterStore::hash_with(keys_));
  ASSERT_TRUE(db_->read([&](Reader& r) { return RegisterStore::load(r, *vault_, registers); }));
  std::vector<PersonNo> many;
  for (int i = 0; i < 12'000; ++i) many.push_back(registers.of("patient").see("s" + std::to_string(i)));
  save(registers);
  StoredReach unknown;
  unknown.key = "u";
  unknown.actor = "mallory";
  unknown.first = unknown.last = kNoon;
  add({reach("big", "mallory", many, 3), unknown});
  EXPECT_EQ(people({"mallory", "", {}, {}}).size(), 12'000U);
  EXPECT_EQ(watchers(many[777]).size(), 1U);
  const auto summary = overview({"mallory", "", {}, {}}).summary;
  EXPECT_EQ(summary.grade, Grade::kUnknown);
  EXPECT_FALSE(summary.at_most);
}

}  // namespace
}  // namespace tocsin::storage
