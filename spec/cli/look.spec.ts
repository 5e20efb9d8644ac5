import { expect } from 'chai';

import { run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { Terminal } from '../support/terminal.ts';

/** A peer as people have them. */
const SERVER = `
  import { connect, serve } from 'app-net';
  connect('math.multiply', (a, b) => a * b);
  connect('math.divide', (a, b) => {
    if (b === 0) throw new RangeError('by zero');
    return a / b;
  });
  connect('echo', (...args) => args);
  await serve();
`;

describe('the commands that show peers', function () {
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

  describe('peers', () => {
    it('prints a table on a terminal, and a line of JSON for each peer in a pipe', async () => {
      const [one, two] = await Promise.all([serve('render-1'), serve('render-2', 'gpu')]);
      const terminal = open('peers');
      expect(await terminal.exited).to.equal(0);
      await terminal.shows(/NAME +GROUP +WHERE +ROUND TRIP +UPTIME +FUNCTIONS/);
      await terminal.shows(new RegExp(`render-1 +main +process ${one.pid} +\\S+ ms +\\d+ s +math.multiply`));
      await terminal.shows(new RegExp(`render-2 +gpu +process ${two.pid} `));
      const piped = await run(['peers'], env);
      expect(piped).to.include({ code: 0, errors: '' });
      const [first, second] = piped.lines as Record<string, unknown>[];
      expect(piped.lines).to.have.length(2);
      expect(first).to.include({ name: 'render-1', group: 'main', pid: one.pid, scope: 'host' });
      expect(first!['functions']).to.deep.equal(['math.multiply', 'math.divide', 'echo']);
      expect(first!['roundTrip']).to.be.a('number').above(0);
      expect(first!['uptime']).to.be.a('number').above(0);
      expect(second).to.include({ name: 'render-2', group: 'gpu' });
      const text = await run(['peers', '--no-json', '--group', 'gpu'], env);
      // Not a trace of a terminal in a pipe.
      expect(text.out)
        .to.match(/^NAME .*\nrender-2 +gpu .*\n$/)
        .and.not.include('\u001b');
    });

    it('gives advice when no peer is found', async () => {
      const piped = await run(['peers'], env);
      expect(piped).to.include({ code: 3, out: '' });
      const text = await run(['peers', '--no-json', '--group', 'gpu'], env);
      expect(text.code).to.equal(3);
      expect(text.errors).to.match(/no peer of the group "gpu" was found\n.*app-net serve/);
    });

    it('does not wait for a peer that hangs', async () => {
      const [hanging] = await Promise.all([serve('hangs'), serve('works')]);
      process.kill(hanging.pid, 'SIGSTOP');
      try {
        const { lines } = await run(['peers'], env);
        expect(lines).to.have.length(1);
        expect(lines[0]).to.include({ name: 'works' });
      } finally {
        process.kill(hanging.pid, 'SIGCONT');
      }
    });

    it('shows with --watch a peer that joins, and one that crashes within a second', async () => {
      const first = await serve('first');
      const terminal = open('peers', '--watch');
      await terminal.shows(/^first +main +process \d+ +\S+ ms/m);
      const second = await serve('second');
      await terminal.shows(/\+ second \(process \d+\) joined the group main/);
      await terminal.shows(/^second +main/m);
      await terminal.shows('2 peers, Ctrl-C ends');
      const killed = performance.now();
      process.kill(second.pid, 'SIGKILL');
      await terminal.shows(/- second \(process \d+\) left: lost/);
      const took = performance.now() - killed;
      console.log(`      (shown ${took.toFixed(0)} ms after SIGKILL)`);
      expect(took).to.be.below(4_000);
      await terminal.shows('1 peer, Ctrl-C ends');
      expect(terminal.text).not.to.match(/^second +main/m);
      terminal.pressCtrlC();
      expect(await terminal.exited).to.equal(0);
      // The cursor is shown again, and long lines wrap again.
      expect(terminal.written).to.include('\u001b[?7h\u001b[?25h');
      await first.kill();
    });

    it('prints with --watch a line of JSON for each change into a pipe', async () => {
      await serve('first');
      const watcher = processes.run(folder, [
        (await import('../support/command.ts')).COMMAND,
        'peers',
        '--watch',
      ]);
      const typed = (type: string) => (line: { type?: string }) => line.type === type;
      expect(await watcher.line(typed('present'))).to.have.nested.property('peer.name', 'first');
      const second = await serve('second');
      expect(await watcher.line(typed('join'))).to.have.nested.property('peer.name', 'second');
      await second.kill();
      expect(await watcher.line(typed('leave'))).to.include({ why: 'lost' });
    });
  });

  describe('info', () => {
    it('prints everything that a peer tells about itself', async () => {
      const server = await serve('render-1');
      const { lines, code } = await run(['info', 'render-1'], env);
      expect(code).to.equal(0);
      expect(lines[0]).to.deep.include({
        ...{ name: 'render-1', pid: server.pid, group: 'main', scope: 'host' },
        functions: ['math.multiply', 'math.divide', 'echo'],
      });
      const terminal = open('info', (lines[0] as { id: string }).id.slice(0, 6));
      expect(await terminal.exited).to.equal(0);
      await terminal.shows(new RegExp(`process +${server.pid} of `));
      await terminal.shows(/functions\n +math\.multiply\n/);
    });

    it('suggests similar peers, and asks for a choice between several', async () => {
      await Promise.all([serve('render-1'), serve('same'), serve('same')]);
      const near = await run(['info', 'rendr-1', '--no-json'], env);
      expect(near.code).to.equal(3);
      expect(near.errors).to.match(/no peer is called "rendr-1"\ndid you mean render-1\?/);
      const same = await run(['info', 'same', '--no-json'], env);
      expect(same.code).to.equal(3);
      expect(same.errors).to.match(/2 peers are called "same"\nchoose one by its id: \S+ \(process \d+ on /);
    });
  });

  describe('ping', () => {
    it('prints an answer per round, and a summary at Ctrl-C', async () => {
      await serve('render-1');
      const terminal = open('ping', 'render-1', '--interval', '10');
      await terminal.shows(/answer from render-1: round 3, \S+ ms/);
      terminal.pressCtrlC();
      expect(await terminal.exited).to.equal(0);
      await terminal.shows(/--- render-1: \d+ sent, \d+ answered, 0% lost/);
      await terminal.shows(/shortest \/ median \/ mean \/ longest: \S+ ms/);
    });

    it('pings every peer by default, and prints a count in JSON', async () => {
      await Promise.all([serve('a'), serve('b')]);
      const { lines, code } = await run(['ping', '--count', '2', '--interval', '1', '--json'], env);
      expect(code).to.equal(0);
      const rounds = (lines as { type: string; peer: { name: string } }[]).map(({ type, peer }) => [
        type,
        peer.name,
      ]);
      expect(rounds.filter(([type]) => type === 'answer')).to.have.length(4);
      expect(lines.at(-1)).to.deep.include({ type: 'statistics', sent: 2, answered: 2 });
    });

    it('counts lost rounds', async () => {
      const server = await serve('hangs');
      const terminal = open('ping', 'hangs', '--interval', '10', '--deadline', '200');
      await terminal.shows('round 2');
      process.kill(server.pid, 'SIGSTOP');
      await terminal.shows('no answer from hangs');
      terminal.pressCtrlC();
      expect(await terminal.exited).to.equal(1);
      await terminal.shows(/[1-9]\d*% lost/);
      process.kill(server.pid, 'SIGCONT');
    });
  });

  it('stay invisible to peers that do not look for commands', async () => {
    const witness = stage.make({ runtimeDir: folder });
    const seen: string[] = [];
    witness.peers.on('join', ({ name }) => seen.push(name));
    const everywhere: string[] = [];
    witness.peers.of({ group: '*' }).on('join', ({ name, group }) => everywhere.push(`${name} in ${group}`));
    await witness.start();
    await eventually(async () => {
      const { lines } = await run(['peers'], env);
      expect(lines).to.have.length(1);
    });
    expect(seen).to.deep.equal([]);
    expect(everywhere).to.include('app-net peers in app-net:commands');
  });
});
