import type { AnyActor } from 'xstate';

/** The actors of peers that run. A process that exits says goodbye for them, as far as that goes without waiting. */
const running = new Set<AnyActor>();

/** Until `forgetAtExit`, the exit of the process makes this peer leave with `stopped` instead of `lost`. */
export function leaveAtExit(peer: AnyActor): void {
  // One listener for all: Node warns of a leak when there are more than ten.
  if (running.size === 0) process.on('exit', leaveAll);
  running.add(peer);
}

export function forgetAtExit(peer: AnyActor): void {
  running.delete(peer);
  if (running.size === 0) process.off('exit', leaveAll);
}

function leaveAll(): void {
  for (const peer of running) {
    peer.send({ type: 'peer.stop' });
    peer.stop();
  }
}
