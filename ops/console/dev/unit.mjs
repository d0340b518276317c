// Small tests of what the console says: times, numbers, routes, flattened facts. Run by "npm test".
import assert from "node:assert/strict";
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

process.env.TZ = "Europe/Vienna";
const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = await mkdtemp(join(tmpdir(), "console-unit-"));
const load = async (file) => {
  const outfile = join(out, `${file.replace(/\W/g, "_")}.mjs`);
  await build({ absWorkingDir: here, entryPoints: [file], outfile, bundle: true, format: "esm", platform: "neutral", mainFields: ["module", "main"], jsx: "automatic", jsxImportSource: "preact", logLevel: "error" });
  return import(pathToFileURL(outfile));
};
let count = 0;
const is = (got, want, what) => {
  count++;
  assert.deepEqual(got, want, what);
};
try {
  const time = await load("src/time.ts");
  const hour = 3_600_000;
  is(time.span(72 * hour), "3 d 0 h", "three days");
  is(time.span(71 * hour + 59 * 60_000), "71 h 59 min", "a 72-hour clock is spoken of in hours");
  is(time.span(90_000), "1 min 30 s");
  is(time.span(-5000), "5 s", "sign is for the caller");
  is(time.span(9 * 24 * hour), "9 days");
  is(time.utc("2026-11-23T23:30:05+01:00"), "2026-11-23 22:30:05 UTC");
  is(time.utc("nonsense"), "nonsense", "never hides what came");
  const noon = Date.parse("2026-11-23T11:00:00Z");
  is(time.local("2026-11-23T10:05:00Z", noon), "today 11:05");
  is(time.local("2026-11-22T10:05:00Z", noon), "yesterday 11:05");
  is(time.local("2026-03-01T10:05:00Z", noon), "1 Mar, 11:05");
  is(time.local("2024-03-01T10:05:00Z", noon), "1 Mar 2024, 11:05");
  is(time.ago("2026-11-23T10:59:58Z", noon), "just now");
  is(time.ago("2026-11-23T10:30:00Z", noon), "30 min ago");
  is(time.fromInput(time.toInput("2026-11-23T10:30:00Z")), "2026-11-23T10:30:00Z", "there and back");
  is(time.fromInput(""), undefined);

  const words = await load("src/words.ts");
  is(words.howMany({ grade: "exact", at_least: 1, at_most: 1 }), "1 person");
  is(words.howMany({ grade: "bound", at_least: 0, at_most: 4812 }), "up to 4,812 people");
  is(words.howMany({ grade: "derived", at_least: 38, at_most: 41 }), "38 to 41 people");
  is(words.howMany({ grade: "unknown", at_least: null, at_most: null }), "number not known");
  is(words.howMany({ grade: "bound", at_least: 3, at_most: null }), "at least 3 people");
  is(words.interval(0, 246), "up to 246");
  is(words.interval(3, null), "3 or more");
  is(words.readable("Applies: gdpr_scope and controller."), "Applies: “GDPR scope” and controller.");
  is(words.humanise("special_categories"), "Special categories");
  is(words.word(words.kDutyStates, "something_new").label, "Something new", "an unknown state is shown, not hidden");

  const router = await load("src/router.ts").catch(() => null);
  if (router) {
    is(router.parse("#/alerts/a%2Fb?tab=people").parts, ["alerts", "a/b"]);
    is(router.parse("#/alerts/100%").parts, ["alerts", "100%"], "a stray % is no error");
    is(router.parse("").parts, []);
  }
  const api = await load("src/api.ts");
  is(api.query({ state: "", q: "a b&c", late: false, limit: 0 }), "?q=a%20b%26c&limit=0");
  console.log(`${count} checks passed`);
} finally {
  await rm(out, { recursive: true, force: true });
}
