import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runningPeers } from '../running-peers.ts';
import type { RunningPeer } from '../running-peers.ts';
import { readableTag } from '../tag.ts';
import type { Context } from './context.ts';
import { CliError, EXIT } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { safe } from './output.ts';
import { count } from './units.ts';

/**
 * Loads the module, and holds the process until Ctrl-C; then what runs may finish.
 * @param loaded called when everything is, or failed to be
 */
export async function runModule(
  { out, signal }: Context,
  module: string,
  loaded: () => void = () => {},
): Promise<ExitCode> {
  // As if the module had been started itself: a peer without a name is called after it.
  process.argv.splice(1, process.argv.length, module);
  try {
    await import(pathToFileURL(module).href);
  } finally {
    loaded();
  }
  const peers = [...runningPeers];
  if (peers.length === 0) {
    throw new CliError(
      EXIT.USAGE,
      `${basename(module)} was loaded, and no function was connected`,
      "write: import { connect } from 'app-net'; export const f = connect(function f() { … });",
    );
  }
  for (const peer of peers) for (const line of description(peer)) out.line(line);
  await untilAborted(signal);
  await Promise.all([...runningPeers].map((peer) => peer.stop()));
  return EXIT.DONE;
}

function description({ name, group, functions }: RunningPeer): string[] {
  return [
    `${safe(name, 60)} serves ${count(functions.length, 'function')} in the group ${safe(group, 60)}`,
    ...functions.map((tag) => `  ${safe(readableTag(tag))}`),
  ];
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // The peer does not hold the process; the module is here to be served.
    const hold = setInterval(() => {}, 2 ** 30);
    const end = (): void => {
      clearInterval(hold);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
