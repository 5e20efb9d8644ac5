// Builds the package's JavaScript: one bundle for each entry file, the chunks that they share, and the dependencies beside
// them. Imports of 170 modules took 87 ms, of one bundle 55 ms, with the dependencies in it 27 ms. tsc adds the declarations.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundleDashboard } from './dashboard.js';
import { checkShortened, shortened } from './page-names.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

/** Every file that Node is told to load by its name. */
const ENTRIES = {
  index: 'src/index.ts',
  testing: 'src/testing.ts',
  nats: 'src/nats.ts',
  otel: 'src/otel.ts',
  cli: 'src/cli/main.ts',
  'serve-runner': 'src/cli/serve/serve-runner.ts',
  'serve-hooks': 'src/cli/serve/serve-hooks.ts',
};

/** Files that a page has smaller ones of, in `src/page/lean/`. */
const LEAN = [
  'base/near.ts',
  'base/peer-line.ts',
  'base/time/when-aborted.ts',
  'wire/engine.ts',
  'wire/too-large.ts',
  'wire/values/error-classes.ts',
  'wire/values/not-serializable.ts',
];

/** Packages of the user's, which must not be copied: OpenTelemetry's API finds its SDK only if there is one copy. */
const FOREIGN = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).peerDependencies);

/** Stands for the name of the file that it is in, until that is known. */
const OWN_FILE = '@app-net-file@';

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

rmSync(dist, { recursive: true, force: true });
const names = importedNames();
const bundled = await bundleDependencies(names);
await bundleEntries(new Set(names.keys()));
await bundlePage();
bundled.push(...(await bundleDashboard(root)));
writeFileSync(join(dist, 'vendor/LICENSES.txt'), licenses(bundled));
nameOwnFile();
refuseRenamedClasses();

/** What our sources import of which package. The page of the dashboard is bundled by itself. */
function importedNames() {
  const found = new Map();
  const sources = readdirSync(join(root, 'src'), { recursive: true }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith(join('dashboard', 'page')),
  );
  for (const source of sources) {
    const text = readFileSync(join(root, 'src', source), 'utf8');
    for (const [, list, name] of text.matchAll(/^import (?!type )(.+?) from '([^.'][^']*)';$/gms)) {
      if (!name.startsWith('node:') && !FOREIGN.includes(name)) add(name, list);
    }
    for (const [, name] of text.matchAll(/ import\('([^.'][^']*)'\)/g))
      if (!name.startsWith('node:') && !FOREIGN.includes(name)) add(name, '*');
  }
  return found;

  function add(name, list) {
    const known = found.get(name) ?? new Set();
    found.set(name, known);
    const braces = /\{(.*)\}/s.exec(list);
    if (list === '*' || list.startsWith('*')) known.add('*');
    else if (!list.startsWith('{')) known.add('default');
    for (const each of braces?.[1].split(',') ?? []) if (each.trim()) known.add(each.trim().split(' as ')[0]);
  }
}

/** Minified and without source maps: nobody looks into them here. @returns the files that they are made of */
async function bundleDependencies(imported) {
  const virtual = {
    name: 'what we import of each package',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^vendor:/ }, ({ path }) => ({ path, namespace: 'vendor' }));
      onLoad({ filter: /.*/, namespace: 'vendor' }, ({ path }) => {
        const name = path.slice('vendor:'.length);
        const list = [...imported.get(name)];
        const from = `from ${JSON.stringify(name)};`;
        const contents = list.includes('*') ? `export * ${from}` : `export { ${list.join(', ')} } ${from}`;
        return { contents, resolveDir: root };
      });
    },
  };
  const { metafile } = await build({
    ...common,
    entryPoints: [...imported.keys()].map((name) => ({ in: `vendor:${name}`, out: `vendor/${name}` })),
    chunkNames: 'vendor/[name]-[hash]',
    minify: true,
    plugins: [virtual],
    // Optional native code that `ws` looks for. We send masks of zeros, which leaves it nothing to do.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    // CommonJS packages ask for modules of Node's only. Not `createRequire(import.meta.url)`: our bundle may become part of
    // an application's, in a format that has no `import.meta`.
    banner: { js: 'const require = (name) => process.getBuiltinModule(name);' },
  });
  return Object.keys(metafile.inputs);
}

/** The licences of everything that is in the bundle, since all of them ask to be passed on. */
function licenses(inputs) {
  const folders = new Set(
    inputs.flatMap((input) => /^(?:.*node_modules\/)(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  const texts = [...folders]
    .toSorted((a, b) => a.localeCompare(b))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const file = readdirSync(join(root, folder)).find((each) => /^licen[sc]e/i.test(each));
      const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `License: ${license}`;
      return `${name} ${version} (${license})\n\n${text}\n`;
    });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** Tells the code its own file's name. With the hash in it no file of a user's bundle has the same name. */
function nameOwnFile() {
  const files = readdirSync(dist).filter((file) => file.endsWith('.js'));
  const [file, ...others] = files.filter((each) => readFileSync(join(dist, each), 'utf8').includes(OWN_FILE));
  if (!file || others.length > 0 || !/-[A-Z0-9]{8}\.js$/.test(file))
    throw new Error(`${OWN_FILE} must be in one chunk`);
  const text = readFileSync(join(dist, file), 'utf8');
  writeFileSync(join(dist, file), text.replaceAll(OWN_FILE, file));
}

/** A class that names itself is given another name by esbuild, and people see that in stacks and in what they print. */
function refuseRenamedClasses() {
  for (const file of readdirSync(dist).filter((each) => each.endsWith('.js'))) {
    const renamed = /= class _\w+/.exec(readFileSync(join(dist, file), 'utf8'));
    if (renamed)
      throw new Error(`${file}: ${renamed[0]}: make its instances in a function outside the class`);
  }
}

async function bundleEntries(packages) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const elsewhere = {
    name: 'dependencies are bundled already',
    setup({ onResolve }) {
      onResolve({ filter: /^[^.]/ }, ({ path }) =>
        packages.has(path) ? { path: `./vendor/${path}.js`, external: true } : undefined,
      );
    },
  };
  await build({
    ...common,
    entryPoints: ENTRIES,
    external: FOREIGN,
    chunkNames: '[name]-[hash]',
    sourcemap: true,
    // With them the package would be larger than 600 KB. Stacks name the files of the repository.
    sourcesContent: false,
    plugins: [elsewhere],
    define: { APP_NET_VERSION: JSON.stringify(version), APP_NET_FILE: JSON.stringify(OWN_FILE) },
  });
}

/** One file for browsers, minified, with nothing of Node's in it. */
async function bundlePage() {
  const lean = new Map(
    LEAN.map((file) => [join(root, 'src', file), join(root, 'src/page/lean', basename(file))]),
  );
  const leaner = {
    name: 'what a page does without',
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
        const instead = lean.get(join(resolveDir, path));
        return instead && { path: instead };
      });
    },
  };
  const { mangleCache } = await build({
    ...common,
    splitting: false,
    entryPoints: { page: 'src/page.ts' },
    platform: 'neutral',
    target: 'es2022',
    minify: true,
    mangleProps: shortened,
    mangleCache: {},
    // Fields without a value are not written down.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    sourcemap: true,
    sourcesContent: false,
    plugins: [leaner],
  });
  checkShortened(root, mangleCache);
}
