import { expect } from 'chai';

import { declaredName } from '../../src/base/class-name.ts';

/** A class as the engine has it, whatever compiler this file went through. */
const made = (source: string): object =>
  // oxlint-disable-next-line typescript/no-implied-eval
  (new Function(`return (${source})`) as () => object)();

describe('the declared name of a class', () => {
  const cases: [string, string | undefined][] = [
    ['class Greeter {}', 'Greeter'],
    ['class Greeter extends Object {}', 'Greeter'],
    ['class\n  Greeter{}', 'Greeter'],
    ['class Приветствие {}', 'Приветствие'],
    ['class $ {}', '$'],
    // As compilers write it.
    ['class _Greeter {}', 'Greeter'],
    ['class _ {}', '_'],
    ['class {}', undefined],
    ['class extends Object {}', undefined],
    ['class { static m() { return class Inner {}; } }', undefined],
  ];
  for (const [source, name] of cases) {
    it(`of ${JSON.stringify(source)} is ${name}`, () => {
      expect(declaredName(made(source))).to.equal(name);
    });
  }
});
