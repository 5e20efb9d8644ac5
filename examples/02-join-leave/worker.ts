// A peer without functions. It only stays.
import { configure, serve } from 'app-net';

configure({ name: process.argv[2] });
await serve();
