import type { Clock } from '../../base/time/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Settings } from './options.ts';

/**
 * The settings as a peer uses them. Timers and the user's inspector run on their own or within an actor. Here, an error
 * that they throw is caught, so that it ends nothing.
 */
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

/** The inspector is called during every message. One that throws has a fault of the user's, and is not called again. */
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
