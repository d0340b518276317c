// What was learned, as bytes: hostile ones are refused whole, too much of it is cut at its end, and counted.
// That nothing is lost is shown by the other tests, which run once more with restarts (restarting.hpp).
#include "engine/exposure/learned.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

class Learned : public testing::Test {
 protected:
  Learned() {
    std::istringstream csv("id,name,country\n1,Anna,DE\n2,Bela,FR\n3,Cara,DE\n");
    storage::ImportOptions options;
    options.dataset = "patient";
    options.as_of = now_;
    EXPECT_TRUE(storage::import_register(csv, options, registers_));
    now_ += std::chrono::hours(2);
  }

  static DatasetMap map() {
    DatasetMap out;
    out.add({"patient", "id", {{"patient", "id"}}, {}});
    return out;
  }

  void tell(ExposureReader& reader, const std::string& session, std::string command, std::string text, const char* audit_class = "MISC",
            std::vector<Reach>* out = nullptr) {
    Access a;
    a.time = now_ += std::chrono::milliseconds(10);
    a.origin = {"db", "log", ++line_, 0};
    a.actor.account = "mallory";
    a.actor.session = session;
    a.outcome = Outcome::kSuccess;
    a.statement.command = std::move(command);
    a.statement.audit_class = audit_class;
    a.statement.text = std::move(text);
    a.statement.parameters_known = true;
    a.statement.number = line_;
    if (a.statement.command == "DELETE") a.rows = {1, Certainty::kExact};  // a DELETE that is not counted is not believed
    std::vector<Reach> unused;
    reader.read(a, out != nullptr ? *out : unused);
  }

  // Something of everything.
  void teach(ExposureReader& reader) {
    tell(reader, "s1", "CREATE VIEW", "CREATE VIEW german AS SELECT id, name FROM patient WHERE country = 'DE'", "DDL");
    tell(reader, "s1", "PREPARE", "PREPARE q(int) AS SELECT * FROM patient WHERE id = $1");
    tell(reader, "s1", "BEGIN", "BEGIN");
    tell(reader, "s1", "DECLARE CURSOR", "DECLARE c CURSOR FOR SELECT * FROM patient WHERE id IN (2, 3)");
    tell(reader, "s1", "DELETE", "DELETE FROM patient WHERE id = 2", "WRITE");
    tell(reader, "s2", "SELECT", "SELECT * FROM patient WHERE id = 1", "READ");
  }

  ExposureReader reader(ExposureReader::Options options = {}) { return ExposureReader(map(), registers_, std::move(options)); }

  Time now_ = *parse_rfc3339("2026-11-23T12:00:00Z");
  std::uint64_t line_ = 0;
  storage::Registers registers_{storage::process_hash()};
};

TEST_F(Learned, EveryChangedByteIsNoticed) {
  ExposureReader first = reader();
  teach(first);
  const LearnedBytes saved = first.save();
  EXPECT_EQ(saved.counts.sessions, 2U);
  EXPECT_EQ(saved.counts.left_out, 0U);
  for (std::size_t at = 0; at < saved.bytes.size(); ++at) {
    std::string bytes = saved.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    ExposureReader again = reader();
    const auto restored = again.restore(bytes);
    ASSERT_FALSE(restored) << at;
    ASSERT_EQ(restored.error().code, at >= 8 && at < 12 ? Errc::kUnsupported : Errc::kCorrupt) << at;
    ASSERT_EQ(again.save().counts.sessions, 0U);
  }
  for (std::size_t size = 0; size < saved.bytes.size(); ++size) {
    ExposureReader again = reader();
    ASSERT_FALSE(again.restore(std::string_view(saved.bytes).substr(0, size))) << size;
  }
}

TEST_F(Learned, ATransactionGoesOnBehindARestart) {
  ExposureReader first = reader();
  teach(first);
  ExposureReader second = reader();
  ASSERT_TRUE(second.restore(first.save().bytes));
  tell(second, "s1", "COMMIT", "COMMIT");
  now_ += std::chrono::minutes(5);
  EXPECT_EQ(registers_.find("patient")->count({now_, now_}), 2U);  // whom the transaction deleted is gone
}

TEST_F(Learned, WhatNoAnswerShowsAtOnceComesBackToo) {
  Catalogues catalogues;
  Catalogue& known = catalogues.try_emplace("db", 100).first->second;
  Definition copy;
  const std::string text = "create table copied as select * from patient where id = $1";
  copy.said = {*sql::read(text), 0, text, false};
  copy.parameters = {"2"};
  copy.parameters_known = false;
  copy.copy = true;
  copy.taken = {now_, now_ + std::chrono::hours(1)};
  known.add_copy("copied", copy);
  std::list<Session> sessions;
  Session& s = sessions.emplace_back();
  s.id = "s1";
  s.search_path = {"crm", "public"};
  s.views = {"german"};
  s.transaction = now_;
  s.other_modes = true;
  s.locked = {"patient"};
  s.opened[7].written = {"visit", "visit"};
  const LearnedBytes saved = save_learned(catalogues, sessions);
  Catalogues again;
  std::list<Session> middle;
  ASSERT_TRUE(restore_learned(saved.bytes, {}, registers_, again, middle));
  const Definition& d = again.at("db").definitions("copied")->front();
  EXPECT_EQ(d.said.text, text);
  EXPECT_EQ(d.parameters, copy.parameters);
  EXPECT_FALSE(d.parameters_known);
  EXPECT_TRUE(d.copy);
  EXPECT_EQ(d.taken.from, copy.taken.from);
  EXPECT_EQ(d.taken.to, copy.taken.to);
  EXPECT_EQ(middle.front().search_path, s.search_path);
  EXPECT_EQ(middle.front().views, s.views);
  EXPECT_EQ(middle.front().transaction, s.transaction);
  EXPECT_TRUE(middle.front().other_modes);
  EXPECT_EQ(middle.front().locked, s.locked);
  EXPECT_EQ(middle.front().opened.at(7).written, s.opened.at(7).written);
}

TEST_F(Learned, TheNewestSessionsAreKeptWhereNotAllFindRoom) {
  ExposureReader first = reader();
  tell(first, "s0", "CREATE VIEW", "CREATE VIEW german AS SELECT id, name FROM patient WHERE country = 'DE'", "DDL");
  for (int i = 0; i < 100; ++i) tell(first, "s" + std::to_string(i), "SET", "SET ROLE boss");
  ExposureReader::Options few;
  few.max_sessions = 10;
  ExposureReader second = reader(few);
  const auto restored = second.restore(first.save().bytes);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->sessions, 10U);
  EXPECT_EQ(restored->left_out, 90U);
  std::vector<Reach> reaches;
  tell(second, "s99", "SELECT", "SELECT * FROM patient WHERE id = 1", "READ", &reaches);
  ASSERT_EQ(reaches.size(), 1U);
  EXPECT_EQ(reaches.front().role, "boss");
}

TEST_F(Learned, BytesAreBounded) {
  Catalogues catalogues;
  std::list<Session> sessions;
  for (int i = 0; i < 1000; ++i) {
    catalogues.try_emplace("db", 2000).first->second.set_columns("t" + std::to_string(i), {std::string(100, 'c')});
    sessions.emplace_back().id = "s" + std::to_string(i) + std::string(100, 'x');
  }
  const LearnedBytes all = save_learned(catalogues, sessions);
  EXPECT_EQ(all.counts.left_out, 0U);
  const LearnedBytes some = save_learned(catalogues, sessions, 150'000);
  EXPECT_LE(some.bytes.size(), 150'000U + 200U);
  EXPECT_EQ(some.counts.relations, 1000U);  // before sessions
  EXPECT_GT(some.counts.left_out, 500U);
  Catalogues known;
  std::list<Session> middle;
  const auto restored = restore_learned(some.bytes, {}, registers_, known, middle);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->sessions, some.counts.sessions);
  EXPECT_EQ(middle.front().id, sessions.front().id);
}

TEST_F(Learned, PeopleOfAnotherRegisterAreLeftAway) {
  ExposureReader first = reader();
  teach(first);
  storage::Registers other{storage::process_hash()};
  ExposureReader second(map(), other, {});
  ASSERT_TRUE(second.restore(first.save().bytes));
  tell(second, "s1", "COMMIT", "COMMIT");  // would remove number 1 of an empty register
  EXPECT_EQ(other.find("patient"), nullptr);
}

}  // namespace
}  // namespace tocsin::engine
