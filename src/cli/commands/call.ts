import type { RemotePeer } from '../../index.ts';
import { nameOf } from './chosen-call.ts';
import type { CallOptions, Chosen } from './chosen-call.ts';
import { chooseFunction, choosePeer } from './choose.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { exitCodeOf, failureLines } from '../terminal/failures.ts';
import { meant, searchFor, withPeer } from '../observer.ts';
import { safe } from '../terminal/text.ts';
import { display, jsonable, readArguments, readMeta } from './values.ts';

/** `app-net call <function> [args…]`: on one peer, on all of them, or for each line of a file. */

export function call(
  context: Context,
  wanted: string,
  given: readonly string[],
  options: CallOptions,
): Promise<ExitCode> {
  const args = readArguments(given);
  refuseTogether(options, args);
  const meta = readMeta(options.meta);
  return withPeer('call', async (own) => {
    const { peer, tag } = await searchFor(own, options.group, context.signal, (found) => {
      const named = options.peer === undefined ? undefined : choosePeer(options.peer, found);
      return { peer: named, tag: chooseFunction(wanted, named ? [named] : found) };
    });
    const select = meant(options.group);
    const target = { own, tag, select, deadline: options.deadline ?? Infinity, meta, options };
    if (options.map !== undefined)
      return (await import('./call-map.ts')).callMap(context, target, options.map);
    if (options.all) return callAll(context, target, args);
    return callOne(context, target, peer, args);
  });
}

function refuseTogether(options: CallOptions, args: readonly unknown[]): void {
  const { peer, any, all, map, spread, ordered, concurrency } = options;
  const ways = { '--peer': peer !== undefined, '--any': any, '--all': all, '--map': map !== undefined };
  const given = Object.entries(ways).flatMap(([name, is]) => (is ? [name] : []));
  if (given.length > 1) {
    throw new CliError(EXIT.USAGE, `${given.join(' and ')} cannot be used together`, 'give one of them');
  }
  if (map !== undefined && args.length > 0) {
    throw new CliError(
      EXIT.USAGE,
      'with --map the arguments come from the file',
      'leave out the other arguments',
    );
  }
  const ofMap = { '--spread': spread, '--ordered': ordered, '--concurrency': concurrency };
  for (const [name, value] of Object.entries(ofMap)) {
    if (value !== undefined && map === undefined) throw new CliError(EXIT.USAGE, `${name} needs --map`);
  }
}

async function callOne(
  { out, signal }: Context,
  { own, tag, select, deadline, meta, options }: Chosen,
  peer: RemotePeer | undefined,
  args: readonly unknown[],
): Promise<ExitCode> {
  const show = (value: unknown): void => {
    if (out.json) out.data(jsonable(value));
    else out.line(display(value, { colors: out.colors.enabled, columns: out.columns }));
  };
  try {
    const limits = { deadline, signal, meta };
    const remote = own.remote<(...args: unknown[]) => unknown>(tag, { idempotent: options.idempotent });
    const value = await (peer ? peer.call(tag, args, limits) : remote.any(select, limits)(...args));
    await eachOf(value, async (each) => {
      show(each);
      await out.taken(signal);
    });
    return EXIT.DONE;
  } catch (error) {
    if (signal.aborted) return EXIT.INTERRUPTED;
    if (out.json) out.messageData({ error: jsonable(error) });
    else for (const line of failureLines(error, out.errorColors)) out.message(line);
    return exitCodeOf(error);
  }
}

/** Prints each answer as it arrives, with the name of its peer. */
async function callAll(
  { out, signal }: Context,
  chosen: Chosen,
  args: readonly unknown[],
): Promise<ExitCode> {
  const { own, tag, select, deadline, meta } = chosen;
  let failed = 0;
  const show = (peer: RemotePeer, value: unknown): void => {
    if (out.json) out.data({ peer: nameOf(peer), value: jsonable(value) });
    else out.line(`${label(peer)}${display(value, { colors: out.colors.enabled, columns: out.columns })}`);
  };
  const fail = (peer: RemotePeer, error: unknown): void => {
    if (signal.aborted) return;
    failed += 1;
    if (out.json) out.data({ peer: nameOf(peer), error: jsonable(error) });
    else out.line(`${label(peer)}${failureLines(error, out.colors)[0]}`);
  };
  const showNext = (peer: RemotePeer) => async (value: unknown) => {
    show(peer, value);
    await out.taken(signal);
  };
  const label = (peer: RemotePeer): string => `${out.colors.bold(safe(peer.name, 40))}  `;
  const remote = own.remote<(...args: unknown[]) => unknown>(tag);
  const reading: Promise<void>[] = [];
  for await (const result of remote.all(select, { deadline, signal, meta })(...args)) {
    const { peer } = result;
    if (result.status === 'rejected') fail(peer, result.reason);
    else reading.push(eachOf(result.value, showNext(peer)).catch((error) => fail(peer, error)));
  }
  await Promise.all(reading);
  if (signal.aborted) return EXIT.INTERRUPTED;
  return failed === 0 ? EXIT.DONE : EXIT.FAILED;
}

/** A value, or each value of a stream as it arrives. */
async function eachOf(value: unknown, show: (value: unknown) => Promise<void>): Promise<void> {
  const isStream = typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
  if (isStream) for await (const each of value as AsyncIterable<unknown>) await show(each);
  else await show(value);
}
