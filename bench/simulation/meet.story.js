// Five peers meet, and each calls each other one.
import { story } from '../../build/testing.js';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const add = (a, b) => a + b;

export default story(async ({ peer, eventually }) => {
  const peers = await Promise.all(NAMES.map((name) => peer(name, (self) => self.connect('add', add))));
  await eventually(() => peers.every((self) => self.peers.of({ has: 'add' }).size === NAMES.length - 1));
  await Promise.all(
    peers.map(async (self) => {
      for await (const { value } of self.remote('add').all()(1, 2))
        if (value !== 3) throw new Error('a wrong sum');
    }),
  );
});
