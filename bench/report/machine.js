// Where the figures come from: the machine and the versions of what was measured.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { spawnSync } from 'node:child_process';

export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
  };
}

/** "package version" for every package behind the given cases, each once. */
export function describeVersions(cases) {
  const packages = [...new Set(cases.flatMap((one) => one.packages))];
  const binaries = cases.flatMap(({ binary }) => (binary ? [binaryVersion(binary)] : []));
  return [...packages.map((name) => `${name} ${packageVersion(name)}`), ...binaries];
}

export function hasBinary(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function binaryVersion(name) {
  return spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout?.trim().replace(':', '') ?? name;
}

function packageVersion(name) {
  try {
    // Read as a file: not every package lets its package.json be imported.
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return JSON.parse(readFileSync(file, 'utf8')).version;
  } catch {
    return '(not installed)';
  }
}
