// Builds src/thalweg/playground/static/playground.js, one ES module with everything in it.
//
//   node web/build.mjs [OUTPUT]
//
// The first line of the output carries a hash of all sources, so that a test sees a bundle that is older than
// they are; the second the names that Python checks: surfaces and lessons.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { lessons } from "./src/state/lessons.js";
import { surfaces } from "./src/surfaces/index.js";

const WEB = dirname(fileURLToPath(import.meta.url));
const OUTPUT = process.argv[2] ?? join(WEB, "../src/thalweg/playground/static/playground.js");

/** Style sheets come into the bundle as text, minified. */
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code, loader: "text" };
    });
  },
};

/** The hash of every source: path and length, then content, in the order of the paths. */
async function fingerprint() {
  const entries = await readdir(join(WEB, "src"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sources = files.map((file) => join(file.parentPath ?? file.path, file.name));
  const paths = [...sources, join(WEB, "package.json"), join(WEB, "build.mjs")];
  const named = paths.map((path) => [relative(WEB, path).split(sep).join("/"), path]);
  const hash = createHash("sha256");
  for (const [name, path] of named.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const content = await readFile(path);
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** The licence of every package in the bundle, whole, since the bundle is copied without NOTICE. */
async function licences(dependencies) {
  const texts = Object.entries(dependencies).map(async ([name, version]) => {
    const folder = join(WEB, "node_modules", name);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = (await readFile(join(folder, file), "utf8")).trim();
    return `/*! ${name} ${version}\n\n${text.replaceAll("*/", "* /")}\n*/`;
  });
  return (await Promise.all(texts)).join("\n");
}

const { dependencies, devDependencies } = JSON.parse(await readFile(join(WEB, "package.json"), "utf8"));
const packages = Object.entries({ ...devDependencies, ...dependencies });
const versions = packages.map((pair) => pair.join(" ")).join(", ");
const ids = (items) => items.map(({ id }) => id);
const names = JSON.stringify({ surfaces: ids(surfaces), lessons: ids(lessons) });
const head = `/* thalweg playground; sources sha256:${await fingerprint()}; ${versions} */`;
const { outputFiles } = await build({
  entryPoints: [join(WEB, "src/main.js")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "eof",
  plugins: [styles],
  banner: { js: `${head}\n/*${names}*/` },
  footer: { js: await licences(dependencies) },
  write: false,
});
const code = outputFiles[0].text;
// The exported page holds the bundle inside a script element, which either of these would end or confuse.
if (/<\/script|<!--/i.test(code)) throw new Error("the bundle holds </script or <!--; write it in two parts");
await mkdir(dirname(OUTPUT), { recursive: true });
await writeFile(OUTPUT, code);
console.log(`${relative(process.cwd(), OUTPUT)}: ${Math.round(code.length / 1024)} KB`);
