import { startDashboard } from '../../dashboard/dashboard.ts';
import { messageOf } from '../../base/text.ts';
import type { Context } from '../context.ts';
import { meant, search, withPeer } from '../observer.ts';
import { openBrowser } from '../terminal/browser.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { count } from '../terminal/units.ts';

/** `app-net dashboard`: a live picture of all peers, in a browser. */

export interface DashboardCommandOptions {
  group?: string;
  port: number;
  open: boolean;
}

export function dashboard({ out, signal }: Context, options: DashboardCommandOptions): Promise<ExitCode> {
  return withPeer('dashboard', async (observer) => {
    const selector = meant(options.group);
    const found = await search(observer, options.group, signal);
    const page = await startDashboard({ observer, selector, port: options.port }).catch((error: unknown) => {
      throw new CliError(EXIT.NOT_STARTED, messageOf(error), 'give another port with --port, or 0 for any');
    });
    if (out.json) out.data({ url: page.url, peers: found.length });
    else
      out.line(`${page.url}\nshows ${count(found.length, 'peer')}, and peers that join later; Ctrl-C ends`);
    const forget = options.open && process.stdout.isTTY ? await openBrowser(page.url) : undefined;
    try {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await page.close();
    } finally {
      await forget?.();
    }
    return EXIT.DONE;
  });
}
