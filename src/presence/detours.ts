import type { DiscoveryContext } from './discovery-context.ts';

/** Links through a broker, while there may be a direct way again. */

/** The longest pause between two attempts, in looks; see `LOOK`. It doubles from one. */
const LONGEST_PAUSE = 16;

/** The peers to dial directly now. */
export function dueDetours({ carrier, detours }: DiscoveryContext): string[] {
  const due: string[] = [];
  for (const record of carrier!.records()) {
    if (!record.link?.socket.isRelayed) {
      detours.delete(record);
      continue;
    }
    const detour = detours.get(record) ?? { looks: 1, pause: 1 };
    detours.set(record, detour);
    detour.looks -= 1;
    if (detour.looks > 0) continue;
    due.push(record.id);
    detour.pause = Math.min(detour.pause * 2, LONGEST_PAUSE);
    detour.looks = detour.pause;
  }
  return due;
}
