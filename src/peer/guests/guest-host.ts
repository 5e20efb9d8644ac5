import type { WebServer } from '../../transport/attach.ts';
import type { Hosting } from './hosting.ts';
import type { PageAttachment } from './page-doors.ts';
import type { PassOptions } from './pass-options.ts';

/** The part of a peer that has guests: peers that have a pass in place of the secret. */
export abstract class GuestHost {
  readonly #hosting: Hosting;

  /** @internal */
  constructor(hosting: Hosting) {
    this.#hosting = hosting;
  }

  /** Listens, and begins to search for other peers. */
  abstract start(): Promise<this>;

  /** @internal Lets no more guests in. */
  endHosting(): Promise<void> {
    return this.#hosting.doors.close();
  }

  /**
   * The URL at which web pages reach this peer: `ws://127.0.0.1:4000/`. Undefined without the option `pages`, and before the
   * peer is online.
   */
  get pagesUrl(): string | undefined {
    return this.#hosting.doors.url;
  }

  /**
   * Makes a pass: a text that takes the place of the secret for a peer with few rights, such as a web page
   * (`connectPage(url, { pass })`) or a process (`createPeer({ pass })`). It works with every peer that has the same secret.
   * Starts this peer if necessary.
   * @throws TypeError that names a wrong option; NetError INSECURE if the secret is a passphrase, or this peer has a pass itself
   *
   * @example
   * const pass = await peer.pass({ may: [resize, 'chat.*'], hear: ['job.*'], expires: '8h', origins: ['https://app.example'] });
   */
  async pass(options: PassOptions = {}): Promise<string> {
    await this.start();
    return this.#hosting.makePass(options);
  }

  /**
   * Takes a pass back: this peer refuses it from now on, and closes the connections of those that have it. So does every other peer
   * that has the secret, as soon as it hears of it, and a peer that starts later. It is forgotten when none of them is left, so
   * give passes a short `expires`. Peers remember 4,096 revoked passes: those that expire last.
   * @param pass as `pass()` made it
   * @throws TypeError for anything else. A peer that is online also throws it for a pass that was altered or made with another
   * secret, so you may give it what a client sends
   */
  revoke(pass: string): void {
    this.#hosting.revoke(pass);
  }

  /**
   * Lets web pages in at a server of yours, beside what it serves. Pages connect to its `path` and need a pass. Give the names
   * by which browsers reach the server as `hostNames`. Until this peer is online, upgrades are answered with 503.
   * @param server a server of `node:http` or `node:https`, as Express (`app.listen()`) and Fastify (`app.server`) have one
   * @param path Default: `/`
   * @throws TypeError for what is no server or path
   *
   * @example
   * const server = createServer(app).listen(3_000);
   * const own = createPeer({ hostNames: ['app.example'] });
   * own.attach(server, '/net');
   * await own.start();
   */
  attach(server: WebServer, path?: string): PageAttachment {
    return this.#hosting.doors.attach(server, path);
  }
}
