import { expect } from 'chai';

import { NetError, isNetErrorCode } from '../../src/base/errors.ts';
import type { NetErrorCode } from '../../src/base/errors.ts';

/** The table of the documentation, once more: what users rely on when they retry. */
const outcomes: Record<NetErrorCode, [ran: string, retriable: boolean]> = {
  NOT_SENT: ['no', true],
  REFUSED: ['no', true],
  OVERLOADED: ['no', true],
  NO_SUCH_TAG: ['no', true],
  NOT_SERIALIZABLE: ['no', false],
  TOO_LARGE: ['no', false],
  BAD_REQUEST: ['no', false],
  UNAUTHENTICATED: ['no', false],
  ID_TAKEN: ['no', false],
  INSECURE: ['no', false],
  DEADLINE_EXCEEDED: ['unknown', false],
  CONNECTION_LOST: ['unknown', false],
  THREAD_LOST: ['unknown', false],
  CANCELLED: ['unknown', false],
  STOPPED: ['no', false],
};
const codes = Object.keys(outcomes) as NetErrorCode[];

describe('a NetError', () => {
  for (const code of codes) {
    const [ran, retriable] = outcomes[code];
    it(`has the defaults of ${code}, ran: ${ran}, retriable: ${String(retriable)}`, () => {
      const error = new NetError(code, 'm');
      expect([error.code, error.ran, error.retriable]).to.deep.equal([code, ran, retriable]);
    });

    it(`never says that a call that may have run can be repeated: ${code}`, () => {
      for (const maybe of ['yes', 'unknown'] as const) {
        expect(new NetError(code, 'm', { ran: maybe }).retriable).to.equal(false);
      }
    });
  }

  it('can override the defaults of its code', () => {
    const error = new NetError('DEADLINE_EXCEEDED', 'm', { ran: 'no', retriable: true });
    expect([error.ran, error.retriable]).to.deep.equal(['no', true]);
    expect(new NetError('NOT_SENT', 'm', { retriable: false }).retriable).to.equal(false);
  });

  it('is an Error with its own name, a stack, and the peer and tag of the call', () => {
    const error = new NetError('NOT_SENT', 'nobody there', { peer: 'p', tag: 't' });
    expect(error).to.be.instanceOf(Error);
    expect(String(error)).to.equal('NetError: nobody there');
    expect(error.stack).to.match(/^NetError: nobody there\n {4}at /);
    expect([error.peer, error.tag]).to.deep.equal(['p', 't']);
    expect(Object.keys(error)).not.to.include('name');
  });

  it('has a cause only when one was given, even if it is undefined', () => {
    const cause = new Error('why');
    expect(new NetError('STOPPED', 'm', { cause }).cause).to.equal(cause);
    expect(Object.hasOwn(new NetError('STOPPED', 'm', { cause: undefined }), 'cause')).to.equal(true);
    expect(Object.hasOwn(new NetError('STOPPED', 'm'), 'cause')).to.equal(false);
  });
});

describe('the code of a NetError', () => {
  it('is one of the known codes', () => {
    expect(codes.every((code) => isNetErrorCode(code))).to.equal(true);
    const wrong = [
      '',
      'not_sent',
      'ENOENT',
      '__proto__',
      'constructor',
      'toString',
      5,
      null,
      undefined,
      ['STOPPED'],
    ];
    expect(wrong.filter((code) => isNetErrorCode(code))).to.deep.equal([]);
  });
});
