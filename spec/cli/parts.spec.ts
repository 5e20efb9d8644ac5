import { expect } from 'chai';
import * as fc from 'fast-check';

import type { RemotePeer } from '../../src/index.ts';
import { NetError } from '../../src/index.ts';
import { chooseFunction, choosePeer, nobody } from '../../src/cli/commands/choose.ts';
import { CliError, EXIT } from '../../src/cli/terminal/exit.ts';
import { exitCodeOf, failureLines } from '../../src/cli/terminal/failures.ts';
import { LiveArea } from '../../src/cli/terminal/live-area.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { peerTable } from '../../src/cli/commands/peer-table.ts';
import { Progress } from '../../src/cli/terminal/progress.ts';
import { cut, safe, written } from '../../src/cli/terminal/text.ts';
import { bytes, count, duration, milliseconds } from '../../src/cli/terminal/units.ts';
import { display, jsonable, readArguments } from '../../src/cli/commands/values.ts';
import { encodeTag } from '../../src/base/tag.ts';

/** As much of a peer as these look at. */
function peer(id: string, name: string, ...functions: string[]): RemotePeer {
  return {
    id,
    name,
    group: 'main',
    hub: false,
    pid: 7,
    host: 'there',
    scope: 'lan',
    functions,
  } as unknown as RemotePeer;
}

class Written {
  text = '';
  isTTY: boolean;
  columns = 60;
  rows = 5;
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

const plain = new Output(false, { stdout: new Written(false), environment: {} }).colors;

describe('a peer that is typed', () => {
  const peers = [peer('abcdef', 'one'), peer('abcxyz', 'two'), peer('zzz', 'same'), peer('yyy', 'same')];

  it('is found by its id, its name, or the beginning of its id', () => {
    for (const [typed, id] of [
      ['abcdef', 'abcdef'],
      ['two', 'abcxyz'],
      ['abcx', 'abcxyz'],
    ]) {
      expect(choosePeer(typed!, peers).id).to.equal(id);
    }
  });

  it('is refused when several match, or none', () => {
    expect(() => choosePeer('same', peers)).to.throw(CliError, '2 peers are called "same"');
    expect(() => choosePeer('abc', peers)).to.throw(CliError, 'no peer is called "abc"');
    expect(() => choosePeer('tow', peers))
      .to.throw(CliError)
      .with.property('advice', 'did you mean two?');
  });

  it('is refused with advice when there are no peers', () => {
    const about = (error: CliError): unknown[] => [error.exitCode, error.message, error.advice];
    const serve = 'start one with app-net serve; if one runs and is not found, app-net doctor says why';
    expect(about(nobody(undefined, ['main']))).to.deep.equal([EXIT.NOT_FOUND, 'no peer was found', serve]);
    const missing = 'no peer of the group "gp" was found';
    expect(about(nobody('gp', []))).to.deep.equal([EXIT.NOT_FOUND, missing, serve]);
    expect(about(nobody('gp', ['gpu']))).to.deep.equal([EXIT.NOT_FOUND, missing, 'groups with peers: "gpu"']);
  });
});

describe('a function that is typed', () => {
  const derived = encodeTag('my-app/math', 'multiply');
  const peers = [
    peer('a', 'one', derived, 'img.resize@1'),
    peer('b', 'two', encodeTag('other/math', 'add'), derived),
  ];

  it('is found by its tag, its name, or the end of its name', () => {
    for (const typed of [derived, 'my-app/math.multiply', 'math.multiply', 'multiply']) {
      expect(chooseFunction(typed, peers)).to.equal(derived);
    }
    expect(chooseFunction('img.resize@1', peers)).to.equal('img.resize@1');
    expect(chooseFunction('net.info', peers)).to.equal('net.info');
    expect(() => chooseFunction('ultiply', peers)).to.throw(CliError, 'no peer has a function "ultiply"');
  });

  it('is refused with similar names', () => {
    expect(() => chooseFunction('mltiply', peers))
      .to.throw(CliError)
      .with.property('advice', 'did you mean my-app/math.multiply?');
    expect(() => chooseFunction('resize', peers))
      .to.throw(CliError)
      .with.property('advice')
      .that.includes('img.resize@1');
    const both = [...peers, peer('c', 'three', 'x.multiply')];
    expect(() => chooseFunction('multiply', both))
      .to.throw(CliError, '2 functions are called "multiply"')
      .with.property('advice', 'choose one: my-app/math.multiply (2 peers), x.multiply (three)');
  });
});

describe('an argument', () => {
  it('is read as JSON, or else as a string', () => {
    expect(
      readArguments(['1', '-2.5', 'true', 'null', '"x"', '[1]', '{"a":1}', 'x y', '', '1 2', '-x']),
    ).to.deep.equal([...[1, -2.5, true, null, 'x', [1], { a: 1 }, 'x y', '', '1 2', '-x']]);
    for (const wrong of ['{a:1}', '[1', '"x']) {
      expect(() => readArguments(['1', wrong])).to.throw(CliError, 'argument 2 begins like JSON');
    }
  });

  it('is refused when it is a number that would lose digits', () => {
    expect(readArguments(['9007199254740991', '1e30', '-9007199254740991'])).to.deep.equal([
      ...[Number.MAX_SAFE_INTEGER, 1e30, Number.MIN_SAFE_INTEGER],
    ]);
    for (const wrong of ['9007199254740993', '-12345678901234567890']) {
      expect(() => readArguments([wrong])).to.throw(CliError, `argument 1, ${wrong}, is too large`);
    }
    const adviceOf = (wrong: string): unknown => {
      try {
        return readArguments([wrong]);
      } catch (error) {
        return (error as CliError).advice;
      }
    };
    expect(adviceOf('9007199254740993')).to.equal(
      `give it as a string, '"9007199254740993"', or give the number that it would become: 9.007199254740992e+15`,
    );
    // It would become Infinity, which has no form in JSON.
    for (const wrong of ['1e400', '-1e400', '9'.repeat(400)])
      expect(adviceOf(wrong)).to.equal(`give it as a string, '"${wrong}"'`);
  });
});

describe('a value', () => {
  it('becomes JSON whatever it is', () => {
    const circular: Record<string, unknown> = { a: 1 };
    circular['self'] = circular;
    const twice = { x: 1 };
    const value = {
      ...{ date: new Date(0), never: new Date(NaN), big: 5n, not: NaN, far: -Infinity, none: undefined },
      ...{
        map: new Map([[{ k: 1 }, 2n]]),
        set: new Set([1]),
        bytes: new Uint8Array([1, 2]),
        buffer: new ArrayBuffer(1),
      },
      ...{ url: new URL('http://x/'), pattern: /x/g, list: [undefined, twice, twice], circular },
      error: Object.assign(new RangeError('no', { cause: new Error('why') }), { code: 5 }),
    };
    expect(JSON.parse(JSON.stringify(jsonable(value)))).to.deep.equal({
      ...{ date: '1970-01-01T00:00:00.000Z', never: null, big: '5', not: 'NaN', far: '-Infinity' },
      ...{ map: [[{ k: 1 }, '2']], set: [1], bytes: { base64: 'AQI=' }, buffer: { base64: 'AA==' } },
      ...{ url: 'http://x/', pattern: '/x/g', list: [null, { x: 1 }, { x: 1 }] },
      circular: { a: 1, self: '[circular]' },
      error: { name: 'RangeError', message: 'no', code: 5, cause: { name: 'Error', message: 'why' } },
    });
    expect(jsonable(undefined)).to.equal(null);
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(JSON.stringify(jsonable(json))).to.equal(JSON.stringify(json));
      }),
    );
  });

  it('is shown without terminal sequences', () => {
    const options = { colors: false, columns: 80 };
    const shown = (value: unknown, colors = false): string => written(display(value, { ...options, colors }));
    expect(shown('a\u001b[2J\tb\n\u202ec')).to.equal('a\ufffd[2J\tb\n\ufffdc');
    expect(shown({ a: '\u001b[2J' })).to.equal("{ a: '\\x1B[2J' }");
    expect(shown({ error: new Error('\u001b[2J\u001b[31m') })).to.include('Error: \ufffd[2J\ufffd[31m\n');
    // Its own colours are written, and those of others are not.
    const colored = shown([1, new Error('\u001b[2J\u001b[31m')], true);
    expect(colored).to.include('\u001b[33m1\u001b[39m').and.to.include('Error: \ufffd[2J\ufffd[31m\n');
    fc.assert(
      fc.property(fc.anything({ withDate: true, withMap: true, withBigInt: true }), (value) => {
        // oxlint-disable-next-line no-control-regex
        expect(shown(value)).not.to.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe('a failure', () => {
  it('tells what happened and where, and sets the exit code', () => {
    const thrown = new RangeError('no');
    thrown.stack =
      'RangeError: no\n    at f (/app/math.ts:1:1)\n    at peer "one" (a)\n    at here (/cli.ts:1:1)';
    expect(failureLines(thrown, plain)).to.deep.equal([
      'RangeError: no',
      '    at f (/app/math.ts:1:1)',
      '    at peer "one" (a)',
    ]);
    expect(exitCodeOf(thrown)).to.equal(EXIT.FAILED);
    const lost = new NetError('CONNECTION_LOST', 'gone');
    expect(failureLines(lost, plain)[0]).to.equal('NetError: gone (CONNECTION_LOST, ran: unknown)');
    expect(exitCodeOf(lost)).to.equal(EXIT.NOT_CALLED);
    expect(exitCodeOf(new NetError('NO_SUCH_TAG', 'no'))).to.equal(EXIT.NOT_FOUND);
    expect(failureLines('just this', plain)).to.deep.equal(['the function threw: just this']);
  });
});

describe('times and sizes', () => {
  it('are written for people', () => {
    const times = [0, 999, 1_000, 65_000, 3_600_000, 3_661_000, 90_000_000, NaN, -1].map((time) =>
      duration(time),
    );
    expect(times).to.deep.equal(['0 s', '0 s', '1 s', '1 min 5 s', '1 h', '1 h 1 min', '1 d 1 h', '?', '?']);
    expect([0.456, 13.14, 1_250.4].map((time) => milliseconds(time))).to.deep.equal([
      '0.46 ms',
      '13.1 ms',
      '1,250 ms',
    ]);
    expect([count(1, 'peer'), count(1_200, 'peer'), bytes(50_331_648)]).to.deep.equal([
      '1 peer',
      '1,200 peers',
      '48 MiB',
    ]);
  });
});

describe('the output', () => {
  it('is JSON in a pipe for data, and on request', () => {
    const json = (data: boolean, isTTY: boolean, given?: boolean): boolean =>
      new Output(data, { json: given, stdout: new Written(isTTY), environment: {} }).json;
    expect([json(true, false), json(true, true), json(false, false)]).to.deep.equal([true, false, false]);
    expect([json(true, false, false), json(false, true, true)]).to.deep.equal([false, true]);
  });

  it('has colours on a terminal, unless they are switched off', () => {
    const red = (isTTY: boolean, environment: NodeJS.ProcessEnv): string => {
      const stdout = new Written(isTTY);
      const out = new Output(false, { stdout, environment });
      out.text(out.colors.red('x'));
      return stdout.text;
    };
    expect(red(true, {})).to.equal('\u001b[31mx\u001b[39m');
    expect(red(false, { FORCE_COLOR: '1' })).to.include('\u001b[31m');
    for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      expect(red(true, environment)).to.equal('x');
    for (const environment of [{}, { CI: 'true' }, { FORCE_COLOR: '0' }])
      expect(red(false, environment)).to.equal('x');
  });

  it('cuts text that is too long, and removes invisible characters', () => {
    expect([cut('four', 4), cut('four', 3), safe('a\u0007\nb')]).to.deep.equal([
      'four',
      'fo…',
      'a\ufffd\ufffdb',
    ]);
  });

  it('is redrawn in place, and keeps the lines above', () => {
    const stdout = new Written(true);
    const area = new LiveArea(new Output(false, { stdout, environment: {} }));
    area.draw('one\ntwo');
    stdout.text = '';
    area.draw('1\n2\n3\n4\n5\n6', ['stays']);
    // Back over two lines; then no more than the terminal has.
    expect(stdout.text).to.equal('\u001b[2A\u001b[G\u001b[J\u001b[?7hstays\n\u001b[?7l1\n2\n3\n4\n');
    area.end();
  });
});

describe('the table of peers', () => {
  it('has a row for each peer, with as many functions as fit', () => {
    const functions = Array.from({ length: 20 }, (_, index) => encodeTag('my-app/math', `f${index}`));
    const answers = { roundTrip: 0.5, uptime: 61_000, version: '0', at: performance.now() };
    const rows = [
      { peer: peer('a', 'one\u001b', ...functions), answers },
      { peer: peer('b', 'two'), answers: undefined },
    ];
    const lines = peerTable(rows, plain, 80).split('\n');
    expect(lines[0]).to.match(/^NAME +GROUP +WHERE +ROUND TRIP +UPTIME +FUNCTIONS$/);
    expect(lines[1]).to.match(
      /^one\ufffd +main +there, process 7 +0\.50 ms +1 min 1 s +math\.f0, math\.f1 \+18$/,
    );
    expect(lines[2]).to.match(/^two +main +there, process 7 +– +– +–$/);
    expect(lines[1]!.length).to.be.at.most(90);
  });

  it('shows a given tag unchanged, and tells peers of the same name apart by their ids', () => {
    const rows = [
      { peer: peer('abcdefgh', 'same', 'a/b.c'), answers: undefined },
      { peer: peer('ijklmnop', 'same', encodeTag('my-app/lib/math', 'f')), answers: undefined },
    ];
    const lines = peerTable(rows, plain, 120).split('\n');
    expect(lines[1]).to.match(/^same abcdef .* a\/b\.c$/);
    expect(lines[2]).to.match(/^same ijklmn .* math\.f$/);
    const alike = ['render-1', 'render-2'].map((id) => ({ peer: peer(id, 'render'), answers: undefined }));
    expect(peerTable(alike, plain, 120)).to.match(/\nrender render-1 .*\nrender render-2 /);
  });
});

describe('the progress of many calls', () => {
  const state = { done: 3, failed: 1, running: 4, peers: 2, total: 12_000 };

  for (const [columns, shown] of [
    [80, /^█*░{20,}  3\/12,000  2 peers  1 failed  .+ left$/],
    [50, /^█*░{5,}  3\/12,000  2 peers  1 failed  .+ left$/],
    [30, /^3\/12,000  2 peers  1 failed$/],
    [10, /^3\/12,000$/],
  ] as const) {
    it(`has room on ${columns} columns`, () => {
      const stderr = Object.assign(new Written(true), { columns });
      const out = new Output(true, { stdout: new Written(false), stderr, environment: { NO_COLOR: '1' } });
      const progress = new Progress(out, 12_000);
      progress.show(state);
      progress.end();
      const [, line] = stderr.text.split('\u001b[G\u001b[K');
      expect(line).to.match(shown);
      expect(line!.length).to.be.below(columns);
    });
  }
});
