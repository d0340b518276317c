// The story that the console and the portal exist for, walked through a real browser against a running tocsin that
// has just read the demo's logs and has no user yet:
//
//   first login by one-time link → a second person is invited → the two alerts → who was reached, and how sure →
//   a false positive → the incident → duties with clocks → facts → notice: written, submitted, approved by the other,
//   sent → the person's page → acknowledged → tasks → duties done → closed → report
//
// Environment:
//   TOCSIN_URL          where it listens, "http://127.0.0.1:8080"                         (required)
//   TOCSIN_CLAIM_URL    the one-time link that it printed, absolute or "/#/claim/…"       (required)
//   TOCSIN_MAIL_DIR     the Maildir of the mailbox channel, to read the notices           (required)
//   TOCSIN_SHOTS        a folder for the pictures that the README shows                   (none: no pictures)
//   TOCSIN_STORY_OUT    a file for what was seen, as JSON, for further checks             (none: not written)
//   TOCSIN_REPORT_DIR   a folder for the incident's report as JSON and HTML               (none: not kept)
//   TOCSIN_SEND_PATIENCE_MS, TOCSIN_BROWSER_TIMEOUT_MS, TOCSIN_CHROMIUM
//
// Prints one line per step; exit status 0 if all went well, 1 with the step that failed and a picture of it.
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as lib from "./lib.mjs";

const { id, until } = lib;
const need = (name) => process.env[name] ?? (console.error(`${name} is not set; see the head of story.mjs`), process.exit(2));
const base = need("TOCSIN_URL").replace(/\/$/, "");
const claimUrl = new URL(need("TOCSIN_CLAIM_URL"), `${base}/`).href;
const mailDir = need("TOCSIN_MAIL_DIR");
const shots = process.env.TOCSIN_SHOTS;
const reportDir = process.env.TOCSIN_REPORT_DIR;
const kSendPatience = Number(process.env.TOCSIN_SEND_PATIENCE_MS ?? 120_000);
const kExport = /export.*patient.*mallory/i;
const kSecret = /password/i;

const seen = { alerts: [], axe: [], wrongs: [] };
let current = "start";
let currentPage = null;
const started = Date.now();
async function step(name, page, what) {
  current = name;
  currentPage = page;
  const begin = Date.now();
  await what();
  console.log(`ok  ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
}
function hold(condition, message) {
  if (!condition) throw new Error(message);
}
// A page is looked at: accessible, not too wide; a picture if it is one for the README.
async function look(page, name, picture) {
  await lib.settled(page);
  for (const line of await lib.axe(page)) seen.axe.push(`${name}: ${line}`);
  const over = await lib.sideways(page);
  if (over > 0) seen.axe.push(`${name}: ${over} px too wide`);
  if (picture) {
    // Without the short messages at the corner.
    const toasts = (visibility) => page.evaluate((value) => document.querySelector(".toasts")?.style.setProperty("visibility", value), visibility);
    await toasts("hidden");
    await lib.shot(page, shots, picture);
    await toasts("visible");
  }
}
async function answerDialog(page, testid, reason) {
  const dialog = id(page, testid);
  await dialog.waitFor();
  if (reason) await dialog.locator("[data-testid=reason]").fill(reason);
  await dialog.locator("[data-testid=dialog-do]").click();
  await dialog.waitFor({ state: "detached" });
}
const api = (page, path) => page.evaluate((path) => fetch(path).then((response) => response.json()), path);

const browser = await lib.launch();
const ada = { login: "ada", name: "Ada Lindqvist", password: "seven green bells at noon" };
const bo = { login: "bo", name: "Bo Okafor", password: "four quiet eyes read twice" };
try {
  const page = await lib.open(browser, base);
  const second = await lib.open(browser, base);
  let incidentRoute = "";
  let noticeRoute = "";
  let alertCount = 0;

  await step("the first login by the one-time link", page, async () => {
    await page.goto(claimUrl);
    await id(page, "claim-form").waitFor();
    await look(page, "claim");
    await lib.claim(page, claimUrl, ada);
    await look(page, "overview-first");
  });

  await step("the link works only once", second, async () => {
    await second.goto(claimUrl);
    await id(second, "claim-name").fill("Eve");
    await id(second, "claim-login").fill("eve");
    await id(second, "claim-password").fill("anything long enough here");
    await id(second, "claim-again").fill("anything long enough here");
    await id(second, "claim-do").click();
    await id(second, "problem").waitFor();
  });

  await step("a second person is invited", page, async () => {
    await lib.visit(page, base, "/users");
    await id(page, "user-add").click();
    await id(page, "user-login").fill(bo.login);
    await id(page, "user-name").fill(bo.name);
    await id(page, "role-analyst").setChecked(false);
    await id(page, "role-approver").setChecked(true);
    await id(page, "role-manager").setChecked(true);
    await answerDialog(page, "user-dialog");
    const link = (await id(page, "secret").textContent()).trim();
    await id(page, "secret-close").click();
    await look(page, "users");
    await lib.claim(second, link, { ...bo, login: "" });
    await look(second, "overview-second");
  });

  await step("a wrong password says so kindly", second, async () => {
    const guest = await lib.open(browser, base);
    await guest.goto(`${base}/`);
    await id(guest, "login").fill("ada");
    await id(guest, "password").fill("not the password");
    await id(guest, "login-do").click();
    await id(guest, "problem").waitFor();
    await look(guest, "login");
    seen.wrongs.push(...guest.wrongs);
    await guest.context().close();
  });

  await step("the queue shows the export and the password, each once", page, async () => {
    await lib.visit(page, base, "/alerts");
    await until(async () => {
      seen.alerts = await page.locator("[data-testid=alert] .item-title").allTextContents();
      return seen.alerts.some((title) => kExport.test(title)) && seen.alerts.some((title) => kSecret.test(title));
    }, "both alerts are in the queue", 60_000);
    hold(seen.alerts.filter((title) => kExport.test(title)).length === 1, `the export is shown more than once: ${seen.alerts.join(" | ")}`);
    hold(seen.alerts.filter((title) => kSecret.test(title)).length === 1, `the password is shown more than once: ${seen.alerts.join(" | ")}`);
    alertCount = seen.alerts.length;
    await look(page, "alerts", "alerts");
  });

  await step("the queue is worked by keyboard", page, async () => {
    const titles = page.locator("[data-testid=alert]");
    const at = seen.alerts.findIndex((title) => kExport.test(title));
    for (let i = 0; i <= at; i++) await page.keyboard.press("j");
    const focused = await page.evaluate(() => document.activeElement?.querySelector(".item-title")?.textContent ?? "");
    hold(kExport.test(focused), `j moved to “${focused}”`);
    await page.keyboard.press("?");
    await id(page, "help-dialog").waitFor();
    await look(page, "help");
    await page.keyboard.press("Escape");
    await id(page, "help-dialog").waitFor({ state: "detached" });
    await titles.nth(at).focus();
    await page.keyboard.press("Enter");
    await id(page, "finding").first().waitFor();
  });

  await step("the alert says why it fired, with evidence", page, async () => {
    hold((await id(page, "why").first().textContent()).length > 20, "no reason is given");
    hold((await page.locator("[data-testid=evidence] li").count()) > 0, "no evidence line is shown");
    await look(page, "alert", "alert");
    await page.locator("[data-testid=acknowledge]").click();
    await until(async () => /being looked at/i.test(await id(page, "alert-state").first().textContent()), "it is acknowledged");
  });

  await step("who was reached, and how sure that is", page, async () => {
    await id(page, "show-people").click();
    await id(page, "people").waitFor();
    seen.people = (await id(page, "people-count").textContent()).trim();
    seen.grade = (await id(page, "grade").first().textContent()).trim();
    hold(/\d/.test(seen.people), `no number of people: ${seen.people}`);
    hold((await id(page, "grade-explained").textContent()).length > 40, "the grade is not explained");
    await look(page, "people", "people");
    await page.locator("[data-testid=person] input").first().check();
    await id(page, "reveal").click();
    await answerDialog(page, "reveal-dialog", "A colleague has to confirm that the list is right.");
    await until(async () => /id /.test(await id(page, "person").first().textContent()), "one name is revealed");
  });

  await step("the password in the log is hidden in the console", page, async () => {
    await lib.visit(page, base, "/alerts");
    await page.locator("[data-testid=alert]", { hasText: kSecret }).click();
    await id(page, "evidence").first().waitFor();
    await look(page, "alert-secret");
  });

  await step("another alert is a false positive, with a reason", page, async () => {
    await lib.visit(page, base, "/alerts");
    const others = seen.alerts.filter((title) => !kExport.test(title) && !kSecret.test(title));
    const title = others[0] ?? seen.alerts.find((one) => kSecret.test(one));
    await page.locator("[data-testid=alert]", { hasText: title }).first().click();
    await id(page, "false-positive").click();
    await id(page, "false-positive-dialog").waitFor();
    await look(page, "false-positive-dialog");
    await answerDialog(page, "false-positive-dialog", "Announced and expected: agreed with operations.");
    await until(async () => /false positive/i.test(await id(page, "alert-state").first().textContent()), "it is a false positive");
    await id(page, "tab-history").click();
    hold(/Announced and expected/.test(await id(page, "history").textContent()), "the reason is not in the history");
    seen.falsePositive = title;
  });

  await step("the export becomes a confirmed incident", page, async () => {
    await lib.visit(page, base, "/alerts");
    await page.locator("[data-testid=alert]", { hasText: kExport }).click();
    await id(page, "make-incident").click();
    await id(page, "incident-dialog").waitFor();
    await id(page, "confirm-yes").check();
    await look(page, "incident-dialog");
    await answerDialog(page, "incident-dialog", "The account copied the table of patients; operations did not ask for it.");
    await until(async () => /\/incidents\//.test(page.url()), "the incident’s page opens");
    incidentRoute = decodeURIComponent(page.url().split("#")[1].split("?")[0]);
    await id(page, "incident-state").waitFor();
    hold(/confirmed/i.test(await id(page, "incident-state").textContent()), "it is not confirmed");
  });
  const incidentId = incidentRoute.split("/").pop();
  const incidentNow = () => api(page, `/v1/incidents/${incidentId}`);

  await step("the facts are written down", page, async () => {
    await id(page, "edit-facts").click();
    await id(page, "edit-what").fill("An account of our database copied the table of patients to a computer outside.");
    await id(page, "edit-measures").fill("The account was blocked, its sessions were ended, and bulk copying was taken from all accounts.");
    // What the law asks, as far as the law rules ask it.
    for (const [fact, answer] of [["risk_unlikely", "no"], ["high_risk", "yes"], ["processor", "no"]]) {
      const question = id(page, `fact-${fact}`);
      if (await question.count()) await question.selectOption(answer);
    }
    await look(page, "edit-dialog");
    await answerDialog(page, "edit-dialog", "First account of what happened.");
    await until(async () => /bulk copying was taken/.test(await id(page, "facts").textContent()), "the facts are shown");
  });

  await step("its duties run, with clocks", page, async () => {
    await lib.visit(page, base, `${incidentRoute}?tab=duties`);
    const duties = (await incidentNow()).duties;
    const running = duties.filter(({ state }) => state === "running" || state === "late");
    const authority = running.find(({ citation, due }) => /Art(icle|\.)? ?33/.test(citation) && due);
    const people = duties.find(({ citation, state }) => /Art(icle|\.)? ?34/.test(citation) && state !== "not_applicable");
    hold(authority, `no running duty under Art. 33: ${duties.map((d) => `${d.citation} ${d.state}`).join(", ")}`);
    hold(people && people.state === "running", `no running duty under Art. 34: ${duties.map((d) => `${d.citation} ${d.state}`).join(", ")}`);
    const left = Date.parse(authority.due) - Date.now();
    hold(left > 0 && left <= 72 * 3_600_000, `the clock of Art. 33 is wrong: due ${authority.due}`);
    hold((await id(page, "clock").count()) > 0, "no clock is shown");
    await look(page, "duties", "duties");
    seen.duties = duties.map(({ law, citation, state, due }) => ({ law, citation, state, due }));
  });

  await step("the incident has its people, history and summary", page, async () => {
    await id(page, "tab-people").click();
    await id(page, "people").waitFor();
    await look(page, "incident-people");
    await id(page, "tab-history").click();
    await id(page, "history").waitFor();
    await look(page, "incident-history");
    await lib.visit(page, base, incidentRoute);
    await look(page, "incident", "incident");
  });

  await step("a notice is drafted from the facts and mended", page, async () => {
    await id(page, "tab-notices").click();
    await id(page, "draft-notice").click();
    await id(page, "notice-body").waitFor();
    noticeRoute = page.url().split("#")[1];
    const body = await id(page, "notice-body").inputValue();
    hold(body.length > 200, "the draft is nearly empty");
    // What the draft left to a person stands in [brackets].
    const mended = body.replace(/\[[^\]]*\]/g, "We blocked the account and took bulk copying from all accounts.");
    await id(page, "notice-body").fill(`${mended.trimEnd()}\n\nWe will write again if we learn more.\n`);
    await id(page, "notice-save").click();
    await until(async () => /We will write again/.test((await api(page, `/v1/notices/${noticeRoute.split("/").pop()}`)).body), "the text is saved");
    await until(async () => (await page.locator("[data-testid=lint-item][data-level=error]").count()) === 0, "nothing must be fixed any more");
    await until(async () => page.locator("[data-testid=notice-save]").isDisabled(), "the page knows that the text is saved");
    await look(page, "notice-draft", "notice");
    await id(page, "tab-preview").click();
    await id(page, "preview").waitFor();
    await look(page, "notice-preview");
  });

  await step("its author submits it and cannot approve it", page, async () => {
    await id(page, "notice-submit").click();
    await id(page, "four-eyes").waitFor();
    hold((await id(page, "notice-approve").count()) === 0, "the author is offered to approve");
    await look(page, "notice-submitted");
  });

  await step("another person reads and approves exactly this text", second, async () => {
    await lib.visit(second, base, "/overview");
    await id(second, "need-approval").first().click();
    await id(second, "notice-approve").click();
    await id(second, "approve-dialog").waitFor();
    await id(second, "approve-dialog").locator("[data-testid=preview]").waitFor();
    await look(second, "approve-dialog", "approve");
    await id(second, "approve-read").check();
    await answerDialog(second, "approve-dialog");
    await until(async () => /approved/i.test(await id(second, "notice-state").textContent()), "it is approved");
    seen.hash = (await id(second, "notice-hash").first().textContent()).trim();
  });

  await step("it is sent, once to each person", page, async () => {
    // The author's page has heard of the approval by itself.
    await id(page, "notice-send").click();
    await answerDialog(page, "send-dialog");
    const notice = await until(async () => {
      const now = await api(page, `/v1/notices/${noticeRoute.split("/").pop()}`);
      return now.state === "sent" ? now : null;
    }, "all is sent", kSendPatience);
    const mails = await lib.mails(mailDir);
    seen.progress = notice.progress;
    seen.recipients = notice.recipients;
    hold(notice.progress.sent > 0, "nobody was written to");
    hold(mails.length === notice.progress.sent, `${mails.length} mails in the Maildir, ${notice.progress.sent} said to be sent`);
    const receivers = new Set(mails.map(({ headers }) => headers.to));
    hold(receivers.size === mails.length, `${mails.length} mails to only ${receivers.size} addresses`);
    const codes = new Set(mails.map(({ text }) => lib.codeIn(text)));
    hold(codes.size === mails.length && !codes.has(null), "not every mail has a code of its own");
    await id(page, "progress").waitFor();
    await look(page, "notice-sent", "sent");
  });

  await step("the person opens the page with the code, and sees only what is theirs", page, async () => {
    const mails = await lib.mails(mailDir);
    const [mail, other] = mails;
    const code = lib.codeIn(mail.text);
    const person = await lib.open(browser, base, { viewport: lib.kPhone });
    currentPage = person;
    await person.goto(`${base}/n#${code}`);
    await id(person, "genuine").waitFor();
    for (const line of await lib.axe(person)) seen.axe.push(`portal: ${line}`);
    await lib.shot(person, shots, "portal", { fullPage: true });
    const text = await person.locator("body").innerText();
    const address = /[^\s<>"]+@[^\s<>"]+/.exec(other.headers.to)?.[0];
    hold(!text.includes(address), "another person’s address is on the page");
    hold((await id(person, "actions").locator("li").count()) <= 3, "more than three things to do");
    hold((await person.locator("[data-testid=fields] li").count()) > 0, "their data is not listed");
    hold(!person.url().includes(code.slice(0, 4)), "the code stays in the address bar");
    await id(person, "acknowledge").click();
    await id(person, "acknowledged").waitFor();
    hold((await person.context().cookies()).length === 0, "the portal set a cookie");
    hold(await person.evaluate(() => localStorage.length + sessionStorage.length === 0), "the portal kept something in the browser");
    seen.wrongs.push(...person.wrongs);
    await person.context().close();
    seen.code = code;
  });

  await step("typed by hand in German; a wrong code is answered kindly", page, async () => {
    const person = await lib.open(browser, base, { locale: "de-DE", dark: true });
    currentPage = person;
    await person.goto(`${base}/n`);
    await id(person, "code").fill("AAAA-BBBB-CCCC");
    await id(person, "check").click();
    await id(person, "kind").waitFor();
    for (const line of await lib.axe(person)) seen.axe.push(`portal-wrong: ${line}`);
    await id(person, "code").fill(seen.code.toLowerCase().replace(/-/g, " "));
    await id(person, "check").click();
    await id(person, "genuine").waitFor();
    hold(/echt/.test(await id(person, "genuine").innerText()), "the page does not speak German");
    for (const line of await lib.axe(person)) seen.axe.push(`portal-dark: ${line}`);
    await lib.shot(person, shots, "portal-dark");
    seen.wrongs.push(...person.wrongs);
    await person.context().close();
  });

  await step("the acknowledgement is seen in the console", page, async () => {
    await until(async () => /^[1-9]/.test(await id(page, "acknowledged").textContent()), "one acknowledgement is counted", 40_000);
  });

  await step("a later event widens what is known; it is shown, and a manager takes the new people in", second, async () => {
    const log = process.env.TOCSIN_LOG;
    if (!log) return;
    const ids = Array.from({ length: 60 }, (_, i) => 900001 + i);
    await appendFile(log, `${JSON.stringify({
      timestamp: "2026-11-23 16:12:00.000 UTC", user: "mallory", dbname: "clinic", pid: 22222, remote_host: "127.0.0.1", remote_port: 51111, session_id: "6b046999.56ce", line_num: 1, ps: "SELECT",
      session_start: "2026-11-23 16:11:59 UTC", vxid: "3/999", txid: 0, error_severity: "LOG", application_name: "psql", backend_type: "client backend", query_id: 0,
      message: `AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.patient,"SELECT id, name FROM patient WHERE id IN (${ids.join(",")})",<none>,60`,
    })}\n`);
    await lib.visit(second, base, `${incidentRoute}?tab=people`);
    await id(second, "frozen").waitFor();
    const added = async () => id(second, "frozen-added").getAttribute("data-added");
    await until(async () => (await added()) === "60", "sixty more people are shown", 40_000);
    hold(/mallory/.test(await id(second, "frozen-added").innerText()), "the event that widened it is not named");
    await look(second, "people-widened", "people-widened");
    await id(second, "people-set").selectOption("added");
    await until(async () => /of 60/.test(await second.locator("nav[aria-label='Pages of the list']").innerText()), "the sixty can be listed");
    // By keyboard: the button, the dialog, and back.
    await id(second, "frozen-take").focus();
    await second.keyboard.press("Enter");
    await id(second, "frozen-dialog").waitFor();
    await look(second, "frozen-dialog");
    await answerDialog(second, "frozen-dialog", "The log of the afternoon shows them.");
    await until(async () => (await id(second, "frozen-set").count()) === 2 && (await added()) === "0", "they are a second set");
    await id(second, "people-set").selectOption("now");
    await id(second, "accesses").first().locator("summary").click();
    await id(second, "access").first().waitFor();
    const phone = await lib.open(browser, base, { viewport: lib.kPhone, dark: true });
    currentPage = phone;
    await lib.login(phone, base, ada);
    await lib.visit(phone, base, `${incidentRoute}?tab=people`);
    await id(phone, "frozen").waitFor();
    await look(phone, "people-widened-phone-dark");
    seen.wrongs.push(...phone.wrongs);
    await phone.context().close();
  });

  await step("who saw this person: each access with its line", page, async () => {
    await lib.visit(page, base, "/people");
    await id(page, "who-subject").fill("17");
    await id(page, "who-reason").fill("She asked at the desk.");
    await id(page, "who-do").click();
    await id(page, "exposed-rows").waitFor();
    const row = id(page, "exposed-rows").locator("tr", { hasText: "mallory" });
    await row.locator("summary").click();
    hold(/line \d/.test(await row.locator("[data-testid=access]").first().innerText()), "an access does not name its line");
    await look(page, "who-saw", "who-saw");
    await id(page, "who-from").fill("2031-01-01T00:00");
    await id(page, "who-do").click();
    await until(async () => (await id(page, "empty").count()) === 1, "nobody in that time");
  });

  await step("the overview in the midst of it; dark, and on a phone", page, async () => {
    await lib.visit(page, base, "/overview");
    await look(page, "overview", "overview");
    for (const [options, looks] of [[{ dark: true }, [["/overview", "overview-dark"], [`${incidentRoute}?tab=duties`, "duties-dark"]]], [{ viewport: lib.kPhone }, [["/overview", "overview-phone"], ["/alerts?state=all", "alerts-phone"], [incidentRoute, "incident-phone"], ["/people", null]]]]) {
      const other = await lib.open(browser, base, options);
      currentPage = other;
      await lib.login(other, base, ada);
      for (const [route, picture] of looks) {
        await lib.visit(other, base, route);
        await look(other, picture ?? route, picture);
      }
      seen.wrongs.push(...other.wrongs);
      await other.context().close();
    }
  });

  await step("tasks have owners and due times, and get done", second, async () => {
    await lib.visit(second, base, "/tasks");
    await id(second, "task").first().waitFor();
    await look(second, "tasks", "tasks");
    await lib.visit(second, base, `${incidentRoute}?tab=tasks`);
    await id(second, "task").first().waitFor();
    seen.tasks = await id(second, "task").count();
    for (let i = 0; i < seen.tasks; i++) {
      const open = second.locator("[data-testid=task][data-state=open], [data-testid=task][data-state=doing]");
      const left = await open.count();
      if (left === 0) break;
      await open.first().locator("[data-testid=task-edit]").click();
      await id(second, "task-dialog").waitFor();
      if (i === 0) await look(second, "task-dialog");
      await id(second, "task-owner").fill(i % 2 ? ada.login : bo.login);
      await id(second, "task-dialog-state").selectOption("done");
      await id(second, "task-proof").fill(`Checked by ${bo.name}: ticket OPS-${100 + i}.`);
      await answerDialog(second, "task-dialog");
      await until(async () => (await open.count()) < left, "the task is done");
    }
    await look(second, "tasks-done");
  });

  await step("the duties are done", second, async () => {
    await lib.visit(second, base, `${incidentRoute}?tab=duties`);
    for (let guard = 0; guard < 20; guard++) {
      const open = second.locator("[data-testid=duty][data-state=running], [data-testid=duty][data-state=late]");
      const left = await open.count();
      if (left === 0) break;
      await open.first().locator("[data-testid=duty-done]").click();
      await id(second, "duty-reference").fill("DSB-D-2026-1147");
      await answerDialog(second, "duty-dialog", "Done through the authority’s form and by the notices.");
      await until(async () => (await open.count()) < left, "the duty is done");
    }
  });

  await step("the incident is contained, recovered and closed", second, async () => {
    await lib.visit(second, base, incidentRoute);
    for (const [state, reason] of [["contained", "The account is blocked."], ["recovered", "Backups and rights were checked; all works."], ["closed", "Everybody who could be reached was told; the hole is closed."]]) {
      await id(second, "next-state").click();
      await id(second, "state-dialog").waitFor();
      const anyway = id(second, "close-anyway");
      if (await anyway.count()) await anyway.check();
      await answerDialog(second, "state-dialog", reason);
      await until(async () => (await id(second, "incident-state").textContent()).toLowerCase().includes(state), `it is ${state}`);
    }
    await look(second, "incident-closed");
  });

  await step("its report is there, to print and as JSON", second, async () => {
    const report = await api(second, `/v1/incidents/${incidentId}/report`);
    hold(JSON.stringify(report).includes("INC-"), "the JSON report does not name the incident");
    const paper = await second.context().newPage();
    currentPage = paper;
    const response = await paper.goto(`${base}/v1/incidents/${incidentId}/report.html`);
    hold(response.ok(), `the report answers ${response.status()}`);
    hold(/INC-/.test(await paper.locator("body").innerText()), "the report does not name the incident");
    for (const line of await lib.axe(paper)) seen.axe.push(`report: ${line}`);
    await lib.shot(paper, shots, "report");
    if (reportDir) {
      await mkdir(reportDir, { recursive: true });
      await writeFile(join(reportDir, "report.json"), JSON.stringify(report, null, 2));
      await writeFile(join(reportDir, "report.html"), await response.text());
    }
    await paper.close();
    seen.incident = { id: incidentId, number: JSON.stringify(report).match(/INC-\d+-\d+/)[0] };
  });

  await step("the other pages stand", page, async () => {
    for (const [route, picture] of [["/overview"], ["/incidents"], ["/people"], ["/sources", "sources"], ["/rules"], ["/silences"], ["/ledger", "ledger"]]) {
      await lib.visit(page, base, route);
      await look(page, route.slice(1), picture);
    }
    hold(/healthy/i.test(await id(page, "ledger-health").textContent()), "the ledger is not healthy");
    const exposed = `/people?tab=exposed&actor=mallory`;
    await lib.visit(page, base, exposed);
    await look(page, "exposed");
  });

  seen.wrongs.push(...page.wrongs, ...second.wrongs);
  current = "what was gathered on the way";
  currentPage = null;
  hold(seen.wrongs.length === 0, `the pages did wrong:\n  ${seen.wrongs.join("\n  ")}`);
  hold(seen.axe.length === 0, `not accessible:\n  ${seen.axe.join("\n  ")}`);
  seen.alertCount = alertCount;
  console.log(`the whole story in ${((Date.now() - started) / 1000).toFixed(0)} s: ${seen.people}, ${seen.progress.sent} told, ${seen.tasks} tasks, ${seen.incident.number}`);
} catch (error) {
  console.error(`FAILED at “${current}”: ${error.message}`);
  if (currentPage && !currentPage.isClosed()) {
    const folder = shots ?? process.env.TMPDIR ?? "/tmp";
    await lib.shot(currentPage, folder, "failed").catch(() => undefined);
    console.error(`the page was ${currentPage.url()}; a picture is in ${folder}/failed.png`);
    for (const line of currentPage.wrongs ?? []) console.error(`  ${line}`);
  }
  process.exitCode = 1;
} finally {
  if (process.env.TOCSIN_STORY_OUT) await writeFile(process.env.TOCSIN_STORY_OUT, JSON.stringify(seen, null, 2));
  await browser.close();
}
