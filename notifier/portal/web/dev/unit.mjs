// What people type becomes a code; a language is found. Run by "npm test".
import assert from "node:assert/strict";
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = await mkdtemp(join(tmpdir(), "portal-unit-"));
try {
  const outfile = join(out, "words.mjs");
  await build({ absWorkingDir: here, entryPoints: ["src/words.ts"], outfile, bundle: true, format: "esm", logLevel: "error" });
  const { tidy, pick, kLanguages } = await import(pathToFileURL(outfile));
  assert.equal(tidy("abcd efgh-jklm"), "ABCD-EFGH-JKLM");
  assert.equal(tidy(" ABCD–EFGH–JKLM\n"), "ABCD-EFGH-JKLM", "any dash will do");
  assert.equal(tidy("ABCD-EFGH-JKL"), null, "too short");
  assert.equal(tidy("ABCD-EFGH-JKLMN"), null, "too long");
  assert.equal(pick(["fr-FR", "de-AT", "en"]), "de", "the first that we speak");
  assert.equal(pick(["fr"]), "en");
  const [first, ...others] = Object.values(kLanguages).map((words) => Object.keys(words).sort());
  for (const keys of others) assert.deepEqual(keys, first, "every language says everything");
  console.log("7 checks passed");
} finally {
  await rm(out, { recursive: true, force: true });
}
