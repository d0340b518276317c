// The console in the states that nobody hopes for: nothing there, too much there, not known, gone, signed out, no server. A running
// tocsin serves the pages; where a state is hard to bring about, the browser is given the answer instead of the server's.
//
// Environment: TOCSIN_URL, TOCSIN_CLAIM_URL (required), TOCSIN_SHOTS (a folder for pictures; none: no pictures).
// Prints one line per state; exit status 0 if all was as it should be, 1 with what was not.
import * as lib from "./lib.mjs";

const { id, until } = lib;
const base = process.env.TOCSIN_URL.replace(/\/$/, "");
const shots = process.env.TOCSIN_SHOTS;
const ada = { login: "ada", name: "Ada Lindqvist", password: "seven green bells at noon" };
const wrong = [];
const hold = (condition, message) => condition || wrong.push(message);
const now = "2026-11-23T16:59:30Z";

const alert = (n, more = {}) => ({
  id: String(n), title: `Bulk export of patient by actor${n}`, rule: "tocsin.export.copy", kind: "export", level: "high", state: "new", actor: `actor${n}`, dataset: "patient",
  first: now, last: now, findings: 2, evidence_count: 3, exposure: { grade: "derived", at_least: 100, at_most: 120 }, assignee: null, incident: null, reason: null, ...more,
});
const access = (more = {}) => ({
  first: now, last: now, actor: "webapp", dataset: "patient", grade: "exact", certain: true, whole: false, fields: ["name"], way: "select", reason: null, at_least: 1, at_most: 1,
  client: "10.0.0.7", account: "webapp", role: null, application: "clinic-web", named_by: "account", event: { source: "db", file: "postgresql.json", line: 7, number: 7 }, sealed: null, ...more,
});
const person = (n, accesses = [access()]) => ({
  pseudonym: n.toString(16).padStart(32, "0"), dataset: "patient", grade: "exact", fields: ["name"], first: now, last: now, in_register: true, certain: true, erased: false, country: "DE",
  accesses: { total: accesses.length, certain: accesses.length, items: accesses },
});
const people = (items, more = {}) => ({
  grade: "exact", at_least: items.length, at_most: items.length, total: items.length, reasons: [], by_country: [], fields: ["name"], kinds: ["name"], kinds_complete: true, next: null, items, ...more,
});
const detail = (more = {}) => ({ ...alert(1), findings_total: 0, findings_next: null, findings: [], history: [], ...more });

// Gives `body` in place of the server's answer to whatever matches.
async function give(page, pattern, body, status = 200) {
  await page.route(pattern, (route) => route.fulfill({ status, contentType: status < 400 ? "application/json" : "application/problem+json", body: JSON.stringify(body) }));
}
const text = async (page, testid) => (await id(page, testid).first().textContent()).replace(/\s+/g, " ");

const states = {
  "no-alerts": async (page) => {
    await give(page, "**/v1/alerts?*", { items: [], next: null });
    await lib.visit(page, base, "/alerts");
    hold(/Nothing has been noticed/.test(await text(page, "empty")), "an empty queue says what that means");
  },
  "how-many": async (page) => {
    await give(page, "**/v1/alerts?*", { next: null, items: [alert(1), alert(2, { exposure: { grade: "derived", at_least: 1095, at_most: 2250, summed: true } }),
      alert(3, { exposure: { grade: "bound", at_least: 0, at_most: 2250, summed: true } }), alert(4, { exposure: { grade: "bound", at_least: 0, at_most: 1155 } }),
      alert(5, { exposure: { grade: "unknown", at_least: null, at_most: null } })] });
    await lib.visit(page, base, "/alerts");
    const all = await text(page, "alerts");
    for (const words of ["100 to 120 people reached", "at least 1,095 people reached", "people: open the alert to count them", "up to 1,155 people reached", "people: not known"]) {
      hold(all.includes(words), `the queue does not say "${words}"`);
    }
    hold(!all.includes("2,250"), "a sum is told as if it were a number of people");
  },
  "many-alerts": async (page) => {
    await give(page, "**/v1/alerts?*", { next: "more", items: Array.from({ length: 200 }, (_, n) => alert(n + 1)) });
    await lib.visit(page, base, "/alerts");
    hold((await page.locator("main").textContent()).includes("The first 200 alerts are shown"), "a list that is cut says so");
  },
  "who-it-was": async (page) => {
    const seen = [access(), access({ actor: "webapp", application: null, client: null }), access({ actor: "anna", named_by: "record" })];
    await give(page, "**/v1/alerts/1", detail());
    await give(page, "**/v1/alerts/1/people?*", people([person(1, seen)]));
    await lib.visit(page, base, "/alerts/1");
    await id(page, "seen-as").waitFor();
    const words = await text(page, "seen-as");
    hold(words.includes("application “clinic-web” (its own word), from 10.0.0.7"), `the client's own word is not called that: ${words}`);
    hold(words.includes("account webapp, named in the record"), `who was named in the record is not told apart: ${words}`);
    await id(page, "seen-as").locator("button").first().press("Enter");
    hold(/account that logged in/.test(await text(page, "seen-as")), "how far a name can be trusted is one press away");
  },
  "sealed": async (page) => {
    await give(page, "**/v1/alerts/1", detail());
    await give(page, "**/v1/alerts/1/people?*", people([person(1, [access({ event: null, named_by: null, account: null, application: null, client: null, sealed: { first: 1200, last: 3400 } })])]));
    await lib.visit(page, base, "/alerts/1?tab=people");
    await id(page, "accesses").locator("summary").press("Enter");
    await id(page, "sealed").locator("button").press("Enter");
    hold((await text(page, "sealed")).includes("tocsin journal show --from 1200 --to 3400"), "where the record of a sealed access lies is not said");
  },
  "not-known": async (page) => {
    const exposure = { grade: "unknown", at_least: null, at_most: null };
    await give(page, "**/v1/alerts/1", detail({ exposure }));
    await give(page, "**/v1/alerts/1/people?*", people([], { ...exposure, kinds_complete: false, reasons: ["The statement cannot be read."] }));
    await lib.visit(page, base, "/alerts/1?tab=people");
    const main = await page.locator("main").textContent();
    hold(main.includes("The log does not say who was reached"), "not known is said plainly");
    hold(!/\b0 people/.test(main), "not known looks like nobody");
  },
  "five-thousand": async (page) => {
    await give(page, "**/v1/alerts/1", detail({ exposure: { grade: "exact", at_least: 5000, at_most: 5000 } }));
    await page.route("**/v1/alerts/1/people?*", (route) => {
      const offset = Number(new URL(route.request().url()).searchParams.get("offset") ?? 0);
      route.fulfill({ contentType: "application/json", body: JSON.stringify(people(Array.from({ length: 25 }, (_, n) => person(offset + n)), { at_least: 5000, at_most: 5000, total: 5000, next: "25" })) });
    });
    await lib.visit(page, base, "/alerts/1?tab=people");
    hold((await page.locator("main").textContent()).includes("1–25 of 5,000"), "a page of many says of how many");
    await page.getByRole("button", { name: "Next" }).press("Enter");
    await page.getByText("26–50 of 5,000").waitFor();
  },
  "no-such-alert": async (page) => {
    await lib.visit(page, base, "/alerts/999999");
    await id(page, "problem").waitFor();
    hold(/there is no alert 999999/i.test(await text(page, "problem")) && /Go back to the list/.test(await text(page, "problem")), "what is not there is named, with a way back");
  },
  "no-server-yet": async (page) => {
    await page.route("**/v1/**", (route) => route.abort());
    await page.goto(`${base}/#/sources`);
    await id(page, "problem").waitFor();
    hold(/The server does not answer/.test(await text(page, "problem")), "a server that is away is called that at the first look, too");
  },
  "no-server": async (page) => {
    await lib.visit(page, base, "/sources");
    await page.route("**/v1/**", (route) => route.abort());
    await page.goto(`${base}/#/tasks`);
    await id(page, "problem").first().waitFor();
    hold(/The server does not answer/.test(await text(page, "problem")), "a server that is away is called that");
    await page.unroute("**/v1/**");
    await page.getByRole("button", { name: "Try again" }).first().press("Enter");
    await until(async () => (await id(page, "problem").count()) === 0, "the page mends itself when the server is back");
  },
  "signed-out": async (page) => {
    await give(page, "**/v1/tasks*", { title: "Log in first", detail: "nobody is logged in" }, 401);
    await page.goto(`${base}/#/tasks`);
    await id(page, "login").waitFor();
    hold(page.url().includes("#/tasks"), "after signing in one comes back to the page");
  },
};

const browser = await lib.launch();
try {
  const first = await lib.open(browser, base);
  await lib.claim(first, new URL(process.env.TOCSIN_CLAIM_URL, `${base}/`).href, ada);
  const storageState = await first.context().storageState();
  for (const [look, options] of Object.entries({ light: {}, dark: { dark: true }, phone: { viewport: lib.kPhone } })) {
    for (const [name, bring] of Object.entries(states)) {
      const page = await lib.open(browser, base, options);
      await page.context().addCookies(storageState.cookies);
      const before = wrong.length;
      try {
        await bring(page);
        for (const line of await lib.axe(page)) wrong.push(line);
        const over = await lib.sideways(page);
        hold(over <= 0, `${over} px too wide`);
        for (const line of page.wrongs) wrong.push(line);
      } catch (error) {
        wrong.push(error.message.split("\n")[0]);
      }
      await lib.shot(page, shots, `state-${name}-${look}`, { fullPage: true });
      for (let i = before; i < wrong.length; i++) wrong[i] = `${name}, ${look}: ${wrong[i]}`;
      console.log(`${wrong.length === before ? "ok " : "BAD"} ${name}, ${look}`);
      await page.context().close();
    }
  }
} finally {
  await browser.close();
}
for (const line of wrong) console.log(line);
process.exit(wrong.length ? 1 : 0);
