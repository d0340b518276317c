// A draft is complete but for what only a person can know; rendering cannot be led astray; the lint sees
// what bad notices do.
#include "notifier/compose/notice_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::notifier {
namespace {

NoticeFacts facts() {
  NoticeFacts f;
  f.organisation = "Linden Clinic";
  f.contact = "privacy@linden-clinic.example";
  f.happened_on = "23 November 2026";
  f.noticed_on = "24 November 2026";
  f.kinds = {"contact", "health", "identity"};
  f.measures = "We have locked the account and reported the theft to the police.";
  f.certain = true;
  return f;
}

Person ada() { return {"Ada Abel", {"name", "email", "shoe_size"}, "ABCD-EFGH-JKLM", "https://linden-clinic.example/n"}; }

bool has(const std::vector<LintMessage>& messages, std::string_view code) {
  return std::any_of(messages.begin(), messages.end(), [&](const LintMessage& m) { return m.code == code; });
}

TEST(NoticeText, ADraftWithAllFactsHasNothingToComplainAbout) {
  for (const std::string_view language : kLanguages) {
    for (const bool certain : {true, false}) {
      NoticeFacts f = facts();
      f.certain = certain;
      const auto text = draft(f, language);
      ASSERT_TRUE(text);
      for (const LintMessage& m : lint(*text, f)) {
        if (m.level != LintLevel::kAdvice) ADD_FAILURE() << language << ": " << m.code << ": " << m.message;
      }
      const auto rendered = render(*text, ada());
      ASSERT_TRUE(rendered) << rendered.error().text();
      EXPECT_EQ(rendered->body.find("{{"), std::string::npos);
      EXPECT_NE(rendered->body.find("Ada Abel"), std::string::npos);
      EXPECT_NE(rendered->body.find("ABCD-EFGH-JKLM"), std::string::npos);
      EXPECT_NE(rendered->body.find("- shoe size"), std::string::npos);
    }
  }
  EXPECT_FALSE(draft(facts(), "tlh"));
}

TEST(NoticeText, NeitherFactsNorNamesBecomeTemplateSyntax) {
  NoticeFacts f = facts();
  f.what = "{{#fields}}{{secret}}{{/fields}}";
  const auto text = draft(f, "en");
  ASSERT_TRUE(text);
  Person mallory = ada();
  mallory.name = "{{code}}\r\nBcc: everyone@example.org";
  const auto rendered = render(*text, mallory);
  ASSERT_TRUE(rendered) << rendered.error().text();
  EXPECT_NE(rendered->body.find("{{code}}"), std::string::npos);  // the name, word for word
  NoticeText subject = *text;
  subject.subject = "Important: {{name}}";
  EXPECT_EQ(render(subject, mallory)->subject.find('\n'), std::string::npos);
  NoticeText reaching = *text;
  reaching.body += "{{password}}";
  EXPECT_FALSE(render(reaching, ada()));
}

TEST(NoticeText, TheLintSeesWhatBadNoticesDo) {
  struct Row {
    const char* code;
    const char* find;
    const char* replace;
  };
  const Row rows[] = {
      {"missing-code", "{{code}}", ""},
      {"missing-contact", "privacy@linden-clinic.example", "us"},
      {"missing-date", "23 November 2026", "some day"},
      {"looks-like-phishing", "QUESTIONS", "Log in to see more."},
      {"hedge", "QUESTIONS", "There is no evidence of misuse."},
      {"unknown-variable", "QUESTIONS", "{{iban}}"},
      {"unfinished", "QUESTIONS", "[to be written]"},
      {"missing-fields", "{{#fields}}\n- {{field}}\n{{/fields}}\n", ""},
  };
  for (const Row& row : rows) {
    NoticeText text = *draft(facts(), "en");
    EXPECT_FALSE(has(lint(text, facts()), row.code)) << row.code;
    const std::size_t at = text.body.find(row.find);
    ASSERT_NE(at, std::string::npos) << row.code;
    for (std::size_t p = at; p != std::string::npos; p = text.body.find(row.find)) {
      text.body.replace(p, std::string_view(row.find).size(), row.replace);
      if (std::string_view(row.replace).find(row.find) != std::string_view::npos) break;
    }
    EXPECT_TRUE(has(lint(text, facts()), row.code)) << row.code;
  }
}

TEST(NoticeText, AnApprovalIsBoundToEveryLetter) {
  const NoticeText text = *draft(facts(), "en");
  const std::string hash = text_hash(text, "all");
  NoticeText other = text;
  other.body += " ";
  EXPECT_NE(text_hash(other, "all"), hash);
  EXPECT_NE(text_hash(text, "language"), hash);
  NoticeText shifted = text;  // the border between subject and body counts
  shifted.subject += shifted.body[0];
  shifted.body.erase(0, 1);
  EXPECT_NE(text_hash(shifted, "all"), hash);
}

}  // namespace
}  // namespace tocsin::notifier
