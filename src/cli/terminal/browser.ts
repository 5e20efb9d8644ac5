import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Opens a URL in the user's browser. The URL has a pass in it, and other users of the host can read the arguments of a process. So
 * the browser is given a private file that leads to the URL. If no browser opens, nothing happens.
 * @returns a function that removes the file
 */
export async function openBrowser(url: string): Promise<() => Promise<void>> {
  // Its mode is 0700.
  const folder = await mkdtemp(join(tmpdir(), 'app-net-dashboard-'));
  const file = join(folder, 'open.html');
  await writeFile(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${url}">\n`, {
    mode: 0o600,
  });
  const [command, ...args] = opener();
  const child = spawn(command, [...args, pathToFileURL(file).href], { stdio: 'ignore', detached: true });
  // There is no such command, or no display: the URL is printed anyway.
  child.on('error', () => {});
  child.unref();
  return () => rm(folder, { recursive: true, force: true });
}

function opener(): [string, ...string[]] {
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return ['xdg-open'];
}
