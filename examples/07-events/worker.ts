// Does whatever there is to do, and tells everybody.
import { serve } from 'app-net';

import { done, todo } from './jobs.ts';

todo.subscribe(({ id }) => done.emit({ id, at: new Date() }), { from: { name: 'desk', group: '*' } });
await serve();
