// A peer that does nothing but be there.
import { configure, serve } from 'app-net';

configure({ name: process.argv[2] });
await serve();
