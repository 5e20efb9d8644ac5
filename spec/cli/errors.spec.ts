import { expect } from 'chai';

import { run } from '../support/command.ts';
import { Stage } from '../support/peers.ts';

describe('an error of app-net', function () {
  this.timeout(120_000);
  const stage = new Stage();

  afterEach(() => stage.clear());

  it('is one line of JSON where the output is JSON', async () => {
    const folder = await stage.folder();
    const env = { APP_NET_RUNTIME_DIR: folder };
    const peer = stage.make({ runtimeDir: folder });
    peer.connect('who', () => 'one');
    peer.connect('divide', () => {
      throw new RangeError('by zero');
    });
    await peer.start();
    const read = 'app-net call --help lists all options; put arguments that begin with - after --';
    for (const [args, code, error] of [
      [
        ['none'],
        3,
        {
          message: 'no peer has a function "none"',
          advice: 'app-net peers lists the functions of each peer',
        },
      ],
      [
        ['who', '--deadline', 'soon'],
        2,
        {
          message: "option '-d, --deadline <ms>' argument 'soon' is invalid. Give a whole number, 0 or more.",
          advice: read,
        },
      ],
      [['who', '-x'], 2, { message: "unknown option '-x'", advice: read }],
      [[], 2, { message: "missing required argument 'function'", advice: read }],
      [['who', '--ordered'], 2, { message: '--ordered needs --map' }],
      [['divide', '1', '0'], 1, { name: 'RangeError', message: 'by zero' }],
    ] as const) {
      for (const options of [[], ['--json']]) {
        const { code: ended, out, errors } = await run(['call', ...args, ...options], env);
        expect({ ended, out }, errors).to.deep.equal({ ended: code, out: '' });
        expect(JSON.parse(errors)).to.deep.equal({ error });
      }
      expect((await run(['call', ...args, '--no-json'], env)).errors).not.to.match(/^{/);
    }
    // Commands whose output is text in a pipe.
    const wrong = await run(['ping', '--count', '0', '--json'], env);
    expect(JSON.parse(wrong.errors)).to.have.nested.property('error.message').that.includes('1 or more');
    expect((await run(['ping', '--count', '0'], env)).errors).to.match(/^error: .*1 or more/);
    expect((await run(['nothing', '--json'], env)).errors).to.match(/^{"error":.*unknown command 'nothing'/);
  });
});
