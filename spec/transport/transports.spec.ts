import { systemClock } from '../../src/clock.ts';
import { MemoryWires } from '../../src/transport/memory.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { describeTransport } from './contract.ts';

describeTransport('WebSocket', () => ({ acceptor: webSocketTransport, dialler: webSocketTransport }));

describeTransport('in-memory', () => {
  const wires = new MemoryWires(0);
  return { acceptor: wires.transport('a', systemClock), dialler: wires.transport('b', systemClock) };
});

describeTransport('in-memory, with latency', () => {
  const wires = new MemoryWires(3);
  return { acceptor: wires.transport('a', systemClock), dialler: wires.transport('b', systemClock) };
});
