import { Command, CommanderError, InvalidArgumentError } from 'commander';

import { libraryVersion } from '../base/version.ts';
import type { Context } from './context.ts';
import { surviveLostOutput } from './terminal/end.ts';
import { EXIT } from './terminal/exit.ts';
import type { ExitCode } from './terminal/exit.ts';
import { explain } from './terminal/explain.ts';
import { interruption, outOfPatience } from './terminal/interrupt.ts';
import { Output } from './terminal/output.ts';
import { written } from './terminal/text.ts';

/**
 * Every command with its arguments and options. What a command does is in a file of its own, loaded when it runs: the
 * library alone takes longer to load than everything here.
 */

interface Common {
  json?: boolean;
}

interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

type Action<Args extends unknown[]> = (context: Context, ...args: Args) => Promise<ExitCode>;

/** Runs what the command line says. Resolves with what the process should exit with. */
export async function runProgram(argv: readonly string[]): Promise<ExitCode> {
  surviveLostOutput();
  let code: ExitCode = EXIT.DONE;
  const program = createProgram((result) => (code = result));
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.DONE : EXIT.USAGE;
    return explain(error);
  }
}

/**
 * @param done told what the process should exit with
 * @param streams where help and what is wrong with the command itself are written
 */
export function createProgram(done: (code: ExitCode) => void, streams: Streams = process): Command {
  const program = new Command('app-net')
    .description('Look at a network of peers, call their functions, try one of your own.')
    .version(libraryVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(app-net --help lists what there is)')
    .configureOutput({
      writeOut: (text) => streams.stdout.write(written(text)),
      writeErr: (text) => streams.stderr.write(written(text)),
    })
    .exitOverride();

  /**
   * Runs `load`'s function. `data`: what it prints is for programs, too, and is JSON when it is piped.
   * `drains`: after the first signal it takes the time it needs.
   */
  const run =
    <Args extends unknown[]>(data: boolean, load: () => Promise<Action<Args>>, drains = false) =>
    async (...given: unknown[]): Promise<void> => {
      // Commander gives the arguments, then the options, then the command itself.
      const args = given.slice(0, -1) as Args;
      const { json } = args.at(-1) as Common;
      const signal = interruption();
      const context = { out: new Output(data, { json }), signal, environment: process.env };
      const action = await load();
      try {
        const work = action(context, ...args);
        done(await (drains ? work : Promise.race([work, outOfPatience(signal)])));
      } catch (error) {
        if (json !== true) throw error;
        done(explain(error, json));
      }
    };

  const group = ['-g, --group <name>', 'only peers of this group; default: of all groups'] as const;
  program
    .command('peers')
    .description('who is there')
    .option(...group)
    .option('-w, --watch', 'stay, and show who comes and goes')
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(true, async () => (await import('./commands/peers.ts')).peers));

  program
    .command('call')
    .description('call a function; its result is printed, and the values of a stream as they come')
    .argument('<function>', 'its tag, its name, or the end of that: multiply for my-app/math.multiply')
    .argument('[args...]', 'each as JSON, or else as the string it is')
    .option('-p, --peer <peer>', 'on this one: its name, its id, or the beginning of that')
    .option('--any', 'on one that has it; so it is anyway')
    .option('-a, --all', 'on every one that has it')
    .option('-m, --map <file>', 'for each line of a file (- is standard input), spread over all that have it')
    .option('--spread', 'with --map: each line is a JSON array of all arguments')
    .option('--concurrency <calls>', 'with --map: calls under way at each peer', fromOne)
    .option('--ordered', 'with --map: results in the order of the lines')
    .option('--idempotent', 'it may run twice: call again after a lost connection')
    .option(...group)
    .option('-d, --deadline <ms>', 'how long it may take; default: until Ctrl-C', wholeNumber)
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(true, async () => (await import('./commands/call.ts')).call));

  program
    .command('info')
    .description('what a peer says about itself')
    .argument('<peer>', 'its name, its id, or the beginning of that')
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(true, async () => (await import('./commands/info.ts')).info));

  program
    .command('ping')
    .description('how long a call takes, there and back')
    .argument('[peer]', 'its name, its id, or the beginning of that; default: every peer')
    .option('-c, --count <rounds>', 'how often; default: until Ctrl-C', fromOne)
    .option('-i, --interval <ms>', 'between two rounds', wholeNumber, 1_000)
    .option('-d, --deadline <ms>', 'how long an answer may take', wholeNumber, 5_000)
    .option(...group)
    .option('--json', 'lines of JSON')
    .action(run(false, async () => (await import('./commands/ping.ts')).ping));

  program
    .command('events')
    .description('what happens, as it happens')
    .argument('[name]', 'of the events; default: all')
    .option(...group)
    .option(...JSON_OPTION)
    .option(...NO_JSON_OPTION)
    .action(run(true, async () => (await import('./commands/events.ts')).events));

  program
    .command('emit')
    .description('emit an event')
    .argument('<name>', 'of the event')
    .argument('[payload]', 'as JSON, or else as the string it is')
    .option('-g, --group <name>', 'the group it comes from; default: APP_NET_GROUP, else main')
    .option('--json', 'a line of JSON')
    .action(run(false, async () => (await import('./commands/emit.ts')).emit));

  program
    .command('serve')
    .description('load a module and keep it as a peer')
    .argument('<module>', 'a file, in JavaScript or (with tsx) TypeScript, that connects functions')
    .option('-n, --name <name>', 'what the peer is called')
    .option('-g, --group <name>', 'the group it belongs to')
    .option('-w, --watch', 'start again when the module, or anything it imports, changes')
    .action(run(false, async () => (await import('./serve/serve.ts')).serve, true));

  program
    .command('secret')
    .description('make and store a secret for peers on several hosts')
    .option('-f, --file <path>', 'where; default: APP_NET_SECRET_FILE, else ~/.config/app-net/secret')
    .option('--new', 'in the place of the one that is there')
    .option('--show', 'print the secret itself')
    .option('--stdin', 'store the secret that comes on standard input')
    .option('--json', 'a line of JSON')
    .action(run(false, async () => (await import('./commands/secret.ts')).secret));

  program
    .command('doctor')
    .description('what is wrong here, in words, and what to do about it')
    .option('--json', 'a line of JSON for each check')
    .action(run(false, async () => (await import('./doctor/doctor.ts')).doctor));
  for (const command of program.commands) {
    const name = command.name();
    const dashes = name === 'call' ? '; arguments that begin with - come after --' : '';
    command.showHelpAfterError(`(app-net ${name} --help lists what there is${dashes})`);
  }
  return program;
}

const JSON_OPTION = ['--json', 'lines of JSON, as a pipe gets them anyway'] as const;
const NO_JSON_OPTION = ['--no-json', 'text, also in a pipe'] as const;

/** Node's timers take no more. */
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
