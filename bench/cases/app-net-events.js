// app-net's events. Peers find each other through the runtime folder; the subscribers are not announced, so that they
// know the emitter and not each other, as with the libraries that have a server.
import { createPeer } from 'app-net';

export async function emitter() {
  // As unlimited as the buffers of the others: nothing may be dropped here.
  const peer = await createPeer({ limits: { events: 2 ** 30 } }).start();
  const tick = peer.event('tick');
  return {
    ready: (subscribers) => tick.ready({ min: subscribers }),
    emit: (payload) => tick.emit(payload),
    drained: () => tick.drained(),
  };
}

export async function subscriber({ take }) {
  const peer = createPeer({ announce: false });
  peer.event('tick').subscribe((payload) => take(payload));
  await peer.start();
}
