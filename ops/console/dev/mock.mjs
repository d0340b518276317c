// A stand-in for the server while the console and the portal are being worked on: invented data in every state,
// kept in memory, lost at the end. It speaks the public API as far as the pages need it. It is for development
// only: no product test uses it, and nothing in it is true.
//
//   npm run dev            then open the address that it prints
//   TOCSIN_MAIL_DIR=DIR    also writes the notices that it "sends" into a Maildir
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const console_ = join(here, "../dist");
const portal = join(here, "../../../notifier/portal/web/dist");
const port = Number(process.env.PORT ?? 8181);
const mailDir = process.env.TOCSIN_MAIL_DIR;
const seeded = process.env.TOCSIN_MOCK_EMPTY !== "1"; // "1": as after a fresh start, for walking the whole story
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// ------------------------------------------------------------------- invented data
const start = Date.now();
const at = (minutes) => new Date(start + minutes * 60_000).toISOString().replace(/\.\d+Z/, "Z");
const now = () => new Date().toISOString().replace(/\.\d+Z/, "Z");
const hex = (text, n = 32) => createHash("sha256").update(text).digest("hex").slice(0, n);
const first = ["Anna", "Bruno", "Chiara", "Dilan", "Emil", "Fatima", "Greta", "Hugo", "Ilse", "Jonas", "Klara", "Luca"];
const last = ["Berger", "Costa", "Dvorak", "Engel", "Fischer", "Gruber", "Haas", "Ilic", "Jansen", "Keller"];
const people = Array.from({ length: 412 }, (_, i) => ({
  pseudonym: hex(`person ${i}`), id: String(100_000 + i * 7), name: `${first[i % 12]} ${last[(i * 7) % 10]}`, email: i % 23 === 4 ? null : `p${i}@patients.example`,
}));

const users = new Map();
const addUser = (login, name, roles, password) => users.set(login, { login, name, roles, password, disabled: false, claimed: password !== null, last_login: null });
if (seeded) {
  addUser("ada", "Ada Lindqvist", ["admin", "analyst", "manager"], "mock password one");
  addUser("bo", "Bo Okafor", ["approver", "manager"], "mock password two");
  addUser("cem", "Cem Yılmaz", ["analyst"], null);
}
const claims = new Map(); // token → login, or "" where the user chooses it
claims.set("first-login-token", seeded ? "cem" : "");
const sessions = new Map();
const tokens = seeded ? [{ id: "t1", name: "vector-web-1", role: "shipper", created: at(-20_000), last_used: at(-1) }] : [];

const evidence = (file, from, n, text) => Array.from({ length: n }, (_, i) => ({ source: "postgresql", file: `/var/log/postgresql/${file}`, line: from + i * 3, time: at(-95 + i), text: text(i) }));
const mkAlert = (id, o) => ({
  id: hex(id), rule: "tocsin.export.copy", kind: "export", level: "high", state: "new", actor: "mallory", dataset: "patient", first: at(-96), last: at(-90), findings: [], evidence_count: 4,
  exposure: null, assignee: null, incident: null, reason: null, history: [], ...o,
});
const alerts = [
  mkAlert("export", {
    title: "Bulk export of patient by mallory", level: "critical", evidence_count: 57, exposure: { grade: "bound", at_least: 0, at_most: 412 },
    findings: [
      { id: hex("f1"), rule: "tocsin.export.copy", title: "Whole table copied out", level: "critical", time: at(-96), last: at(-96), reason: "COPY wrote the whole table patient to the client. The log counts 0 rows for COPY … TO, so the number of rows says nothing: everybody in the dataset counts as reached.", evidence_count: 1, evidence: evidence("postgresql-2026-11-23.csv", 40_211, 1, () => "AUDIT: SESSION,14,1,READ,COPY,TABLE,public.patient,\"COPY patient TO STDOUT WITH (FORMAT csv)\",<none>,0") },
      { id: hex("f2"), rule: "tocsin.export.cursor", title: "Read through a cursor to the end", level: "high", time: at(-94), last: at(-90), reason: "A cursor over patient was fetched 52 times in four minutes until nothing was left. Such reads are not usual for this account: in 30 days it never read more than 12 people an hour.", evidence_count: 56, evidence: evidence("postgresql-2026-11-23.csv", 40_260, 6, (i) => `AUDIT: SESSION,${20 + i},1,READ,FETCH,,,FETCH FORWARD 500 FROM c1,<none>,0`) },
    ],
    history: [{ time: at(-89), by: "", field: "state", from: null, to: "new", reason: "raised by the rules" }],
  }),
  mkAlert("secret", {
    title: "Plaintext password in the application log", rule: "tocsin.secret.password", kind: "secret", level: "high", actor: null, dataset: null, first: at(-41), last: at(-41), evidence_count: 1,
    findings: [{ id: hex("f3"), rule: "tocsin.secret.password", title: "Plaintext password", level: "high", time: at(-41), last: at(-41), reason: "A line of the application log holds a password in clear text. Whoever can read the log can sign in as this user. Change the password, then fix the line of code that logs it.", evidence_count: 1, evidence: [{ source: "app", file: "/var/log/praxis/app.log", line: 8812, time: at(-41), text: "level=debug msg=\"login attempt\" user=reception password=[redacted:password] ip=10.2.0.17 <script>alert(1)</script>" }] }],
  }),
  mkAlert("night", {
    title: "Unusual reading at night by svc_report", rule: "c0ffee00-0000-4000-8000-000000000007", kind: "rule", level: "medium", actor: "svc_report", dataset: "invoice", first: at(-600), last: at(-540), evidence_count: 31, exposure: { grade: "exact", at_least: 31, at_most: 31 },
    findings: [{ id: hex("f4"), rule: "c0ffee00-0000-4000-8000-000000000007", title: "Reading outside working hours", level: "medium", time: at(-600), last: at(-540), reason: "The account svc_report read invoices between 02:00 and 03:00, when it is normally quiet.", evidence_count: 31, evidence: evidence("postgresql-2026-11-23.csv", 120, 5, (i) => `AUDIT: SESSION,${i},1,READ,SELECT,TABLE,public.invoice,SELECT * FROM invoice WHERE patient_id = ${100_000 + i * 7},<none>,1`) }],
  }),
  mkAlert("fail", {
    title: "Many failed logins, then a success, for billing", rule: "c0ffee00-0000-4000-8000-000000000003", kind: "rule", level: "low", state: "acknowledged", assignee: "ada", actor: "billing", dataset: null, first: at(-1500), last: at(-1480), evidence_count: 9,
    findings: [{ id: hex("f5"), rule: "c0ffee00-0000-4000-8000-000000000003", title: "Failed logins followed by a success", level: "low", time: at(-1500), last: at(-1480), reason: "Eight failed logins within two minutes, then one that worked, all from the same address.", evidence_count: 9, evidence: [] }],
  }),
];
if (seeded) alerts.push(mkAlert("old", { title: "Large read of appointment by backup", level: "medium", state: "false_positive", actor: "backup", dataset: "appointment", reason: "The nightly backup; announced by operations.", first: at(-9000), last: at(-9000), exposure: { grade: "unknown", at_least: null, at_most: null } }));

const incidents = [];
const tasks = [];
const notices = [];
const silences = seeded ? [{ id: "s1", rule: null, actor: "backup", dataset: "appointment", until: at(8000), reason: "The nightly backup reads everything.", by: "ada" }] : [];
const ledger = [];
const record = (kind, by, fields = {}) => ledger.push({ index: ledger.length, kind, time: now(), by, fields: Object.entries(fields) });
record("started", "", { version: "0.1.0" });
const deliveries = []; // {notice, person, code, state, …}

const sources = [
  { name: "postgresql", kind: "file", path: "/var/log/postgresql/*.csv", format: "pgaudit-csv", state: "following", error: null, accepted: 48_213, decoded: 48_211, rejected: 2, duplicates: 0, last_event: at(-1), last_arrival: at(-1), lag_seconds: 2 },
  { name: "app", kind: "file", path: "/var/log/praxis/app.log", format: "json", state: "following", error: null, accepted: 9120, decoded: 9120, rejected: 0, duplicates: 12, last_event: at(0), last_arrival: at(0), lag_seconds: 1 },
  ...(seeded ? [{ name: "web", kind: "file", path: "/var/log/nginx/access.log", format: "combined", state: "failed", error: "/var/log/nginx/access.log cannot be read: permission denied. Give the user tocsin the right to read it (group adm).", accepted: 0, decoded: 0, rejected: 0, duplicates: 0, last_event: null, last_arrival: null, lag_seconds: null }] : []),
];

const clients = new Set();
function tell(kind, id = "") {
  for (const client of clients) client.write(`event: ${kind}\ndata: ${JSON.stringify({ id })}\n\n`);
}
const history = (thing, by, field, from, to, reason = null) => thing.history.push({ time: now(), by, field, from, to, reason });

function mkDuties(aware) {
  const due = (hours) => (aware ? new Date(Date.parse(aware) + hours * 3_600_000).toISOString().replace(/\.\d+Z/, "Z") : null);
  const duty = (id, o) => ({ id, law: "GDPR", soft: null, state: "running", why: null, unknown_facts: [], content: [], done_at: null, done_by: null, reference: null, confidence: "H", ...o });
  return [
    duty("eu.gdpr.33", { title: "Tell the supervisory authority", citation: "GDPR Art. 33(1)", towards: "authority", due: due(72), soft: "without undue delay and, where feasible, not later than 72 hours", why: "A breach of personal data, and a risk to the people is not unlikely.", content: ["nature of the breach, categories and approximate numbers of people and records", "name and contact of the data protection officer", "likely consequences", "measures taken or proposed"] }),
    duty("eu.gdpr.34", { title: "Tell the people affected", citation: "GDPR Art. 34(1)", towards: "individuals", due: null, soft: "without undue delay", why: "Health data of many people is in the hands of someone unknown: the risk is high.", unknown_facts: ["data_unintelligible"], content: ["what happened, in clear and plain language", "contact", "likely consequences", "measures, and what people can do"] }),
    duty("eu.gdpr.33.5", { title: "Record the breach", citation: "GDPR Art. 33(5)", towards: "record", due: null, state: "done", done_at: aware ?? now(), done_by: "tocsin", reference: "ledger", why: "Every breach is recorded; the ledger does it." }),
    duty("eu.nis2.23", { law: "NIS2", title: "Early warning", citation: "NIS2 Art. 23(4)(a)", towards: "authority", due: due(24), state: "unknown", why: "Asked of essential and important entities.", unknown_facts: ["essential_or_important_entity"], confidence: "M" }),
    duty("us.hipaa", { law: "HIPAA", title: "Tell HHS", citation: "45 CFR 164.408", towards: "authority", due: null, state: "not_applicable", why: "The organisation is not a covered entity under US law." }),
  ];
}

function mkIncident(alert, { by, reason, confirm, title, aware }) {
  const id = hex(`incident ${incidents.length} ${start}`);
  const since = confirm ? aware ?? now() : null;
  const incident = {
    id, number: `INC-2026-${String(incidents.length + 1).padStart(4, "0")}`, title: title ?? alert.title, state: confirm ? "confirmed" : "suspected", severity: "high",
    severity_reason: "Health data (context 3), name and birth date identify (1.0), known bad intent (+0.5): 3.5, high.", opened: since ?? now(), aware_at: since, closed: null,
    summary: "An account of the practice’s database copied the table of patients to a computer outside.", facts: { personal_data: "yes", data: ["name", "birth_date", "health"], people: { at_least: 0, at_most: 412 }, bad_intent: "yes", risk_unlikely: "no", story: { what: "An account of the practice’s database copied the table of patients to a computer outside.", measures: "" } },
    alertIds: [alert.id], history: [], duties: mkDuties(since), exposure: alert.exposure,
  };
  history(incident, by, "state", null, incident.state, reason);
  incidents.push(incident);
  alert.incident = id;
  const old = alert.state;
  alert.state = "incident";
  history(alert, by, "state", old, "incident", reason);
  const task = (title_, detail, owner, hours) => tasks.push({ id: hex(`task ${tasks.length} ${id}`), incident: id, number: incident.number, title: title_, detail, owner, due: new Date(Date.parse(since ?? now()) + hours * 3_600_000).toISOString(), state: "open", proof: null, done_at: null, done_by: null });
  task("Block the account and end its sessions", "Revoke the role’s login right and terminate open connections.", by, 1);
  task("Keep the evidence", "Export the log lines and keep them apart from the server.", by, 4);
  task("Close the way the data left", "Take COPY and bulk reading from accounts that do not need it.", null, 24);
  task("Report to the supervisory authority", "Use the report of this incident; send more later if not all is known yet.", "bo", 60);
  record("incident.opened", by, { incident: incident.number, confirmed: String(confirm) });
  return incident;
}

const taskOut = (task) => ({ ...task, late: (task.state === "open" || task.state === "doing") && Date.parse(task.due) < Date.now() });
const alertOut = ({ history: _h, findings, ...alert }) => ({ ...alert, findings: findings.length, incident_number: incidents.find(({ id }) => id === alert.incident)?.number ?? null });
const progressOf = (notice) => {
  const mine = deliveries.filter((d) => d.notice === notice.id);
  const n = (state) => mine.filter((d) => d.state === state).length;
  return { queued: n("queued"), sent: n("sent"), failed: n("failed"), unknown: n("unknown"), acknowledged: mine.filter((d) => d.acknowledged_at).length };
};
const lint = ({ subject, body }) => [
  ...(subject.length < 12 ? [{ level: "error", code: "subject-short", message: "The subject is too short to say what this is about." }] : []),
  ...(/\b(might|may) be affected\b/i.test(body) ? [{ level: "warning", code: "hedge", message: "“May be affected”: say plainly what is known. 7 of 10 notices hedge, and people read on as if nothing had happened." }] : []),
  ...(!/\{\{\s*code\s*\}\}/.test(body) ? [{ level: "error", code: "no-code", message: "The text has no {{code}}: people could not check that it is genuine." }] : []),
  ...(body.split(/\s+/).length > 260 ? [{ level: "info", code: "long", message: "More than 250 words. Shorter texts are read." }] : []),
  { level: "info", code: "reading-level", message: "Reading level: about eighth grade. Good." },
];
const noticeOut = (notice) => {
  const withContact = people.filter(({ email }) => email).length;
  return { ...notice, hash: hex(`${notice.language} ${notice.subject} ${notice.body}`, 64), lint: lint(notice), recipients: { total: people.length, with_contact: withContact, without_contact: people.length - withContact, set_hash: hex("set", 64) }, progress: progressOf(notice) };
};
const kBody = `Dear {{name}},

on 23 November 2026 someone who had no right to do so copied data from our practice's patient register. Your data was among it.

Which of your data: {{fields}}.

What you can do now:
1. Be careful with calls or letters that mention your treatment. We never ask for passwords or money.
2. Ask your health insurer to add a password to your file.
3. Write to us if anything seems strange.

Is this notice genuine? Go to our home page, open "Notices", and type this code: {{code}}
Or open {{link}}

Questions: privacy@praxis-sonnblick.example, +43 1 555 0100.

Praxis Sonnblick`;
const kBodyDe = kBody.replace("Dear {{name}},", "Guten Tag {{name}},");
const render = (notice, person, code) => (text) => text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, key) => ({ name: person.name, fields: "name, date of birth, diagnoses", code, link: `http://127.0.0.1:${port}/n#${code}` })[key] ?? "");
const kAlphabet = "ABCDEFGHJKMNPQRSTVWXYZ23456789";
const newCode = () => [...randomBytes(12)].map((b) => kAlphabet[b % kAlphabet.length]).join("").replace(/(.{4})(?=.)/g, "$1-");
async function send(notice) {
  for (const person of people.filter(({ email }) => email)) deliveries.push({ notice: notice.id, pseudonym: person.pseudonym, person, code: newCode(), state: "queued", attempts: 0, sent_at: null, acknowledged_at: null, error: null });
  if (mailDir) for (const sub of ["new", "cur", "tmp"]) mkdirSync(join(mailDir, sub), { recursive: true });
  for (const [index, delivery] of deliveries.filter((d) => d.notice === notice.id).entries()) {
    if (index % 20 === 19) {
      await pause(120);
      tell("notice", notice.id);
    }
    delivery.attempts = 1;
    if (index === 77) Object.assign(delivery, { state: "failed", error: "550 5.1.1 no such mailbox" });
    else Object.assign(delivery, { state: "sent", sent_at: now() });
    const fill = render(notice, delivery.person, delivery.code);
    if (mailDir && delivery.state === "sent") writeFileSync(join(mailDir, "new", `${index}.${hex(delivery.code)}.mock`), `To: ${delivery.person.email}\r\nSubject: ${fill(notice.subject)}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${fill(notice.body)}\r\n`);
  }
  notice.state = "sent";
  history(notice, "tocsin", "state", "sending", "sent");
  tell("notice", notice.id);
  tell("overview");
}

if (seeded) {
  const old = mkAlert("lost", { title: "Lost laptop of the outpatient clinic", kind: "rule", level: "high", actor: null, dataset: "patient", exposure: { grade: "derived", at_least: 38, at_most: 41 }, state: "incident" });
  alerts.push(old);
  const incident = mkIncident(old, { by: "ada", reason: "Reported by the clinic; the disk was not encrypted.", confirm: true, aware: at(-60 * 69.2) });
  incident.duties[0].state = "running";
  incident.duties[3].state = "late";
  incident.facts = { personal_data: "yes", data: ["name", "email", "appointment"], people: { at_least: 38, at_most: 41 }, data_unintelligible: "no", story: { what: "A laptop with the patients’ calendar was left on a train.", cause: "The disk was not encrypted.", measures: "The laptop was locked from afar; all laptops are encrypted now." } };
  tasks[0].state = "done"; tasks[0].proof = "ticket OPS-118"; tasks[0].done_at = at(-4000); tasks[0].done_by = "ada";
  tasks[1].state = "doing";
  const notice = { id: hex("notice1"), incident: incident.id, version: 2, language: "en", subject: "Your patient data was copied by someone who had no right to it", body: kBody, state: "submitted", author: "cem", submitted_at: at(-30), approver: null, approved_at: null, history: [] };
  history(notice, "cem", "state", "draft", "submitted");
  notices.push(notice);
  const draft = { ...notice, id: hex("notice2"), version: 1, state: "draft", author: "ada", submitted_at: null, subject: "Important", body: kBody.replace("Your data was among it.", "Your data may be affected."), history: [] };
  notices.push(draft);
  const sent = { ...notice, id: hex("notice3"), version: 1, language: "de", body: kBodyDe, subject: "Ihre Patientendaten wurden unbefugt kopiert", state: "sending", approver: "bo", approved_at: at(-20), history: [] };
  notices.push(sent);
  void send(sent).then(() => deliveries.forEach((d, i) => {
    if (i % 3 === 0 && d.state === "sent") d.acknowledged_at = at(-3);
  }));
}

// ------------------------------------------------------------------- the API
class Refusal extends Error {
  constructor(status, title, detail = "", remedy = "") {
    super(title);
    Object.assign(this, { status, title, detail, remedy });
  }
}
const must = (thing, what) => thing ?? (() => { throw new Refusal(404, `There is no such ${what}`); })();
const find = (list, id, what) => must(list.find((thing) => thing.id === id), what);
function needReason(body) {
  if (!body.reason?.trim()) throw new Refusal(422, "A reason is needed", "The field “reason” is empty.", "Give a reason.");
}
function signIn(response, user) {
  const token = randomBytes(16).toString("hex");
  const session = { user: { login: user.login, name: user.name, roles: user.roles }, csrf: randomBytes(8).toString("hex") };
  sessions.set(token, session);
  response.setHeader("Set-Cookie", `tocsin_session=${token}; HttpOnly; SameSite=Strict; Path=/`);
  return session;
}
const access = (i, more = {}) => ({ first: at(-96 + i), last: at(-96 + i), actor: "mallory", dataset: "patient", grade: "bound", certain: false, whole: true, fields: ["name", "diagnosis"], way: i % 2 ? "cursor" : "copy", reason: "COPY of the whole table", at_least: 0, at_most: 412, event: i > 3 ? null : { source: "clinic-db", file: "/var/log/postgresql/postgresql-2026-11-23.csv", line: 40_260 + i, number: 90_000 + i }, ...more });
const accessesOf = (n) => ({ total: n, certain: 0, items: Array.from({ length: Math.min(n, 5) }, (_, i) => access(i)) });
const frozenOf = { sets: [{ set: 1, time: at(-60), by: "bela", notice: "1", people: 409, hash: hex("frozen", 64), grade: "bound", at_least: 0, at_most: 409 }], people: 409, added: 3, events_total: 2, events: [access(0, { people: 3 }), access(1, { people: 1 })] };
function peopleOf(exposure, dataset, query) {
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const mine = exposure ? people.slice(0, exposure.at_most ?? 0) : [];
  return {
    ...(exposure ?? { grade: "unknown", at_least: null, at_most: null }), dataset, total: mine.length, reasons: exposure ? ["COPY of the whole table: everybody in the dataset could be read.", "The statement has no condition on the person’s key."] : [],
    by_country: exposure ? [{ country: "AT", count: Math.round(mine.length * 0.9) }, { country: "DE", count: mine.length - Math.round(mine.length * 0.9) }] : [],
    items: mine.slice(offset, offset + limit).map(({ pseudonym }, i) => ({ pseudonym, grade: exposure.grade, fields: ["name", "birth_date", "diagnosis"], first: at(-96 + i / 10), last: at(-90), in_register: (offset + i) % 31 !== 5, accesses: accessesOf(1 + (i % 7)) })),
  };
}
const questions = [["personal_data", "Does it concern personal data?"], ["risk_unlikely", "Is a risk to the people unlikely?"], ["bad_intent", "Did someone act with bad intent?"], ["data_unintelligible", "Was the data encrypted, and is the key safe?"], ["essential_or_important_entity", "Is the organisation an essential or important entity under NIS2?"]];
const incidentOut = ({ alertIds, exposure, ...incident }) => ({
  ...incident, questions: questions.map(([fact, ask]) => ({ fact, ask, help: null, answer: incident.facts[fact] ?? "unknown" })), alerts: alertIds.map((id) => alertOut(find(alerts, id, "alert"))), people: exposure ? { ...exposure, total: exposure.at_most } : null,
  tasks: tasks.filter((task) => task.incident === incident.id).map(taskOut), notices: notices.filter((notice) => notice.incident === incident.id).map(noticeOut).map(({ body: _b, lint: _l, history: _h, ...row }) => row),
});

const routes = [];
const on = (method, path, handler, open = false) => routes.push({ method, pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`), handler, open });

on("POST", "/v1/session", ({ body, response }) => {
  const user = users.get(body.login);
  if (!user || user.password !== body.password || user.disabled) throw new Refusal(401, "Login name or password is wrong", "", "Check both; capital letters count. After several tries you have to wait.");
  return signIn(response, user);
}, true);
on("POST", "/v1/session/claim", ({ body, response }) => {
  if (!claims.has(body.token)) throw new Refusal(404, "This link does not work any more", "It was used already, or it is too old.", "Ask an administrator for a new one.");
  const login = claims.get(body.token) || body.login;
  if (!login) throw new Refusal(422, "Choose a login name", "", "Enter one.");
  if (!users.has(login)) addUser(login, body.name, ["admin", "analyst", "manager"], null);
  const user = users.get(login);
  Object.assign(user, { name: body.name, password: body.password, claimed: true });
  claims.delete(body.token);
  return signIn(response, user);
}, true);
on("GET", "/v1/session", ({ session }) => session);
on("DELETE", "/v1/session", ({ token }) => void sessions.delete(token));
on("GET", "/v1/users", () => ({ items: [...users.values()].map(({ password: _p, ...user }) => user) }));
on("POST", "/v1/users", ({ body }) => {
  if (users.has(body.login)) throw new Refusal(409, "This login name is taken", "", "Choose another.");
  addUser(body.login, body.name, body.roles, null);
  const token = randomBytes(12).toString("hex");
  claims.set(token, body.login);
  return { claim_url: `http://127.0.0.1:${port}/#/claim/${token}` };
});
on("PATCH", "/v1/users/{login}", ({ params, body }) => Object.assign(must(users.get(params.login), "user"), body));
on("POST", "/v1/users/{login}/reset", ({ params }) => {
  const token = randomBytes(12).toString("hex");
  claims.set(token, params.login);
  return { claim_url: `http://127.0.0.1:${port}/#/claim/${token}` };
});
on("GET", "/v1/tokens", () => ({ items: tokens }));
on("POST", "/v1/tokens", ({ body }) => {
  tokens.push({ id: hex(body.name, 8), name: body.name, role: "shipper", created: now(), last_used: null });
  return { token: `toc_${randomBytes(20).toString("base64url")}` };
});
on("DELETE", "/v1/tokens/{id}", ({ params }) => void tokens.splice(tokens.findIndex(({ id }) => id === params.id), 1));
on("GET", "/v1/overview", () => {
  const open = alerts.filter(({ state }) => state === "new" || state === "acknowledged");
  const levels = {};
  for (const { level } of open) levels[level] = (levels[level] ?? 0) + 1;
  const told = deliveries.filter(({ state }) => state === "sent").length;
  return {
    alerts: { open: open.length, by_level: levels }, incidents: { open: incidents.filter(({ state }) => state !== "closed").length },
    duties: incidents.flatMap((incident) => incident.duties.filter(({ state }) => state === "running" || state === "late").map(({ title, law, due, state }) => ({ incident: incident.id, number: incident.number, title, law, due, state, aware_at: incident.aware_at }))).sort((a, b) => (a.due ?? "9").localeCompare(b.due ?? "9")),
    tasks: { open: tasks.filter(({ state }) => state === "open" || state === "doing").length, late: tasks.map(taskOut).filter(({ late }) => late).length },
    notices: { told, reached: Math.round(told * 0.97), acknowledged: deliveries.filter((d) => d.acknowledged_at).length, failed: deliveries.filter(({ state }) => state === "failed").length }, sources, organisation: "Praxis Sonnblick", now: now(),
  };
});
on("GET", "/v1/sources", () => ({ items: sources }));
on("GET", "/v1/sources/{name}/rejects", ({ params }) => ({ items: params.name === "postgresql" ? [{ file: "/var/log/postgresql/postgresql-2026-11-23.csv", line: 3310, error: "csvlog: 19 columns where 23 or more are expected", preview: "2026-11-23 08:14:02.113 UTC,\"web\",\"praxis\",4411,\"10.2.0.9:51", time: at(-400) }, { file: "/var/log/postgresql/postgresql-2026-11-23.csv", line: 9, error: "not valid UTF-8 at byte 42", preview: "2026-11-23 08:14:02.113 UTC,\"\\xff\\xfe", time: at(-700) }] : [] }));
on("GET", "/v1/alerts", ({ query }) => {
  const order = ["critical", "high", "medium", "low", "informational"];
  const q = (query.get("q") ?? "").toLowerCase();
  return { items: alerts.filter((a) => (!query.get("state") || a.state === query.get("state") || (query.get("state") === "open" && (a.state === "new" || a.state === "acknowledged"))) && (!query.get("level") || a.level === query.get("level")) && `${a.title} ${a.actor} ${a.dataset} ${a.rule}`.toLowerCase().includes(q)).sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level)).map(alertOut), next: null };
});
on("GET", "/v1/alerts/{id}", ({ params }) => {
  const alert = find(alerts, params.id, "alert");
  return { ...alertOut(alert), findings: alert.findings, history: alert.history };
});
on("GET", "/v1/alerts/{id}/people", ({ params, query }) => {
  const alert = find(alerts, params.id, "alert");
  return peopleOf(alert.exposure, alert.dataset, query);
});
on("POST", "/v1/people/reveal", ({ body, session }) => {
  needReason(body);
  record("people.revealed", session.user.login, { count: String(body.pseudonyms.length), reason: body.reason });
  return { items: people.filter(({ pseudonym }) => body.pseudonyms.includes(pseudonym)).map(({ pseudonym, id, name }) => ({ pseudonym, dataset: "patient", id, name })) };
});
on("POST", "/v1/alerts/{id}/triage", ({ params, body, session }) => {
  const alert = find(alerts, params.id, "alert");
  if (body.state === "false_positive") needReason(body);
  history(alert, session.user.login, "state", alert.state, body.state, body.reason || null);
  Object.assign(alert, { state: body.state, reason: body.reason || null });
  record("alert.triaged", session.user.login, { alert: alert.id, state: body.state });
  tell("alert", alert.id);
  return alertOut(alert);
});
on("POST", "/v1/alerts/{id}/assign", ({ params, body, session }) => {
  const alert = find(alerts, params.id, "alert");
  history(alert, session.user.login, "assignee", alert.assignee, body.assignee);
  alert.assignee = body.assignee || null;
  tell("alert", alert.id);
  return alertOut(alert);
});
on("POST", "/v1/alerts/{id}/incident", ({ params, body, session }) => {
  needReason(body);
  const alert = find(alerts, params.id, "alert");
  let incident;
  if (body.incident) {
    incident = find(incidents, body.incident, "incident");
    incident.alertIds.push(alert.id);
    history(alert, session.user.login, "state", alert.state, "incident", body.reason);
    Object.assign(alert, { state: "incident", incident: incident.id });
  } else incident = mkIncident(alert, { by: session.user.login, reason: body.reason, confirm: body.confirm });
  for (const kind of ["alert", "incident", "task"]) tell(kind, incident.id);
  return { incident: incident.id };
});
on("GET", "/v1/silences", () => ({ items: silences }));
on("POST", "/v1/silences", ({ body, session }) => {
  needReason(body);
  silences.push({ id: hex(JSON.stringify(body), 8), rule: null, actor: null, dataset: null, ...body, by: session.user.login });
  return silences.at(-1);
});
on("DELETE", "/v1/silences/{id}", ({ params }) => void silences.splice(silences.findIndex(({ id }) => id === params.id), 1));
on("GET", "/v1/incidents", () => ({ items: incidents.map(incidentOut).reverse(), next: null }));
on("GET", "/v1/incidents/{id}", ({ params }) => incidentOut(find(incidents, params.id, "incident")));
on("GET", "/v1/incidents/{id}/people", ({ params, query }) => ({ ...peopleOf(find(incidents, params.id, "incident").exposure, "patient", query), kinds: ["name", "health"], frozen: frozenOf }));
on("POST", "/v1/incidents/{id}/frozen", ({ body }) => {
  needReason(body);
  frozenOf.sets.push({ ...frozenOf.sets[0], set: 2, people: frozenOf.added, notice: null, hash: hex("second", 64) });
  return Object.assign(frozenOf, { people: 412, added: 0, events_total: 0, events: [] });
});
on("GET", "/v1/incidents/{id}/report", ({ params }) => incidentOut(find(incidents, params.id, "incident")));
on("GET", "/v1/incidents/{id}/report.html", ({ params, response }) => {
  const incident = find(incidents, params.id, "incident");
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="en"><title>Report ${incident.number}</title><main><h1>${incident.number}: report</h1><p>A stand-in; the server makes the real one.</p></main></html>`);
  return "answered";
});
on("PATCH", "/v1/incidents/{id}", ({ params, body, session }) => {
  needReason(body);
  const incident = find(incidents, params.id, "incident");
  for (const key of ["title", "summary"]) if (body[key] !== undefined) {
    history(incident, session.user.login, key, incident[key], body[key], body.reason);
    incident[key] = body[key];
  }
  Object.assign(incident.facts.story, body.facts?.story ?? {});
  for (const [key, value] of Object.entries(body.facts ?? {}).filter(([name]) => name !== "story")) {
    history(incident, session.user.login, `fact ${key}`, String(incident.facts[key] ?? "unknown"), String(value), body.reason);
    incident.facts[key] = value;
  }
  tell("incident", incident.id);
  return incidentOut(incident);
});
on("POST", "/v1/incidents/{id}/state", ({ params, body, session }) => {
  needReason(body);
  const incident = find(incidents, params.id, "incident");
  history(incident, session.user.login, "state", incident.state, body.state, body.reason);
  incident.state = body.state;
  if (body.state === "confirmed" && !incident.aware_at) {
    incident.aware_at = now();
    incident.duties = mkDuties(incident.aware_at);
  }
  if (body.state === "closed") incident.closed = now();
  record("incident.state", session.user.login, { incident: incident.number, state: body.state });
  tell("incident", incident.id);
  return incidentOut(incident);
});
on("POST", "/v1/incidents/{id}/duties/{duty}", ({ params, body, session }) => {
  needReason(body);
  const incident = find(incidents, params.id, "incident");
  const duty = must(incident.duties.find(({ id }) => id === params.duty), "duty");
  history(incident, session.user.login, `duty ${duty.title}`, duty.state, body.state, body.reason);
  Object.assign(duty, { state: body.state, done_at: now(), done_by: session.user.login, reference: body.reference ?? null });
  tell("incident", incident.id);
  return duty;
});
on("GET", "/v1/tasks", ({ query, session }) => ({ items: tasks.map(taskOut).filter((task) => (query.get("mine") !== "true" || task.owner === session.user.login) && (query.get("late") !== "true" || task.late)), next: null }));
on("POST", "/v1/incidents/{id}/tasks", ({ params, body }) => {
  const incident = find(incidents, params.id, "incident");
  tasks.push({ id: hex(`task ${tasks.length} ${now()}`), incident: incident.id, number: incident.number, detail: null, owner: null, due: null, state: "open", proof: null, done_at: null, done_by: null, ...body });
  tell("task");
  return taskOut(tasks.at(-1));
});
on("PATCH", "/v1/tasks/{id}", ({ params, body, session }) => {
  const task = find(tasks, params.id, "task");
  const { reason, ...rest } = body;
  const incident = find(incidents, task.incident, "incident");
  for (const [key, value] of Object.entries(rest)) history(incident, session.user.login, `task ${key}`, String(task[key] ?? ""), String(value ?? ""), reason ?? null);
  Object.assign(task, rest);
  if (rest.state === "done") Object.assign(task, { done_at: now(), done_by: session.user.login });
  tell("task", task.id);
  return taskOut(task);
});
on("POST", "/v1/incidents/{id}/notices", ({ params, body, session }) => {
  const incident = find(incidents, params.id, "incident");
  const german = body.language === "de";
  const notice = { id: hex(`notice ${notices.length} ${now()}`), incident: incident.id, version: notices.filter((n) => n.incident === incident.id).length + 1, language: body.language, subject: german ? "Ihre Patientendaten wurden unbefugt kopiert" : "Your patient data was copied by someone who had no right to it", body: german ? kBodyDe : kBody, state: "draft", author: session.user.login, submitted_at: null, approver: null, approved_at: null, history: [] };
  notices.push(notice);
  tell("notice", notice.id);
  return noticeOut(notice);
});
on("GET", "/v1/notices", ({ query }) => ({ items: notices.filter((notice) => !query.get("incident") || notice.incident === query.get("incident")).map(noticeOut), next: null }));
on("GET", "/v1/notices/{id}", ({ params }) => noticeOut(find(notices, params.id, "notice")));
on("PUT", "/v1/notices/{id}", ({ params, body }) => noticeOut(Object.assign(find(notices, params.id, "notice"), { subject: body.subject, body: body.body, state: "draft" })));
const step = (from, to, also = () => {}) => ({ params, body, session }) => {
  const notice = find(notices, params.id, "notice");
  if (!from.includes(notice.state)) throw new Refusal(409, "This step does not fit the notice’s state", `It is “${notice.state}”.`, "Look at it again, then decide.");
  also(notice, body, session);
  history(notice, session.user.login, "state", notice.state, to, body.reason ?? null);
  notice.state = to;
  record(`notice.${to}`, session.user.login, { notice: notice.id, text: noticeOut(notice).hash });
  tell("notice", notice.id);
  if (to === "sending") void send(notice);
  return noticeOut(notice);
};
on("POST", "/v1/notices/{id}/submit", step(["draft", "rejected"], "submitted", (notice) => { notice.submitted_at = now(); }));
on("POST", "/v1/notices/{id}/approve", step(["submitted"], "approved", (notice, body, { user }) => {
  if (!user.roles.includes("approver")) throw new Refusal(403, "You may not approve notices", "This needs the role approver.", "Ask a colleague who has it.");
  if (notice.author === user.login) throw new Refusal(403, "The author may not approve", "", "Ask a colleague.");
  if (body.hash !== noticeOut(notice).hash) throw new Refusal(409, "The text has changed meanwhile", "", "Read it again.");
  Object.assign(notice, { approver: user.login, approved_at: now() });
}));
on("POST", "/v1/notices/{id}/reject", step(["submitted"], "rejected"));
on("POST", "/v1/notices/{id}/send", step(["approved"], "sending"));
on("GET", "/v1/notices/{id}/preview", ({ params }) => {
  const notice = find(notices, params.id, "notice");
  const fill = render(notice, people[0], "ABCD-EFGH-JKMN");
  return { subject: fill(notice.subject), text: fill(notice.body), html: "" };
});
on("GET", "/v1/notices/{id}/deliveries", ({ params }) => ({ items: deliveries.filter((d) => d.notice === params.id).slice(0, 100).map(({ person: _p, code: _c, ...d }) => d), next: null }));
on("GET", "/v1/rules", () => ({ items: alerts.map(({ rule, title, level, kind }, i) => ({ id: rule, title: title.replace(/ by .*/, ""), level, kind, pack: kind === "secret" ? "secrets" : "data-access", matches: i * 3 })) }));
on("GET", "/v1/exposed", ({ query }) => ({ grade: "bound", at_least: 0, at_most: people.length, total: people.length, reasons: [], items: people.slice(Number(query.get("offset") ?? 0)).slice(0, Number(query.get("limit") ?? 50)).map(({ pseudonym }) => ({ pseudonym, grade: "bound", dataset: "patient", fields: ["name", "diagnosis"], first: at(-96), last: at(-90), accesses: accessesOf(3) })), by_country: [{ country: "AT", count: 390 }, { country: "", count: 22 }] }));
on("POST", "/v1/who-saw", ({ body }) => {
  needReason(body);
  return { items: [{ actor: "mallory", grade: "bound", dataset: "patient", fields: ["name", "diagnosis"], first: at(-96), last: at(-90), at_least: 0, at_most: 2, accesses: accessesOf(2) }, { actor: "reception", grade: "exact", dataset: "patient", fields: ["name"], first: at(-9000), last: at(-2000), at_least: 9, at_most: 9, accesses: accessesOf(9) }], total: 2, people: [{ pseudonym: people[0].pseudonym, dataset: "patient" }] };
});
on("GET", "/v1/ledger", () => ({ size: ledger.length, root: createHash("sha256").update(String(ledger.length)).digest("base64"), origin: "praxis-sonnblick.example/tocsin", checkpoint: `praxis-sonnblick.example/tocsin\n${ledger.length}\n${createHash("sha256").update(String(ledger.length)).digest("base64")}\n\n— praxis-sonnblick.example/tocsin ${randomBytes(68).toString("base64")}\n`, vkey: "praxis-sonnblick.example/tocsin+1f3a9c20+AWt0b2NzaW4gaXMgYSBiZWxsIHRoYXQgd2FybnMgYSB0b3du", healthy: true }));
on("GET", "/v1/ledger/entries", ({ query }) => ({ items: ledger.slice(Number(query.get("from")), Number(query.get("from")) + Number(query.get("limit") ?? 25)) }));
const delivered = (code) => deliveries.find((d) => d.state === "sent" && d.code.replace(/-/g, "") === String(code).toUpperCase().replace(/[^A-Z0-9]/g, "")) ?? (seeded && /^DEMO/i.test(String(code)) ? deliveries[0] : undefined);
on("POST", "/portal/v1/check", ({ body }) => {
  const delivery = must(delivered(body.code), "code");
  const notice = find(notices, delivery.notice, "notice");
  const fill = render(notice, delivery.person, delivery.code);
  const size = ledger.length + 5;
  return {
    organisation: { name: "Praxis Sonnblick", contact: "privacy@praxis-sonnblick.example, +43 1 555 0100" }, genuine: true, sent: delivery.sent_at, language: notice.language, subject: fill(notice.subject), text: fill(notice.body), what_happened: "On 23 November 2026 someone who had no right to do so copied data from our practice’s patient register. Your data was among it.",
    fields: ["name", "date of birth", "diagnoses"], actions: ["Be careful with calls or letters that mention your treatment. We never ask for passwords or money.", "Ask your health insurer to add a password to your file.", "Write to us if anything seems strange."], acknowledged_at: delivery.acknowledged_at,
    proof: { index: 4, size, root: createHash("sha256").update(String(size)).digest("base64"), url: "/ledger/checkpoint" },
  };
}, true);
on("POST", "/portal/v1/acknowledge", ({ body }) => {
  const delivery = must(delivered(body.code), "code");
  delivery.acknowledged_at ??= now();
  tell("notice", delivery.notice);
  tell("overview");
  return { acknowledged_at: delivery.acknowledged_at };
}, true);

// ------------------------------------------------------------------- plumbing
const kTypes = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };
const kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
function file(response, root, path) {
  const full = normalize(join(root, path));
  if (!full.startsWith(root) || !existsSync(full)) {
    response.writeHead(404).end("not found");
    return;
  }
  response.writeHead(200, { "Content-Type": kTypes[extname(full)] ?? "application/octet-stream", "Content-Security-Policy": kPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache" }).end(readFileSync(full));
}

createServer(async (request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const path = decodeURIComponent(url.pathname);
  if (path === "/") return file(response, console_, "index.html");
  if (path.startsWith("/assets/")) return file(response, console_, path);
  if (path === "/n" || path === "/n/") return file(response, portal, "index.html");
  if (path.startsWith("/portal/assets/")) return file(response, portal, path.slice("/portal".length));
  const token = /tocsin_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1];
  const session = sessions.get(token);
  const answer = (status, body) => response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json" }).end(body === undefined ? "" : JSON.stringify(body));
  if (path === "/v1/stream") {
    if (!session) return answer(401, { title: "Sign in first", status: 401 });
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": open\n\n");
    clients.add(response);
    request.on("close", () => clients.delete(response));
    return undefined;
  }
  try {
    let text = "";
    for await (const part of request) text += part;
    for (const { method, pattern, handler, open } of routes) {
      const match = method === request.method && pattern.exec(path);
      if (!match) continue;
      if (!open && !session) throw new Refusal(401, "Sign in first");
      if (!open && method !== "GET" && request.headers["x-csrf-token"] !== session.csrf) throw new Refusal(403, "This request did not come from the console");
      const result = handler({ params: match.groups ?? {}, query: url.searchParams, body: text ? JSON.parse(text) : {}, session, token, response });
      if (result === "answered") return undefined;
      return answer(result === undefined ? 204 : 200, result);
    }
    throw new Refusal(404, "There is no such page");
  } catch (error) {
    return answer(error.status ?? 500, { title: error.title ?? "Internal failure", detail: error.detail ?? String(error), remedy: error.remedy, status: error.status ?? 500 });
  }
}).listen(port, "127.0.0.1", () => {
  console.log(`console  http://127.0.0.1:${port}/   (${seeded ? "ada / mock password one, bo / mock password two" : `first login: http://127.0.0.1:${port}/#/claim/first-login-token`})`);
  console.log(`portal   http://127.0.0.1:${port}/n${seeded ? "#DEMO-DEMO-DEMO" : ""}`);
});
