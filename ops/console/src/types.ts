// The records of the public API, as the console reads them. Times are RFC 3339 strings; null = not known.

export type Time = string;
export type Grade = "exact" | "derived" | "bound" | "unknown";
export type Level = "informational" | "low" | "medium" | "high" | "critical";
export type Role = "analyst" | "approver" | "manager" | "admin";

export interface List<T> {
  items: T[];
  next?: string | null;
  total?: number;
}

export interface User {
  login: string;
  name: string;
  roles: Role[];
  disabled?: boolean;
  last_login?: Time | null;
  claimed?: boolean;
}

export interface Session {
  user: User;
  csrf: string;
}

export interface Token {
  id?: string;
  name: string;
  role?: string;
  roles?: string[];
  created?: Time;
  last_used?: Time | null;
}

export interface History {
  subject?: string;
  about?: string | null;
  time: Time;
  by: string;
  field: string;
  from: string | null;
  to: string | null;
  reason: string | null;
}

export interface ExposureSummary {
  grade: Grade;
  at_least: number | null;
  at_most: number | null;
  /** at_most adds up findings that may tell of the same people. */
  summed?: boolean;
}

export type AlertState = "new" | "acknowledged" | "false_positive" | "incident" | "closed";

export interface Alert {
  id: string;
  title: string;
  rule: string;
  kind: string;
  level: Level;
  state: AlertState;
  actor: string | null;
  dataset: string | null;
  first: Time;
  last: Time;
  findings: number;
  evidence_count: number;
  exposure: ExposureSummary | null;
  assignee: string | null;
  incident: string | null;
  incident_number?: string | null;
  reason: string | null;
}

export interface Evidence {
  source: string;
  file: string;
  line: number;
  time: Time | null;
  text: string;
}

export interface Finding {
  id: string;
  rule: string;
  title: string;
  level: Level;
  time: Time;
  last: Time;
  reason: string;
  same_secret_first_in?: string | null;
  evidence_count: number;
  evidence: Evidence[];
}

export interface AlertDetail extends Omit<Alert, "findings"> {
  findings_total?: number;
  findings: Finding[];
  history: History[];
}

// One access as evidence: what one record of the log says. `event` is null once it is only in the index.
export interface Access {
  first: Time;
  last: Time;
  actor: string;
  dataset: string;
  grade: Grade;
  certain: boolean;
  whole: boolean;
  fields: string[];
  way: string;
  reason: string | null;
  at_least: number | null;
  at_most: number | null;
  client?: string | null;
  account?: string | null;
  role?: string | null;
  application?: string | null;
  /** What named the actor; null once the access is only in the index. */
  named_by?: "account" | "role" | "application" | "record" | null;
  event: { source: string; file: string; line: number; number: number | null } | null;
  /** Once it is only in the index: its record is one of these of the journal. */
  sealed?: { first: number; last: number } | null;
  people?: number;
}

export interface AccessList {
  total: number;
  certain: number;
  items: Access[];
}

export interface FrozenSet extends ExposureSummary {
  set: number;
  time: Time;
  by: string;
  notice: string | null;
  people: number;
  hash: string;
}

export interface Frozen {
  sets: FrozenSet[];
  people: number;
  added: number;
  events_total: number;
  events: Access[];
}

export interface Person {
  accesses?: AccessList;
  erased?: boolean;
  certain?: boolean;
  country?: string | null;
  set?: number;
  pseudonym: string;
  dataset?: string;
  grade: Grade;
  fields: string[];
  first: Time | null;
  last: Time | null;
  in_register: boolean | null;
}

export interface People extends ExposureSummary {
  frozen?: Frozen | null;
  kinds?: string[];
  dataset: string | null;
  total: number;
  reasons: string[];
  by_country: { country: string; count: number }[] | Record<string, number>;
  items: Person[];
}

export interface Revealed {
  pseudonym: string;
  dataset: string | null;
  id: string | null;
  name: string | null;
}

export type DutyState = "running" | "done" | "late" | "not_applicable" | "unknown";

export interface Duty {
  id: string;
  law: string;
  title: string;
  citation: string;
  towards: string;
  due: Time | null;
  soft: string | null;
  state: DutyState;
  why: string | null;
  unknown_facts: string[];
  content: string[];
  done_at: Time | null;
  done_by: string | null;
  reference: string | null;
  confidence: string | null;
  limit?: Time | null;
  reason?: string | null;
  done_late?: boolean;
  verification?: string | null;
}

export type TaskState = "open" | "doing" | "done" | "dropped";

export interface Task {
  id: string;
  incident: string;
  number: string;
  title: string;
  detail: string | null;
  owner: string | null;
  owner_role?: string | null;
  asked_proof?: string | null;
  reason?: string | null;
  due: Time | null;
  state: TaskState;
  late: boolean;
  proof: string | null;
  done_at: Time | null;
  done_by: string | null;
}

export type IncidentState = "suspected" | "confirmed" | "contained" | "recovered" | "closed" | "dismissed";

export interface IncidentRow {
  id: string;
  number: string;
  title: string;
  state: IncidentState;
  severity: string | null;
  opened: Time;
  aware_at: Time | null;
  closed: Time | null;
  people?: (ExposureSummary & { total?: number | null }) | null;
  duties?: Duty[];
  tasks?: Task[];
  next_due?: Time | null;
  late_duties?: number;
  open_tasks?: number;
  late_tasks?: number;
}

// A question of the law about the facts, with the answer so far.
export interface Question {
  fact: string;
  ask: string;
  help: string | null;
  answer: unknown;
}

export interface Incident extends IncidentRow {
  questions?: Question[];
  notice_counts?: { told: number; reached: number; acknowledged: number; failed: number };
  severity_reason: string | null;
  summary: string | null;
  facts: Record<string, unknown>;
  alerts: (Alert | string)[];
  duties: Duty[];
  tasks: Task[];
  notices: NoticeRow[];
  history: History[];
}

export type NoticeState = "draft" | "submitted" | "approved" | "rejected" | "sending" | "sent";

export interface Lint {
  level: string;
  code: string;
  message: string;
}

export interface Recipients {
  total: number;
  with_contact: number;
  without_contact: number;
  already_told?: number;
  set_hash: string | null;
}

export interface Progress {
  queued: number;
  sent: number;
  failed: number;
  unknown: number;
  no_contact?: number;
  acknowledged: number;
}

export interface NoticeRow {
  id: string;
  incident: string;
  version: number;
  language: string;
  subject: string;
  state: NoticeState;
  author: string | null;
  approver: string | null;
  recipients?: Recipients | null;
  progress?: Progress | null;
}

export interface Notice extends NoticeRow {
  body: string;
  hash: string;
  submitted_at: Time | null;
  approved_at: Time | null;
  lint: Lint[];
  recipients: Recipients | null;
  progress: Progress | null;
  history: History[];
  reason?: string | null;
  trouble?: string | null;
  submitter?: string | null;
}

export interface Preview {
  subject: string;
  text: string;
  html?: string;
}

export interface Delivery {
  pseudonym?: string;
  recipient?: string;
  state: string;
  channel?: string | null;
  attempts?: number;
  time?: Time | null;
  sent_at?: Time | null;
  acknowledged_at?: Time | null;
  error?: string | null;
  evidence?: string | null;
}

export interface Source {
  name: string;
  kind: string;
  path: string | null;
  format: string | null;
  state: string;
  error: string | null;
  accepted: number;
  decoded: number;
  rejected: number;
  duplicates: number;
  last_event: Time | null;
  last_arrival: Time | null;
  lag_seconds: number | null;
}

export interface Reject {
  file: string;
  line: number;
  error: string;
  preview: string;
  time: Time | null;
}

export interface OverviewDuty {
  incident: string;
  number: string;
  title: string;
  law: string;
  citation?: string;
  incident_title?: string | null;
  due: Time | null;
  state: DutyState;
  aware_at?: Time | null;
}

export interface Overview {
  alerts: { open: number; by_level: Partial<Record<Level, number>> };
  incidents: { open: number };
  duties: OverviewDuty[];
  tasks: { open: number; late: number };
  notices: { told: number; reached: number; acknowledged: number; failed: number };
  sources: Source[];
  organisation: string | { name: string };
  now: Time;
}

// What POST /v1/rules/reload answers.
export interface RulesLoaded { rules: number; correlations: number; refused: number; sha256: string }

export interface Rule {
  id: string;
  title: string;
  level: Level;
  kind: string;
  pack: string;
  matches: number | null;
}

export interface Silence {
  id: string;
  rule: string | null;
  actor: string | null;
  dataset: string | null;
  until: Time;
  reason: string;
  by?: string | null;
  created?: Time | null;
}

export interface Ledger {
  size: number;
  root: string;
  origin: string;
  checkpoint: string | null;
  vkey: string;
  healthy: boolean;
  trouble?: string | null;
}

export interface LedgerEntry {
  index: number;
  kind: string;
  time: Time;
  by: string | null;
  fields?: [string, string][] | Record<string, string>;
}

export interface ExposedRow {
  accesses?: AccessList;
  at_least?: number;
  at_most?: number;
  subject?: string;
  pseudonym?: string;
  actor?: string | null;
  grade: Grade;
  dataset: string | null;
  fields: string[];
  first: Time | null;
  last: Time | null;
}
