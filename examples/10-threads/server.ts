// The process that computes. It stays free for other calls.
import { connect, serve } from 'app-net';

await import('./primes.ts');

connect('hello', (name: string) => `hello, ${name}`);

await serve();
