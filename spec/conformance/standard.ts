/** Nothing here needs Node: pages run it, too. */

/** The functions that every driver with the capability `serve` connects. docs/conformance.md says what each has to do. */

/** What the functions need of an implementation. */
export interface Host {
  connect(tag: string, fn: (...args: never[]) => unknown): unknown;
  current(): { signal: AbortSignal; meta: object; caller?: { id: string } | undefined };
  registerError(errorClass: new (...args: never[]) => Error, name: string): void;
}

class OutOfPaper extends Error {
  tray = 7;
  code = 'E_PAPER';
}
Object.defineProperty(OutOfPaper.prototype, 'name', { value: 'OutOfPaper' });

/** @param notice tells the suite that something happened */
export function serveStandard(host: Host, notice: (notice: object) => void): void {
  const current = (): ReturnType<Host['current']> => host.current();
  host.registerError(OutOfPaper, 'OutOfPaper');
  let produced = 0;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const functions: { [tag: string]: (...args: never[]) => unknown } = {
    'std.echo': (value: unknown) => value,
    'std.all': (...args: unknown[]) => args,
    'std.named': (first: unknown, options: unknown) => [first, options],
    'std.nothing': () => undefined,
    'std.fail': () => {
      throw new OutOfPaper('no paper', { cause: new RangeError('jam') });
    },
    'std.throw': (value: unknown) => {
      throw value;
    },
    'std.unsendable': () => ({ inner: () => undefined }),
    'std.slow': (ms: number, value: unknown) =>
      new Promise((resolve) => setTimeout(() => resolve(value), ms)),
    'std.hang': async () => {
      const { signal } = current();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      notice({ notice: 'cancelled', tag: 'std.hang' });
    },
    'std.count': async function* (to: number | null, fails?: string) {
      produced = 0;
      try {
        for await (const each of countTo(to ?? Infinity, fails)) {
          produced += 1;
          yield each;
        }
        return 'end';
      } finally {
        notice({ notice: 'ended', tag: 'std.count' });
      }
    },
    'std.produced': () => produced,
    'std.sum': async (values: AsyncIterable<number>) => {
      let sum = 0;
      for await (const each of values) sum += each;
      return sum;
    },
    'std.first': async (values: AsyncIterable<unknown>) => {
      for await (const each of values) return each;
      return undefined;
    },
    'std.hold': async (values: AsyncIterable<number>) => {
      await released;
      let count = 0;
      for await (const _ of values) if ((count += 1) === 100) break;
      return count;
    },
    'std.release': () => release(),
    'std.meta': () => current().meta,
    'std.caller': () => current().caller?.id,
  };
  for (const [tag, fn] of Object.entries(functions)) host.connect(tag, fn);
}

/** 0, 1, 2, … It lets others have a turn, so that an endless one can be stopped. */
export async function* countTo(to: number, fails?: string): AsyncGenerator<number> {
  for (let i = 0; i < to; i += 1) {
    yield i;
    if (i % 16 === 15) await new Promise((resolve) => setTimeout(resolve));
  }
  if (fails) throw new RangeError(fails);
}
