// All that the page says, by language. A new language is one more object here; the compiler names what is missing.

export interface Words {
  title: string;
  languageName: string;
  languageLabel: string;
  enterTitle: string;
  enterLead: string;
  codeLabel: string;
  codeHint: string;
  check: string;
  checking: string;
  wrongTitle: string;
  wrongText: string[];
  shortCode: string;
  busyTitle: string;
  busyText: string;
  offlineTitle: string;
  offlineText: string;
  again: string;
  genuineTitle: string;
  genuineText: (organisation: string) => string;
  from: string;
  sent: string;
  about: string;
  whatHappened: string;
  yourData: string;
  yourDataNone: string;
  whatToDo: string;
  contact: string;
  contactText: string;
  phone: string;
  fullNotice: string;
  howToCheck: string;
  checks: string[];
  ackTitle: string;
  ackText: string;
  ack: string;
  ackBusy: string;
  ackDone: (when: string) => string;
  ackFailed: string;
  print: string;
  another: string;
  proof: string;
  proofText: string;
  proofIndex: string;
  proofSize: string;
  proofRoot: string;
  proofLink: string;
  proofSave: string;
  privacy: string;
}

const en: Words = {
  title: "Check your notice",
  languageName: "English",
  languageLabel: "Language",
  enterTitle: "Check your notice",
  enterLead: "Did you get a message that says your data was affected? Type the code that is in it. You will see whether the message is genuine, what happened, and what you can do.",
  codeLabel: "Code from your notice",
  codeHint: "Twelve letters and digits, for example ABCD-EFGH-JKLM. Small letters and missing dashes do not matter.",
  check: "Check the code",
  checking: "Checking…",
  wrongTitle: "We do not know this code",
  wrongText: [
    "Please compare it with your notice, letter by letter. The letters I and O and the digits 0 and 1 never occur.",
    "If it is right and still does not work, the message may not be from us. Do not open its links and do not answer it. Ask the organisation by an address or telephone number that you already know.",
  ],
  shortCode: "A code has twelve letters and digits. Please look again.",
  busyTitle: "Too many tries",
  busyText: "Please wait a minute, then try again.",
  offlineTitle: "We cannot check the code right now",
  offlineText: "This says nothing about your notice. Please try again in a few minutes.",
  again: "Try again",
  genuineTitle: "This notice is genuine",
  genuineText: (organisation) => `It was sent to you by ${organisation}.`,
  from: "From",
  sent: "Sent",
  about: "About",
  whatHappened: "What happened",
  yourData: "Which of your data",
  yourDataNone: "The notice below says which data it is about.",
  whatToDo: "What you can do now",
  contact: "Questions?",
  contactText: "Write to",
  phone: "or call",
  fullNotice: "Read the whole notice again",
  howToCheck: "How can I be sure that this page is genuine?",
  checks: [
    "Open the organisation’s website yourself, as you always do, and follow its link to this page. Then type the code by hand.",
    "This page never asks for a password, a payment, your name or a copy of a document. If a page does, it is not ours.",
    "Call the organisation on a number that you already know, and ask.",
  ],
  ackTitle: "Tell us that you have read it",
  ackText: "If you press this button, the organisation knows that the notice has reached you, and does not have to look for you in other ways. Nothing else is passed on. You need not do it.",
  ack: "I have read this notice",
  ackBusy: "One moment…",
  ackDone: (when) => `Thank you. You told us on ${when} that you have read it.`,
  ackFailed: "That did not work. Please try again in a moment.",
  print: "Print this page",
  another: "Check another code",
  proof: "Proof that this notice was not changed afterwards",
  proofText: "Your notice is entered in a public log that nobody, not even the sender, can rewrite. The entry shows neither your name nor your data. Experts can check it with these numbers:",
  proofIndex: "Entry",
  proofSize: "Entries in the log",
  proofRoot: "Root of the log",
  proofLink: "The log’s signed state",
  proofSave: "Save the proof as a file",
  privacy: "This page sets no cookies, needs no login and follows nobody. Your code is not kept in your browser.",
};

const de: Words = {
  title: "Nachricht prüfen",
  languageName: "Deutsch",
  languageLabel: "Sprache",
  enterTitle: "Nachricht prüfen",
  enterLead: "Haben Sie eine Nachricht bekommen, dass Ihre Daten betroffen sind? Geben Sie den Code ein, der darin steht. Sie sehen dann, ob die Nachricht echt ist, was passiert ist und was Sie tun können.",
  codeLabel: "Code aus Ihrer Nachricht",
  codeHint: "Zwölf Buchstaben und Ziffern, zum Beispiel ABCD-EFGH-JKLM. Kleinbuchstaben und fehlende Striche machen nichts.",
  check: "Code prüfen",
  checking: "Wird geprüft…",
  wrongTitle: "Diesen Code kennen wir nicht",
  wrongText: [
    "Bitte vergleichen Sie ihn Zeichen für Zeichen mit Ihrer Nachricht. Die Buchstaben I und O und die Ziffern 0 und 1 kommen nie vor.",
    "Wenn er stimmt und trotzdem nicht geht, ist die Nachricht vielleicht nicht von uns. Öffnen Sie keine Links darin und antworten Sie nicht. Fragen Sie die Organisation über eine Adresse oder Telefonnummer, die Sie schon kennen.",
  ],
  shortCode: "Ein Code hat zwölf Buchstaben und Ziffern. Bitte sehen Sie noch einmal nach.",
  busyTitle: "Zu viele Versuche",
  busyText: "Bitte warten Sie eine Minute und versuchen Sie es dann noch einmal.",
  offlineTitle: "Wir können den Code gerade nicht prüfen",
  offlineText: "Das sagt nichts über Ihre Nachricht. Bitte versuchen Sie es in einigen Minuten noch einmal.",
  again: "Noch einmal versuchen",
  genuineTitle: "Diese Nachricht ist echt",
  genuineText: (organisation) => `Sie wurde Ihnen von ${organisation} geschickt.`,
  from: "Von",
  sent: "Gesendet",
  about: "Betreff",
  whatHappened: "Was passiert ist",
  yourData: "Welche Ihrer Daten betroffen sind",
  yourDataNone: "In der Nachricht unten steht, um welche Daten es geht.",
  whatToDo: "Was Sie jetzt tun können",
  contact: "Fragen?",
  contactText: "Schreiben Sie an",
  phone: "oder rufen Sie an:",
  fullNotice: "Die ganze Nachricht noch einmal lesen",
  howToCheck: "Wie kann ich sicher sein, dass diese Seite echt ist?",
  checks: [
    "Öffnen Sie die Website der Organisation selbst, so wie immer, und folgen Sie dort dem Link auf diese Seite. Geben Sie den Code dann von Hand ein.",
    "Diese Seite fragt nie nach einem Passwort, einer Zahlung, Ihrem Namen oder der Kopie eines Dokuments. Tut es eine Seite doch, ist sie nicht von uns.",
    "Rufen Sie die Organisation unter einer Nummer an, die Sie schon kennen, und fragen Sie nach.",
  ],
  ackTitle: "Sagen Sie uns, dass Sie sie gelesen haben",
  ackText: "Wenn Sie diese Taste drücken, weiß die Organisation, dass die Nachricht bei Ihnen angekommen ist, und muss Sie nicht auf anderen Wegen suchen. Sonst wird nichts weitergegeben. Sie müssen es nicht tun.",
  ack: "Ich habe diese Nachricht gelesen",
  ackBusy: "Einen Moment…",
  ackDone: (when) => `Danke. Sie haben uns am ${when} gesagt, dass Sie sie gelesen haben.`,
  ackFailed: "Das hat nicht geklappt. Bitte versuchen Sie es gleich noch einmal.",
  print: "Diese Seite drucken",
  another: "Einen anderen Code prüfen",
  proof: "Beweis, dass diese Nachricht nicht nachträglich geändert wurde",
  proofText: "Ihre Nachricht ist in ein öffentliches Verzeichnis eingetragen, das niemand umschreiben kann, auch der Absender nicht. Der Eintrag zeigt weder Ihren Namen noch Ihre Daten. Fachleute können ihn mit diesen Zahlen prüfen:",
  proofIndex: "Eintrag",
  proofSize: "Einträge im Verzeichnis",
  proofRoot: "Wurzel des Verzeichnisses",
  proofLink: "Der unterschriebene Stand des Verzeichnisses",
  proofSave: "Beweis als Datei speichern",
  privacy: "Diese Seite setzt keine Cookies, braucht kein Login und verfolgt niemanden. Ihr Code wird nicht in Ihrem Browser gespeichert.",
};

export const kLanguages: Record<string, Words> = { en, de };

// The first of the browser's languages that we speak; else English.
export function pick(wanted: readonly string[]): string {
  for (const tag of wanted) {
    const code = tag.slice(0, 2).toLowerCase();
    if (code in kLanguages) return code;
  }
  return "en";
}

// Puts what people type into the form in which codes are written; null if it cannot be a code.
export function tidy(typed: string): string | null {
  const letters = typed.toUpperCase().replace(/[^A-Z0-9]/g, "");
  return letters.length === 12 ? `${letters.slice(0, 4)}-${letters.slice(4, 8)}-${letters.slice(8)}` : null;
}
