// Builds the page into web/static: bundled by esbuild under hashed names, with source maps and compressed copies.
// Usage: node build.mjs [--check]    With --check it writes nothing, and ends with 1 when web/static holds anything else.

import { build } from "esbuild";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(here, "..", "static");

/** The outlines of countries as a file of its own, without their names, which browsers know. */
function outlines({ path: file }) {
  const atlas = JSON.parse(readFileSync(file, "utf8"));
  const { type, geometries } = atlas.objects.countries;
  const bare = geometries.map(({ type: shape, arcs }) => ({ type: shape, arcs }));
  return { contents: JSON.stringify({ ...atlas, objects: { countries: { type, geometries: bare } } }), loader: "file" };
}

const { outputFiles, metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx", "src/page.css"],
  outdir: target,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2023",
  minify: true,
  sourcemap: "linked",
  metafile: true,
  write: false,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  publicPath: "/static",
  plugins: [{ name: "outlines", setup: ({ onLoad }) => onLoad({ filter: /countries-110m\.json$/ }, outlines) }],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
});

const files = new Map(outputFiles.map((file) => [path.basename(file.path), Buffer.from(file.contents)]));
const outputs = Object.entries(metafile.outputs);
const nameOf = (entry) => path.basename(outputs.find(([, output]) => output.entryPoint === entry)[0]);
const script = nameOf("src/main.tsx");
const [, main] = outputs.find(([name]) => path.basename(name) === script);
const needed = main.imports.filter((one) => one.kind === "import-statement").map((one) => path.basename(one.path));
const filled = (text) =>
  text
    .replaceAll("{{style}}", `/static/${nameOf("src/page.css")}`)
    .replaceAll("{{script}}", `/static/${script}`)
    .replace("{{preload}}", needed.map((name) => `<link rel="modulepreload" href="/static/${name}">`).join("\n  "));

for (const page of ["index.html", "login.html"]) files.set(page, Buffer.from(filled(readFileSync(path.join(here, page), "utf8"))));
files.set("icon.svg", readFileSync(path.join(here, "icon.svg")));

/** Compressed copies by name. How well a version of zlib compresses is no part of what is compared. */
const packed = new Map();
for (const [name, content] of files) {
  if (!/-[A-Z0-9]{8}\.(js|css|json)$/.test(name)) continue;
  packed.set(`${name}.gz`, { content, pack: () => gzipSync(content, { level: 9 }), unpack: gunzipSync });
  packed.set(`${name}.br`, { content, pack: () => brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }), unpack: brotliDecompressSync });
}

function differences() {
  const present = existsSync(target) ? readdirSync(target) : [];
  const found = present.filter((name) => !files.has(name) && !packed.has(name)).map((name) => `${name}: is not built from web/frontend`);
  for (const [name, wanted, unpack] of [...[...files].map(([name, content]) => [name, content, (x) => x]), ...[...packed].map(([name, one]) => [name, one.content, one.unpack])]) {
    if (!present.includes(name)) found.push(`${name}: is missing`);
    else if (!unpack(readFileSync(path.join(target, name))).equals(wanted)) found.push(`${name}: is not what web/frontend makes`);
  }
  return found;
}

function write() {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) if (!files.has(name) && !packed.has(name)) rmSync(path.join(target, name));
  for (const [name, content] of files) writeFileSync(path.join(target, name), content);
  for (const [name, one] of packed) writeFileSync(path.join(target, name), one.pack());
  for (const [name] of files) {
    const small = packed.has(`${name}.gz`) ? readFileSync(path.join(target, `${name}.gz`)).length : 0;
    if (small) console.log(`${name.padEnd(36)} ${String(files.get(name).length).padStart(8)} bytes, ${String(small).padStart(7)} by gzip`);
  }
}

if (process.argv.includes("--check")) {
  const found = differences();
  if (found.length) {
    console.error(`web/static differs from what scripts/build-frontend makes:\n${found.join("\n")}`);
    process.exitCode = 1;
  }
} else write();
