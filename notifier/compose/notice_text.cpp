// Drafting fills in what is the same for everyone; rendering fills in the person; linting reads the result.
#include "notifier/compose/notice_text.hpp"

#include <algorithm>
#include <kainjow/mustache.hpp>

#include "notifier/compose/templates.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::notifier {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

constexpr std::size_t kMaxText = 64 * 1024;
constexpr std::size_t kLongSentenceWords = 30;
constexpr std::size_t kMostActions = 3;

// Variables that stay in an approved text and differ by person.
constexpr std::string_view kPersonal[] = {"name", "fields", "field", "code", "portal"};

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// Facts come from people and machines: braces in them must not become template syntax.
std::string inert(std::string_view text) { return replace_all(replace_all(std::string(text), "{{", "{ {"), "}}", "} }"); }

// The name inside the tag that begins at `at` ("{{#fields}}" → "fields"); empty if there is no end.
std::string_view tag_name(std::string_view text, std::size_t at, std::size_t& end) {
  end = text.find("}}", at);
  if (end == std::string_view::npos) return {};
  std::string_view tag = text.substr(at + 2, end - at - 2);
  end += 2;
  if (!tag.empty() && std::string_view("#^/").find(tag[0]) != std::string_view::npos) tag.remove_prefix(1);
  return trim(tag);
}

Result<void> check_variables(std::string_view text) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    std::size_t end = 0;
    const std::string_view tag = tag_name(text, at, end);
    if (std::find(std::begin(kPersonal), std::end(kPersonal), tag) == std::end(kPersonal)) {
      return fail(Errc::kInvalid, "the text uses {{" + printable(tag, 40) + "}}, which does not exist", "",
                  "use {{name}}, {{code}}, {{portal}} and the list {{#fields}}- {{field}}{{/fields}}");
    }
    at = end;
  }
  return {};
}

bool has_word(const std::string& lower, std::string_view phrase) { return lower.find(phrase) != std::string::npos; }

std::size_t longest_sentence(std::string_view text) {
  std::size_t words = 0, longest = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank && !in_word) ++words;
    in_word = !blank;
    const bool stop = (c == '.' || c == '!' || c == '?' || c == ':') && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n');
    const bool paragraph = c == '\n' && i + 1 < text.size() && (text[i + 1] == '\n' || text[i + 1] == '-');
    if (stop || paragraph) {
      longest = std::max(longest, words);
      words = 0;
    }
  }
  return std::max(longest, words);
}

}  // namespace

std::string_view name(LintLevel level) noexcept {
  switch (level) {
    case LintLevel::kError: return "error";
    case LintLevel::kWarning: return "warning";
    case LintLevel::kAdvice: return "advice";
  }
  return "advice";
}

std::string plain_word(std::string_view field, std::string_view language) {
  const std::string_view word = word_for(field, language);
  if (!word.empty()) return std::string(word);
  std::string out(field);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

Result<NoticeText> draft(const NoticeFacts& facts, std::string_view language) {
  const Template* chosen = find_template(language);
  if (chosen == nullptr) {
    return fail(Errc::kUnsupported, "there is no notice text in '" + printable(language, 20) + "'", "",
                "languages: en, de; draft in one of them and write your own translation into it");
  }
  NoticeText out;
  out.language = language;
  out.subject = std::string(facts.certain ? chosen->subject : chosen->subject_unsure);
  out.body = std::string(chosen->body);

  // Sections about certainty are decided now; what differs by person stays a variable.
  const std::string open = "{{^certain}}\n", close = "{{/certain}}\n";
  const std::size_t from = out.body.find(open), to = out.body.find(close);
  if (from != std::string::npos && to != std::string::npos) {
    const std::string inner = out.body.substr(from + open.size(), to - from - open.size());
    out.body.replace(from, to + close.size() - from, facts.certain ? "" : inner);
  }
  const std::string phone_line = facts.phone.empty() ? "" : std::string(chosen->phone_prefix) + facts.phone;
  const std::string what = facts.what.empty() ? std::string(chosen->what_default) : facts.what;
  const std::pair<std::string_view, std::string> values[] = {
      {"{{organisation}}", facts.organisation},
      {"{{verb}}", std::string(facts.certain ? chosen->verb_sure : chosen->verb_unsure)},
      {"{{what}}", what},
      {"{{happened_on}}", facts.happened_on},
      {"{{noticed_on}}", facts.noticed_on},
      {"{{consequences}}", consequences_for(facts.kinds, language)},
      {"{{measures}}", facts.measures.empty() ? std::string(chosen->measures_default) : facts.measures},
      {"{{actions}}", actions_for(facts.kinds, language)},
      {"{{contact}}", facts.contact},
      {"{{phone_line}}", phone_line},
  };
  for (const auto& [variable, value] : values) {
    out.subject = replace_all(std::move(out.subject), variable, inert(value));
    out.body = replace_all(std::move(out.body), variable, inert(value));
  }
  return out;
}

Result<NoticeText> render(const NoticeText& text, const Person& person) {
  if (text.body.size() > kMaxText || text.subject.size() > 998) {
    return fail(Errc::kTooLarge, "the text is longer than a notice may be", "", "at most 64 KiB, subject at most 998 bytes");
  }
  for (const std::string* part : {&text.subject, &text.body}) {
    if (auto checked = check_variables(*part); !checked) return pass(std::move(checked));
  }
  data values;
  values.set("name", person.name);
  values.set("code", person.code);
  values.set("portal", person.portal);
  data fields = data::type::list;
  for (const std::string& field : person.fields) {
    data item;
    item.set("field", plain_word(field, text.language));
    fields.push_back(std::move(item));
  }
  values.set("fields", fields);

  NoticeText out;
  out.language = text.language;
  for (const auto& [from, to] : {std::pair{&text.subject, &out.subject}, std::pair{&text.body, &out.body}}) {
    mustache compiled(*from);
    if (!compiled.is_valid()) return fail(Errc::kInvalid, "the text has a broken variable: " + compiled.error_message());
    compiled.set_custom_escape([](const std::string& s) { return s; });  // plain text: nothing to escape
    *to = compiled.render(values);
  }
  // A subject is one line, whatever a name contains.
  std::replace_if(out.subject.begin(), out.subject.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return out;
}

std::vector<LintMessage> lint(const NoticeText& text, const NoticeFacts& facts) {
  std::vector<LintMessage> out;
  const auto say = [&](LintLevel level, std::string code, std::string message) {
    out.push_back({level, std::move(code), std::move(message)});
  };
  const std::string body = to_lower(text.body), subject = to_lower(text.subject);

  if (auto checked = check_variables(text.subject + text.body); !checked) {
    say(LintLevel::kError, "unknown-variable", checked.error().text());
  }
  if (text.body.find("{{code}}") == std::string::npos) {
    say(LintLevel::kError, "missing-code", "Without {{code}} nobody can check that the notice is genuine.");
  }
  if (text.body.find("{{#fields}}") == std::string::npos) {
    say(LintLevel::kError, "missing-fields", "Say which of the person's own data were reached: use {{#fields}}- {{field}}{{/fields}}.");
  }
  if (facts.contact.empty() || text.body.find(facts.contact) == std::string::npos) {
    say(LintLevel::kError, "missing-contact", "GDPR Art. 34(2) with 33(3)(b): name a contact point that answers.");
  }
  if (text.body.find('[') != std::string::npos && text.body.find(']') != std::string::npos) {
    say(LintLevel::kError, "unfinished", "A passage in [brackets] still has to be written.");
  }
  if (!facts.happened_on.empty() && text.body.find(facts.happened_on) == std::string::npos) {
    say(LintLevel::kWarning, "missing-date", "Say when it happened: " + facts.happened_on + ".");
  }
  if (!facts.noticed_on.empty() && text.body.find(facts.noticed_on) == std::string::npos) {
    say(LintLevel::kWarning, "missing-discovery", "Say when it was noticed: " + facts.noticed_on + ".");
  }
  for (const std::string_view hedge : {"might ", "no evidence of misuse", "out of an abundance of caution", "keine hinweise auf missbrauch", "vorsorglich"}) {
    if (has_word(body, hedge)) {
      say(LintLevel::kWarning, "hedge", "“" + std::string(trim(hedge)) + "” plays the matter down. Say what is known and what is not.");
    }
  }
  if (facts.certain && (has_word(body, "may have been") || has_word(body, "möglicherweise"))) {
    say(LintLevel::kWarning, "false-doubt", "The evidence is certain; do not write that the data may have been read.");
  }
  if (!facts.certain && !has_word(body, "may have") && !has_word(body, "could") && !has_word(body, "möglicherweise") && !has_word(body, "konnte")) {
    say(LintLevel::kWarning, "false-certainty", "The evidence does not prove that each person was reached. Say so.");
  }
  for (const std::string_view lure : {"log in", "sign in to", "verify your account", "einloggen", "melden sie sich an"}) {
    if (has_word(body, lure)) {
      say(LintLevel::kError, "looks-like-phishing", "“" + std::string(lure) + "”: a notice must never ask people to log in.");
    }
  }
  if (body.find("http") != std::string::npos && body.find("{{portal}}") == std::string::npos) {
    say(LintLevel::kWarning, "foreign-link", "A link other than {{portal}} cannot be checked by the reader.");
  }
  if (!has_word(subject, "important") && !has_word(subject, "wichtig") && !has_word(subject, "breach") && !has_word(subject, "datenpanne")) {
    say(LintLevel::kAdvice, "quiet-subject", "The subject should alarm, truthfully: people must open this.");
  }
  std::size_t actions = 0;
  for (const char digit : std::string_view("123456789")) {
    if (body.find(std::string("\n") + digit + ". ") != std::string::npos) ++actions;
  }
  if (actions > kMostActions) say(LintLevel::kAdvice, "too-many-actions", "More than three things to do: people do none of them.");
  if (const std::size_t words = longest_sentence(text.body); words > kLongSentenceWords) {
    say(LintLevel::kAdvice, "long-sentence", "The longest sentence has " + std::to_string(words) + " words; aim at 20.");
  }
  return out;
}

std::string text_hash(const NoticeText& text, std::string_view audience) {
  std::string input = "tocsin.notice.v1";
  for (const std::string_view part : {std::string_view(text.language), std::string_view(text.subject), std::string_view(text.body), audience}) {
    input += '\0' + std::to_string(part.size()) + ':';
    input += part;
  }
  return to_hex(sha256(input));
}

}  // namespace tocsin::notifier
