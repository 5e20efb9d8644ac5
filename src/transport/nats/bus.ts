import type { NatsConnection, Subscription } from '@nats-io/transport-node';

import { afterAwake } from '../../base/time/awake.ts';
import { systemClock } from '../../base/time/clock.ts';
import { whenAborted } from '../../base/time/when-aborted.ts';
import { messageOf } from '../../base/text.ts';
import { unawaited, warnOfUnforeseen } from '../../base/unforeseen.ts';
import { readMessage } from './bus-message.ts';
import type { BusMessage } from './bus-message.ts';
import { connectOnce, NatsUnreachable } from './connecting.ts';
import { epochOf } from './epoch.ts';
import type { Epoch } from './epoch.ts';
import type { LoginSource } from './nats-options.ts';

type Receive = (message: BusMessage) => void;

interface Heard {
  subject: string;
  receive: Receive;
  subscription: Subscription | undefined;
}

/** Time between two attempts to connect again, the first and the longest, in ms. It doubles, with full jitter. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

/**
 * How long nothing is concluded from the absence of others after a server of the cluster was lost, or after this process has
 * connected again, in ms of time awake: clients are on their way to other servers, and a busy one takes as long as it is busy. It
 * is the silence after which a peer is suspect.
 */
const UNSETTLED = 6_000;

/** How long a peer with another network waits for its first connection before it goes on without it, in ms. */
const PATIENCE = 1_000;

/** How long a server may take to confirm the last messages, in ms. */
const CLOSE_TIME = 1_000;

/** How often the server is asked for a sign of life, in ms, and how many of them may be missing. */
const ASK = 1_000;
const MOST_MISSED = 2;

/**
 * The connection to NATS, which is made again when it breaks. The client's own reconnecting is off: it keeps what was published
 * meanwhile, and sends it later. Here nothing is kept. What is published while there is no epoch is lost; links send it again.
 */
export class Bus {
  readonly #source: LoginSource;
  readonly #random: () => number;
  readonly #heard = new Set<Heard>();
  readonly #changed = new Set<() => void>();
  #connection: NatsConnection | undefined;
  #epoch: Epoch | undefined;
  /** Servers of the cluster that told of each other. */
  #gossiped: readonly string[] = [];
  /** The server of the connection that broke last. */
  #lostAt: string | undefined;
  #isSettled = true;
  #stopSettling = (): void => {};
  #hadConnection = false;
  #problem: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asking: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  /** Use `openBus`. */
  constructor(source: LoginSource, random: () => number) {
    this.#source = source;
    this.#random = random;
  }

  /** Connects for the first time. @throws as `connectOnce` */
  async open(signal: AbortSignal | undefined): Promise<void> {
    this.#use(await connectOnce(this.#source, [], this.#random, { signal }));
  }

  /** The same, and goes on without a connection if there is none soon. @throws as `connectOnce`, but for `NatsUnreachable` */
  async openPatiently(signal: AbortSignal | undefined): Promise<void> {
    const stopWatching = signal ? whenAborted(signal, () => this.#closing.abort()) : (): void => {};
    this.#note(new NatsUnreachable(`no NATS server at ${this.#source.servers.join(', ')} has answered yet`));
    let isLate = false;
    const first = this.#connect().catch((error: unknown) => {
      if (!isLate && !(error instanceof NatsUnreachable)) throw error;
      this.#failed(error, 0);
    });
    const late = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE).unref());
    await Promise.race([first, late]).finally(() => {
      isLate = true;
      stopWatching();
    });
    unawaited('with the first connection to NATS', first);
  }

  /** Undefined while there is no connection. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** What is wrong at present. */
  get problem(): Error | undefined {
    return this.#problem;
  }

  /** Whether every client has had the time to be where it stays. Otherwise it means nothing that somebody is not there. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @param reply where the server says at once if nobody listens at `subject` */
  publish(subject: string, data: Uint8Array, reply?: string): void {
    const connection = this.#connection;
    if (!connection) return;
    try {
      connection.publish(subject, data, reply === undefined ? undefined : { reply });
    } catch {
      // The connection has just closed; its end is reported in a moment.
    }
  }

  /** Hands everything to the system now. At the exit of a process there is no later. */
  flush(): void {
    this.#connection?.flush().catch(ignore);
  }

  /** Resolves when the server has handled everything that was published and subscribed. Rejects if it cannot. */
  async settled(): Promise<void> {
    await this.#connection?.flush();
  }

  /** Receives messages, in this epoch and later ones. Returns a function that ends it. */
  subscribe(subject: string, receive: Receive): () => void {
    const heard: Heard = { subject, receive, subscription: undefined };
    this.#heard.add(heard);
    this.#listen(heard);
    return () => {
      this.#heard.delete(heard);
      heard.subscription?.unsubscribe();
    };
  }

  /** Calls back when an epoch begins or ends, and when something else about the connection is wrong or right. */
  onChange(changed: () => void): () => void {
    this.#changed.add(changed);
    return () => this.#changed.delete(changed);
  }

  /** Resolves when there is a connection. Rejects with the reason of the signal, or if the bus is closed. */
  whenUp(signal: AbortSignal): Promise<Epoch> {
    if (this.#epoch) return Promise.resolve(this.#epoch);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        off();
        signal.removeEventListener('abort', abort);
      };
      const abort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const off = this.onChange(() => {
        if (!this.#epoch && !this.isClosed) return;
        end();
        if (this.#epoch) resolve(this.#epoch);
        else reject(new Error('the connection to NATS is closed'));
      });
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  /** Sends what was published, and closes. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.#closing.abort(new Error('the connection to NATS is closed'));
    clearTimeout(this.#timer);
    this.#stopSettling();
    const connection = this.#connection;
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIME).unref());
    await Promise.race([connection?.flush().catch(ignore), late]);
    this.#end();
    await connection?.close();
  }

  #use(connection: NatsConnection): void {
    const { info } = connection;
    this.#connection = connection;
    if (this.#hadConnection) this.#unsettle();
    this.#hadConnection = true;
    this.#problem = undefined;
    this.#gossiped = info?.connect_urls ?? [];
    this.#epoch = epochOf(connection);
    for (const heard of this.#heard) this.#listen(heard);
    this.#watch(connection);
    this.#askAgain(connection, 0);
    this.#tell();
  }

  #listen(heard: Heard): void {
    heard.subscription = this.#connection?.subscribe(heard.subject, {
      callback: (error, message) => {
        // The client ends when a callback throws.
        try {
          if (error) this.#refused(heard, error);
          else heard.receive(readMessage(message));
        } catch (reason) {
          warnOfUnforeseen('with a message from NATS', reason);
        }
      },
    });
  }

  #refused({ subject }: Heard, error: Error): void {
    // Whoever may not hear of the system is told less, and that is all.
    if (subject.startsWith('$SYS.')) return;
    this.#note(
      new Error(
        `the NATS server does not let this user subscribe to ${subject}: ${error.message}; allow net.>`,
      ),
    );
  }

  #watch(connection: NatsConnection): void {
    const follow = async (): Promise<void> => {
      for await (const status of connection.status()) {
        if (this.#connection !== connection) return;
        if (status.type === 'disconnect') this.#lost(connection, undefined);
        else if (status.type === 'update') this.#hearOfServers(connection.info?.connect_urls ?? []);
        else if (
          status.type === 'error' &&
          /publish/i.test(status.error.message) &&
          !/\$SYS/.test(status.error.message)
        )
          this.#note(
            new Error(
              `the NATS server refuses what this user publishes: ${status.error.message}; allow net.>`,
            ),
          );
      }
    };
    unawaited('with the connection to NATS', follow());
    unawaited(
      'at the end of the connection to NATS',
      connection.closed().then((error) => this.#lost(connection, error ?? undefined)),
    );
  }

  /** Only time awake counts: this process has to hear of the others, and perhaps it shares its processor with them. */
  #unsettle(): void {
    this.#isSettled = false;
    this.#stopSettling();
    this.#stopSettling = afterAwake(systemClock, UNSETTLED, () => (this.#isSettled = true));
  }

  /** Not what the client says is deleted: it leaves out servers that it was given. */
  #hearOfServers(urls: readonly string[]): void {
    if (this.#gossiped.some((url) => !urls.includes(url))) this.#unsettle();
    this.#gossiped = urls;
  }

  #lost(connection: NatsConnection, error: Error | undefined): void {
    if (this.#connection !== connection) return;
    this.#lostAt = this.#epoch?.url;
    this.#end();
    if (this.isClosed) return;
    const why = error ? `: ${messageOf(error)}` : '';
    this.#note(new Error(`the connection to NATS broke${why}; connecting again`));
    this.#again(0);
  }

  #end(): void {
    clearTimeout(this.#asking);
    this.#connection = undefined;
    this.#epoch = undefined;
    for (const heard of this.#heard) heard.subscription = undefined;
    this.#tell();
  }

  #again(failures: number): void {
    const pause = failures === 0 ? 0 : this.#random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
    this.#timer = setTimeout(() => {
      this.#connect().catch((error: unknown) => this.#failed(error, failures));
    }, pause).unref();
  }

  async #connect(): Promise<void> {
    const options = { worst: this.#lostAt, signal: this.#closing.signal };
    const connection = await connectOnce(this.#source, this.#gossiped, this.#random, options);
    if (this.isClosed) await connection.close();
    else this.#use(connection);
  }

  #failed(error: unknown, failures: number): void {
    if (this.isClosed) return;
    this.#note(error instanceof NatsUnreachable ? error : new NatsUnreachable(messageOf(error)));
    this.#again(failures + 1);
  }

  /** The client's own questions would keep the process alive. */
  #askAgain(connection: NatsConnection, missed: number): void {
    let answered = false;
    connection.flush().then(() => (answered = true), ignore);
    const look = (): void => {
      if (this.#connection !== connection) return;
      if (!answered && missed >= MOST_MISSED) {
        this.#lost(connection, new Error('the server does not answer'));
        unawaited('at the end of a connection to NATS', connection.close());
      } else {
        this.#askAgain(connection, answered ? 0 : missed + 1);
      }
    };
    // An answer that came while this process was busy is read before the immediate runs.
    this.#asking = setTimeout(() => setImmediate(look), ASK).unref();
  }

  #note(problem: Error): void {
    this.#problem = problem;
    this.#tell();
  }

  #tell(): void {
    for (const changed of [...this.#changed]) changed();
  }
}

/**
 * @param isPatient do not fail if no server can be reached now, or none lets this client in: keep trying
 * @param signal gives up when it is aborted
 * @throws Error that says what is wrong, or the reason of the signal
 */
export async function openBus(
  source: LoginSource,
  random: () => number,
  { isPatient = false, signal }: { isPatient?: boolean | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Bus> {
  const bus = new Bus(source, random);
  await (isPatient ? bus.openPatiently(signal) : bus.open(signal));
  return bus;
}

function ignore(): void {}
