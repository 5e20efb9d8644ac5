import { randomBytes } from 'node:crypto';
import { link, rename, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

import { makeFolder, readSecretFile } from '../../providers/host/runtime-directory.ts';
import { makeSecret, SHORTEST_SECRET, weaknessOf } from '../../wire/handshake/secret.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { messageOf } from '../../base/text.ts';

/**
 * `app-net secret`: keeps a secret in its own file, for peers on several hosts. It prints the secret only on request.
 */

export interface SecretOptions {
  file?: string;
  /** Replaces the present secret. */
  new?: boolean;
  /** Prints the secret itself. */
  show?: boolean;
  /** Takes the secret from standard input, as another host printed it. */
  stdin?: boolean;
}

export async function secret({ out, environment }: Context, options: SecretOptions): Promise<ExitCode> {
  const file = resolve(options.file ?? (environment['APP_NET_SECRET_FILE'] || defaultFile(environment)));
  const made = await store(file, options);
  if (options.show) {
    out.line(await read(file));
    return EXIT.DONE;
  }
  if (out.json) {
    out.data({ file, made });
    return EXIT.DONE;
  }
  out.message(made ? `a secret was stored in ${file}, readable only by you` : `${file} already has a secret`);
  out.line(`APP_NET_SECRET_FILE=${quoted(file)}`);
  const { dim } = out.errorColors;
  out.message(
    dim(
      `start peers with this line in their environment, and with APP_NET_LAN=1 or APP_NET_NATS to open them to the network`,
    ),
  );
  const isDefault = file === defaultFile(environment);
  const show = `npx app-net secret${isDefault ? '' : ` --file ${quoted(options.file ?? file)}`} --show`;
  const there = isDefault ? `${OTHER_HOME}/secret` : quoted(file);
  const folder = isDefault ? OTHER_HOME : quoted(dirname(file));
  out.message(
    dim(`copy it to another host, from any folder: ${show} | ssh <host> ${storing(folder, there)}`),
  );
  return EXIT.DONE;
}

/** The default folder on another host, as its shell finds it. */
const OTHER_HOME = '"${XDG_CONFIG_HOME:-$HOME/.config}/app-net"';

/**
 * What a shell does that stores its standard input in a new file. `npx app-net secret --stdin` would need the folder of a project:
 * `ssh` begins in the home folder, where npx would look for the package in a registry.
 */
function storing(folder: string, file: string): string {
  return quoted(`umask 077; mkdir -p ${folder} && set -C && cat > ${file}`);
}

/** `$XDG_CONFIG_HOME/app-net/secret`, else `~/.config/app-net/secret`. */
function defaultFile(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'app-net', 'secret');
}

/** Returns whether a secret was stored now. @throws CliError */
async function store(file: string, options: SecretOptions): Promise<boolean> {
  if (options.show && !options.new && !options.stdin) return false;
  const content = options.stdin ? await given() : makeSecret();
  await makeFolder(dirname(file));
  // The file gets another name first, so that every reader of the final file finds all of it.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${content}\n`, { mode: 0o600, flag: 'wx' });
  if (options.new) {
    await rename(draft, file);
    return true;
  }
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((await read(file)) === content || !options.stdin) return false;
    throw new CliError(EXIT.USAGE, `${file} holds another secret`, 'replace it with --new');
  } finally {
    await unlink(draft).catch(() => {});
  }
}

async function given(): Promise<string> {
  const content = (await text(process.stdin)).trim();
  const weakness = weaknessOf(content);
  if (weakness === undefined && !content.includes('\n')) return content;
  throw new CliError(
    EXIT.USAGE,
    `standard input holds no usable secret: give one line of at least ${SHORTEST_SECRET} characters, with enough different ones`,
    'print it on the other host with app-net secret --show',
  );
}

async function read(file: string): Promise<string> {
  try {
    return await readSecretFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CliError(EXIT.USAGE, `there is no secret in ${file}`, 'make one with app-net secret');
    }
    throw new CliError(EXIT.USAGE, messageOf(error));
  }
}

/** The form that a shell reads back. */
function quoted(file: string): string {
  return /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
}
