// What the processes tell each other. Importing this starts nothing.
import { event } from 'app-net';

export const todo = event<{ id: number }>('job.todo');
export const done = event<{ id: number; at: Date }>('job.done');
