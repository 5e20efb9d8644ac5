import { randomInt } from 'node:crypto';

import { NetError } from '../index.ts';
import type { RemotePeer } from '../index.ts';
import { chooseFunction, choosePeer } from './choose.ts';
import type { Context } from './context.ts';
import { CliError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { search, withPeer } from './observer.ts';
import { safe } from './output.ts';
import { display, jsonable, readArguments } from './values.ts';

/** `app-net call <function> [args…]`: on one peer, or on all of them. */

export interface CallOptions {
  group?: string;
  /** On this one, by name or id. */
  peer?: string;
  /** On one that has the function; so it is without any of these three. */
  any?: boolean;
  /** On every one that has it. */
  all?: boolean;
  /** In ms; endless without: somebody who waits has Ctrl-C. */
  deadline?: number;
}

export function call(
  context: Context,
  wanted: string,
  given: readonly string[],
  options: CallOptions,
): Promise<ExitCode> {
  const args = readArguments(given);
  refuseTogether(options);
  return withPeer('call', async (own) => {
    const found = await search(own, options.group, context.signal);
    const there = options.peer === undefined ? found : [choosePeer(options.peer, found)];
    const tag = chooseFunction(wanted, there);
    const peers = there.filter((peer) => peer.has(tag));
    const limits = { deadline: options.deadline ?? Infinity, signal: context.signal };
    if (options.all) return callAll(context, peers, tag, args, limits);
    return callOne(context, peers, tag, args, limits);
  });
}

type Limits = { deadline: number; signal: AbortSignal };

function refuseTogether({ peer, any, all }: CallOptions): void {
  const given = [peer !== undefined && '--peer', any && '--any', all && '--all'].filter(Boolean);
  if (given.length > 1) throw new CliError(EXIT.USAGE, `${given.join(' and ')} exclude each other`);
}

async function callOne(
  context: Context,
  peers: readonly RemotePeer[],
  tag: string,
  args: readonly unknown[],
  limits: Limits,
): Promise<ExitCode> {
  const { out, signal } = context;
  try {
    const peer = peers[randomInt(peers.length)]!;
    const value = await peer.call(tag, args, limits);
    await print(context, value);
    return EXIT.DONE;
  } catch (error) {
    if (signal.aborted) return EXIT.INTERRUPTED;
    const { red, dim } = out.errorColors;
    if (out.json) out.message(JSON.stringify({ error: jsonable(error) }));
    else for (const line of failureLines(error, red, dim)) out.message(line);
    return exitCodeOf(error);
  }
}

/** A value as it is, and the values of a stream as they come. */
async function print({ out }: Context, value: unknown): Promise<void> {
  const show = (each: unknown): void => {
    if (out.json) out.data(jsonable(each));
    else out.line(display(each, { colors: out.colors.isColorSupported, columns: out.columns }));
  };
  if (isStream(value)) for await (const each of value) show(each);
  else show(value);
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Each answer as it comes, with who gave it. */
async function callAll(
  { out, signal }: Context,
  peers: readonly RemotePeer[],
  tag: string,
  args: readonly unknown[],
  limits: Limits,
): Promise<ExitCode> {
  const width = Math.max(...peers.map(({ name }) => safe(name, 40).length));
  let failed = 0;
  const one = async (peer: RemotePeer): Promise<void> => {
    const who = { id: peer.id, name: peer.name };
    const label = out.colors.bold(safe(peer.name, 40).padEnd(width));
    try {
      const value = await peer.call(tag, args, limits);
      const shown = { colors: out.colors.isColorSupported, columns: out.columns };
      if (out.json) out.data({ peer: who, value: jsonable(value) });
      else out.line(`${label}  ${display(value, shown)}`);
    } catch (error) {
      if (signal.aborted) return;
      failed += 1;
      if (out.json) out.data({ peer: who, error: jsonable(error) });
      else out.line(`${label}  ${out.colors.red(failureLines(error, plain, plain)[0])}`);
    }
  };
  await Promise.all(peers.map((peer) => one(peer)));
  return failed === 0 ? EXIT.DONE : EXIT.FAILED;
}

function failureLines(
  error: unknown,
  red: (text: string) => string,
  dim: (text: string) => string,
): string[] {
  if (!(error instanceof Error))
    return [`${red('thrown there:')} ${display(error, { colors: false, columns: 120 })}`];
  const ran = error instanceof NetError ? ` (${error.code}, ran: ${error.ran})` : '';
  const first = `${red(`${safe(error.name, 100)}:`)} ${safe(error.message, 2_000)}${ran}`;
  // The frames of the process that ran it; those of this command say nothing.
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const end = frames.findIndex((line) => line.includes('at peer '));
  return [first, ...frames.slice(0, end + 1).map((line) => dim(safe(line, 300)))];
}

const plain = (text: string): string => text;

function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof NetError)) return EXIT.FAILED;
  return error.code === 'NO_SUCH_TAG' ? EXIT.NOT_FOUND : EXIT.NOT_CALLED;
}
