// Bundles an application as its owner would: `node bundle.js <bundler> <entry> <out> <esm|cjs> <plain|min> [external]`, in a folder
// where the bundlers are installed. `external` leaves the library out.
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [bundler, entry, out, format, size, packages] = process.argv.slice(2);
const external = packages === 'external' ? ['app-net'] : [];
const minify = size === 'min';
const dir = resolve(out);
const load = (name) => import(pathToFileURL(createRequire(resolve('app.js')).resolve(name)).href);

const BUNDLERS = {
  async esbuild() {
    const { build } = await load('esbuild');
    await build({
      ...{
        entryPoints: [entry],
        external,
        bundle: true,
        platform: 'node',
        format,
        minify,
        outfile: join(dir, 'app.js'),
      },
    });
  },
  async rollup() {
    const { rollup } = await load('rollup');
    const { nodeResolve } = await load('@rollup/plugin-node-resolve');
    const { transform } = await load('esbuild');
    const minifier = {
      name: 'minify',
      renderChunk: async (code) => ({ code: (await transform(code, { minify: true })).code, map: null }),
    };
    const plugins = [nodeResolve({ exportConditions: ['node'] }), minify && minifier];
    const bundle = await rollup({ input: entry, external: [/^node:/, ...external], plugins });
    await bundle.write({ dir, format, entryFileNames: 'app.js' });
  },
  async webpack() {
    const { default: webpack } = await load('webpack');
    const esm = format === 'esm';
    const output = esm ? { module: true, chunkFormat: 'module' } : { library: { type: 'commonjs2' } };
    const compiler = webpack({
      ...{ mode: minify ? 'production' : 'none', target: 'node20', devtool: false, context: process.cwd() },
      ...{ entry: resolve(entry), experiments: { outputModule: esm } },
      externals: Object.fromEntries(external.map((name) => [name, `${esm ? 'module' : 'commonjs'} ${name}`])),
      output: { path: dir, filename: 'app.js', ...output },
    });
    await new Promise((done, fail) => {
      compiler.run((error, stats) => {
        if (error) fail(error);
        else if (stats.hasErrors()) fail(new Error(stats.toString()));
        else done();
      });
    });
  },
  async vite() {
    // Its package has no entry for `require`.
    const { build } = await import(pathToFileURL(resolve('node_modules/vite/dist/node/index.js')).href);
    const output = { format, entryFileNames: 'app.js' };
    await build({
      ...{ configFile: false, logLevel: 'error', ssr: { noExternal: true, external } },
      build: { ssr: entry, outDir: dir, minify, emptyOutDir: true, rollupOptions: { output } },
    });
  },
};

await BUNDLERS[bundler]();
await mkdir(dir, { recursive: true });
await writeFile(
  join(dir, 'package.json'),
  JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }),
);
