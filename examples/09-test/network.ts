// Load this before the code under test. The default peer is then on a network in memory: it opens no port, writes no
// file, and meets no other peer of this machine.
import { configure } from 'app-net';
import { MemoryNetwork } from 'app-net/testing';

export const network = new MemoryNetwork();

configure({ id: 'shop', network, parity: true });
