import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, lstat, mkdir, open, unlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

import { NetError } from '../errors.ts';
import { makeSecret, SHORTEST_SECRET } from '../wire/secret.ts';

/**
 * The folder in which the peers of one user on one host find each other, and the secret they share. Only the
 * user may look into it; that is what lets the peers of one user, and nobody else, talk without configuration.
 */

/** `$XDG_RUNTIME_DIR/app-net`, else `<tmpdir>/app-net-<uid>`. */
export async function defaultRuntimeDirectory(environment: NodeJS.ProcessEnv): Promise<string> {
  const base = environment['XDG_RUNTIME_DIR'];
  // After `su` or `sudo` the variable may still name the folder of another user.
  if (base && (await isOwn(base))) return join(base, 'app-net');
  return join(tmpdir(), `app-net-${process.getuid?.() ?? userInfo().username}`);
}

async function isOwn(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() && stats.uid === process.getuid?.();
  } catch {
    return false;
  }
}

/**
 * Makes the folder if need be, and refuses one that others can look into.
 * @throws NetError INSECURE, or the file system's own error
 */
export async function openRuntimeDirectory(path: string): Promise<void> {
  await makeFolder(path).catch((cause: NodeJS.ErrnoException) => {
    const text = `the runtime directory ${path} cannot be made: ${cause.message}; choose another with NET_RUNTIME_DIR`;
    throw Object.assign(new Error(text, { cause }), { code: cause.code });
  });
  const stats = await lstat(path);
  if (!stats.isDirectory()) throw insecure(path, 'is not a directory', 'remove it');
  const uid = process.getuid?.();
  // Windows has no such modes; there the folder is below the user's own profile.
  if (uid === undefined) return;
  if (stats.uid !== uid) throw insecure(path, `belongs to another user (uid ${stats.uid})`, 'remove it');
  if (stats.mode & 0o077) throw insecure(path, 'is open to other users', `run: chmod 700 ${path}`);
}

/** With those above it. Node's own way to make them all does not come back when the path is below /proc. */
async function makeFolder(path: string): Promise<void> {
  const make = async (): Promise<void> => {
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  };
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await make();
  }
}

function insecure(path: string, what: string, remedy: string): NetError {
  return new NetError(
    'INSECURE',
    `the runtime directory ${path} ${what}: ${remedy}, or choose another with NET_RUNTIME_DIR`,
  );
}

/**
 * The secret of this user's peers on this host; made by the first that asks.
 * @param secret what to put there if there is none. Default: a new one.
 */
export async function readOrMakeSecret(directory: string, secret: string = makeSecret()): Promise<string> {
  const path = join(directory, 'secret');
  try {
    return await readSecretFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Written under another name and then linked: the name appears with its content or not at all, and if two
  // processes do this at once the second link fails and both read the first one's.
  const draft = join(directory, `.secret-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return readSecretFile(path);
}

/**
 * The secret in a file, without white space around it.
 * @throws NetError INSECURE when others can read the file UNAUTHENTICATED when it is empty or short
 */
export async function readSecretFile(path: string): Promise<string> {
  // Opened once: what is checked is what is read, whatever the name stands for a moment later.
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw Object.assign(new Error(`the secret file ${path} cannot be read: ${cause.message}`, { cause }), {
      code: cause.code,
    });
  });
  let secret: string;
  try {
    const fault = publicity(path, await file.stat());
    if (fault) throw new NetError('INSECURE', `the secret file ${path} ${fault}`);
    secret = (await file.readFile('utf8')).trim();
  } finally {
    await file.close();
  }
  if (secret.length < SHORTEST_SECRET) {
    const what = secret ? `shorter than ${SHORTEST_SECRET} characters` : 'empty';
    throw new NetError(
      'UNAUTHENTICATED',
      `the secret in ${path} is ${what}: remove the file, or put a longer one in`,
    );
  }
  return secret;
}

/**
 * Who else may read the file or change it, and what to do. It has to be ours alone; or root's, who may let our group
 * read it, as container platforms hand out secrets.
 */
function publicity(path: string, { uid, mode }: Stats): string | undefined {
  const own = process.getuid?.();
  // Windows has no such modes; there the folders of a user are closed to others.
  if (own === undefined) return undefined;
  if (uid !== own && uid !== 0) {
    return `belongs to another user (uid ${uid}), who could change it: run chown ${own} ${path}, or use a copy`;
  }
  const forbidden = uid === own ? 0o077 : 0o027;
  return mode & forbidden ? `can be read or changed by other users: run chmod 600 ${path}` : undefined;
}
