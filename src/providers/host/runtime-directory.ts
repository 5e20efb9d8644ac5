import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, lstat, mkdir, unlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

import { NetError } from '../../base/errors.ts';
import { makeSecret, weaknessOf } from '../../wire/handshake/secret.ts';
import { FOLLOWED, ITSELF, NotSmall, readSmallFile } from './small-file.ts';

/**
 * The folder in which the peers of one user on one host find each other, with the secret that they share. Only this user may read
 * it. For this reason the peers of one user, and nobody else, can talk without configuration.
 */

/** The file with the secret. */
export const SECRET_NAME = 'secret';

/** Bytes of the file, at most; a generated secret has 48. */
const LARGEST_SECRET = 4_096;

/** `$XDG_RUNTIME_DIR/app-net`, else `<tmpdir>/app-net-<uid>`. */
export async function defaultRuntimeDirectory(environment: NodeJS.ProcessEnv): Promise<string> {
  const base = environment['XDG_RUNTIME_DIR'];
  // After `su` or `sudo` the variable may still name the folder of another user. A relative path is refused, too: it would be
  // another folder in each working directory.
  if (base && isAbsolute(base) && (await isOwn(base))) return join(base, 'app-net');
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
 * Creates the folder if it is missing, and refuses one that others can read.
 * @returns an identity that tells this folder from a later one with the same name
 * @throws NetError INSECURE, or the file system's own error
 */
export async function openRuntimeDirectory(path: string): Promise<string> {
  const stats = await lookAt(path);
  if (!stats.isDirectory()) throw insecure(path, 'is not a directory', 'remove it');
  // The inode alone is not enough: a file system reuses the number of a removed folder.
  const identity = `${stats.dev} ${stats.ino} ${stats.birthtimeMs}`;
  const uid = process.getuid?.();
  // Windows has no such modes. There the folder is in the user's own profile.
  if (uid === undefined) return identity;
  if (stats.uid !== uid) throw insecure(path, `belongs to another user (uid ${stats.uid})`, 'remove it');
  if (stats.mode & 0o077) throw insecure(path, 'is open to other users', `run: chmod 700 ${path}`);
  return identity;
}

async function lookAt(path: string): Promise<Stats> {
  try {
    return await lstat(path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await makeFolder(path);
      return lstat(path);
    });
  } catch (error) {
    throw explained(`the runtime directory ${path} cannot be used`, error);
  }
}

/** An error that says what is wrong, and what to do about it. */
function explained(what: string, cause: unknown): Error {
  const { message, code } = cause as NodeJS.ErrnoException;
  const text =
    `${what}: ${message}; choose another directory with APP_NET_RUNTIME_DIR, or do without one: give this peer a secret, and set ` +
    'APP_NET_PEERS or APP_NET_LAN so that it finds others';
  return Object.assign(new Error(text, { cause }), { code });
}

/** Creates a folder and those above it. Node's own recursive `mkdir` never returns for a path below /proc. */
export async function makeFolder(path: string): Promise<void> {
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
    `the runtime directory ${path} ${what}: ${remedy}, or choose another directory with APP_NET_RUNTIME_DIR`,
  );
}

/**
 * The secret of this user's peers on this host. The first peer that asks creates it.
 * @param secret the secret to write if there is none; default: a new one
 */
export async function readOrMakeSecret(directory: string, secret: string = makeSecret()): Promise<string> {
  try {
    return await readOwnSecret(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Write under another name, then link: the file appears with its content or not at all. If two processes do this at once, the
  // second link fails, and both read the first one's secret.
  const draft = join(directory, `.secret-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(draft, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    await link(draft, join(directory, SECRET_NAME));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw explained(`cannot create a secret in the runtime directory ${directory}`, error);
    }
  } finally {
    // A full disk leaves an empty draft behind.
    await unlink(draft).catch(() => {});
  }
  return readOwnSecret(directory);
}

/** The secret in the runtime directory. @throws what `readSecretFile` throws */
export function readOwnSecret(directory: string): Promise<string> {
  return readSecret(join(directory, SECRET_NAME), ITSELF);
}

/**
 * The secret in a file, without white space around it.
 * @throws NetError INSECURE if others can read or change the file, or if the secret can be guessed; UNAUTHENTICATED if it is
 *   empty; Error if the file cannot be read, or is not a regular file
 */
export function readSecretFile(path: string): Promise<string> {
  return readSecret(path, FOLLOWED);
}

async function readSecret(path: string, flags: number): Promise<string> {
  let bytes: Buffer;
  try {
    const file = await readSmallFile(path, LARGEST_SECRET, flags, (stats) => {
      const fault = publicity(path, stats);
      if (fault) throw new NetError('INSECURE', `the secret file ${path} ${fault}`);
    });
    bytes = file.bytes;
  } catch (cause) {
    if (cause instanceof NetError) throw cause;
    const { message, code } = cause as NodeJS.ErrnoException;
    const what =
      code === 'ENOENT'
        ? `does not exist: make it with npx app-net secret --file ${path}, or copy it from another host`
        : cause instanceof NotSmall
          ? message
          : `cannot be read: ${message}`;
    throw Object.assign(new Error(`the secret file ${path} ${what}`, { cause }), { code });
  }
  const secret = bytes.toString().trim();
  if (secret === '') {
    throw new NetError(
      'UNAUTHENTICATED',
      `the secret in ${path} is empty: remove the file, or write a secret into it`,
    );
  }
  const weakness = weaknessOf(secret);
  if (weakness !== undefined) {
    const text = `the secret in ${path} can be guessed: it ${weakness}; npx app-net secret --file <path> makes a new one`;
    throw new NetError('INSECURE', text);
  }
  return secret;
}

/**
 * Says who else may read or change the file, and what to do; undefined if nobody may. The file must belong to this user alone. It
 * may also belong to root and be readable by our group, because container platforms provide secrets that way.
 */
function publicity(path: string, { uid, mode }: Stats): string | undefined {
  const own = process.getuid?.();
  // Windows has no such modes. There the folders of a user are closed to others.
  if (own === undefined) return undefined;
  if (uid !== own && uid !== 0) {
    return `belongs to another user (uid ${uid}), who could change it: run chown ${own} ${path}, or use a copy`;
  }
  const forbidden = uid === own ? 0o077 : 0o027;
  return mode & forbidden ? `can be read or changed by other users: run chmod 600 ${path}` : undefined;
}
