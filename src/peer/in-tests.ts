import type { Peer } from './peer.ts';
import type { Settings } from './options/options.ts';
import { peerLine } from '../base/peer-line.ts';
import { printable } from '../base/text.ts';

/**
 * Warns once when the default peer of a test run meets another process. A test that calls `any()` would otherwise reach the
 * process that the developer has running beside it, and nobody would notice.
 */
export function warnInTests(peer: Peer, settings: Settings): void {
  if (isApart(settings)) return;
  const others = peer.peers.of({ group: '*' });
  const met = (other: { id: string; name: string; group: string; pid: number; host: string }): void => {
    // Another peer of this process is a part of the test.
    if (other.pid === process.pid && other.host === settings.hostname) return;
    others.off('join', met);
    const runner = testRunner();
    if (runner === undefined) return;
    process.emitWarning(
      `the tests have met another process: ${peerLine(other)} in the group ${printable(JSON.stringify(other.group))} (this is a ` +
        `test run: ${runner}). Their calls may run there. To keep the tests apart, write this line before the first use: ` +
        "configure({ network: new MemoryNetwork() }); // import { MemoryNetwork } from 'app-net/testing'",
      'AppNetWarning',
    );
  };
  others.on('join', met);
}

/** The user chose where this peer meets others. */
function isApart({ network, runtimeDir, lan, seeds }: Settings): boolean {
  return network !== undefined || (runtimeDir !== undefined && !lan && seeds.length === 0);
}

/** How it is known that this process runs tests; undefined when it does not. */
function testRunner(): string | undefined {
  const { env, execArgv } = process;
  if (env['VITEST'] !== undefined) return 'vitest';
  if (env['JEST_WORKER_ID'] !== undefined) return 'jest';
  if (env['NODE_TEST_CONTEXT'] !== undefined || execArgv.includes('--test')) return 'node:test';
  const { describe, it } = globalThis as { describe?: unknown; it?: unknown };
  if (typeof describe === 'function' && typeof it === 'function') return 'describe() and it() are globals';
  return env['NODE_ENV'] === 'test' ? 'NODE_ENV=test' : undefined;
}
