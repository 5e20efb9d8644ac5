import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** A peer that tells each join and leave, and what it knows. */
const TELLING = `
  import { connect, peers, serve } from 'app-net';
  // It sleeps, because a process that computes on a busy host is given more time: as much as it waits for a processor.
  connect('block', (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms));
  const tell = (line) => console.log(JSON.stringify({ ...line, at: Date.now() }));
  peers.on('join', (peer) => tell({ type: 'join', pid: peer.pid }));
  peers.on('leave', (peer, why, evidence) => tell({ type: 'leave', pid: peer.pid, why, evidence: String(evidence) }));
  await serve();
`;

interface Told {
  type: 'join' | 'leave';
  pid: number;
  why?: string;
  evidence?: string;
  at: number;
}

/** The fate of one process that did not run for a while. Times are in ms, each the longest of any witness. */
export interface Freeze {
  /** From the freeze until the witnesses saw it leave. */
  leave: number;
  /** From the end of the freeze until they saw it join again. */
  rejoin: number;
  /** The reason of the leave, as one of the witnesses reported it. */
  evidence: string;
  /** The witnesses that it saw leave itself. The other frozen one does leave, for it as for everybody. */
  ownLeaves: string[];
  /** How often each witness saw it join again. */
  joins: number[];
}

/**
 * Freezes two of some real processes at the same time. A signal stops one, and the other blocks its event loop. The
 * rest watch. The stopped process goes on as soon as everybody has seen it leave.
 * @param time how long the other blocks its event loop, in ms
 */
export async function frozen(
  witnessCount: number,
  time: number,
): Promise<{ stopped: Freeze; blocked: Freeze }> {
  const stage = new Stage();
  const processes = new Processes();
  const folder = await stage.folder();
  try {
    const all = await Promise.all(
      Array.from({ length: witnessCount + 2 }, () =>
        processes.start(folder, TELLING, { name: 'telling.mjs' }),
      ),
    );
    const boss = await stage.make({ runtimeDir: folder, name: 'boss' }).start();
    await eventually(() => all.every((each) => told(each, 'join').length >= all.length), 60_000);
    const [stopped, blocked, ...witnesses] = all as [TestProcess, TestProcess, ...TestProcess[]];
    const began = Date.now();
    stopped.child.kill('SIGSTOP');
    const itsPeer = boss.peers.list().find(({ pid }) => pid === blocked.pid)!;
    const blocking = itsPeer.call('block', [time], { deadline: 2 * time }).catch(() => {});
    const seen = async (frozenOne: TestProcess, goesOn: () => number): Promise<Freeze> => {
      const of = (each: TestProcess, type: Told['type']): Told[] =>
        // Not `>=`: the last of the first joins may have come in the very ms in which this begins.
        told(each, type).filter(({ pid, at }) => pid === frozenOne.pid && at > began);
      await eventually(() => witnesses.every((each) => of(each, 'leave').length > 0), 30_000);
      const leave = Math.max(...witnesses.map((each) => of(each, 'leave')[0]!.at)) - began;
      const wakes = goesOn();
      await eventually(() => witnesses.every((each) => of(each, 'join').length > 0), 30_000);
      const rejoin = Math.max(...witnesses.map((each) => of(each, 'join')[0]!.at)) - wakes;
      // Long enough for a second leave or join.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return {
        leave,
        rejoin,
        evidence: of(witnesses[0]!, 'leave')[0]!.evidence!,
        ownLeaves: told(frozenOne, 'leave')
          .filter(({ pid }) => pid !== stopped.pid && pid !== blocked.pid)
          .map(({ pid, evidence }) => `${pid}: ${evidence}`),
        joins: witnesses.map((each) => of(each, 'join').length),
      };
    };
    const [stop, block] = await Promise.all([
      seen(stopped, () => {
        stopped.child.kill('SIGCONT');
        return Date.now();
      }),
      seen(blocked, () => began + time),
    ]);
    await blocking;
    return { stopped: stop, blocked: block };
  } finally {
    await processes.clear();
    await stage.clear();
  }
}

function told(of: TestProcess, type: Told['type']): Told[] {
  return (of.lines as Told[]).filter((line) => line.type === type);
}
