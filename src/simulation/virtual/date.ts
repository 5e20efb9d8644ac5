import { places } from './place.ts';

const RealDate = globalThis.Date;

/**
 * `Date` with the time of day of the process that asks. It has the prototype of the real one, so `instanceof` works for dates of both.
 */
export const VirtualDate = function Date(this: unknown, ...given: unknown[]): unknown {
  const place = places.getStore();
  const args = place && given.length === 0 ? [place.wall()] : given;
  if (new.target === undefined) return new RealDate(place ? place.wall() : RealDate.now()).toString();
  // A subclass of the user's keeps its own prototype.
  return Reflect.construct(RealDate, args, new.target === VirtualDate ? RealDate : new.target);
} as unknown as DateConstructor;

Object.defineProperties(VirtualDate, {
  prototype: { value: RealDate.prototype },
  now: { value: () => places.getStore()?.wall() ?? RealDate.now(), writable: true, configurable: true },
  parse: { value: RealDate.parse, writable: true, configurable: true },
  UTC: { value: RealDate.UTC, writable: true, configurable: true },
  length: { value: 7 },
});
