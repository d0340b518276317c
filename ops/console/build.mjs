// Builds the console into dist/: index.html and assets/ with fixed names, so that the binary can embed them.
// The server sends them with an ETag; nothing is loaded from anywhere else.
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
  entryPoints: { app: "src/main.tsx", style: "src/style.css", theme: "src/theme.ts" },
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
await cp(join(here, "src/bell.svg"), join(dist, "assets/bell.svg"));
