import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { REPOSITORY } from '../support/processes.ts';

const DOORS = ['src/index.ts', 'src/testing.ts', 'src/nats.ts', 'src/otel.ts', 'src/page.ts'];

interface PublicName {
  name: string;
  /** Whether it can be imported as a type only. */
  type: boolean;
  door: string;
  /** Where it is declared. */
  file: string;
}

/** Values that examples may use without creating them. */
const GIVEN = `
import type { Connected, NetEvent, RemotePeer } from '../../src/index.ts';
import type { PageNet } from '../../src/page.ts';

declare global {
  const peer: RemotePeer;
  const image: Uint8Array;
  const images: Uint8Array[];
  const ids: string[];
  const done: NetEvent<{ id: string }>;
  const resize: Connected<(image: Uint8Array, width: number) => Promise<Uint8Array>>;
  const net: PageNet;
  const pass: string;
  const square: Connected<(n: number) => number>;
  function add(a: number, b: number): number;
  function multiply(a: number, b: number): number;
  const readFile: typeof import('node:fs/promises').readFile;
  const SimulatedClock: typeof import('../../src/testing.ts').SimulatedClock;
}
`;

const names = DOORS.flatMap(publicNames);

describe('every public name', function () {
  this.timeout(120_000);

  it('is found by this spec, types and values alike', () => {
    const found = names.map(({ name, type }) => `${type ? 'type ' : ''}${name}`);
    expect(found).to.include.members([
      'connect',
      'createPeer',
      'type Selector',
      'type Peer',
      'MemoryNetwork',
    ]);
    expect(found).to.not.include('Selector');
  });

  it('has a docstring that says what it is', () => {
    const without = names.filter((each) => !/\p{L}.*[.:]/u.test(textOf(docstring(each))));
    expect(without.map(described)).to.deep.equal([]);
  });

  it('has an example', () => {
    const without = names.filter((each) => examplesIn(docstring(each)).length === 0);
    expect(without.map(described)).to.deep.equal([]);
  });

  it('has examples that compile, its members too', async () => {
    const files = [...new Set(names.map(({ file }) => file))];
    const examples = files.flatMap((file) =>
      docstringsIn(read(file)).flatMap((text) => examplesIn(text).map((code) => ({ file, code }))),
    );
    expect(await mistakesIn(examples)).to.equal('');
  });
});

function read(file: string): string {
  return readFileSync(join(REPOSITORY, file), 'utf8');
}

function described({ name, file }: PublicName): string {
  return `${name} (${file})`;
}

/** The names that a door exports: those that it declares, and those that it passes on. */
function publicNames(door: string): PublicName[] {
  const text = read(door);
  const passedOn = [...text.matchAll(/^export (type )?\{([^}]*)\} from '(.+)';$/gm)].flatMap(
    ([, type, list = '', from = '']) =>
      list
        .split(',')
        .map((each) => each.trim())
        .filter((name) => name !== '')
        .map((name) => ({ name, type: type !== undefined, door, file: join(dirname(door), from) })),
  );
  const declared = [...text.matchAll(/^export (?:async )?(function|const|class|interface|type) (\w+)/gm)].map(
    ([, kind, name = '']) => ({ name, type: kind === 'interface' || kind === 'type', door, file: door }),
  );
  return [...passedOn, ...declared];
}

/** The text between the comment marks right before the declaration. Empty if there is none. */
function docstring({ name, file }: PublicName): string {
  const text = read(file);
  const declaration = new RegExp(
    `^export (?:abstract |async )*(?:function\\*?|const|class|interface|type) ${name}\\b`,
    'm',
  );
  const at = text.search(declaration);
  if (at === -1)
    throw new Error(`${name} is not declared in ${file}; let the door name the file that declares it`);
  // Comments for the linter may stand in between.
  const before = text.slice(0, at).replace(/(?:\/\/.*\n)+$/, '');
  return before.endsWith('*/\n') ? (docstringsIn(before).at(-1) ?? '') : '';
}

function docstringsIn(text: string): string[] {
  return [...text.matchAll(/^ *\/\*\*([\s\S]*?)\*\//gm)].map(([, inside = '']) =>
    inside.replaceAll(/^ *\* ?/gm, '').trim(),
  );
}

/** Everything before the first tag. */
function textOf(doc: string): string {
  return doc.split(/^@\w/m, 1)[0]!;
}

function examplesIn(doc: string): string[] {
  // Tags begin a line. The decorators of an example do not: they are indented.
  return doc
    .split(/^@/m)
    .filter((part) => part.startsWith('example\n'))
    .map((part) => part.slice('example\n'.length).trim())
    .filter((code) => code !== '');
}

/** The messages of the compiler. Each example is a module of its own that imports the public names it uses. */
async function mistakesIn(examples: readonly { file: string; code: string }[]): Promise<string> {
  const parent = join(REPOSITORY, 'build');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'examples-'));
  try {
    const settings = { extends: '../../tsconfig.json', compilerOptions: { noEmit: true }, include: ['.'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    await writeFile(join(folder, 'given.d.ts'), GIVEN);
    for (const [index, { file, code }] of examples.entries()) {
      const name = `${index}-${file.replaceAll(/\W+/g, '-')}.ts`;
      await writeFile(join(folder, name), `${importsOf(code)}\n${code}\nexport {};\n`);
    }
    const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
    return await promisify(execFile)(process.execPath, [tsc, '-p', '.'], { cwd: folder }).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function importsOf(code: string): string {
  const used = names.filter(({ name }) => {
    const declares = new RegExp(`\\b(?:const|let|class|function|type|interface) ${name}\\b`);
    return new RegExp(`(?<![.'\\w])${name}\\b(?!')`).test(code) && !declares.test(code);
  });
  return used
    .filter(({ name }, index) => used.findIndex((each) => each.name === name) === index)
    .map(({ name, type, door }) => `import ${type ? 'type ' : ''}{ ${name} } from '../../${door}';`)
    .join('\n');
}
