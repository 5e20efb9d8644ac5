// Builds the page of the dashboard, which is shipped ready to be served: one script, one style sheet, and no other files. It uses
// the built `app-net/page`, as the page of a user does.
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

/** @returns the files that the script was made of */
export async function bundleDashboard(root) {
  const from = join(root, 'src/dashboard/page');
  const to = join(root, 'dist/dashboard');
  const builtPage = {
    name: 'what is built for pages',
    setup({ onResolve }) {
      onResolve({ filter: /\/page\.ts$/ }, () => ({ path: join(root, 'dist/page.js') }));
    },
  };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: join(from, 'main.tsx'), style: join(from, 'main.css') },
    entryNames: 'main',
    outdir: to,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    plugins: [builtPage],
    // The newest of each browser two years ago.
    target: ['chrome120', 'firefox121', 'safari17.4'],
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'icon.svg']) cpSync(join(from, file), join(to, file));
  return Object.keys(metafile.inputs);
}
