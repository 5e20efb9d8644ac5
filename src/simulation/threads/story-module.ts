import type { Story } from '../story.ts';
import { SERVE } from './bootstrap.ts';
import { serveStory } from './serve-story.ts';

/**
 * Makes a story that worker threads can run: the default export of a module of its own. Everything that the story needs is made in the
 * module. `simulate` gets the URL of it, and shares the seeds among threads.
 *
 * @example
 * // bank.story.ts
 * export default story(async ({ peer, eventually }) => {
 *   const client = await peer('client');
 *   await peer('bank', (self) => self.connect('bank.pay', () => 'paid'));
 *   await eventually(() => client.remote<() => string>('bank.pay').any()());
 * });
 */
export function story(run: Story): Story {
  if (typeof run !== 'function') throw new TypeError('story(run): run must be a function');
  const made: Story = (simulation) => run(simulation);
  // Which copy of the library the module uses is known only here.
  return Object.defineProperty(made, SERVE, { value: serveStory(made) });
}
