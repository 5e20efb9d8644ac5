import { expect } from 'chai';

import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../driver.ts';
import type { Scenario } from '../scenario.ts';
import { call, newKey } from '../scenario.ts';

/** Long enough for every call that is meant to end otherwise, in ms. */
const LONG = 10_000;

export const calls: Scenario[] = [
  {
    title: 'a thousand calls at once are answered, each with its own answer',
    run: async (pair) => {
      const numbers = Array.from({ length: 1_000 }, (_, i) => i);
      const answers = await Promise.all(numbers.map((i) => call(pair, 'std.slow', [i % 7, i])));
      expect(answers).to.deep.equal(numbers);
    },
  },
  {
    title: 'more calls than the other side takes at once wait for room',
    run: async (pair) => {
      const numbers = Array.from({ length: 1_500 }, (_, i) => i);
      const answers = await Promise.all(numbers.map((i) => call(pair, 'std.slow', [50, i])));
      expect(answers).to.deep.equal(numbers);
    },
  },
  {
    title: 'named arguments arrive as one object after the others, or by their names',
    caller: ['kwargs.call'],
    callee: ['kwargs.serve'],
    run: async (pair) => {
      const options = { kwargs: { width: 200, deep: [{ x: null }] } };
      expect(await call(pair, 'std.named', ['cat'], options)).to.deep.equal(['cat', options.kwargs]);
    },
  },
  {
    title: 'an error arrives with its name, message, code, properties and cause',
    run: async (pair) => {
      const { error } = await failureOf(call(pair, 'std.fail'));
      expect(error).to.deep.include({
        name: 'OutOfPaper',
        message: 'no paper',
        code: 'E_PAPER',
        properties: { tray: 7 },
      });
      expect(error?.cause).to.deep.include({ $: 'error', message: 'jam' });
    },
  },
  {
    title: 'something thrown that is no error arrives as it is',
    callee: ['throw'],
    run: async (pair) => {
      for (const thrown of ['text', 0, false, '', { a: 1 }]) {
        expect(await failureOf(call(pair, 'std.throw', [thrown]))).to.deep.equal({ thrown });
      }
    },
  },
  {
    title: 'a function that there is not fails with NO_SUCH_TAG, and did not run',
    run: async (pair) => {
      expect(await failureOf(call(pair, 'std.nowhere'))).to.deep.equal({
        failure: { code: 'NO_SUCH_TAG', ran: 'no' },
      });
    },
  },
  {
    title: 'a result that cannot be sent fails with NOT_SERIALIZABLE, and ran',
    callee: ['unsendable'],
    run: async (pair) => {
      const failed = await failureOf(call(pair, 'std.unsendable'));
      expect(failed).to.deep.equal({ failure: { code: 'NOT_SERIALIZABLE', ran: 'yes' } });
    },
  },
  {
    title: 'arguments that are too large fail with TOO_LARGE, and the connection stays',
    run: async (pair) => {
      const failed = await failureOf(call(pair, 'std.echo', ['x'.repeat(17 * 1024 * 1024)]));
      expect(failed).to.deep.equal({ failure: { code: 'TOO_LARGE', ran: 'no' } });
      expect(await call(pair, 'std.echo', ['still there'])).to.equal('still there');
    },
  },
  {
    title: 'a text of 1 MiB arrives',
    run: async (pair) => {
      const text = 'ü'.repeat(512 * 1024);
      expect(await call(pair, 'std.echo', [text])).to.equal(text);
    },
  },
  {
    title: 'a deadline that passes fails the call, and the function is told',
    caller: ['deadline'],
    callee: ['cancel'],
    run: async (pair) => {
      const from = pair.callee.notices.length;
      const failed = await failureOf(call(pair, 'std.hang', [], { deadline: 100 }));
      expect(failed).to.deep.equal({ failure: { code: 'DEADLINE_EXCEEDED', ran: 'unknown' } });
      await pair.callee.notice({ notice: 'cancelled', tag: 'std.hang' }, from);
    },
  },
  {
    title: 'a call that is cancelled ends at once, and the function is told',
    caller: ['cancel'],
    callee: ['cancel'],
    run: async (pair) => {
      const from = pair.callee.notices.length;
      const key = newKey();
      const hanging = failureOf(call(pair, 'std.hang', [], { key, deadline: LONG }));
      await call(pair, 'std.echo', [1]); // the call before it has arrived
      await pair.caller.do('cancel', { key });
      expect(await hanging).to.deep.equal({ aborted: true });
      await pair.callee.notice({ notice: 'cancelled', tag: 'std.hang' }, from);
    },
  },
  {
    title: 'what travels beside a call arrives',
    caller: ['meta'],
    callee: ['meta'],
    run: async (pair) => {
      expect(await call(pair, 'std.meta', [], { meta: { token: 'ü' } })).to.deep.equal({ token: 'ü' });
      expect(await call(pair, 'std.meta')).to.deep.equal({});
    },
  },
  {
    title: 'a function knows its caller',
    callee: ['caller'],
    run: async (pair) => {
      expect(await call(pair, 'std.caller')).to.equal(pair.caller.id);
    },
  },
  {
    title: 'functions that are connected and disconnected later are told of',
    caller: ['presence'],
    callee: ['functions'],
    run: async (pair) => {
      const tag = newKey();
      const has = async (): Promise<boolean> => {
        const peers = await pair.caller.do<{ id: string; functions: string[] }[]>('peers');
        return peers.find(({ id }) => id === pair.callee.id)!.functions.includes(tag);
      };
      expect(await has()).to.equal(false);
      await pair.callee.do('connect', { tag });
      await eventually(has);
      expect(await call(pair, tag)).to.equal(tag);
      await pair.callee.do('disconnect', { tag });
      await eventually(async () => !(await has()));
    },
  },
];
