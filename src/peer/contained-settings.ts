import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Settings } from './options.ts';

/** The settings as a peer uses them: what runs by itself, or is the user's and runs within an actor, ends nothing when it throws. */
export function containedSettings(settings: Settings): Settings {
  const { clock, inspect, log } = settings;
  return {
    ...settings,
    clock: containedClock(clock, log),
    inspect: inspect && containedInspector(inspect, log),
  };
}

function containedClock(clock: Clock, log: Log): Clock {
  return {
    now: () => clock.now(),
    setTimeout: (callback, milliseconds) =>
      clock.setTimeout(() => {
        try {
          callback();
        } catch (error) {
          log.unforeseen('in a timer', error);
        }
      }, milliseconds) as unknown,
    clearTimeout: (timer) => clock.clearTimeout(timer),
  };
}

type Inspector = Exclude<Settings['inspect'], undefined>;

/** It is called in the midst of every message. One that throws is the user's fault, and is asked no more. */
function containedInspector(inspect: Inspector, log: Log): Inspector {
  let hasThrown = false;
  return (event) => {
    if (hasThrown) return;
    try {
      inspect(event);
    } catch (error) {
      hasThrown = true;
      log.inspectorThrew(error);
    }
  };
}
