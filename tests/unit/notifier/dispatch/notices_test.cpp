// Four eyes on the exact text, one notice per person, and a portal that tells its own person only.
#include "rules/base/text.hpp"
#include "tests/unit/notifier/dispatch/world.hpp"

namespace tocsin::notifier {
namespace {

using storage::NoticeState;

struct NoticesTest : ::testing::Test {
  TemporaryDirectory dir;
  FixedClock clock{*parse_rfc3339("2026-11-24T10:00:00Z")};
};

TEST_F(NoticesTest, TheAuthorCannotApproveAndAChangedTextNeedsANewApproval) {
  World w(dir.path(), clock, 12);
  auto draft = w.notices->draft(1, "en", "all", "anna");
  ASSERT_TRUE(draft) << draft.error().text();
  EXPECT_EQ(w.notices->approve(draft->id, draft->hash, "bela").error().code, Errc::kConflict);  // not submitted
  ASSERT_TRUE(w.notices->submit(draft->id, "anna"));
  EXPECT_EQ(w.notices->approve(draft->id, draft->hash, "anna").error().code, Errc::kForbidden);
  EXPECT_EQ(w.notices->approve(draft->id, "0123", "bela").error().code, Errc::kConflict);
  EXPECT_EQ(w.notices->send(draft->id, "anna").error().code, Errc::kConflict);

  auto edited = w.notices->edit(draft->id, draft->subject, draft->body + "\nPS: sorry.", "anna");
  ASSERT_TRUE(edited) << edited.error().text();
  EXPECT_EQ(edited->state, NoticeState::kDraft);
  ASSERT_TRUE(w.notices->submit(draft->id, "carl"));
  EXPECT_EQ(w.notices->approve(draft->id, edited->hash, "anna").error().code, Errc::kForbidden);  // wrote it
  EXPECT_EQ(w.notices->approve(draft->id, edited->hash, "carl").error().code, Errc::kForbidden);  // submitted it
  EXPECT_EQ(w.notices->approve(draft->id, draft->hash, "bela").error().code, Errc::kConflict);    // read the old text
  auto approved = w.notices->approve(draft->id, edited->hash, "bela");
  ASSERT_TRUE(approved) << approved.error().text();
  EXPECT_EQ(approved->set_hash.size(), 64U);
  EXPECT_EQ(w.notices->edit(draft->id, "x", "y", "anna").error().code, Errc::kConflict);
}

TEST_F(NoticesTest, ATextThatIsNotReadyCannotBeSubmitted) {
  World w(dir.path(), clock, 2);
  auto draft = w.notices->draft(1, "en", "all", "anna");
  ASSERT_TRUE(w.notices->edit(draft->id, "Important", "Please log in to see what happened.", "anna"));
  auto submitted = w.notices->submit(draft->id, "anna");
  ASSERT_FALSE(submitted);
  EXPECT_EQ(submitted.error().code, Errc::kConflict);
}

TEST_F(NoticesTest, EverybodyWithAnAddressGetsExactlyOne) {
  World w(dir.path(), clock, 20);
  const std::int64_t german = w.approved("language", "de");
  const std::int64_t rest = w.approved("all", "en");
  EXPECT_EQ(w.counts(german).total, 15U);
  EXPECT_EQ(w.counts(rest).total, 5U);
  for (const std::int64_t id : {german, rest}) ASSERT_TRUE(w.notices->send(id, "anna"));
  while (*w.dispatcher->run_once() > 0) {
  }
  EXPECT_EQ(w.mails(), 18U);  // 2 of 20 have no address
  EXPECT_EQ(w.counts(german).sent + w.counts(rest).sent, 18U);
  EXPECT_EQ(w.counts(german).no_contact + w.counts(rest).no_contact, 2U);
  EXPECT_EQ(w.notices->get(german)->state, NoticeState::kSent);
  auto again = w.notices->draft(1, "en", "all", "anna");
  ASSERT_TRUE(w.notices->submit(again->id, "anna"));
  EXPECT_EQ(w.notices->approve(again->id, again->hash, "bela").error().code, Errc::kConflict);  // reaches nobody
}

TEST_F(NoticesTest, ThePortalShowsTheOwnersNoticeAndNothingElse) {
  World w(dir.path(), clock, 3);
  const std::int64_t id = w.approved();
  auto all = w.db->read([&](storage::Reader& r) { return storage::NoticeStore::of_notice(r, id, 0, 10); }).value();
  const std::string code = with_dashes(w.notices->code_of(all.at(0).id));
  EXPECT_FALSE(w.notices->check(code)) << "not sent yet";
  ASSERT_TRUE(w.notices->send(id, "anna"));
  ASSERT_TRUE(w.dispatcher->run_once());
  auto view = w.notices->check(code);
  ASSERT_TRUE(view) << view.error().text();
  EXPECT_NE(view->text.find("Person 1"), std::string::npos);
  EXPECT_EQ(view->text.find("Person 2"), std::string::npos);
  EXPECT_TRUE(view->ledger_index);
  EXPECT_TRUE(w.notices->check(to_lower(code)));  // typed by hand
  EXPECT_FALSE(view->acknowledged_at);
  const auto at = w.notices->acknowledge(code);
  ASSERT_TRUE(at);
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(*w.notices->acknowledge(code), *at);  // the first time counts
  EXPECT_EQ(w.counts(id).acknowledged, 1U);
  for (const char* wrong : {"", "ABCD", "ABCD-EFGH-JKLM", "' OR 1=1 --", "ÄÖÜ"}) {
    auto nothing = w.notices->check(wrong);
    ASSERT_FALSE(nothing) << wrong;
    EXPECT_EQ(nothing.error().code, Errc::kNotFound);
  }
  // Erased since: the notice can still be checked, the name is gone.
  ASSERT_TRUE(w.db->write([&](storage::Transaction& tx) { return w.vault->erase(tx, w.incidents.people[0].pseudonym, clock.now()); }));
  auto erased = w.notices->check(code);
  ASSERT_TRUE(erased) << erased.error().text();
  EXPECT_EQ(erased->text.find("Person 1"), std::string::npos);
}

TEST_F(NoticesTest, EveryDecisionIsInTheLedger) {
  World w(dir.path(), clock, 2);
  const std::int64_t id = w.approved();
  ASSERT_TRUE(w.notices->send(id, "anna"));
  ASSERT_TRUE(w.dispatcher->run_once());
  auto entries = w.db->read([&](storage::Reader& r) { return storage::Ledger::entries(r, 0, 100); }).value();
  std::vector<std::string> kinds;
  for (const auto& e : entries) {
    kinds.push_back(e.entry.kind);
    for (const auto& [key, value] : e.entry.fields) EXPECT_EQ(value.find('@'), std::string::npos) << key;
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"notice-drafted", "notice-submitted", "notice-approved", "notice-sending", "notice-issued",
                                            "notice-issued", "notice-sent"}));
}

// A channel that cannot be asked (as SMTP) and does as it is told; counts what it was given.
class Scripted final : public Channel {
 public:
  explicit Scripted(std::vector<std::string>& sent, Handover answer) : sent_(sent), answer_(answer) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }
  [[nodiscard]] Receipt send(const Message& message) override {
    sent_.push_back(message.id);
    return {answer_, "451 come back later", ""};
  }
  [[nodiscard]] Handover find(std::string_view) override { return Handover::kUnknown; }

 private:
  std::vector<std::string>& sent_;
  Handover answer_;
};

TEST_F(NoticesTest, AChannelInTroubleIsNotAskedForEverybody) {
  World w(dir.path(), clock, 40);
  const std::int64_t id = w.approved();
  ASSERT_TRUE(w.notices->send(id, "anna"));
  std::vector<std::string> sent;
  Dispatcher dispatcher(*w.db, *w.ledger, *w.vault, *w.notices, std::make_unique<Scripted>(sent, Handover::kTemporary), clock, {}, [](std::int64_t) {});
  EXPECT_EQ(*dispatcher.run_once(), 3U);
  EXPECT_EQ(*dispatcher.run_once(), 0U) << "it waits";
  EXPECT_NE(dispatcher.trouble().find("451"), std::string::npos);
  clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(*dispatcher.run_once(), 3U);
  EXPECT_EQ(sent.size(), 6U);
  EXPECT_EQ(w.counts(id).failed, 0U);
  EXPECT_EQ(w.counts(id).queued, 36U);
}

TEST_F(NoticesTest, WhatIsInDoubtIsNeverResentInSilence) {
  World w(dir.path(), clock, 5);
  const std::int64_t id = w.approved();
  ASSERT_TRUE(w.notices->send(id, "anna"));
  std::vector<std::string> sent;
  Dispatcher dispatcher(*w.db, *w.ledger, *w.vault, *w.notices, std::make_unique<Scripted>(sent, Handover::kUnknown), clock, {}, [](std::int64_t) {});
  while (*dispatcher.run_once() > 0) {
  }
  EXPECT_EQ(sent.size(), 5U);
  EXPECT_EQ(w.counts(id).unknown, 5U);
  // A crash between reserving and noting, over a channel that cannot be asked.
  ASSERT_TRUE(w.db->write([&](storage::Transaction& tx) { return tx.run("UPDATE delivery SET state = ?1", storage::DeliveryState::kReserved); }));
  ASSERT_TRUE(dispatcher.recover());
  EXPECT_EQ(w.counts(id).unknown, 5U);
  EXPECT_EQ(*dispatcher.run_once(), 0U);
  EXPECT_FALSE(w.notices->resend(id, " ", "mia"));
  EXPECT_EQ(*w.notices->resend(id, "the mail server's log has none of them", "mia"), 5U);
  EXPECT_EQ(w.counts(id).queued, 5U);
}

}  // namespace
}  // namespace tocsin::notifier
