// Does each job, and tells every subscriber.
import { serve } from 'app-net';

import { done, todo } from './jobs.ts';

todo.subscribe(({ id }) => done.emit({ id, at: new Date() }), { from: { name: 'desk', group: '*' } });
await serve();
