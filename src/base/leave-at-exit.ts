import type { AnyActor } from 'xstate';

/** The actors of peers that run. A process that exits says goodbye for them, as far as that goes without waiting. */
const running = new Set<AnyActor>();

/** Whether an exception or a rejection was caught by nobody. A listener of the user's may have let the process go on. */
let hasCrashed = false;

/**
 * Until `forgetAtExit`, the exit of the process makes this peer leave with `stopped` instead of `lost`. A process that dies of
 * an exception says nothing: it did not mean to go, and what it had still to say is missing.
 */
export function leaveAtExit(peer: AnyActor): void {
  // One listener for all: Node warns of a leak when there are more than ten.
  if (running.size === 0) {
    process.on('exit', leaveAll);
    // It only looks on: what becomes of the process is decided as ever.
    process.on('uncaughtExceptionMonitor', noteCrash);
  }
  running.add(peer);
}

export function forgetAtExit(peer: AnyActor): void {
  running.delete(peer);
  if (running.size > 0) return;
  process.off('exit', leaveAll);
  process.off('uncaughtExceptionMonitor', noteCrash);
}

function noteCrash(): void {
  hasCrashed = true;
}

function leaveAll(code: number): void {
  // With 0 the process outlived the exception, and ends in order later.
  if (hasCrashed && code !== 0) return;
  for (const peer of running) {
    peer.send({ type: 'peer.stop' });
    peer.stop();
  }
}
