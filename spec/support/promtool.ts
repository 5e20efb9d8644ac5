import { execFileSync, spawnSync } from 'node:child_process';

import { need } from './need.ts';

/**
 * Runs the tool of Debian's package `prometheus`. Skips the spec where there is none, with a reason; with `CI` set it fails.
 * @param name `promtool` or `prometheus`
 */
export function needPrometheus(suite: Mocha.Context): void {
  const missing = ['promtool', 'prometheus'].filter((name) => spawnSync(name, ['--version']).error);
  need(suite, missing.length === 0, `${missing.join(' and ')}: apt-get install prometheus`);
}

/** What `promtool check metrics` says of a text, which is nothing if all is well. */
export function checkMetrics(text: string): string {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return stdout + stderr;
}

/** What `promtool check rules` says of a file. Throws if a rule is wrong. */
export function checkRules(file: string): string {
  return execFileSync('promtool', ['check', 'rules', '--lint-fatal', file], { encoding: 'utf8' });
}
