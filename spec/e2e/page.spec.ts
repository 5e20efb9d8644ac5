import { expect } from 'chai';
import type { Page as Tab } from 'playwright-core';

import { eventually } from '../support/eventually.ts';
import { PageStage } from '../support/page-stage.ts';
import type { connectPage as Connect, NetError as Failure, PageNet } from '../../src/page.ts';

// What runs in the tab. `connectPage` and `NetError` are the built library there.
declare const connectPage: typeof Connect;
declare const NetError: typeof Failure;
declare const net: PageNet;

describe('a web page in Chromium', function () {
  this.timeout(120_000);
  const stage = new PageStage();
  let tab: Tab;

  before(function () {
    return stage.open(this);
  });

  beforeEach(async () => {
    tab = stage.tab = await stage.connected();
  });

  afterEach(() => stage.leave());

  after(() => stage.close());

  it('calls functions of the server with rich values and bytes', async () => {
    const result = await tab.evaluate(async () => {
      const values = {
        when: new Date(5),
        set: new Set([1n]),
        map: new Map([['a', undefined]]),
        none: NaN,
        at: /x/g,
      };
      const back = (await net.remote('try.echo')(values)) as typeof values;
      const bytes = (await net.remote('try.echo')(new Uint16Array([1, 2, 515]))) as Uint16Array;
      const large = (await net.remote('try.echo')(new Uint8Array(1_000_000).fill(7))) as Uint8Array;
      return {
        sum: await net.remote<(a: number, b: number) => number>('try.add')(1, 2),
        when: back.when.getTime(),
        set: back.set.has(1n),
        map: back.map.has('a') && back.map.get('a') === undefined,
        none: back.none,
        at: String(back.at),
        bytes: bytes instanceof Uint16Array && [...bytes],
        large: large.length === 1_000_000 && large[999_999] === 7,
        kinds: await Promise.all(
          [new URL('http://x/'), new ArrayBuffer(2)].map((each) => net.remote('try.kind')(each)),
        ),
        meta: await net.remote('try.meta').with({ meta: { tenant: 'acme' } })(),
        caller: await net.remote('try.caller')(),
      };
    });
    expect(result).to.deep.equal({
      ...{ sum: 3, when: 5, set: true, map: true, none: NaN, at: '/x/g', bytes: [1, 2, 515], large: true },
      ...{ kinds: ['[object URL]', '[object ArrayBuffer]'], meta: { tenant: 'acme' }, caller: 'ada' },
    });
  });

  it('is called, with values, errors and what the call brought along', async () => {
    const result = await tab.evaluate(async () => {
      net.connect(
        'page.double',
        (numbers: Map<string, number>) => new Map([...numbers].map(([k, n]) => [k, 2 * n])),
      );
      net.connect('page.who', () => net.current()?.caller.name);
      net.connect('page.later', async () => 'later');
      net.connect('page.fail', () => {
        throw new TypeError('not today');
      });
      const ask = net.remote('try.ask');
      const doubled = (await ask('page.double', new Map([['a', 2]]))) as Map<string, number>;
      return {
        doubled: doubled.get('a'),
        who: await ask('page.who'),
        later: await ask('page.later'),
        failed: (await net.remote('try.askError')('page.fail')) as string[],
        missing: (await net.remote('try.askError')('page.missing')) as string[],
        notOffered: await net.remote('try.has')('other.tag'),
      };
    });
    expect(result).to.deep.include({ doubled: 4, who: 'server', later: 'later', notOffered: false });
    expect(result.failed.slice(0, 3)).to.deep.equal(['TypeError', null, null]);
    expect(result.failed[3]).to.include('TypeError: not today').and.to.include('at peer "ada"');
    expect(result.missing.slice(0, 3)).to.deep.equal(['NetError', 'NO_SUCH_TAG', 'no']);
  });

  it('streams both ways, no further ahead than the credit', async () => {
    const result = await tab.evaluate(async () => {
      const count = net.remote<(to: number) => AsyncGenerator<number, string>>('try.count');
      const got: number[] = [];
      for await (const each of count(1_000)) got.push(each);
      const slow = count(1_000_000);
      await slow.next();
      const { made } = (await net.remote('try.made')()) as { made: number };
      await slow.return('');
      async function* numbers() {
        for (let i = 0; i < 1_000; i += 1) yield i;
      }
      const web = new ReadableStream<number>({
        start(controller) {
          for (let i = 0; i < 10; i += 1) controller.enqueue(i);
          controller.close();
        },
      });
      const sum = net.remote('try.sum');
      const sums = [await sum(numbers()), await sum(web)];
      net.connect('page.count', async function* (to: number) {
        for (let i = 0; i < to; i += 1) yield i;
      });
      net.connect('page.sum', async (given: AsyncIterable<number>) => {
        let total = 0;
        for await (const each of given) total += each;
        return total;
      });
      const drained = (await net.remote('try.drain')('page.count', 500)) as number[];
      const poured = await net.remote('try.pour')('page.sum', 500);
      const notOne = await (async () => {
        for await (const _ of net.remote('try.add')(1, 2) as never as AsyncIterable<number>) break;
      })().catch((error: Error) => error.message);
      return { got: got.length, made, sums, drained: drained.length, poured, notOne };
    });
    expect(result.made).to.be.below(100);
    const sums = [499_500, 45];
    expect(result).to.deep.include({ got: 1_000, sums, drained: 500, poured: 124_750 });
    expect(result.notOne).to.include('no stream');
    // The generator that was left has run its `finally`.
    await eventually(async () => {
      const { left } = await tab.evaluate(() => net.remote('try.made')() as Promise<{ left: number }>);
      expect(left).to.be.above(1);
    });
  });

  it('hears events of the server and emits its own, as far as its pass allows', async () => {
    const result = await tab.evaluate(async () => {
      const heard: unknown[] = [];
      const off = net
        .event('news')
        .subscribe((value, { sequence, gap }) => heard.push([value, sequence, gap]));
      net.event('other').subscribe((value) => heard.push(value));
      const emit = net.remote('try.emit');
      await emit('news', 'a', new Set([1]));
      await emit('other', 'never');
      off();
      await emit('news', 'unheard');
      const [first, second] = heard as [[unknown, number, unknown], [Set<number>, number]];
      return {
        first: first.slice(0, 3),
        second: second[0].has(1),
        apart: second[1] - first[1],
        count: heard.length,
      };
    });
    expect(result).to.deep.include({ second: true, apart: 1, count: 2 });
    expect(result.first[0]).to.equal('a');
    await eventually(() => tab.evaluate(() => net.event('page.said').emit({ text: 'hello' })));
    const said = await stage.server.process.line<{ said: unknown; name: string }>(
      (line) => line.said !== undefined,
    );
    expect(said).to.deep.include({ said: { text: 'hello' }, name: 'ada' });
    expect(await tab.evaluate(() => net.event('not.offered').emit(1))).to.equal(false);
  });

  it('gets the errors of the server as their classes, with cause and both stacks', async () => {
    const result = await tab.evaluate(async () => {
      async function theUser() {
        await net.remote('try.fail')();
      }
      const error = (await theUser().catch((thrown: unknown) => thrown)) as RangeError & { code: string };
      const { cause } = error as { cause: Error };
      return {
        is: error instanceof RangeError,
        code: error.code,
        cause: [cause instanceof Error, cause.message],
        stack: error.stack!,
      };
    });
    expect(result).to.deep.include({ is: true, code: 'E_NO', cause: [true, 'because'] });
    expect(result.stack).to.match(
      /RangeError: no\n +at .*script-1\.mjs[^]*\n +at peer "server"[^]*\n +at async theUser/,
    );
  });

  it('fails calls with the code, and with what is known about whether they ran', async () => {
    const failures = await tab.evaluate(async () => {
      const codeOf = async (call: Promise<unknown>) => {
        const error = (await call.catch((thrown: unknown) => thrown)) as Failure;
        return error instanceof NetError ? [error.code, error.ran] : [(error as Error).name];
      };
      const { remote } = { remote: (tag: string) => net.remote(tag) };
      const aborted = new AbortController();
      aborted.abort();
      return {
        missing: await codeOf(remote('try.missing')()),
        forbidden: await codeOf(remote('secret')()),
        late: await codeOf(remote('try.hang').with({ deadline: 50 })()),
        none: await codeOf(remote('try.hang').with({ deadline: 0 })()),
        cancelled: await codeOf(remote('try.hang').with({ signal: AbortSignal.timeout(30) })()),
        before: await codeOf(remote('try.hang').with({ signal: aborted.signal })()),
        value: await codeOf(remote('try.echo')(() => {})),
        large: await codeOf(remote('try.echo')('x'.repeat(20_000_000))),
        result: await codeOf(remote('try.ask')('page.missing')),
      };
    });
    expect(failures).to.deep.equal({
      ...{
        missing: ['NO_SUCH_TAG', 'no'],
        forbidden: ['NO_SUCH_TAG', 'no'],
        late: ['DEADLINE_EXCEEDED', 'unknown'],
      },
      ...{ none: ['DEADLINE_EXCEEDED', 'no'], cancelled: ['TimeoutError'], before: ['AbortError'] },
      ...{ value: ['NOT_SERIALIZABLE', 'no'], large: ['TOO_LARGE', 'no'], result: ['NO_SUCH_TAG', 'yes'] },
    });
  });

  it('tells the function that its call was cancelled', async () => {
    await tab.evaluate(async () => {
      const aborted = new AbortController();
      const cancelled = net
        .remote('try.whatEnds')
        .with({ signal: aborted.signal })()
        .catch(() => {});
      // Calls begin in the order in which they were made: with this answer, the other one has begun.
      await net.remote('try.echo')('begun');
      aborted.abort();
      await cancelled;
    });
    await stage.server.process.line((line) => line === 'aborted CANCELLED');
  });

  it('says what is wrong with an option, a tag and a pass', async () => {
    const wrong = await tab.evaluate(async (url) => {
      const messageOf = async (run: () => unknown): Promise<string> => {
        try {
          await run();
          return 'nothing';
        } catch (error) {
          return `${(error as Error).name}: ${(error as Error).message}`;
        }
      };
      return [
        await messageOf(() => connectPage('ftp://x', { pass: 'x' })),
        await messageOf(() => connectPage(url, {} as never)),
        await messageOf(() => connectPage(url, { pass: 'abc' })),
        await messageOf(() =>
          connectPage(url, { pass: `${btoa('{"v":2,"exp":1}').replaceAll('=', '')}.${'A'.repeat(43)}` }),
        ),
        await messageOf(() => connectPage(url, { pass: 'x', retry: 3 } as never)),
        await messageOf(() => net.remote('')),
        await messageOf(() => net.remote('x').with({ deadline: -1 })),
        await messageOf(() => net.connect('net.mine', () => 1)),
        await messageOf(() => net.connect('page.x', 'fn' as never)),
        await messageOf(() => net.event('*').emit(1)),
        await messageOf(() => net.on('opened' as never, () => {})),
      ];
    }, stage.server.url);
    expect(wrong).to.deep.equal([
      "TypeError: url: give one such as 'wss://app.example/net'",
      'TypeError: pass: give the text of peer.pass(), or a function that fetches it',
      'TypeError: pass: give the text of peer.pass(), all of it',
      'TypeError: pass: it is of a newer app-net; update this page',
      'TypeError: there is no option retry; the options are pass, deadline, signal',
      'TypeError: tag must be a string of 1 to 1024 characters',
      'TypeError: deadline: give a number of milliseconds, 0 or more',
      'TypeError: connect: tags that begin with net. belong to the library',
      'TypeError: fn must be a function',
      "TypeError: '*' stands for every event; emit one by its name",
      'TypeError: there is no event opened; the events are open, close, failed, state',
    ]);
  });
});
