import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { lstat, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import {
  defaultRuntimeDirectory,
  openRuntimeDirectory,
  readOrMakeSecret,
  readSecretFile,
} from '../../providers/host/runtime-directory.ts';
import { resolveOptions } from '../../peer/options/options.ts';
import type { Settings } from '../../peer/options/options.ts';
import { libraryVersion } from '../../base/version.ts';
import { VERSIONS } from '../../wire/frames.ts';
import { deriveKeys } from '../../wire/handshake/secret.ts';
import type { SecretKeys } from '../../wire/handshake/secret.ts';
import type { Result } from './report.ts';
import { messageOf } from '../../base/text.ts';

/** The checks of `doctor` that involve no other peer: this process, its environment, its host. */

/** The oldest Node that this library runs on. */
const OLDEST_NODE = [20, 19] as const;

/** How long a connection of this host to itself may take, in ms. */
const LOOPBACK_TIME = 1_000;

/** A clock that shows an earlier time is wrong. Certificates are not valid before they were made. */
const EARLIEST = Date.UTC(2025, 0, 1);

export function checkVersions(): Result {
  const check = 'versions';
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldest, least] = OLDEST_NODE;
  const says = `app-net ${libraryVersion()}, Node ${process.versions.node}, protocol ${VERSIONS.join(', ')}`;
  if (major > oldest || (major === oldest && minor >= least)) return { status: 'ok', check, says };
  return { status: 'problem', check, says, todo: `install Node ${oldest}.${least} or newer` };
}

/** Also returns the settings that peers of this environment would have. */
export function checkOptions(environment: NodeJS.ProcessEnv): {
  result: Result;
  settings: Settings | undefined;
} {
  const check = 'environment';
  const given = Object.keys(environment)
    .filter((name) => name.startsWith('APP_NET_') && environment[name])
    // The secret must not be shown on a screen, nor a password in a URL.
    .map((name) =>
      name === 'APP_NET_SECRET' ? 'APP_NET_SECRET=…' : `${name}=${withoutPasswords(environment[name]!)}`,
    );
  try {
    const settings = resolveOptions({}, environment);
    return { result: { status: 'ok', check, says: given.join(' ') || 'no option is set' }, settings };
  } catch (error) {
    return { result: { status: 'problem', check, says: messageOf(error) }, settings: undefined };
  }
}

function withoutPasswords(urls: string): string {
  return urls.replaceAll(/\/\/[^@/,]*@/g, '//…@');
}

/** @param isSpare whether peers of this environment start without it */
export async function checkRuntimeDirectory(
  environment: NodeJS.ProcessEnv,
  isSpare: boolean,
): Promise<{ results: Result[]; directory: string; isUsable: boolean }> {
  const check = 'runtime directory';
  const directory = environment['APP_NET_RUNTIME_DIR'] || (await defaultRuntimeDirectory(environment));
  try {
    await openRuntimeDirectory(directory);
    const { mode } = await lstat(directory);
    const draft = join(directory, `.doctor-${randomBytes(6).toString('hex')}`);
    await writeFile(draft, '', { mode: 0o600, flag: 'wx' });
    await unlink(draft);
    const says = `${directory}, mode ${(mode & 0o777).toString(8)}`;
    return { results: [{ status: 'ok', check, says }, ...checkWatch(directory)], directory, isUsable: true };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const says =
      code === 'EACCES' || code === 'EROFS' ? `${directory} cannot be written to: ${message}` : message;
    const isFault = code === 'INSECURE' || !isSpare;
    const other = isFault
      ? 'choose another directory with APP_NET_RUNTIME_DIR'
      : 'peers work without it here: they have a secret, and find each other by seeds or on the LAN';
    const todo = code === 'INSECURE' ? undefined : other;
    return {
      results: [{ status: isFault ? 'problem' : 'note', check, says, todo }],
      directory,
      isUsable: false,
    };
  }
}

function checkWatch(directory: string): Result[] {
  try {
    watch(directory, { persistent: false }).close();
    return [];
  } catch (error) {
    const says = `it cannot be watched (${messageOf(error)}), so new peers are noticed only after up to 2 s`;
    return [
      { status: 'note', check: 'runtime directory', says, todo: 'raise fs.inotify.max_user_instances' },
    ];
  }
}

/** Reports where the secret comes from, never the secret itself. */
export async function checkSecret(
  settings: Settings,
  directory: string | undefined,
): Promise<{ result: Result; keys: SecretKeys | undefined }> {
  const check = 'secret';
  try {
    const { from, text } = await findSecret(settings, directory);
    const kind = text.startsWith('net1_') ? 'a made secret' : 'a passphrase';
    return { result: { status: 'ok', check, says: `${kind}, ${from}` }, keys: await deriveKeys(text) };
  } catch (error) {
    if (error instanceof NoPlace)
      return { result: { status: 'note', check, says: error.message }, keys: undefined };
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const todo =
      missing || settings.nats
        ? 'make one with app-net secret, which also prints how to give it to peers'
        : undefined;
    return { result: { status: 'problem', check, says: messageOf(error), todo }, keys: undefined };
  }
}

async function findSecret(
  { secret, secretFile, nats }: Settings,
  directory: string | undefined,
): Promise<{ from: string; text: string }> {
  if (secret) return { from: 'from APP_NET_SECRET', text: secret() };
  if (secretFile !== undefined)
    return { from: `from the file ${secretFile}`, text: await readSecretFile(secretFile) };
  if (nats) throw new Error('there is none, and peers at NATS need one');
  if (directory === undefined)
    throw new NoPlace('the secret is in the runtime directory, which cannot be used');
  return { from: "this user's, in the runtime directory", text: await readOrMakeSecret(directory) };
}

/** Another check has already reported the cause. */
class NoPlace extends Error {}

/** Whether a peer could listen where its options say. @param taken tells which of our peers has taken a port */
export async function checkPorts(
  { host, ports: [first, last] }: Settings,
  taken: (port: number) => string | undefined,
): Promise<Result> {
  const check = 'port';
  if (first === 0) {
    const result = await listenOnce(host, 0);
    if ('error' in result)
      return { status: 'problem', check, says: `no peer can listen at ${host}: ${result.error}` };
    return {
      status: 'ok',
      check,
      says: 'any free port: neither APP_NET_PORT nor APP_NET_PORT_RANGE is set',
    };
  }
  const busy: string[] = [];
  for (let port = first; port <= last; port += 1) {
    const result = await listenOnce(host, port);
    if (!('error' in result)) return { status: 'ok', check, says: `${port} is free at ${host}` };
    if (result.code !== 'EADDRINUSE') {
      return {
        status: 'problem',
        check,
        says: `${host}:${port}: ${result.error}`,
        todo: adviceFor(result.code),
      };
    }
    busy.push(`${port} is taken by ${taken(port) ?? 'another program'}`);
  }
  return {
    status: 'problem',
    check,
    says: busy.length > 3 ? `every port from ${first} to ${last} is taken` : busy.join('; '),
    todo: 'choose another APP_NET_PORT, or a range (APP_NET_PORT_RANGE=4000-4100), or set neither for any free port',
  };
}

function adviceFor(code: string | undefined): string | undefined {
  if (code === 'EACCES') return 'ports below 1024 need privileges; choose a higher APP_NET_PORT';
  if (code === 'EADDRNOTAVAIL')
    return 'APP_NET_HOST must be an address of this host; unset it to use the default';
  return undefined;
}

async function listenOnce(
  host: string,
  port: number,
): Promise<{ port: number } | { error: string; code?: string | undefined }> {
  const server = createServer();
  try {
    const { port: bound } = await listening(server, host, port);
    return { port: bound };
  } catch (error) {
    return { error: messageOf(error), code: (error as NodeJS.ErrnoException).code };
  } finally {
    server.close();
  }
}

function listening(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** Connects this host to itself, and sends a word. */
export async function checkLoopback(): Promise<Result> {
  const check = 'loopback';
  const server = createServer((socket) => socket.on('error', () => {}).end('here'));
  const over = new AbortController();
  try {
    const { port } = await listening(server, '127.0.0.1', 0);
    const heard = new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, signal: over.signal });
      socket.once('data', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    heard.catch(() => {});
    const late = wait(LOOPBACK_TIME, 'late', { signal: over.signal }).catch(() => 'late');
    if ((await Promise.race([heard, late])) === 'here') {
      return { status: 'ok', check, says: 'connections within this host work' };
    }
    throw new Error(`no answer within ${LOOPBACK_TIME} ms`);
  } catch (error) {
    const says = `a connection from this host to 127.0.0.1 failed: ${messageOf(error)}`;
    return { status: 'problem', check, says, todo: 'allow everything on the interface lo in the firewall' };
  } finally {
    over.abort();
    server.close();
  }
}

export function checkClock(): Result {
  const now = Date.now();
  const says = new Date(now).toISOString();
  if (now >= EARLIEST) return { status: 'ok', check: 'clock', says };
  return {
    status: 'problem',
    check: 'clock',
    says: `${says} is in the past, so certificates will not be valid`,
    todo: 'set the clock, for example with NTP',
  };
}
