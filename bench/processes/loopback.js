// Keeps every listening socket on 127.0.0.1.
//
// Some libraries (Moleculer, cote) listen on all interfaces and offer no way to say otherwise. A
// benchmark has no business being reachable from the network, so the default is changed here.
import net from 'node:net';

const EVERYWHERE = new Set([undefined, null, '', '0.0.0.0', '::']);
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(...args) {
  const [first, second] = args;
  if (first !== null && typeof first === 'object') {
    const names = first.path === undefined && first.fd === undefined && !first._handle;
    if (names && EVERYWHERE.has(first.host)) args[0] = { ...first, host: '127.0.0.1' };
  } else if (typeof first === 'number') {
    if (typeof second !== 'string') args.splice(1, 0, '127.0.0.1');
    else if (EVERYWHERE.has(second)) args[1] = '127.0.0.1';
  }
  return listen.apply(this, args);
};
