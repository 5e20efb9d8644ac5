import type { Socket as NetSocket } from 'node:net';

/** How long a side that can no longer be written to may go on to be read, in ms. Mostly its end arrives in the same turn. */
const LONGEST = 1_000;

type Callback = (error?: Error | null) => void;

/**
 * Reads what the other side said last, even if a write fails first.
 *
 * A process that ends says goodbye, and its system may then reset the connection because it had not read everything. The goodbye has
 * arrived here by then, and waits to be read. If this process writes before it reads, the write fails, and Node destroys the stream
 * with everything in it: answers are lost, and calls that the other side refused look as if they could have run. So the failure of a
 * write is told to the stream only after the end of what arrives.
 */
export function hearLastWords(tcp: NetSocket): void {
  const hold = (failed: Callback, error: Error): void => {
    const tell = (): void => {
      clearTimeout(timer);
      tcp.off('end', tell).off('close', tell);
      failed(error);
    };
    const timer = setTimeout(tell, LONGEST).unref();
    tcp.on('end', tell).on('close', tell);
  };
  // A stream has one callback for all of its writes, so it is wrapped once, and not for each of them.
  let known: Callback | undefined;
  let wrapped: Callback = () => {};
  const patient = (callback: Callback): Callback => {
    if (callback !== known) {
      known = callback;
      wrapped = (error) => (error ? hold(callback, error) : callback());
    }
    return wrapped;
  };
  // The methods that Node's streams call for each write; their names are part of its documentation.
  const [one, many] = ['_write', '_writev'] as const;
  const write = tcp[one].bind(tcp);
  const writeAll = tcp[many]!.bind(tcp);
  tcp[one] = (chunk, encoding, callback) => write(chunk, encoding, patient(callback));
  tcp[many] = (chunks, callback) => writeAll(chunks, patient(callback));
}
