import { command, ip, ipBatch } from './lan-tools.ts';

export interface Capture {
  /** Ends it. Resolves with the packets as a pcap file, the last one that was sent before included. */
  stop(): Promise<Buffer>;
}

/** Sent once all else was, so that where it has come everything before it has. */
const LAST = 'the last packet of the capture';
const SEND_LAST = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.send(${JSON.stringify(LAST)}, 9, '127.0.0.1', () => socket.close());
`;

/** Records every frame that comes in at an interface of this namespace. Needs tcpdump. */
export async function capture(namespace: string): Promise<Capture> {
  await ipBatch(namespace, ['link set lo up']);
  // Only what enters, and not again at every port it leaves by.
  const program = 'tcpdump --immediate-mode --packet-buffered -B 16384 -Q in -s 0 -i any -w -';
  const tcpdump = command(namespace, undefined, program.split(' '));
  const chunks: Buffer[] = [];
  let told = '';
  tcpdump.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => tcpdump.once('close', () => resolve()));
  const orEnd = ended.then(() => Promise.reject(new Error(`tcpdump ended: ${told}`)));
  orEnd.catch(() => {});
  const listening = new Promise<void>((resolve) => {
    tcpdump.stderr.on('data', (chunk: Buffer) => {
      told += String(chunk);
      if (told.includes('listening on')) resolve();
    });
  });
  await Promise.race([listening, orEnd]);
  const isComplete = new Promise<void>((resolve) => {
    let end = '';
    tcpdump.stdout.on('data', (chunk: Buffer) => {
      const text = end + chunk.toString('latin1');
      if (text.includes(LAST)) resolve();
      end = text.slice(-LAST.length);
    });
  });
  return {
    stop: async () => {
      await ip('netns', 'exec', namespace, process.execPath, '-e', SEND_LAST);
      // If tcpdump ends while the kernel still holds packets for it, those packets are lost.
      await Promise.race([isComplete, orEnd]);
      tcpdump.kill('SIGINT');
      await ended;
      if (!/\b0 packets dropped by kernel/.test(told)) throw new Error(`the capture has holes: ${told}`);
      return Buffer.concat(chunks);
    },
  };
}
