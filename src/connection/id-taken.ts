import { NetError } from '../base/errors.ts';

/** Whether an id belongs to another life of a peer, which is alive; `false` at once where nobody has it. */
export type IsTaken = (id: string, incarnation: string) => Promise<boolean> | false;

/** What the newcomer is told. @param pid of the process that has the id, where that is known */
export function idTaken(id: string, pid?: number): NetError {
  const who = pid === undefined ? 'another process' : `another process (${pid})`;
  const text = `${who} is alive and has the id ${JSON.stringify(id)}; give each process an id of its own (option id), or none`;
  return new NetError('ID_TAKEN', text, { peer: id });
}

const warned = new Set<string>();

/** Once for each id: whoever has turned this peer away does not see it, and nothing else would say why. */
export function warnOfTakenId(error: unknown): void {
  if (!(error instanceof NetError) || error.code !== 'ID_TAKEN' || warned.has(error.message)) return;
  warned.add(error.message);
  process.emitWarning(error.message, 'AppNetWarning');
}
