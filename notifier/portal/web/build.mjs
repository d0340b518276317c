// Builds the portal's page into dist/: index.html and assets/ with fixed names, so that the binary can embed them.
// It loads nothing from anywhere else, sets no cookie and keeps nothing in the browser.
import { build } from "esbuild";
import { cp, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, "assets"), { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { portal: "src/main.tsx", portal_style: "src/style.css" },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2020"],
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  legalComments: "none",
  outdir: join(dist, "assets"),
  logLevel: "warning",
});
await cp(join(here, "src/index.html"), join(dist, "index.html"));
