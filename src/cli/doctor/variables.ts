import { near } from '../../base/near.ts';
import type { Result } from './report.ts';

/** Every environment variable of the library. The spec compares them with docs/options.md. */
export const VARIABLES: readonly string[] = [
  ...['GROUP', 'HOST', 'IS_HUB', 'LAN', 'LOG', 'NAME', 'NATS', 'NATS_CREDS', 'PARITY', 'PEERS', 'PORT'],
  ...['PORT_RANGE', 'RUNTIME_DIR', 'SECRET', 'SECRET_FILE'],
].map((name) => `APP_NET_${name}`);

/** Read by specs only: CONTRIBUTING.md. */
const OF_SPECS = 'APP_NET_NEIGHBOURS';

/** Variables that begin like ours and that nothing reads: most of them are misspelt. */
export function unknownVariables(environment: NodeJS.ProcessEnv): Result[] {
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith('APP_NET_') && name !== OF_SPECS && !VARIABLES.includes(name),
  );
  return unknown.map((name) => {
    const [alike] = near(name.slice(0, 60), VARIABLES, (each) => each.slice('APP_NET_'.length));
    const meant = alike ?? VARIABLES.find((each) => name.startsWith(`${each}_`));
    const todo = meant === undefined ? 'remove it; docs/options.md has every name' : `write ${meant}`;
    return { status: 'note', check: 'environment', says: `nothing reads ${name.slice(0, 60)}`, todo };
  });
}
