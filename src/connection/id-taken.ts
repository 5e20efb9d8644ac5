import { NetError } from '../base/errors.ts';

/** Whether another live process has this id. Returns `false` synchronously if nobody has it. */
export type IsTaken = (id: string, incarnation: string) => Promise<boolean> | false;

/** The error for the newcomer. @param pid process id of the peer that has the id, if it is known */
export function idTaken(id: string, pid?: number): NetError {
  const who = pid === undefined ? 'another process' : `another process (${pid})`;
  const text = `${who} is alive and has the id ${JSON.stringify(id)}; give each process an id of its own, or leave the option id out`;
  return new NetError('ID_TAKEN', text, { peer: id });
}

const warned = new Set<string>();

/** Warns once for each id: the peers that refuse this one are missing in its set, and nothing else would say why. */
export function warnOfTakenId(error: unknown): void {
  if (!(error instanceof NetError) || error.code !== 'ID_TAKEN' || warned.has(error.message)) return;
  warned.add(error.message);
  process.emitWarning(error.message, 'AppNetWarning');
}
