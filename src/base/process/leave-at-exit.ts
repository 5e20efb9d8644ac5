import type { AnyActor } from 'xstate';

/** The actors of the running peers. When the process exits, it says goodbye for them, as far as it can without waiting. */
const running = new Set<AnyActor>();

/** Whether there was an uncaught exception or rejection. A listener of the user may have kept the process alive after it. */
let hasCrashed = false;

/**
 * Until `forgetAtExit`, the exit of the process makes this peer leave as `stopped` instead of `lost`. A process that dies of an
 * exception says no goodbye: it did not mean to leave, and its last messages were not sent.
 */
export function leaveAtExit(peer: AnyActor): void {
  // One listener for all peers: Node warns of a leak from the eleventh listener on.
  if (running.size === 0) {
    process.on('exit', leaveAll);
    // A monitor only observes: the process still dies, or goes on, as it would without it.
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
  // Exit code 0 means that the process survived the exception and now ends in order.
  if (hasCrashed && code !== 0) return;
  for (const peer of running) {
    peer.send({ type: 'peer.stop' });
    peer.stop();
  }
}
