// Pictures of every page from the stand-in server, in light, dark and on a phone, with axe's opinion of each:
//   npm run dev &   npm run shots [FOLDER [PAGE…]]
// It borrows the helpers of tests/browser (run npm ci there once).
import * as lib from "../../../tests/browser/lib.mjs";

const [folder = "/tmp/tocsin-shots", ...only] = process.argv.slice(2);
const base = process.env.TOCSIN_URL ?? "http://127.0.0.1:8181";
const browser = await lib.launch();
let wrong = 0;
const looks = [["light", {}], ["dark", { dark: true }], ["phone", { viewport: lib.kPhone }]];
for (const [look, options] of looks) {
  const page = await lib.open(browser, base, options);
  const picture = async (name) => {
    if (only.length && !only.some((one) => name.startsWith(one))) return;
    await page.waitForTimeout(150);
    await lib.shot(page, folder, `${name}-${look}`, { fullPage: true });
    const over = await lib.sideways(page);
    for (const line of [...(await lib.axe(page)), ...(over > 0 ? [`${over} px too wide`] : []), ...page.wrongs.splice(0)]) {
      wrong++;
      console.log(`${name}-${look}: ${line}`);
    }
  };
  await page.goto(`${base}/n`);
  await page.waitForTimeout(300);
  await picture("portal-empty");
  await page.goto(`${base}/n#DEMO-DEMO-DEMO`);
  await page.reload();
  await page.waitForTimeout(300);
  await picture("portal");
  await page.goto(`${base}/#/claim/first-login-token`);
  await lib.id(page, "claim-form").waitFor();
  await lib.id(page, "claim-password").fill("three unrelated w");
  await picture("claim");
  await page.goto(`${base}/#/`);
  await page.reload();
  await lib.id(page, "login").waitFor();
  await picture("login");
  await lib.login(page, base, { login: process.env.TOCSIN_LOGIN ?? "ada", password: process.env.TOCSIN_PASSWORD ?? "mock password one" });
  await lib.settled(page);
  await picture("overview");
  const first = async (list, name, after) => {
    await lib.visit(page, base, list);
    await picture(list.slice(1));
    const href = await page.locator(`[data-testid="${name}"]`).first().getAttribute("href");
    for (const [key, tab] of after) {
      await lib.visit(page, base, `${href.slice(1)}${tab ? `?tab=${tab}` : ""}`);
      await picture(`${name}-${key}`);
    }
  };
  await first("/alerts", "alert", [["why", ""], ["people", "people"], ["history", "history"]]);
  await lib.visit(page, base, "/alerts");
  await page.keyboard.press("j");
  await page.keyboard.press("i");
  await lib.id(page, "incident-dialog").waitFor();
  await picture("incident-dialog");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await lib.id(page, "help-dialog").waitFor();
  await picture("help");
  await page.keyboard.press("Escape");
  await first("/incidents", "incident", [["summary", ""], ["duties", "duties"], ["people", "people"], ["notices", "notices"], ["tasks", "tasks"], ["history", "history"]]);
  const incident = await page.evaluate(() => location.hash.split("?")[0]);
  await lib.visit(page, base, `${incident.slice(1)}?tab=notices`);
  const notices = await page.locator("[data-testid=notice]").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  for (const [index, href] of notices.entries()) {
    await lib.visit(page, base, href.slice(1));
    await picture(`notice-${index}`);
  }
  for (const route of ["/tasks", "/people", "/people?tab=exposed&actor=mallory", "/sources", "/sources/postgresql", "/rules", "/silences", "/ledger", "/users", "/nowhere"]) {
    await lib.visit(page, base, route);
    await picture(route.slice(1).replace(/\W+/g, "-"));
  }
  await page.context().close();
}
await browser.close();
console.log(wrong ? `${wrong} things to mend` : "nothing to mend");
process.exit(wrong ? 1 : 0);
