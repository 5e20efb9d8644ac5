import { readFileSync } from 'node:fs';

import { CommanderError } from 'commander';
import { expect } from 'chai';
import * as fc from 'fast-check';

import type { RemotePeer } from '../../src/index.ts';
import { chooseFunction, choosePeer, nobody } from '../../src/cli/commands/choose.ts';
import { report } from '../../src/cli/doctor/report.ts';
import { CliError, EXIT } from '../../src/cli/terminal/exit.ts';
import { explain } from '../../src/cli/terminal/explain.ts';
import { failureLines } from '../../src/cli/terminal/failures.ts';
import { showInfo } from '../../src/cli/commands/info.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { peerData } from '../../src/cli/commands/peer-rows.ts';
import { peerTable } from '../../src/cli/commands/peer-table.ts';
import { createProgram } from '../../src/cli/program.ts';
import { safe } from '../../src/cli/terminal/text.ts';
import { display, jsonable, readArguments } from '../../src/cli/commands/values.ts';
import { run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { hostileInfo, hostilePeer, hostileText, hostileValue, steering } from '../support/hostile-output.ts';
import { Stage } from '../support/peers.ts';
import { Terminal } from '../support/terminal.ts';

const CODES = Object.values(EXIT) as number[];

/** As many cases as take some seconds; together more than 10,000. */
const MANY = { numRuns: 3_000 };

/** A frame of the command line's own. */
const STACK = /^ +at .*(?:node:|app-net|commander|src\/|dist\/).*:\d+/m;

class Stream {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows = 0;

  constructor(isTTY: boolean, columns: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** Where a command would write: a pipe or a terminal of a strange size, as text or JSON, with colours or without. */
const outputs = fc.record({
  isTTY: fc.boolean(),
  json: fc.boolean(),
  columns: fc.constantFrom(0, 1, 80, 100_000),
  color: fc.boolean(),
});

function written(
  { isTTY, json, columns, color }: { isTTY: boolean; json: boolean; columns: number; color: boolean },
  write: (out: Output) => void,
): string {
  const stream = new Stream(isTTY, columns);
  const environment = color ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  write(new Output(true, { json, stdout: stream, stderr: stream, environment }));
  return stream.text;
}

function expectHarmless(text: string, json: boolean): void {
  expect(steering(text), JSON.stringify(text.slice(0, 2_000))).to.equal(undefined);
  if (json) for (const line of text.split('\n').filter(Boolean)) JSON.parse(line);
}

/** Whether the process listens for signals, as Linux has it: for SIGHUP, which Node does not listen for by itself. */
function listensForCtrlC(pid: number): boolean {
  const [, caught] = /^SigCgt:\s+([\da-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return (BigInt(`0x${caught}`) & 1n) !== 0n;
}

describe('the command line with hostile input and hostile peers', function () {
  this.timeout(120_000);
  const memoryBefore = process.memoryUsage().rss;

  after(() => {
    expect(process.memoryUsage().rss - memoryBefore).to.be.below(300 * 1024 * 1024);
  });

  it('reads any arguments, or explains in words what is wrong with them', async () => {
    const { commands } = createProgram(() => {});
    const flags = commands.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short]));
    const known = [
      ...commands.map((command) => command.name()),
      ...flags.filter((flag) => flag !== undefined),
    ];
    const word = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(...known, '--', '-', '--help', '-V', 'help', '1e9', '-1', '4294967296'),
      },
      { weight: 1, arbitrary: hostileText },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
        const stream = new Stream(false, 80);
        const program = createProgram(() => {}, { stdout: stream, stderr: stream });
        for (const command of program.commands) command.action(() => {});
        try {
          await program.parseAsync(['node', 'app-net', ...words]);
        } catch (error) {
          expect(error).to.be.instanceOf(CommanderError);
        }
        expectHarmless(stream.text, false);
        expect(stream.text).not.to.match(STACK);
      }),
      MANY,
    );
  });

  it('reads any values as arguments of a call, or refuses them', () => {
    const text = fc.oneof(
      hostileText,
      fc.json(),
      fc.bigInt().map(String),
      fc.constantFrom('1e400', '-1e999', '[', '{"a":'),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), outputs, (given, kind) => {
        try {
          expect(readArguments(given)).to.have.length(given.length);
        } catch (error) {
          expect(error).to.be.instanceOf(CliError).with.property('exitCode', EXIT.USAGE);
          const said = written(kind, (out) => explain(error, kind.json, out));
          expectHarmless(said, kind.json);
        }
      }),
      MANY,
    );
  });

  it('shows any peers and any of their answers', () => {
    const peers = fc.uniqueArray(hostilePeer, { minLength: 1, maxLength: 4, selector: ({ id }) => id });
    fc.assert(
      fc.property(peers, hostileInfo, outputs, (found, answer, kind) => {
        const said = written(kind, (out) => showInfo(out, found[0]!, answer));
        expectHarmless(said, kind.json);
        // Any name is printed on one line.
        if (kind.json) expect(said.split('\n')).to.have.length(2);
        const shown = written(kind, (out) => {
          if (kind.json) for (const each of found) out.data(peerData(each));
          else
            out.line(
              peerTable(
                found.map((peer) => ({ peer, answers: undefined })),
                out.colors,
                out.columns,
              ),
            );
        });
        expectHarmless(shown, kind.json);
        expect(shown.split('\n')).to.have.length(found.length + (kind.json ? 1 : 2));
        expectHarmless(
          written(kind, (out) => {
            const says = found.map(({ name, host }) => `${name} ${host}`).join();
            report(out, { status: 'problem', check: 'x', says, todo: says });
          }),
          kind.json,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('shows any result, payload and failure', () => {
    fc.assert(
      fc.property(hostileValue, outputs, (value, kind) => {
        const said = written(kind, (out) => {
          if (kind.json) out.data(jsonable(value));
          else out.line(display(value, { colors: out.colors.enabled, columns: out.columns }));
        });
        expectHarmless(said, kind.json);
        const failed = written(kind, (out) => {
          if (kind.json) out.messageData({ error: jsonable(value) });
          else for (const line of failureLines(value, out.errorColors)) out.message(line);
        });
        expectHarmless(failed, kind.json);
        let code: number = -1;
        expectHarmless(
          written(kind, (out) => {
            code = explain(value, kind.json, out);
          }),
          kind.json,
        );
        expect(CODES).to.include(code);
      }),
      MANY,
    );
  });

  it('finds the right name among any names, or suggests others', () => {
    fc.assert(
      fc.property(hostileText, fc.array(hostilePeer, { maxLength: 4 }), outputs, (wanted, peers, kind) => {
        for (const choose of [choosePeer, chooseFunction]) {
          try {
            choose(wanted, peers);
          } catch (error) {
            expect(error).to.be.instanceOf(CliError).with.property('exitCode', EXIT.NOT_FOUND);
            expectHarmless(
              written(kind, (out) => explain(error, kind.json, out)),
              kind.json,
            );
          }
        }
        const none = nobody(
          wanted,
          peers.map(({ group }) => group),
        );
        expectHarmless(
          written(kind, (out) => explain(none, kind.json, out)),
          kind.json,
        );
      }),
      MANY,
    );
  });

  it('takes time for what it shows, and not for all that it receives', () => {
    const functions = Array.from(
      { length: 100_000 },
      (_, index) => `a.rather.long.name.of.a.function.${index}`,
    );
    const same = { name: 'same', group: 'g', hub: false, pid: 7, host: 'h', scope: 'lan', functions };
    const crowd = Array.from({ length: 2_000 }, (_, index) => Object.assign({ id: `peer-${index}` }, same));
    const start = performance.now();
    const shown = written({ isTTY: false, json: false, columns: 80, color: false }, (out) => {
      const rows = crowd.map((each) => ({ peer: each as unknown as RemotePeer, answers: undefined }));
      out.line(peerTable(rows, out.colors, out.columns));
    });
    expect(shown.split('\n')[1]!.length).to.be.below(250);
    expect(shown).to.include('a.rather.long.name.of.a.function.0, ').and.to.include(' +99998');
    safe('x'.repeat(50_000_000));
    display('\u001b'.repeat(1_000_000), { colors: true, columns: 80 });
    // Some hundred ms; it was minutes.
    expect(performance.now() - start).to.be.below(10_000);
  });

  describe('in its own process', () => {
    const stage = new Stage();
    afterEach(() => stage.clear());

    it('exits as documented, and prints no stack, for any arguments', async () => {
      const env = { APP_NET_RUNTIME_DIR: await stage.folder() };
      const argument = hostileText.map((text) => text.replaceAll('\0', '').slice(0, 500));
      const vectors = [
        [],
        ['nonsense'],
        ['peers', '--bogus\u001b[2J'],
        ['ping', '--count', '0'],
        ['ping', '--interval', '99999999999'],
        ['call'],
        ['call', 'f', '[1'],
        ['info', '\u001b[2J'],
        ['serve', '/nowhere'],
        ...fc.sample(fc.array(argument, { minLength: 1, maxLength: 3 }), { numRuns: 4, seed: 5 }),
        ...fc.sample(fc.tuple(fc.constant('call'), argument, argument), { numRuns: 4, seed: 6 }),
      ];
      const check = async (vector: readonly string[]): Promise<void> => {
        const { code, out, errors } = await run(vector, env);
        expect(CODES, vector.join(' ')).to.include(code);
        expect(out + errors).not.to.match(STACK);
        expect(steering(out + errors), JSON.stringify([vector, errors])).to.equal(undefined);
      };
      while (vectors.length > 0) await Promise.all(vectors.splice(0, 4).map((vector) => check(vector)));
    });

    it('lets no peer steer the terminal', async () => {
      const runtimeDir = await stage.folder();
      const evil = '\u001b[2J\u009b7m\u202e\u001b]0;t\u0007\nx';
      const peer = stage.make({ runtimeDir, name: `evil${evil}`, group: 'g' });
      peer.register(
        [`fail${evil}`, () => Promise.reject(Object.assign(new Error(evil), { name: evil }))],
        undefined,
      );
      peer.register(['text', () => [evil, new Error(evil)]], undefined);
      await peer.start();
      const env = { APP_NET_RUNTIME_DIR: runtimeDir };
      const commands = [
        ['peers'],
        ['peers', '--json'],
        ['info', peer.id],
        ['call', 'text'],
        ['call', 'text', '--json', '--all'],
      ];
      commands.push(['call', `fail${evil}`], ['ping', '--count', '1'], ['doctor'], ['call', 'nothing']);
      for (const command of commands) {
        const inPipe = run(command, env);
        const terminal = new Terminal(command, env);
        const code = await terminal.exited;
        expect(CODES).to.include(code);
        expect(
          steering(terminal.written.replaceAll('\r\n', '\n')),
          JSON.stringify(terminal.written),
        ).to.equal(undefined);
        await terminal.kill();
        const piped = await inPipe;
        expect(piped.code).to.equal(code);
        expect(steering(piped.out + piped.errors)).to.equal(undefined);
      }
    });

    it('ends at Ctrl-C during any wait', async () => {
      const runtimeDir = await stage.folder();
      const peer = stage.make({ runtimeDir });
      peer.register(['hang', () => new Promise(() => {})], undefined);
      await peer.start();
      for (const [args, code, shown] of [
        [['secret', '--stdin', '--file', `${runtimeDir}/s`], 130, ''],
        [['call', 'hang'], 130, ''],
        [['call', 'hang', '--map', '-'], 130, ''],
        [['events'], 0, 'listening to 1 peer'],
        [['peers', '--watch'], 0, 'Ctrl-C ends'],
        [['ping', '--interval', '10'], 0, 'round 2'],
        [['metrics', '--port', '0'], 0, 'has the numbers of'],
        [['dashboard', '--no-open'], 0, 'Ctrl-C ends'],
      ] as const) {
        const terminal = new Terminal(args, { APP_NET_RUNTIME_DIR: runtimeDir });
        await eventually(() => expect(listensForCtrlC(terminal.pid)).to.equal(true));
        await terminal.shows(shown);
        terminal.pressCtrlC();
        expect(await terminal.exited, args.join(' ')).to.equal(code);
        await terminal.kill();
      }
    });
  });
});
