import { subscribe, unsubscribe } from 'node:diagnostics_channel';

type Listener = (message: unknown) => void;

/** Subscriptions to diagnostics channels of one test: they are process-wide, and must end with it. */
export class Channels {
  readonly #subscribed: [string, Listener][] = [];

  /** @param name without `app-net:` */
  on(name: string, listener: (message: never) => void): void {
    const entry: [string, Listener] = [`app-net:${name}`, listener as Listener];
    this.#subscribed.push(entry);
    subscribe(...entry);
  }

  /** Every message of these channels, in order. */
  record(...names: string[]): { channel: string; message: unknown }[] {
    const messages: { channel: string; message: unknown }[] = [];
    for (const channel of names) this.on(channel, (message: unknown) => messages.push({ channel, message }));
    return messages;
  }

  clear(): void {
    for (const entry of this.#subscribed.splice(0)) unsubscribe(...entry);
  }
}
