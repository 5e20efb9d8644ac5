import { needPackage } from './npm-tool.ts';

/** Node 24, which runs TypeScript by itself. Returns the path of its `node`; skips the tests where it cannot be had. */
export function needNode24(test: Mocha.Context): Promise<string> {
  return needPackage(test, `node-${process.platform}-${process.arch}`, '24', 'bin/node');
}
