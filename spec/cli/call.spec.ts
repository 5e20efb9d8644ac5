import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { COMMAND, run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { Terminal } from '../support/terminal.ts';

const SERVER = `
  import { connect, event, serve } from 'app-net';
  connect('my-app/math.multiply', (a, b) => a * b);
  connect('my-app/math.divide', (a, b) => {
    if (b === 0) throw new RangeError('by zero');
    return a / b;
  });
  connect('echo', (...args) => args);
  connect('who', () => process.env.APP_NET_NAME);
  connect('rich', () => ({ at: new Date(0), big: 12n, bytes: new Uint8Array([1, 2, 3]), set: new Set([1]), no: undefined }));
  connect('steer', () => 'a\\u001b[2Jb\\nc');
  connect('slow', () => new Promise(() => {}));
  connect('count', async function* (to) {
    try {
      for (let number = 1; number <= to; number += 1) {
        yield number;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } finally {
      console.log(JSON.stringify({ ended: true }));
    }
  });
  await serve();
`;

describe('app-net call', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  const terminals: Terminal[] = [];
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    folder = await stage.folder();
    env = { APP_NET_RUNTIME_DIR: folder };
  });

  afterEach(async () => {
    await Promise.all(terminals.splice(0).map((terminal) => terminal.kill()));
    await processes.clear();
    await stage.clear();
  });

  const serve = async (name: string, group = 'main'): Promise<TestProcess> => {
    const server = await processes.start(folder, SERVER, {
      env: { APP_NET_NAME: name, APP_NET_GROUP: group },
    });
    await server.announced(folder);
    return server;
  };
  const open = (...args: string[]): Terminal => {
    const terminal = new Terminal(args, env);
    terminals.push(terminal);
    return terminal;
  };
  const call = (...args: string[]): ReturnType<typeof run> => run(['call', ...args], env);

  describe('to one peer', () => {
    it('prints the result of a function that is given by the end of its name, its name or its tag', async () => {
      await serve('one');
      for (const name of ['multiply', 'math.multiply', 'my-app/math.multiply']) {
        expect(await call(name, '6', '-7')).to.include({ code: 0, out: '-42\n', errors: '' });
      }
    });

    it('reads arguments as JSON, or else as strings', async () => {
      await serve('one');
      const { lines } = await call('echo', '{"a":[1]}', 'two words', '"5"', 'null', '1.5', 'net');
      expect(lines).to.deep.equal([[{ a: [1] }, 'two words', '5', null, 1.5, 'net']]);
      const wrong = await call('echo', '{a:1}', '--no-json');
      expect(wrong.code).to.equal(2);
      expect(wrong.errors).to.match(/argument 1 begins like JSON but is not JSON: .*\n.*single quotes/);
    });

    it('calls the peer that is named, or one of a group', async () => {
      await Promise.all([serve('one'), serve('two', 'gpu')]);
      expect(await call('who', '--peer', 'two')).to.include({ out: '"two"\n' });
      expect(await call('who', '--group', 'gpu')).to.include({ out: '"two"\n' });
      expect(await call('who', '-p', 'tow')).to.include({ code: 3 });
    });

    it('waits for a slow peer if no other has the function', async () => {
      const witness = stage.make({ runtimeDir: folder });
      const [slow] = await Promise.all([serve('slow'), witness.start()]);
      process.kill(slow.pid, 'SIGSTOP');
      let goOn: NodeJS.Timeout | undefined;
      witness.peers.of({ group: 'app-net:commands' }).on('join', () => {
        // Longer than a command looks for peers when it has found one.
        goOn ??= setTimeout(() => process.kill(slow.pid, 'SIGCONT'), 1_500);
      });
      try {
        expect(await call('multiply', '6', '7')).to.include({ code: 0, out: '42\n' });
        const named = await call('who', '--peer', 'slow');
        expect(named).to.include({ out: '"slow"\n' });
      } finally {
        process.kill(slow.pid, 'SIGCONT');
      }
    });

    it('lists the groups with peers when the chosen group has none', async () => {
      await Promise.all([serve('one'), serve('two', 'gpu')]);
      const { code, errors } = await call('who', '--group', 'gp', '--no-json');
      expect(code).to.equal(3);
      expect(errors).to.equal(
        'app-net: no peer of the group "gp" was found\ngroups with peers: "gpu", "main"\n',
      );
    });

    it('explains a wrong command line in words', async () => {
      await serve('one');
      const option = await call('echo', '-x', '--no-json');
      expect(option.code).to.equal(2);
      expect(option.errors).to.match(/unknown option '-x'.*app-net call --help .*after --/s);
      expect(await call('echo', '--', '-x')).to.include({ code: 0, out: '["-x"]\n' });
      const folderGiven = await call('echo', '--map', folder, '--no-json');
      expect(folderGiven).to.include({ code: 2 });
      expect(folderGiven.errors).to.match(/is a folder\n/);
      const unnamed = await run(['emit', ''], env);
      expect(unnamed).to.include({ code: 2 });
      expect(unnamed.errors).not.to.match(/ at /);
    });

    it('prints values that JSON cannot express in the documented form', async () => {
      await serve('one');
      const { lines } = await call('rich');
      expect(lines).to.deep.equal([
        { at: '1970-01-01T00:00:00.000Z', big: '12', bytes: { base64: 'AQID' }, set: [1] },
      ]);
    });

    it('keeps results from steering the terminal', async () => {
      await serve('one');
      const terminal = open('call', 'steer');
      expect(await terminal.exited).to.equal(0);
      await terminal.shows('a\ufffd[2Jb\nc');
    });

    it('prints the error of the function and where it was thrown', async () => {
      await serve('one');
      const { code, out, errors } = await call('divide', '1', '0');
      expect({ code, out }).to.deep.equal({ code: 1, out: '' });
      expect(JSON.parse(errors)).to.deep.equal({ error: { name: 'RangeError', message: 'by zero' } });
      const terminal = open('call', 'divide', '1', '0');
      expect(await terminal.exited).to.equal(1);
      await terminal.shows(/^RangeError: by zero$/m);
      await terminal.shows(/at .*script-\d+\.mjs/);
    });

    it('suggests similar functions, and asks for a choice between several', async () => {
      await serve('one');
      const other = stage.make({ runtimeDir: folder, name: 'other' });
      other.connect('other/math.multiply', () => 0);
      await other.start();
      const near = await call('multply', '1', '2', '--no-json');
      expect(near.code).to.equal(3);
      expect(near.errors).to.match(/no peer has a function "multply"\ndid you mean .*my-app\/math\.multiply/);
      await eventually(async () => {
        const both = await call('multiply', '1', '2', '--no-json');
        expect(both.code).to.equal(3);
        expect(both.errors).to.include('2 functions are called "multiply"');
        expect(both.errors).to.include('my-app/math.multiply (one), other/math.multiply (other)');
      });
    });

    it('tells that the call failed, and whether the function ran', async () => {
      await serve('one');
      const { code, errors } = await call('slow', '--deadline', '200');
      expect(code).to.equal(4);
      expect(JSON.parse(errors))
        .to.have.property('error')
        .that.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown' });
    });

    it('cancels the call at Ctrl-C', async () => {
      await serve('one');
      const terminal = open('call', 'slow');
      const everybody = stage.make({ runtimeDir: folder });
      const [server] = await everybody.peers.ready('slow');
      await eventually(async () => {
        const { counters } = await server.info();
        // One of them is this very question.
        expect(counters.dispatcher.running).to.be.above(1);
      });
      terminal.pressCtrlC();
      expect(await terminal.exited).to.equal(130);
    });

    it('prints the values of a stream as they arrive, and stops the generator at Ctrl-C', async () => {
      const server = await serve('one');
      const terminal = open('call', 'count', '1000000');
      await terminal.shows(/^3$/m);
      terminal.pressCtrlC();
      expect(await terminal.exited).to.equal(130);
      expect(await server.line((line: { ended?: boolean }) => line.ended === true)).to.deep.equal({
        ended: true,
      });
    });

    it('prints a stream as lines of JSON into a pipe, and stops when nobody reads them', async () => {
      const server = await serve('one');
      const { lines, code } = await call('count', '3');
      expect({ lines, code }).to.deep.equal({ lines: [1, 2, 3], code: 0 });
      const reader = processes.run(folder, [COMMAND, 'call', 'count', '1000000']);
      await reader.line((line) => String(line) === '2');
      reader.child.stdout!.destroy();
      expect(await reader.exited).to.equal(0);
      await eventually(() => server.lines.filter((line) => (line as { ended?: true }).ended).length === 2);
    });
  });

  describe('to all peers', () => {
    it('prints each answer with its peer, and fails when one of them fails', async () => {
      await Promise.all([serve('one'), serve('two')]);
      const { lines, code } = await call('who', '--all');
      expect(code).to.equal(0);
      expect((lines as { value: string }[]).map(({ value }) => value)).to.have.members(['one', 'two']);
      const failed = await call('divide', '1', '0', '--all');
      expect(failed.code).to.equal(1);
      expect(failed.lines).to.have.length(2);
      expect(failed.lines[0]).to.have.nested.property('error.name', 'RangeError');
      const terminal = open('call', 'who', '--all');
      expect(await terminal.exited).to.equal(0);
      await terminal.shows(/^one +one$/m);
      await terminal.shows(/^two +two$/m);
    });

    it('excludes --peer', async () => {
      const { code, errors } = await call('who', '--all', '--peer', 'one', '--no-json');
      expect(code).to.equal(2);
      expect(errors).to.include('--peer and --all cannot be used together');
    });
  });

  describe('for each line of a file', () => {
    const write = async (text: string): Promise<string> => {
      const file = join(folder, 'inputs.jsonl');
      await writeFile(file, text);
      return file;
    };

    it('makes a call for each line, spread over the peers, and prints a line of JSON for each result', async () => {
      await Promise.all([serve('one'), serve('two')]);
      const file = await write(Array.from({ length: 200 }, (_, index) => `[${index},2]`).join('\n'));
      const { lines, code } = await call('multiply', '--map', file, '--spread');
      expect(code).to.equal(0);
      const results = lines as { index: number; value: number; peer: { name: string } }[];
      expect(results).to.have.length(200);
      for (const { index, value } of results) expect(value).to.equal(index * 2);
      expect(new Set(results.map(({ peer }) => peer.name))).to.have.keys('one', 'two');
    });

    it('refuses functions that return a stream', async () => {
      const server = await serve('one');
      const { lines, code } = await call('count', '--map', await write('1000000'));
      expect(code).to.equal(1);
      const [result] = lines as { error: { name: string; message: string } }[];
      expect(result!.error).to.include({ name: 'TypeError' });
      expect(result!.error.message).to.include('count returns a stream');
      await server.line((line: { ended?: boolean }) => line.ended === true);
    });

    it('refuses invalid options', async () => {
      const file = await write('1');
      expect(await call('echo', '--map', file, '--concurrency', '0')).to.include({ code: 2 });
      expect(await call('echo', '1', '--ordered', '--no-json')).to.include({
        code: 2,
        errors: 'app-net: --ordered needs --map\n',
      });
    });

    it('names the line that is not JSON before it makes any call', async () => {
      await serve('one');
      const { code, errors, out } = await call('echo', '--map', await write('1\n\n{oops\n'));
      expect({ code, out }).to.deep.equal({ code: 2, out: '' });
      expect(errors).to.match(/line 3 of .*inputs\.jsonl is not JSON/);
    });

    it('reads standard input, keeps the order, and lets one line fail alone', async () => {
      await serve('one');
      const piped = await run(
        ['call', 'divide', '--map', '-', '--spread', '--ordered'],
        env,
        '[1,2]\n[1,0]\n[4,2]\n',
      );
      expect(piped.code).to.equal(1);
      const results = (piped.lines as { index: number; value?: number; error?: { name: string } }[]).map(
        ({ index, value, error }) => [index, value ?? error?.name],
      );
      expect(results).to.deep.equal([
        [0, 0.5],
        [1, 'RangeError'],
        [2, 2],
      ]);
    });

    it('names a wrong line of standard input', async () => {
      await serve('one');
      for (const [input, options, what] of [
        ['[1]\n2\n', ['--spread'], 'a JSON array'],
        ['1\n{oops\n', [], 'JSON: '],
      ] as const) {
        const { code, errors } = await run(['call', 'echo', '--map', '-', ...options], env, input);
        expect(code).to.equal(2);
        expect(errors).to.include(`line 2 of standard input is not ${what}`);
      }
    });

    it('shows a progress bar on a terminal', async () => {
      await serve('one');
      const file = await write('1\n2\n3\n');
      const terminal = open('call', 'echo', '--map', file);
      expect(await terminal.exited).to.equal(0);
      await terminal.shows(/█{24}  3\/3  1 peer/);
      await terminal.shows('{"index":0,"peer":{"id":');
    });
  });
});
