import { Command, CommanderError, InvalidArgumentError } from 'commander';

import { libraryVersion } from '../base/version.ts';
import type { Context } from './context.ts';
import { surviveLostOutput } from './terminal/end.ts';
import { CliError, EXIT } from './terminal/exit.ts';
import type { ExitCode } from './terminal/exit.ts';
import { explain } from './terminal/explain.ts';
import { interruption, outOfPatience } from './terminal/interrupt.ts';
import { Output } from './terminal/output.ts';
import { written } from './terminal/text.ts';

/**
 * Every command with its arguments and options. The code of a command is in its own file and is loaded when it runs: the
 * library alone takes longer to load than everything here.
 */

interface Common {
  json?: boolean;
  nats?: string;
}

interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

type Action<Args extends unknown[]> = (context: Context, ...args: Args) => Promise<ExitCode>;

/** Runs the command line. Resolves with the exit code of the process. */
export async function runProgram(argv: readonly string[]): Promise<ExitCode> {
  surviveLostOutput();
  let code: ExitCode = EXIT.DONE;
  const complaint: string[] = [];
  const stderr = { write: (text: string) => complaint.push(text) };
  const program = createProgram((result) => (code = result), { stdout: process.stdout, stderr });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return explain(error);
    if (error.exitCode === 0) return EXIT.DONE;
    const [message = '', ...advice] = complaint.map((text) => text.trim());
    // Without a command there is the help, and no error.
    if (message.startsWith(ERROR) && expectsJson(argv.slice(2))) {
      const text = message.slice(ERROR.length);
      return explain(new CliError(EXIT.USAGE, text, advice.join(' ').replaceAll(/^\(|\)$/g, '')), true);
    }
    process.stderr.write(complaint.join(''));
    return EXIT.USAGE;
  }
}

/** Errors of the command line itself begin like this. */
const ERROR = 'error: ';

/** The commands with an output that is for programs too, and is JSON in a pipe. */
const DATA = new Set(['peers', 'call', 'info', 'events']);

/** Whether a command line that cannot be read asks for JSON. */
function expectsJson([command = '', ...args]: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  const asked = options.findLast((option) => option === '--json' || option === '--no-json');
  return new Output(DATA.has(command), { json: asked && asked === '--json' }).json;
}

/**
 * @param done called with the exit code of the process
 * @param streams receive the help texts and the errors of the command line itself
 */
export function createProgram(done: (code: ExitCode) => void, streams: Streams = process): Command {
  const program = new Command('app-net')
    .description('List peers, call their functions, and serve functions of your own.')
    .version(libraryVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(app-net --help lists all commands)')
    .configureOutput({
      writeOut: (text) => streams.stdout.write(written(text)),
      writeErr: (text) => streams.stderr.write(written(text)),
    })
    .exitOverride();

  /**
   * Runs the function that `load` gives.
   * `drains`: the command takes the time it needs after the first signal.
   */
  const run =
    <Args extends unknown[]>(load: () => Promise<Action<Args>>, drains = false) =>
    async (...given: unknown[]): Promise<void> => {
      // Commander gives the arguments, then the options, then the command itself.
      const args = given.slice(0, -1) as Args;
      const { json, nats } = args.at(-1) as Common;
      const out = new Output(DATA.has((given.at(-1) as Command).name()), { json });
      const signal = interruption();
      if (nats !== undefined) process.env['APP_NET_NATS'] = nats;
      const context = { out, signal, environment: process.env };
      const action = await load();
      try {
        const work = action(context, ...args);
        done(await (drains ? work : Promise.race([work, outOfPatience(signal)])));
      } catch (error) {
        if (!out.json) throw error;
        done(explain(error, true));
      }
    };

  const group = ['-g, --group <name>', 'peers of this group only; default: all groups'] as const;
  program
    .command('peers')
    .description('list the peers')
    .option(...group)
    .option('-w, --watch', 'keep running, and show peers that join and leave')
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(async () => (await import('./commands/peers.ts')).peers));

  program
    .command('call')
    .description('call a function and print its result, or the values of its stream')
    .argument(
      '<function>',
      'its tag, its name, or the end of its name, such as multiply for my-app/math.multiply',
    )
    .argument('[args...]', 'JSON or plain text')
    .option('-p, --peer <peer>', 'call this peer: its name, its id, or the beginning of its id')
    .option('--any', 'call one peer that has the function (the default)')
    .option('-a, --all', 'call every peer that has the function')
    .option(
      '-m, --map <file>',
      'call once for each line of a file (- is standard input), spread over the peers',
    )
    .option('--spread', 'with --map: each line is a JSON array of all arguments')
    .option('--concurrency <calls>', 'with --map: calls at each peer at the same time; default: 4', fromOne)
    .option('--ordered', 'with --map: print results in the order of the lines')
    .option('--idempotent', 'the function can run twice: repeat a call that was lost')
    .option('--meta <json>', 'a JSON object that travels with the call')
    .option(...group)
    .option('-d, --deadline <ms>', 'time that the call may take; default: no limit', wholeNumber)
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(async () => (await import('./commands/call.ts')).call));

  program
    .command('info')
    .description('show what a peer tells about itself')
    .argument('<peer>', 'its name, its id, or the beginning of its id')
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(async () => (await import('./commands/info.ts')).info));

  program
    .command('ping')
    .description('measure the round trip of a call')
    .argument('[peer]', 'its name, its id, or the beginning of its id; default: every peer')
    .option('-c, --count <rounds>', 'number of rounds; default: until Ctrl-C', fromOne)
    .option('-i, --interval <ms>', 'time between two rounds', wholeNumber, 1_000)
    .option('-d, --deadline <ms>', 'time that an answer may take', wholeNumber, 5_000)
    .option(...group)
    .option('--json', 'print lines of JSON')
    .option(...TEXT_OPTION)
    .action(run(async () => (await import('./commands/ping.ts')).ping));

  program
    .command('events')
    .description('print events as they happen')
    .argument('[name]', 'name of the events; default: all events')
    .option(...group)
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(async () => (await import('./commands/events.ts')).events));

  program
    .command('emit')
    .description('emit an event')
    .argument('<name>', 'name of the event')
    .argument('[payload]', 'JSON or plain text')
    .option('-g, --group <name>', 'group that the event comes from; default: APP_NET_GROUP, else main')
    .option('--meta <json>', 'a JSON object that travels with the event')
    .option('--json', 'print a line of JSON')
    .option(...TEXT_OPTION)
    .action(run(async () => (await import('./commands/emit.ts')).emit));

  program
    .command('metrics')
    .description('serve the numbers of all peers to Prometheus')
    .option('--port <port>', 'port to listen at; 0 for any', portNumber, 9_464)
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--by-peer', 'a series for each peer, by its name and host; default: sums by group')
    .option(...group)
    .option('--json', 'print a line of JSON')
    .option(...TEXT_OPTION)
    .action(run(async () => (await import('./commands/metrics.ts')).metrics));

  program
    .command('dashboard')
    .description('show a live picture of all peers in a browser')
    .option('--port <port>', 'port to listen at, on 127.0.0.1; 0 for any', portNumber, 0)
    .option('--no-open', 'only print the address')
    .option(...group)
    .option('--json', 'print a line of JSON')
    .option(...TEXT_OPTION)
    .action(run(async () => (await import('./commands/dashboard.ts')).dashboard));

  program
    .command('serve')
    .description('load a module and keep it running as a peer')
    .argument('<module>', 'a JavaScript or TypeScript file that connects functions')
    .option('-n, --name <name>', 'name of the peer; default: APP_NET_NAME')
    .option('-g, --group <name>', 'group of the peer; default: APP_NET_GROUP, else main')
    .option('-w, --watch', 'restart when the module, or a file that it imports, changes')
    .action(run(async () => (await import('./serve/serve.ts')).serve, true));

  program
    .command('secret')
    .description('make and store a secret for peers on several hosts')
    .option(
      '-f, --file <path>',
      'file of the secret; default: APP_NET_SECRET_FILE, else ~/.config/app-net/secret',
    )
    .option('--new', 'replace the secret that is in the file')
    .option('--show', 'print the secret')
    .option('--stdin', 'store the secret that comes on standard input')
    .option('--json', 'print a line of JSON')
    .option(...TEXT_OPTION)
    .action(run(async () => (await import('./commands/secret.ts')).secret));

  program
    .command('doctor')
    .description('find out what is wrong and what to do about it')
    .option('--json', 'print a line of JSON for each check')
    .option(...TEXT_OPTION)
    .action(run(async () => (await import('./doctor/doctor.ts')).doctor));
  for (const command of program.commands) {
    const name = command.name();
    if (name !== 'secret') command.option(...NATS_OPTION);
    const dashes = name === 'call' ? '; put arguments that begin with - after --' : '';
    command.showHelpAfterError(`(app-net ${name} --help lists all options${dashes})`);
  }
  return program;
}

const NATS_OPTION = ['--nats <url>', 'find peers through this NATS server; default: APP_NET_NATS'] as const;
const JSON_OPTION = ['--json', 'print lines of JSON, as in a pipe'] as const;
const NO_JSON_OPTION = ['--no-json', 'print text, also in a pipe'] as const;
/** Of commands that print text in a pipe anyway: scripts can give it to every command. */
const TEXT_OPTION = ['--no-json', 'print text (the default)'] as const;

/** The longest time of a Node timer, in ms. */
const LARGEST = 2 ** 31 - 1;

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number, 0 or more.');
  if (number > LARGEST) throw new InvalidArgumentError(`Give at most ${LARGEST}.`);
  return number;
}

function fromOne(text: string): number {
  if (wholeNumber(text) === 0) throw new InvalidArgumentError('Give a whole number, 1 or more.');
  return Number(text);
}

function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.');
  return port;
}
