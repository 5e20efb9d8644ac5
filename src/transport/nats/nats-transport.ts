import { randomBytes } from 'node:crypto';

import { afterAwake } from '../../base/time/awake.ts';
import { systemClock } from '../../base/time/clock.ts';
import { warnOfUnforeseen } from '../../base/unforeseen.ts';
import { HANDSHAKE_TIME } from '../../wire/handshake/handshake.ts';
import { addressText } from '../address.ts';
import type { Address } from '../address.ts';
import { DialFailed } from '../transport.ts';
import type { DialOptions, Listener, Socket, Transport } from '../transport.ts';
import { findAbsent } from './absence.ts';
import { openBox, sealBox } from './box.ts';
import type { BusMessage } from './bus-message.ts';
import { NatsSocket } from './nats-socket.ts';
import {
  isRefusal,
  linkKeys,
  makeEphemeral,
  readCall,
  readReply,
  REFUSAL,
  writeCall,
  writeReply,
} from './opening.ts';
import type { Life, LinkKeys } from './opening.ts';
import type { Station } from './station.ts';
import { lifeAt, natsAddress } from './subjects.ts';

/** Links whose handshake is not finished, at most. Somebody who repeats recorded openings can make no more. */
const MOST_STRANGERS = 64;

/** Openings that are remembered, so that a repeated one is ignored. */
const MOST_SEEN = 4_096;

interface Listening {
  accept: (socket: Socket) => void;
  largestMessage: number;
}

interface NewLink {
  nonce: Buffer;
  other: Life;
  keys: LinkKeys;
  side: 'dialler' | 'acceptor';
  largestMessage: number;
  unsubscribe: () => void;
}

/** Links through a NATS broker, for one peer. */
export class NatsTransport implements Transport {
  readonly #station: Station;
  readonly #seen = new Set<string>();
  readonly #strangers = new Set<NatsSocket>();
  #listening: Listening | undefined;

  constructor(station: Station) {
    this.#station = station;
    // A peer that lets nobody in subscribes as well: it can be seen to be alive.
    station.bus.subscribe(station.subjects.life(station.self), (message) => this.#called(message));
  }

  async listen(
    { largestMessage }: { largestMessage: number },
    accept: (socket: Socket) => void,
  ): Promise<Listener> {
    const listening = { accept, largestMessage };
    this.#listening = listening;
    // From here on nobody is told that there is nobody here.
    await this.#station.bus.settled();
    return {
      addresses: [natsAddress(this.#station.self)],
      close: () => {
        if (this.#listening === listening) this.#listening = undefined;
        for (const stranger of [...this.#strangers]) stranger.terminate();
        return Promise.resolve();
      },
    };
  }

  async dial(address: Address, { largestMessage, signal }: DialOptions): Promise<Socket> {
    signal?.throwIfAborted();
    const life = lifeAt(address);
    if (!life) {
      const text = `${addressText(address)}: only peers at NATS can be reached, because natsNetwork is the only network here`;
      throw new DialFailed(text, false);
    }
    const end = this.#station.use();
    const late = new AbortController();
    const stopTimer = afterAwake(systemClock, HANDSHAKE_TIME, () => {
      const { problem } = this.#station.bus;
      late.abort(
        new DialFailed(`${addressText(address)}: ${problem?.message ?? 'no answer in time'}`, false),
      );
    });
    const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
    try {
      for (;;) {
        await this.#station.bus.whenUp(either);
        const socket = await this.#call(life, largestMessage, either);
        // Without a socket the connection to the broker was lost meanwhile.
        if (socket) return socket;
      }
    } finally {
      stopTimer();
      end();
    }
  }

  /** @throws DialFailed if nobody is there; or the reason of the signal */
  #call(life: Life, largestMessage: number, signal: AbortSignal): Promise<NatsSocket | undefined> {
    const { bus, subjects, questions, relay, self } = this.#station;
    return new Promise((resolve, reject) => {
      const nonce = randomBytes(16);
      const own = makeEphemeral();
      const subject = subjects.life(life);
      const call = sealBox(relay(), subject, writeCall({ nonce, publicKey: own.publicKey, from: self }));
      let socket: NatsSocket | undefined;
      let over = false;
      const end = (): boolean => {
        if (over) return false;
        over = true;
        stopAsking();
        offChange();
        signal.removeEventListener('abort', abort);
        if (!socket) unsubscribe();
        return true;
      };
      const fail = (error: Error): void => {
        if (end()) reject(error);
      };
      const abort = (): void => fail(signal.reason as Error);
      const back = subjects.link(nonce, 'dialler');
      const unsubscribe = bus.subscribe(back, ({ data }) => {
        if (socket) {
          socket.arrived(data);
          return;
        }
        const content = openBox(relay(), back, data);
        if (!content || over) return;
        if (isRefusal(content)) {
          fail(refused(life));
          return;
        }
        const reply = readReply(content);
        if (!reply) return;
        const keys = linkKeys(relay(), subject, [call, data], own, reply.publicKey);
        if (!keys) return;
        socket = this.#open({
          nonce,
          other: life,
          keys,
          side: 'dialler',
          largestMessage,
          unsubscribe,
        });
        if (end()) resolve(socket);
      });
      const offChange = bus.onChange(() => {
        if (bus.epoch !== epoch && end()) resolve(undefined);
      });
      const { epoch } = bus;
      signal.addEventListener('abort', abort, { once: true });
      const stopAsking = findAbsent(bus, questions, {
        subject,
        data: call,
        isAlive: () => false,
        isCertain: () => this.#station.isGone(life) || this.#station.hasHungUp(life),
        mayMove: true,
        absent: () => fail(refused(life)),
        // It was delivered. An answer may still come.
        present: () => {},
      });
      if (signal.aborted) abort();
    });
  }

  #called({ subject, data }: BusMessage): void {
    // Empty: somebody only asks whether anybody is here.
    if (data.length === 0) return;
    const { bus, subjects, relay } = this.#station;
    const content = openBox(relay(), subject, data);
    const call = content && readCall(content);
    if (!call || this.#seen.has(call.nonce.toString('base64url'))) return;
    this.#remember(call.nonce);
    const back = subjects.link(call.nonce, 'dialler');
    const listening = this.#listening;
    if (!listening) {
      bus.publish(back, sealBox(relay(), back, REFUSAL));
      return;
    }
    const own = makeEphemeral();
    const reply = sealBox(relay(), back, writeReply({ nonce: randomBytes(16), publicKey: own.publicKey }));
    const keys = linkKeys(relay(), subject, [data, reply], own, call.publicKey);
    if (!keys) return;
    let socket: NatsSocket | undefined;
    const unsubscribe = bus.subscribe(subjects.link(call.nonce, 'acceptor'), (message) =>
      socket?.arrived(message.data),
    );
    const { largestMessage } = listening;
    socket = this.#open({
      ...{ nonce: call.nonce, other: call.from, keys, side: 'acceptor' },
      ...{ largestMessage, unsubscribe },
    });
    this.#admit(socket);
    // After the subscription: what the other side sends from now on arrives.
    bus.publish(back, reply);
    try {
      listening.accept(socket);
    } catch (error) {
      warnOfUnforeseen('with a connection that had just come', error);
      socket.terminate();
    }
  }

  #open({ nonce, other, keys, side, largestMessage, unsubscribe }: NewLink): NatsSocket {
    const station = this.#station;
    const isDialler = side === 'dialler';
    const endUse = station.use();
    const { reply, close } = station.questions.subject({ nobody: () => station.doubt(socket) });
    const socket: NatsSocket = new NatsSocket({
      ...{ bus: station.bus, other, reply, largestMessage, transcript: keys.transcript },
      subject: station.subjects.link(nonce, isDialler ? 'acceptor' : 'dialler'),
      keys: isDialler
        ? { send: keys.dialler, receive: keys.acceptor }
        : { send: keys.acceptor, receive: keys.dialler },
      trusted: () => this.#strangers.delete(socket),
      ended: () => {
        this.#strangers.delete(socket);
        station.remove(socket);
        unsubscribe();
        close();
        endUse();
      },
    });
    station.add(socket);
    return socket;
  }

  #admit(socket: NatsSocket): void {
    this.#strangers.add(socket);
    const [oldest] = this.#strangers;
    if (this.#strangers.size > MOST_STRANGERS) oldest!.terminate();
  }

  #remember(nonce: Buffer): void {
    this.#seen.add(nonce.toString('base64url'));
    const [oldest] = this.#seen;
    if (this.#seen.size > MOST_SEEN) this.#seen.delete(oldest!);
  }
}

function refused(life: Life): DialFailed {
  return new DialFailed(`${addressText(natsAddress(life))}: nobody is there`, true);
}
