// What the console says in place of terms: every state, grade and level in words that need no expert, and one
// sentence more where somebody asks.
import type { AlertState, DutyState, Grade, IncidentState, Level, NoticeState, Role, TaskState } from "./types";

export type Tone = "critical" | "high" | "medium" | "low" | "calm" | "plain";
export interface Word {
  label: string;
  more: string;
  tone: Tone;
}

export const kLevels: Record<Level, Word> = {
  critical: { label: "Critical", more: "Act now: this looks like people's data leaving, or about to.", tone: "critical" },
  high: { label: "High", more: "Look at this today.", tone: "high" },
  medium: { label: "Medium", more: "Unusual; look when the higher ones are done.", tone: "medium" },
  low: { label: "Low", more: "Slightly unusual; useful together with others.", tone: "low" },
  informational: { label: "For information", more: "Nothing to do by itself.", tone: "plain" },
};

export const kAlertStates: Record<AlertState, Word> = {
  new: { label: "New", more: "Nobody has looked at it yet.", tone: "high" },
  acknowledged: { label: "Being looked at", more: "Somebody has taken it on.", tone: "low" },
  false_positive: { label: "False positive", more: "Looked at and found harmless; the reason is in the history.", tone: "plain" },
  incident: { label: "In an incident", more: "It is part of an incident now; go on there.", tone: "medium" },
  closed: { label: "Closed", more: "Nothing more to do.", tone: "calm" },
};

export const kGrades: Record<Grade, Word> = {
  exact: { label: "Exact", more: "The log names these people: their ids stand in the recorded statements. These, and nobody else.", tone: "calm" },
  derived: { label: "Derived", more: "The log holds the search condition, and the condition says which people it reached.", tone: "calm" },
  bound: { label: "At most these", more: "The log shows that this data could be read as a whole, but not which rows were. The true number is not larger than this list; it may be smaller. Treat everyone on it as reached until you know better.", tone: "medium" },
  unknown: { label: "Not known", more: "The log does not say who was reached. Find out by other means, and say so openly.", tone: "high" },
};

// Of one person, where the grade above all of them would mislead.
export const kPersonGrades: Record<Grade, Word> = {
  exact: { label: "Reached", more: "The log names this person’s id.", tone: "high" },
  derived: { label: "Reached", more: "The logged search condition included this person.", tone: "high" },
  bound: { label: "Perhaps reached", more: "This person’s data could be read together with everybody else’s; whether it was, the log does not say.", tone: "medium" },
  unknown: { label: "Not known", more: "The log does not say.", tone: "plain" },
};

export const kIncidentStates: Record<IncidentState, Word> = {
  suspected: { label: "Suspected", more: "It may be a personal-data breach. Find out quickly: being reasonably sure starts the legal clocks.", tone: "medium" },
  confirmed: { label: "Confirmed", more: "It is a personal-data breach. The legal clocks are running.", tone: "critical" },
  contained: { label: "Contained", more: "The hole is closed for now; the data flows no further.", tone: "medium" },
  recovered: { label: "Recovered", more: "Systems and work are back to normal; what remains is telling and learning.", tone: "low" },
  closed: { label: "Closed", more: "All is done and recorded.", tone: "calm" },
  dismissed: { label: "Not a breach", more: "Looked into and found not to be a breach of personal data; the reason is in the history.", tone: "plain" },
};
export const kIncidentOrder: IncidentState[] = ["suspected", "confirmed", "contained", "recovered", "closed"];

export const kDutyStates: Record<DutyState, Word> = {
  running: { label: "To do", more: "The law asks this of you, and its clock is running.", tone: "medium" },
  done: { label: "Done", more: "Done and recorded.", tone: "calm" },
  late: { label: "Late", more: "The time is over. Do it now, and say why it is late: most laws ask for the reason.", tone: "critical" },
  not_applicable: { label: "Does not apply", more: "With the known facts the law does not ask this.", tone: "plain" },
  unknown: { label: "Not yet clear", more: "A fact is missing that decides whether this is asked. Until it is known, act as if it were.", tone: "high" },
};

export const kTaskStates: Record<TaskState, Word> = {
  open: { label: "Open", more: "Nobody works on it yet.", tone: "plain" },
  doing: { label: "In work", more: "Somebody works on it.", tone: "low" },
  done: { label: "Done", more: "Done, with its proof.", tone: "calm" },
  dropped: { label: "Dropped", more: "Decided not to do; the reason is in the history.", tone: "plain" },
};

export const kNoticeStates: Record<NoticeState, Word> = {
  draft: { label: "Draft", more: "Being written. Submit it when the text is right.", tone: "plain" },
  submitted: { label: "Waiting for approval", more: "Somebody other than the author has to approve exactly this text.", tone: "high" },
  approved: { label: "Approved", more: "Approved word for word. Any change would need a new approval.", tone: "calm" },
  rejected: { label: "Sent back", more: "The approver wants changes; the reason is in the history.", tone: "medium" },
  sending: { label: "Being sent", more: "Going out, once to each person.", tone: "low" },
  sent: { label: "Sent", more: "Sending is finished: everybody with a known contact has been written to, as far as it went.", tone: "calm" },
};

export const kRoles: Record<Role, { label: string; more: string }> = {
  analyst: { label: "Analyst", more: "looks at alerts, makes incidents, writes notices" },
  approver: { label: "Approver", more: "approves notices that others wrote" },
  manager: { label: "Manager", more: "follows incidents, duties and tasks, and closes them" },
  admin: { label: "Administrator", more: "manages people and tokens; may not by that alone approve a notice" },
};

// "an analyst or a manager", for saying who may do what.
export function whoMay(roles: Role[]): string {
  return roles.map((role) => `${/^[aeiou]/i.test(role) ? "an" : "a"} ${role === "admin" ? "administrator" : role}`).join(" or ");
}

const kDeliveries: Record<string, string> = { queued: "waiting", reserved: "on its way", sent: "sent", failed: "failed", unknown: "uncertain", no_contact: "no contact known" };
export const deliveryName = (state: string): string => kDeliveries[state] ?? humanise(state);

const kLanguages: Record<string, string> = {
  en: "English", de: "German (Deutsch)", fr: "French (Français)", es: "Spanish (Español)", it: "Italian (Italiano)",
  nl: "Dutch (Nederlands)", pl: "Polish (Polski)", pt: "Portuguese (Português)",
};
export const language = (code: string): string => kLanguages[code.slice(0, 2)] ?? code;

export function word(words: Record<string, Word>, key: string | null | undefined): Word {
  return words[key ?? ""] ?? { label: humanise(key ?? "not known"), more: "", tone: "plain" };
}

// A sentence in which facts stand by their names ("gdpr_scope and controller"), for reading.
export function readable(sentence: string): string {
  return sentence.replace(/\b[a-z0-9]+(?:_[a-z0-9]+)+\b/g, (name) => `“${name.replace(/_/g, " ").replace(/\b(gdpr|eu|uk|us|nis2|hipaa)\b/g, (word) => word.toUpperCase())}”`);
}

// "special_categories" → "Special categories"; the last resort for names that came from data.
export function humanise(key: string): string {
  const text = key.replace(/[_.-]+/g, " ").trim();
  return text ? text[0]!.toUpperCase() + text.slice(1) : key;
}

const kFields: Record<string, string> = {
  state: "State", assignee: "Who looks after it", title: "Title", summary: "Summary", severity: "Severity", owner: "Owner",
  due: "Due", proof: "Proof", level: "Level", incident: "Incident", subject: "Subject", body: "Text", facts: "Facts",
  people_frozen: "People frozen for notices", duty: "Duty", evidence: "Evidence", findings: "Findings", notice: "Notice", task: "Task", aware_at: "Aware since",
};
export const fieldName = (field: string): string => kFields[field] ?? humanise(field);

const kValues: Record<string, string> = {};
for (const words of [kAlertStates, kIncidentStates, kDutyStates, kTaskStates, kNoticeStates])
  for (const [key, value] of Object.entries(words)) kValues[key] = value.label;
export const valueName = (value: string): string => kValues[value] ?? value;

// "1 person", "4,812 people"; thousands by comma as the rest of the console is English.
export const number = (n: number): string => n.toLocaleString("en-GB");
export const count = (n: number, one: string, many: string): string => `${number(n)} ${n === 1 ? one : many}`;

// An interval in few words: "38", "38 to 41", "up to 246", "3 or more".
export function interval(low: number | null | undefined, high: number | null | undefined): string {
  if (high === null || high === undefined) return low ? `${number(low)} or more` : "not known";
  if (low === high) return number(high);
  return low ? `${number(low)} to ${number(high)}` : `up to ${number(high)}`;
}

export function howMany(exposure: { grade: string; at_least: number | null; at_most: number | null } | null | undefined): string {
  if (!exposure) return "nobody's data";
  const { at_least: low, at_most: high } = exposure;
  if (low !== null && low !== undefined && low === high) return count(low, "person", "people");
  if (low !== null && low !== undefined && high !== null && high !== undefined) {
    return low === 0 ? `up to ${count(high, "person", "people")}` : `${number(low)} to ${number(high)} people`;
  }
  if (high !== null && high !== undefined) return `up to ${count(high, "person", "people")}`;
  if (low !== null && low !== undefined && low > 0) return `at least ${count(low, "person", "people")}`;
  return "number not known";
}

const kWays: Record<string, string> = {
  select: "a SELECT", copy: "COPY", cursor: "a cursor", pg_dump: "pg_dump", view: "a view", prepared: "a prepared statement", paging: "page by page",
  returning: "RETURNING", outfile: "INTO OUTFILE", mysqldump: "mysqldump", event: "the record itself",
};
/** The way out that an access took. */
export const wayName = (way: string): string => kWays[way] ?? humanise(way || "not known");

/** A person's reached columns in words. "*" is every column of the main table, "visit.*" every column of another:
 *  what it contains need not be said again. */
export function reachedData(fields: string[]): string {
  const whole = fields.filter((field) => field === "*" || field.endsWith(".*"));
  const rest = fields.filter((field) => !whole.includes(field) && !whole.includes(field.includes(".") ? `${field.slice(0, field.lastIndexOf("."))}.*` : "*"));
  return [...whole.map((field) => (field === "*" ? "all that the record holds" : `all of ${humanise(field.slice(0, -2)).toLowerCase()}`)), ...rest.map(humanise)].join(", ");
}
