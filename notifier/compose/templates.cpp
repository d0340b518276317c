// The templates, one per language. Plain words, the person's own data listed, at most three actions in order
// of urgency, a code to check the notice with, and no link that asks for anything.
#include "notifier/compose/templates.hpp"

namespace tocsin::notifier {
namespace {

constexpr Template kEnglish{
    .language = "en",
    .subject = "Important: your personal data at {{organisation}} was exposed",
    .subject_unsure = "Important: your personal data at {{organisation}} may have been exposed",
    .body = R"(Dear {{name}},

we are writing because personal data about you, held by {{organisation}}, {{verb}} by someone who had no right to see it. We are sorry that this happened.

WHAT HAPPENED
{{what}} This happened on {{happened_on}}. We noticed it on {{noticed_on}}.

WHICH OF YOUR DATA
{{#fields}}
- {{field}}
{{/fields}}
{{^certain}}
Our records do not show for certain that your data were among those taken. They show that they could be read, so we treat them as taken.
{{/certain}}

WHAT THIS CAN MEAN FOR YOU
{{consequences}}

WHAT WE HAVE DONE
{{measures}}

WHAT YOU CAN DO NOW
{{actions}}

QUESTIONS
Write to {{contact}}{{phone_line}}. You do not need to give us any data to ask.

IS THIS NOTICE GENUINE?
Anyone can pretend to be us, so check: open our website yourself, go to the page about this incident, and type this code:

    {{code}}

You can also open {{portal}} and type the code there. It shows this notice, and nothing else; you need no login. We will never ask you for a password, a payment or a copy of a document because of this notice.

{{organisation}}
)",
    .verb_sure = "was read",
    .verb_unsure = "may have been read",
    .what_default = "A person used an account of ours to copy records out of one of our databases.",
    .measures_default = "[Write here what has been done to end the breach and to keep it from happening again.]",
    .phone_prefix = " or call ",
};

constexpr Template kGerman{
    .language = "de",
    .subject = "Wichtig: Ihre personenbezogenen Daten bei {{organisation}} wurden offengelegt",
    .subject_unsure = "Wichtig: Ihre personenbezogenen Daten bei {{organisation}} wurden möglicherweise offengelegt",
    .body = R"(Guten Tag {{name}},

wir schreiben Ihnen, weil personenbezogene Daten über Sie, die {{organisation}} gespeichert hat, von jemandem ohne Berechtigung {{verb}}. Das tut uns leid.

WAS PASSIERT IST
{{what}} Das geschah am {{happened_on}}. Bemerkt haben wir es am {{noticed_on}}.

WELCHE IHRER DATEN BETROFFEN SIND
{{#fields}}
- {{field}}
{{/fields}}
{{^certain}}
Unsere Aufzeichnungen zeigen nicht sicher, ob Ihre Daten dabei waren. Sie zeigen, dass sie gelesen werden konnten. Wir behandeln sie deshalb so, als wären sie entwendet.
{{/certain}}

WAS DAS FÜR SIE BEDEUTEN KANN
{{consequences}}

WAS WIR GETAN HABEN
{{measures}}

WAS SIE JETZT TUN KÖNNEN
{{actions}}

FRAGEN
Schreiben Sie an {{contact}}{{phone_line}}. Sie müssen uns dafür keine Daten nennen.

IST DIESE NACHRICHT ECHT?
Jeder kann sich als uns ausgeben. Prüfen Sie es: Öffnen Sie selbst unsere Website, gehen Sie zur Seite über diesen Vorfall und geben Sie diesen Code ein:

    {{code}}

Sie können den Code auch auf {{portal}} eingeben. Dort sehen Sie diese Nachricht und sonst nichts; ein Login brauchen Sie nicht. Wir fragen Sie wegen dieser Nachricht nie nach einem Passwort, einer Zahlung oder der Kopie eines Dokuments.

{{organisation}}
)",
    .verb_sure = "gelesen wurden",
    .verb_unsure = "möglicherweise gelesen wurden",
    .what_default = "Eine Person hat über eines unserer Konten Datensätze aus einer unserer Datenbanken kopiert.",
    .measures_default = "[Hier steht, was getan wurde, um den Vorfall zu beenden und eine Wiederholung zu verhindern.]",
    .phone_prefix = " oder rufen Sie an: ",
};

struct Word {
  std::string_view field, en, de;
};

// Columns and kinds of data that people know under a plainer name.
constexpr Word kWords[] = {
    {"id", "your record number", "Ihre Datensatznummer"},
    {"name", "your name", "Ihr Name"},
    {"first_name", "your first name", "Ihr Vorname"},
    {"last_name", "your surname", "Ihr Nachname"},
    {"email", "your e-mail address", "Ihre E-Mail-Adresse"},
    {"phone", "your telephone number", "Ihre Telefonnummer"},
    {"birth_date", "your date of birth", "Ihr Geburtsdatum"},
    {"country", "the country you live in", "das Land, in dem Sie leben"},
    {"language", "the language you speak with us", "die Sprache, in der wir mit Ihnen sprechen"},
    {"address", "your postal address", "Ihre Anschrift"},
    {"ward", "the department that treated you", "die Abteilung, in der Sie behandelt wurden"},
    {"reason", "the reason of your visits", "der Anlass Ihrer Besuche"},
    {"visited_on", "the dates of your visits", "die Daten Ihrer Besuche"},
    {"visited_at", "the dates of your visits", "die Daten Ihrer Besuche"},
    {"patient_id", "your record number", "Ihre Datensatznummer"},
    {"ssn", "your social security number", "Ihre Sozialversicherungsnummer"},
    {"iban", "your bank account number", "Ihre Bankverbindung"},
    {"card", "your payment card number", "Ihre Kartennummer"},
    {"password", "your password", "Ihr Passwort"},
    {"identity", "data that identify you", "Daten zu Ihrer Person"},
    {"contact", "your contact data", "Ihre Kontaktdaten"},
    {"health", "data about your health", "Daten über Ihre Gesundheit"},
    {"financial", "data about your finances", "Daten über Ihre Finanzen"},
    {"credentials", "your login data", "Ihre Zugangsdaten"},
    {"*", "all data that the record about you holds", "alle Daten, die Ihr Datensatz enthält"},
};

struct Advice {
  std::string_view kind;  // for which kind of data
  std::string_view consequence_en, consequence_de, action_en, action_de;
};

// Likely consequences and what helps, most urgent first.
constexpr Advice kAdvice[] = {
    {"credentials", "Someone could sign in to accounts that use the same password.",
     "Jemand könnte sich bei Konten anmelden, die dasselbe Passwort verwenden.",
     "Change the password wherever you use the same one, today.",
     "Ändern Sie das Passwort noch heute überall, wo Sie dasselbe verwenden."},
    {"financial", "Someone could try to take money from your account or buy in your name.",
     "Jemand könnte versuchen, Geld von Ihrem Konto abzubuchen oder auf Ihren Namen zu kaufen.",
     "Look through your bank and card statements now, and tell your bank about this notice.",
     "Prüfen Sie jetzt Ihre Konto- und Kartenumsätze und informieren Sie Ihre Bank über diese Nachricht."},
    {"health", "Someone could learn about your health, embarrass you or put pressure on you.",
     "Jemand könnte etwas über Ihre Gesundheit erfahren, Sie bloßstellen oder unter Druck setzen.",
     "If someone threatens you with these data, do not pay. Go to the police and tell us.",
     "Wenn Ihnen jemand mit diesen Daten droht, zahlen Sie nicht. Gehen Sie zur Polizei und sagen Sie es uns."},
    {"identity", "Someone could use your name and date of birth to pretend to be you.",
     "Jemand könnte sich mit Ihrem Namen und Geburtsdatum als Sie ausgeben.",
     "Watch for letters, bills or contracts that you did not ask for, and object to them at once.",
     "Achten Sie auf Briefe, Rechnungen oder Verträge, die Sie nicht bestellt haben, und widersprechen Sie sofort."},
    {"contact", "Someone could write to you or call you and pretend to be us, your bank or a friend.",
     "Jemand könnte Ihnen schreiben oder Sie anrufen und sich als uns, Ihre Bank oder Bekannte ausgeben.",
     "Be careful with unexpected calls and messages. Do not open their links; call back on a number you know.",
     "Seien Sie vorsichtig bei unerwarteten Anrufen und Nachrichten. Öffnen Sie keine Links darin; rufen Sie unter einer Ihnen bekannten Nummer zurück."},
};

constexpr std::size_t kMostActions = 3;

}  // namespace

const Template* find_template(std::string_view language) noexcept {
  if (language == "en") return &kEnglish;
  if (language == "de") return &kGerman;
  return nullptr;
}

std::string_view word_for(std::string_view field, std::string_view language) noexcept {
  for (const Word& word : kWords) {
    if (word.field == field) return language == "de" ? word.de : word.en;
  }
  return {};
}

std::string consequences_for(const std::vector<std::string>& kinds, std::string_view language) {
  std::string out;
  for (const Advice& advice : kAdvice) {
    for (const std::string& kind : kinds) {
      if (kind != advice.kind) continue;
      if (!out.empty()) out += '\n';
      out += "- ";
      out += language == "de" ? advice.consequence_de : advice.consequence_en;
      break;
    }
  }
  if (out.empty()) {
    out = language == "de" ? "- Jemand könnte diese Daten nutzen, um Sie zu täuschen."
                           : "- Someone could use these data to deceive you.";
  }
  return out;
}

std::string actions_for(const std::vector<std::string>& kinds, std::string_view language) {
  std::string out;
  std::size_t count = 0;
  for (const Advice& advice : kAdvice) {
    for (const std::string& kind : kinds) {
      if (kind != advice.kind || count == kMostActions) continue;
      if (!out.empty()) out += '\n';
      out += std::to_string(++count) + ". ";
      out += language == "de" ? advice.action_de : advice.action_en;
      break;
    }
  }
  if (count == 0) {
    out = std::string("1. ") + std::string(language == "de" ? kAdvice[4].action_de : kAdvice[4].action_en);
  }
  return out;
}

}  // namespace tocsin::notifier
