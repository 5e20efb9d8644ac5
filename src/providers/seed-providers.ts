import type { Clock } from '../base/time/clock.ts';
import { DnsProvider } from './dns.ts';
import type { Provider } from './provider.ts';
import type { Seed } from './seed.ts';
import { StaticProvider } from './static.ts';

/** The providers for the places that the user gave as `seeds`. @param random from 0 to 1 */
export function seedProviders(seeds: readonly Seed[], clock: Clock, random: () => number): Provider[] {
  const addresses = seeds.flatMap((seed) => (seed.kind === 'address' ? [seed.address] : []));
  const questions = seeds.flatMap((seed) => (seed.kind === 'address' ? [] : [seed]));
  return [
    ...(addresses.length > 0 ? [new StaticProvider(addresses)] : []),
    ...(questions.length > 0 ? [new DnsProvider(questions, clock, random)] : []),
  ];
}
