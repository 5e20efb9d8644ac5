// A chat for web pages. Run it, and open the address that it prints in two tabs:
//
//   node --import tsx examples/10-page/server.ts 8080
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { createPeer, current } from 'app-net';

const peer = createPeer({ name: 'chat' });
const said = peer.event<{ from: string; text: string }>('chat.said');
const people = peer.event<string[]>('chat.people');
const present = (): string[] => [...peer.peers].map(({ name }) => name).toSorted();

export const say = peer.connect('chat.say', (text: string) => {
  said.emit({ from: current().caller!.name, text: text.slice(0, 500) });
});
export const who = peer.connect('chat.who', present);

// For all but the newcomer, who has not subscribed yet, and asks `chat.who`.
peer.peers.on('join', () => people.emit(present()));
peer.peers.on('leave', () => people.emit(present()));

const page = await readFile(new URL('page.html', import.meta.url));
const library = await readFile(fileURLToPath(import.meta.resolve('app-net/page')));

const server = createServer(({ method, url = '', headers }, response) => {
  if (url === '/page.js') {
    response.setHeader('content-type', 'text/javascript').end(library);
  } else if (method === 'POST' && url.startsWith('/pass?')) {
    // Here you would look who is logged in. Whoever has the pass may do what it says, and nothing else.
    const name = new URLSearchParams(url.slice('/pass?'.length)).get('name') || 'guest';
    const rights = { may: ['chat.*'], hear: ['chat.*'], origins: [`http://${headers.host}`] };
    peer.pass({ ...rights, name: name.slice(0, 50), expires: '8h' }).then(
      (pass) => response.end(pass),
      () => response.writeHead(500).end(),
    );
  } else {
    response.setHeader('content-type', 'text/html').end(page);
  }
});
peer.attach(server, '/net');
await peer.start();
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
await once(server, 'listening');
console.log(`open http://127.0.0.1:${(server.address() as AddressInfo).port}/ in two tabs`);
