import { randomBytes } from 'node:crypto';
import { link, rename, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

import { makeFolder, readSecretFile } from '../../providers/host/runtime-directory.ts';
import { makeSecret, SHORTEST_SECRET, weaknessOf } from '../../wire/secret.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';

/** `app-net secret`: a secret in a file of its own, for peers on several hosts. It is shown only to who asks for it. */

export interface SecretOptions {
  file?: string;
  /** Takes the place of one that is there. */
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
  out.message(made ? `a secret was stored in ${file}, readable by you alone` : `${file} has one already`);
  out.line(`APP_NET_SECRET_FILE=${quoted(file)}`);
  const { dim } = out.errorColors;
  out.message(
    dim(`start peers with that line in their environment, and APP_NET_LAN=1 to open them to the network`),
  );
  // Where it is by default it need not be said.
  const where = file === defaultFile(environment) ? '' : ` --file ${quoted(options.file ?? file)}`;
  out.message(
    dim(`to another host: app-net secret${where} --show | ssh <host> npx app-net secret${where} --stdin`),
  );
  return EXIT.DONE;
}

/** `$XDG_CONFIG_HOME/app-net/secret`, else `~/.config/app-net/secret`. */
function defaultFile(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'app-net', 'secret');
}

/** Whether a secret was stored now. @throws CliError */
async function store(file: string, options: SecretOptions): Promise<boolean> {
  if (options.show && !options.new && !options.stdin) return false;
  const content = options.stdin ? await given() : makeSecret();
  await makeFolder(dirname(file));
  // Under another name first: whoever opens the file finds the whole of it.
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
    throw new CliError(EXIT.USAGE, `${file} holds another secret`, 'say --new to put this one in its place');
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
    `standard input holds no secret that will do: give one line of at least ${SHORTEST_SECRET} characters, not of a few different ones`,
    'on the other host: app-net secret --show',
  );
}

async function read(file: string): Promise<string> {
  try {
    return await readSecretFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CliError(EXIT.USAGE, `there is no secret in ${file}`, 'app-net secret makes one');
    }
    throw new CliError(EXIT.USAGE, error instanceof Error ? error.message : String(error));
  }
}

/** As a shell reads it back. */
function quoted(file: string): string {
  return /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
}
