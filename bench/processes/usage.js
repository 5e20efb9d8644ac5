// What this process has used so far: processor time, heap, and bytes on the wire.
import diagnostics from 'node:diagnostics_channel';
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const sockets = new Set();
let written = 0;
let read = 0;
let seen = false;

function count(socket) {
  if (sockets.has(socket)) return;
  sockets.add(socket);
  seen = true;
  socket.once('close', () => {
    sockets.delete(socket);
    written += socket.bytesWritten;
    read += socket.bytesRead;
  });
}

// Both directions of opening are counted: peers of some libraries answer over a connection which
// the serving side opened. Outgoing ones are caught in connect() itself, because the matching
// diagnostics channel is silent about sockets made with `new net.Socket()`. This module must
// therefore be imported before the first socket is made.
const open = net.Socket.prototype.connect;
net.Socket.prototype.connect = function connectAndCount(...args) {
  count(this);
  return open.apply(this, args);
};
diagnostics.subscribe('net.server.socket', ({ socket }) => count(socket));

/** Bytes written and read on all TCP sockets of this process; undefined when it has had none. */
export function wireBytes() {
  if (!seen) return undefined;
  const total = { written, read };
  for (const socket of sockets) {
    total.written += socket.bytesWritten;
    total.read += socket.bytesRead;
  }
  return total;
}

/** Microseconds of processor time, all threads, of this process and of the processes it started. */
export function cpuMicroseconds(otherPids = []) {
  const { user, system } = process.cpuUsage();
  return otherPids.reduce((sum, pid) => sum + othersMicroseconds(pid), user + system);
}

// A broker's time belongs to the cost of a call, but Node only knows its own; Linux tells the rest
// in ticks of 10 ms.
function othersMicroseconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}

/** Open files and sockets of this process; undefined where there is no /proc. */
export function descriptors() {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

/** Bytes of live heap and external memory, after collecting what is garbage. */
export async function liveBytes(passes = 32) {
  // Many passes: what finalisers and closing sockets of one leave is garbage only for the next, and
  // V8 drops the code of start-up after twenty or thirty collections without use, 150 KiB at once, which
  // would look like memory given back by whatever was measured.
  for (let pass = 0; pass < passes; pass++) {
    await sleep(5);
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
