import { expect } from 'chai';

import { closedBy } from '../../src/connection/findings.ts';
import { CLOSE } from '../../src/wire/frames.ts';

describe('the end of a link, in words', () => {
  it('blames a pass only where this peer has one', () => {
    expect(closedBy(CLOSE.HANDSHAKE, true)).to.include('pass');
    expect(closedBy(CLOSE.HANDSHAKE, false)).to.equal('the other side ended the handshake (4401)');
  });
});
