// The events that the processes send each other. An import of this file starts nothing.
import { event } from 'app-net';

export const todo = event<{ id: number }>('job.todo');
export const done = event<{ id: number; at: Date }>('job.done');
