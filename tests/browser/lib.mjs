// Helpers for tests that look at Tocsin through a real browser: start Chromium, sign in, check accessibility with
// axe, take pictures, and hold the pages to their promises (no request to anywhere else, no error in the console).
import { chromium } from "playwright-core";
import { createRequire } from "node:module";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const kAxe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
export const kPatience = Number(process.env.TOCSIN_BROWSER_TIMEOUT_MS ?? 15_000);

export async function launch() {
  return chromium.launch({
    executablePath: process.env.TOCSIN_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
}

export const kPhone = { width: 390, height: 844 };
export const kDesk = { width: 1280, height: 860 };

// A page of its own, with its own cookies. What it does wrong is gathered in `page.wrongs`.
export async function open(browser, base, { viewport = kDesk, dark = false, locale = "en-GB" } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", locale, timezoneId: "Europe/Vienna", reducedMotion: "reduce", acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(kPatience);
  page.wrongs = [];
  const origin = new URL(base).origin;
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob|about):/.test(url)) page.wrongs.push(`asked elsewhere: ${url}`);
  });
  page.on("pageerror", (error) => page.wrongs.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    // Chromium reports each answer of 4xx as an error; the ones that belong to the story are its own matter.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.wrongs.push(`console: ${message.text()}`);
  });
  return page;
}

export const id = (page, name) => page.locator(`[data-testid="${name}"]`);

// Takes a one-time link: chooses a password and enters.
export async function claim(page, url, { login, name, password }) {
  await page.goto(url);
  await id(page, "claim-form").waitFor();
  if (login) await id(page, "claim-login").fill(login);
  await id(page, "claim-name").fill(name);
  await id(page, "claim-password").fill(password);
  await id(page, "claim-again").fill(password);
  await id(page, "claim-do").click();
  await id(page, "needs").waitFor();
}

export async function login(page, base, { login: who, password }) {
  await page.goto(`${base}/`);
  await id(page, "login").fill(who);
  await id(page, "password").fill(password);
  await id(page, "login-do").click();
  await id(page, "needs").waitFor();
}

export async function visit(page, base, route) {
  await page.goto(`${base}/#${route}`);
  await page.locator(`main[data-route="${decodeURIComponent(route.split("?")[0])}"]`).waitFor();
  await settled(page);
}

// Waits until nothing says that it is loading any more.
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector(".loading") && document.querySelector("h1"), undefined, { timeout: kPatience });
}

// WCAG 2.2 A and AA, and axe's best practices. Returns one line per violation; none is the aim.
export async function axe(page) {
  await page.evaluate(kAxe);
  const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }));
  return result.violations.flatMap(({ id: rule, help, nodes }) => nodes.slice(0, 3).map((node) => `${rule}: ${help}: ${node.target.join(" ")} ${node.failureSummary.split("\n")[1] ?? ""}`));
}

// Nothing wider than the window: nobody has to scroll sideways to read.
export async function sideways(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function shot(page, folder, name, options = {}) {
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled", ...options });
}

// The mails in a Maildir, newest last, as {file, headers, text}; transfer encodings undone.
export async function mails(dir) {
  const found = [];
  for (const sub of ["new", "cur"]) {
    for (const name of await readdir(join(dir, sub)).catch(() => [])) found.push(join(dir, sub, name));
  }
  found.sort();
  return Promise.all(found.map(async (file) => ({ file, ...parseMail(await readFile(file)) })));
}

export function parseMail(bytes) {
  const raw = bytes.toString("latin1").replace(/\r\n/g, "\n");
  const gap = raw.indexOf("\n\n");
  const head = raw.slice(0, gap).replace(/\n[ \t]+/g, " ");
  const headers = Object.fromEntries(head.split("\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const body = raw.slice(gap + 2);
  const boundary = /boundary="?([^";]+)"?/i.exec(headers["content-type"] ?? "")?.[1];
  if (boundary) {
    const parts = body.split(`--${boundary}`).slice(1, -1).map((part) => parseMail(Buffer.from(part.replace(/^\n/, ""), "latin1")));
    const plain = parts.find(({ headers: own }) => /text\/plain/i.test(own["content-type"] ?? "text/plain")) ?? parts[0];
    return { headers, text: plain?.text ?? "" };
  }
  const encoding = (headers["content-transfer-encoding"] ?? "").toLowerCase();
  let content = Buffer.from(body, "latin1");
  if (encoding === "base64") content = Buffer.from(body, "base64");
  else if (encoding === "quoted-printable") content = Buffer.from(body.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/gi, (_, code) => String.fromCharCode(parseInt(code, 16))), "latin1");
  return { headers, text: content.toString("utf8") };
}

// The notice code in a text: twelve characters in three groups.
export function codeIn(text) {
  return /\b([A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4})\b/.exec(text)?.[1] ?? null;
}

// Tries until `what` gives something, or says what was waited for.
export async function until(what, name, patience = kPatience) {
  const end = Date.now() + patience;
  for (;;) {
    const result = await what();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited ${patience / 1000} s in vain: ${name}`);
    await new Promise((done) => setTimeout(done, 150));
  }
}
