import { randomBytes } from 'node:crypto';

import { whileHolding } from '../../base/process/process-hold.ts';
import { messageOf } from '../../base/text.ts';
import { findAbsent } from '../../transport/nats/absence.ts';
import { openBus } from '../../transport/nats/bus.ts';
import type { Bus } from '../../transport/nats/bus.ts';
import { checkNatsOptions } from '../../transport/nats/nats-options.ts';
import type { LoginSource, NatsOptions } from '../../transport/nats/nats-options.ts';
import { Questions } from '../../transport/nats/questions.ts';
import { Subjects } from '../../transport/nats/subjects.ts';
import type { SecretKeys } from '../../wire/handshake/secret.ts';
import { milliseconds } from '../terminal/units.ts';
import type { Result } from './report.ts';

/** The checks of `doctor` for peers that reach each other through NATS. */

const CHECK = 'NATS';

/** How long the server may take for each of them, in ms. */
const ANSWER_TIME = 1_000;

/** The oldest server that says that nobody is there for an account of ours. */
const OLDEST = [2, 9] as const;

const GRANT = 'allow the user to publish and subscribe to net.>';
const LINES = 'docs/guides/from-one-lan-to-many.md has the lines for the configuration of the server';

export function checkNats(nats: NatsOptions, keys: SecretKeys): Promise<Result[]> {
  // A connection to NATS does not keep a process alive.
  return whileHolding(examine(nats, keys));
}

async function examine(nats: NatsOptions, keys: SecretKeys): Promise<Result[]> {
  if (!keys.relay) {
    const says = 'peers at NATS need a made secret: a broker could try passphrases for as long as it likes';
    return [{ status: 'problem', check: CHECK, says, todo: 'make one with app-net secret' }];
  }
  let source: LoginSource;
  let bus: Bus;
  try {
    source = checkNatsOptions(nats);
    bus = await openBus(source, Math.random);
  } catch (error) {
    const todo = 'check APP_NET_NATS, and APP_NET_NATS_CREDS if the server wants credentials';
    return [{ status: 'problem', check: CHECK, says: messageOf(error), todo }];
  }
  const questions = new Questions(bus, new Subjects(keys.world));
  try {
    const results = [await checkServer(bus), await checkRights(bus, questions, keys.world)];
    if (results.some(({ status }) => status === 'problem')) return results;
    return [...results, await checkDeaths(bus, source)];
  } finally {
    questions.stop();
    await bus.close();
  }
}

async function checkServer(bus: Bus): Promise<Result> {
  const { version = '', url = '' } = bus.epoch ?? {};
  const began = performance.now();
  await bus.settled();
  const says = `nats-server ${version} at ${url}, round trip ${milliseconds(performance.now() - began)}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))
    return { status: 'ok', check: CHECK, says };
  return { status: 'problem', check: CHECK, says, todo: `install nats-server ${OLDEST.join('.')} or newer` };
}

/** Whether this user may do what peers do, and whether the server says that nobody is there. */
async function checkRights(bus: Bus, questions: Questions, world: string): Promise<Result> {
  const check = 'NATS rights';
  const subject = `net.${world}.doctor.${randomBytes(9).toString('base64url')}.here`;
  const arrived = await inTime((done) => {
    const stop = bus.subscribe(subject, () => done());
    bus.publish(subject, Buffer.of(1));
    return stop;
  });
  if (!arrived) {
    const says = bus.problem?.message ?? `a message to ${subject} did not come back`;
    return { status: 'problem', check, says, todo: GRANT };
  }
  const nobody = await inTime((done) =>
    findAbsent(bus, questions, {
      ...{ subject: `${subject}.nobody`, data: Buffer.alloc(0), mayMove: false },
      ...{ isAlive: () => false, isCertain: () => true, absent: done, present: () => {} },
    }),
  );
  if (nobody) return { status: 'ok', check, says: 'this user may do what peers do' };
  const says = 'the server does not say that nobody is there, so a crash is noticed only after 9 s';
  return { status: 'problem', check, says, todo: GRANT };
}

/** Whether the server tells of its own accord that a connection has ended. */
async function checkDeaths(bus: Bus, source: LoginSource): Promise<Result> {
  const check = 'NATS deaths';
  const told = await inTime((done) => {
    const stop = bus.subscribe('$SYS.ACCOUNT.*.DISCONNECT', () => done());
    const come = async (): Promise<void> => {
      await bus.settled();
      await (await openBus(source, Math.random)).close();
    };
    come().catch(() => {});
    return stop;
  });
  if (told)
    return {
      status: 'ok',
      check,
      says: 'the server tells of ended connections: a crash is noticed within some ms',
    };
  const says = 'the server does not tell of ended connections: a crash is noticed within 500 ms';
  return {
    status: 'note',
    check,
    says,
    todo: `for some ms, import $SYS.ACCOUNT.<account>.> into the account: ${LINES}`,
  };
}

/** Whether it is done in time. @param begin returns a function that ends it */
function inTime(begin: (done: () => void) => () => void): Promise<boolean> {
  return new Promise((resolve) => {
    let stop = (): void => {};
    const end = (isDone: boolean): void => {
      clearTimeout(timer);
      stop();
      resolve(isDone);
    };
    const timer = setTimeout(() => end(false), ANSWER_TIME);
    stop = begin(() => end(true));
  });
}
