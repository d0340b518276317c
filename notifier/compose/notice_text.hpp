// The words of a notice: drafted from facts, filled in for one person, and read critically before anyone
// approves them. Pure: facts in, text out.
//
// A text is a Mustache template without logic beyond sections (kainjow). Its variables are the fixed list in
// kVariables; anything else is an error, so that neither an author nor an attacker can reach further.
// Content follows GDPR Art. 34(2) with 33(3)(b)(c)(d): what happened, contact, likely consequences, measures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"

namespace tocsin::notifier {

// What is known about the incident, in words fit for the people it concerns.
struct NoticeFacts {
  std::string organisation;
  std::string contact;       // e-mail that answers
  std::string phone;         // empty = none
  std::string website;       // empty = none
  std::string what;          // "a person copied records out of our patient database"; empty = a general sentence
  std::string happened_on;   // "23 November 2026"
  std::string noticed_on;
  std::vector<std::string> kinds;    // kinds of data, as in the catalogue: "identity", "contact", "health", …
  std::string measures;      // what has been done; empty = a line that the author must complete
  bool certain = false;      // exposure grade is exact or derived: say "were", else "may have been" and why
};

// What differs from person to person.
struct Person {
  std::string name;
  std::vector<std::string> fields;   // their own data that was reached: "name", "email", …
  std::string code;                  // "ABCD-EFGH-JKLM"
  std::string portal;                // https://…/n
};

struct NoticeText {
  std::string language;  // "en", "de"
  std::string subject;
  std::string body;
};

inline constexpr std::string_view kLanguages[] = {"en", "de"};

// A first text in that language. Fails (kUnsupported) for a language that has no template.
[[nodiscard]] Result<NoticeText> draft(const NoticeFacts& facts, std::string_view language);

// The text for one person. Fails (kInvalid) if it has a variable that does not exist or broken syntax.
[[nodiscard]] Result<NoticeText> render(const NoticeText& text, const Person& person);

// The kind of data a column holds, or a column's own name, in plain words of that language.
[[nodiscard]] std::string plain_word(std::string_view field, std::string_view language);

enum class LintLevel { kError, kWarning, kAdvice };
[[nodiscard]] std::string_view name(LintLevel level) noexcept;

struct LintMessage {
  LintLevel level;
  std::string code;     // stable: "missing-contact"
  std::string message;  // one sentence for the author
};

// Reads a text as a critical recipient and a supervisory authority would. An error blocks submission.
[[nodiscard]] std::vector<LintMessage> lint(const NoticeText& text, const NoticeFacts& facts);

// The hash to which an approval is bound: SHA-256 (hex) over length-prefixed language, subject, body and
// audience. Any change of any of them is another text.
[[nodiscard]] std::string text_hash(const NoticeText& text, std::string_view audience);

}  // namespace tocsin::notifier
