import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { DialFailed } from '../../src/transport/transport.ts';
import type { Address } from '../../src/transport/address.ts';
import type { Listener, ListenOptions, Socket, Transport } from '../../src/transport/transport.ts';

interface Ends {
  acceptor: Transport;
  dialler: Transport;
  /** Closes what both have in the background. */
  close?: () => Promise<unknown>;
}

/** The tests that every transport must pass. `make` gives two ends that can reach each other. */
export function describeTransport(
  name: string,
  make: () => Ends | Promise<Ends>,
  /** Where it listens, and where it is dialled if that is another address. */
  { host = '127.0.0.1', at = undefined as string | undefined } = {},
): void {
  describe(`the ${name} transport`, () => {
    const options: ListenOptions = {
      host,
      ports: [0, 0],
      largestMessage: 8 * 1024 * 1024,
      origins: [],
      hostNames: [],
    };
    let acceptor: Transport;
    let dialler: Transport;
    let listener: Listener;
    let accepted: Promise<Socket>;
    const open: Socket[] = [];
    let close: Ends['close'];

    beforeEach(async () => {
      const ends = await make();
      ({ acceptor, dialler } = ends);
      close = ends.close;
      let accept: (socket: Socket) => void;
      accepted = new Promise((resolve) => (accept = resolve));
      listener = await acceptor.listen(options, (socket) => {
        open.push(socket);
        socket.trust();
        accept(socket);
      });
    });

    afterEach(async () => {
      for (const socket of open.splice(0)) socket.terminate();
      await listener.close();
      await close?.();
    });

    function address(): Address {
      const [first] = listener.addresses;
      return { host: at ?? first!.host, port: first!.port };
    }

    async function dial(): Promise<Socket> {
      const socket = await dialler.dial(address(), { largestMessage: options.largestMessage });
      open.push(socket);
      socket.trust();
      return socket;
    }

    /** The next so many messages, or the close code in their place. */
    function collect(socket: Socket, count: number): Promise<(string | number | Uint8Array)[]> {
      return new Promise((resolve) => {
        const got: (string | number | Uint8Array)[] = [];
        const add = (item: string | number | Uint8Array): void => {
          got.push(item);
          if (got.length === count || typeof item === 'number') resolve(got);
        };
        socket.receive({ message: add, binary: add, closed: add });
      });
    }

    /** For a short difference where two long texts are not the same. */
    function summary(text: string | number | Uint8Array): string {
      const all = String(text);
      return `${all.length} × ${[...new Set(all)].join(' and ')}`;
    }

    it('carries messages in both directions, in order', async () => {
      const near = await dial();
      const far = await accepted;
      const there = collect(far, 3);
      const back = collect(near, 2);
      for (const text of ['one', 'two', 'drei ✓ 𝄞']) near.send(text);
      for (const text of ['eins', '']) far.send(text);
      expect(await there).to.deep.equal(['one', 'two', 'drei ✓ 𝄞']);
      expect(await back).to.deep.equal(['eins', '']);
    });

    it('carries messages of every length, with and without characters beyond ASCII', async () => {
      const near = await dial();
      const far = await accepted;
      // The form of a frame changes at 126 and at 65,536 bytes, and a character may take up to four.
      const lengths = [0, 1, 31, 62, 63, 125, 126, 127, 255, 256, 32_767, 32_768, 65_535, 65_536, 70_000];
      const sent = lengths.flatMap((length) => ['x', 'é', '✓'].map((character) => character.repeat(length)));
      const there = collect(far, sent.length);
      const back = collect(near, sent.length);
      for (const text of sent) {
        near.send(text);
        far.send(text);
      }
      expect((await there).map(summary)).to.deep.equal(sent.map(summary));
      expect((await back).map(summary)).to.deep.equal(sent.map(summary));
    });

    it('carries a message of five megabytes', async () => {
      const near = await dial();
      const there = collect(await accepted, 1);
      const text = 'x'.repeat(5_000_000);
      near.send(text);
      expect((await there)[0]).to.equal(text);
    });

    it('carries binary messages right before the message they belong to, in order', async () => {
      const near = await dial();
      const far = await accepted;
      const there = collect(far, 6);
      const back = collect(near, 2);
      const bytes = Uint8Array.from({ length: 300 }, (_, index) => index);
      near.send('one');
      near.send('two', [bytes, new Uint8Array(0), bytes.subarray(10, 20)]);
      near.send('three');
      far.send('eins', [Uint8Array.of(0, 255)]);
      const [one, whole, empty, part, two, three] = await there;
      expect([one, two, three]).to.deep.equal(['one', 'two', 'three']);
      expect([whole, empty, part].map((each) => Array.from(each as Uint8Array))).to.deep.equal([
        [...bytes],
        [],
        [...bytes.subarray(10, 20)],
      ]);
      expect([...((await back)[0] as Uint8Array)]).to.deep.equal([0, 255]);
    });

    it('carries a binary message of five megabytes', async () => {
      const near = await dial();
      const there = collect(await accepted, 1);
      const bytes = Buffer.alloc(5_000_000, 'abc');
      near.send('', [bytes]);
      expect(bytes.equals((await there)[0] as Uint8Array)).to.equal(true);
    });

    it('hands over memory of the receiver’s own', async () => {
      const near = await dial();
      const there = collect(await accepted, 1);
      const bytes = Uint8Array.of(1, 2, 3);
      near.send('', [bytes]);
      const received = (await there)[0] as Uint8Array;
      bytes.fill(9);
      expect([...received]).to.deep.equal([1, 2, 3]);
    });

    it('keeps what comes before anybody receives', async () => {
      const near = await dial();
      near.send('early');
      const far = await accepted;
      const back = collect(near, 1);
      far.send('answered before it listened');
      await back;
      expect(await collect(far, 1)).to.deep.equal(['early']);
    });

    it('keeps what comes between two receivers', async () => {
      const near = await dial();
      const far = await accepted;
      const second = new Promise<string>((resolve) => {
        far.receive({
          message: (text) => {
            expect(text).to.equal('for the first');
            far.receive(undefined);
            setImmediate(() => far.receive({ message: resolve, binary: () => {}, closed: () => {} }));
          },
          binary: () => {},
          closed: () => {},
        });
      });
      near.send('for the first');
      near.send('for the second');
      expect(await second).to.equal('for the second');
    });

    it('delivers what was sent before an orderly close, then the code', async () => {
      const near = await dial();
      const there = collect(await accepted, 3);
      near.send('last words');
      near.close(4400, 'enough');
      expect(await there).to.deep.equal(['last words', 4400]);
    });

    it('is closed once, however often it is said', async () => {
      const warnings: string[] = [];
      const note = (warning: Error): unknown => warnings.push(warning.name);
      process.on('warning', note);
      const near = await dial();
      const there = collect(await accepted, 1);
      for (let count = 0; count < 20; count += 1) near.close(4400 + count, 'enough');
      expect(await there).to.deep.equal([4400]);
      process.off('warning', note);
      expect(warnings).not.to.include('MaxListenersExceededWarning');
    });

    it('tells both ends of a cut, once', async () => {
      const near = await dial();
      const far = await accepted;
      let told = 0;
      const ends = [near, far].map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.receive({ message: () => {}, binary: () => {}, closed: () => ((told += 1), resolve()) });
          }),
      );
      near.terminate();
      far.terminate();
      await Promise.all(ends);
      expect(told).to.equal(2);
    });

    it('tells who attaches after the end that it is over', async () => {
      const near = await dial();
      const far = await accepted;
      await new Promise<void>((resolve) => {
        far.receive({ message: () => {}, binary: () => {}, closed: () => resolve() });
        near.terminate();
      });
      expect(await collect(near, 1)).to.deep.equal([1006]);
    });

    it('binds both ends to the same bytes', async () => {
      const near = await dial();
      const far = await accepted;
      expect(near.binding).to.deep.equal(far.binding);
    });

    it('answers a ping by itself, and counts what arrives', async () => {
      const near = await dial();
      const far = await accepted;
      const [before, there] = [near.received, far.received];
      near.ping();
      await eventually(() => near.received > before && far.received > there);
      const after = far.received;
      near.send('a message');
      await eventually(() => far.received > after);
    });

    it('says that nobody listens at an address', async () => {
      await listener.close();
      const error = await dial().catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DialFailed);
      expect((error as DialFailed).refused).to.equal(true);
    });

    it('gives up a dial that is taken back', async () => {
      const reason = new Error('changed my mind');
      const signal = AbortSignal.abort(reason);
      const dialled = dialler.dial(address(), { largestMessage: 1024, signal });
      expect(await dialled.catch((error: unknown) => error)).to.equal(reason);
    });

    it('keeps open connections when it stops to listen', async () => {
      const near = await dial();
      const there = collect(await accepted, 1);
      await listener.close();
      near.send('still here');
      expect(await there).to.deep.equal(['still here']);
    });
  });
}
