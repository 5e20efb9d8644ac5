import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { EXIT } from '../../src/cli/terminal/exit.ts';
import { createProgram } from '../../src/cli/program.ts';

const text = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

describe('docs/cli.md', () => {
  for (const command of createProgram(() => {}).commands) {
    it(`has ${command.name()} with every option`, () => {
      expect(text).to.match(new RegExp(`^## .*app-net ${command.name()}\\b`, 'm'));
      const everywhere = new Set(['--json', '--no-json', '--nats']);
      for (const { long } of command.options) {
        expect(text, `${command.name()} ${long}`).to.include(`\`${long}`);
        if (long !== undefined && !everywhere.has(long)) expect(section(command.name())).to.include(long);
      }
    });
  }

  it('has every exit code, and no other', () => {
    const rows = [...text.matchAll(/^\| (\d+) +\| /gm)].map(([, code]) => Number(code));
    expect(rows).to.have.members(Object.values(EXIT));
  });
});

/** From its heading to the next one. */
function section(name: string): string {
  const from = text.search(new RegExp(`^## .*app-net ${name}\\b`, 'm'));
  const end = text.indexOf('\n## ', from);
  return text.slice(from, end < 0 ? undefined : end);
}
