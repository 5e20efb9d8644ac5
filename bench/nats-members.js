// Many members over one NATS server. A member is what a peer has at the broker while it is idle: a connection, its subscriptions, the
// questions for its neighbours on the ring, and the announcements. It is made of the parts of the library, without peers around
// them: no links, no calls, and no searches, because every member is told who is there. `bench/nats.js` starts it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROCESSES = 10;
/** Members of a process that connect at the same time. */
const AT_ONCE = 20;
/** How long messages are counted, in ms. */
const TIME = 10_000;
/** Mean time between two announcements of one member, in ms: `AGAIN` and `FEW` in `nats-provider.ts`. */
const AGAIN = 10_000;
const FEW = 20;

const lifeOf = (number) => ({ id: `member-${number}`, incarnation: `member-${number}-1` });

if (process.argv[1] === fileURLToPath(import.meta.url)) await be(...process.argv.slice(2));

/**
 * @param url of the server
 * @param monitoring where it tells how many messages it has had
 * @param pid its process
 */
export async function members(url, monitoring, pid, secret, count) {
  const each = Math.ceil(count / PROCESSES);
  const all = each * PROCESSES + 1;
  const children = [];
  const start = async (first, many) => {
    const given = [url, secret, first, many, all].map(String);
    const child = fork(fileURLToPath(import.meta.url), given);
    children.push(child);
    await once(child, 'message');
    return child;
  };
  try {
    const watching = await Promise.all(
      Array.from({ length: PROCESSES }, (_, index) => start(index * each, each)),
    );
    const victim = await start(all - 1, 1);
    // They would miss those that are still to come.
    for (const child of children) child.send('watch');
    await wait(2_000);
    const counted = async () => (await fetch(`${monitoring}/varz`)).json();
    const used = async () => {
      const answers = children.map((child) => once(child, 'message'));
      for (const child of children) child.send('cpu');
      return (await Promise.all(answers)).reduce((sum, [{ cpu }]) => sum + cpu, 0);
    };
    const [began, before, server, clients] = [Date.now(), await counted(), await ticks(pid), await used()];
    await wait(TIME);
    const after = await counted();
    const seconds = (Date.now() - began) / 1_000;
    const rate = (what) => Math.round((after[what] - before[what]) / seconds);
    const ofServer = ((await ticks(pid)) - server) / seconds;
    const ofClients = ((await used()) - clients) / seconds / all;
    console.log(
      `${all} members over one server, idle: ${rate('in_msgs')} messages a second to it, ${rate('out_msgs')} from it; ` +
        `processor time of the server ${ofServer.toFixed(0)} ms/s, of a member ${ofClients.toFixed(2)} ms/s; ` +
        `memory of the server ${Math.round(after.mem / 1024 / 1024)} MiB, ${after.subscriptions} subscriptions`,
    );
    const known = watching.map((child) => once(child, 'message'));
    const killed = Date.now();
    victim.kill('SIGKILL');
    const times = (await Promise.all(known)).map(([{ first, last, wrong }]) => ({ first, last, wrong }));
    const least = Math.min(...times.map(({ first }) => first)) - killed;
    const most = Math.max(...times.map(({ last }) => last)) - killed;
    const wrong = times.reduce((sum, time) => sum + time.wrong, 0);
    console.log(
      `SIGKILL of one: the first knows after ${least} ms, the last after ${most} ms; ${wrong} wrong conclusions`,
    );
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

/** Processor time of a process, in ms; NaN where the system does not tell it in this way. */
async function ticks(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, , , , , , , , , , , user, system] = text.slice(text.lastIndexOf(')') + 1).split(' ');
  return (Number(user) + Number(system)) * 10;
}

async function be(url, secret, first, many, all) {
  const parts = await libraryParts();
  const { relay, world } = await parts.deriveKeys(secret);
  const lives = new parts.Lives();
  for (let number = 0; number < Number(all); number += 1)
    lives.note({ type: 'hello', ...lifeOf(number), version: 1, server: '', client: number });
  const victim = lifeOf(Number(all) - 1).id;
  const seen = { first: 0, last: 0, over: 0, wrong: 0 };
  const over = (id) => {
    if (id !== victim) {
      seen.wrong += 1;
      return;
    }
    seen.first ||= Date.now();
    seen.last = Date.now();
    seen.over += 1;
    if (seen.over === Number(many)) process.send(seen);
  };
  const watches = [];
  process.on('message', (order) => {
    const { user, system } = process.cpuUsage();
    if (order === 'cpu') process.send({ cpu: (user + system) / 1_000 });
    else for (const watch of watches) setTimeout(watch, Math.random() * 300);
  });
  process.on('disconnect', () => process.exit());
  for (let done = 0; done < Number(many); done += AT_ONCE) {
    const next = Array.from(
      { length: Math.min(AT_ONCE, Number(many) - done) },
      (_, index) => Number(first) + done + index,
    );
    watches.push(
      ...(await Promise.all(
        next.map((number) => join(parts, { url, relay, world, lives, over, all: Number(all) }, number)),
      )),
    );
  }
  process.send('ready');
}

/** The parts of the library that an idle peer at NATS has at work. */
async function libraryParts() {
  const files = [
    'wire/handshake/secret',
    ...['bus', 'nats-options', 'station', 'subjects', 'box'].map((file) => `transport/nats/${file}`),
    ...['hello', 'lives', 'watch'].map((file) => `providers/nats/${file}`),
  ];
  const modules = await Promise.all(files.map((file) => import(`../build/${file}.js`)));
  return Object.assign({}, ...modules);
}

/** Returns a function that begins to watch the neighbours. */
async function join(parts, { url, relay, world, lives, over, all }, number) {
  const { openBus, checkNatsOptions, Station, Subjects, openBox, sealBox, readWord, writeWord, Watch } =
    parts;
  const self = lifeOf(number);
  const bus = await openBus(checkNatsOptions({ servers: url }), Math.random);
  const subjects = new Subjects(world);
  const station = new Station(bus, subjects, self, () => relay);
  station.whenOver = ({ id }) => over(id);
  const say = (word) => bus.publish(subjects.hello, sealBox(relay, subjects.hello, writeWord(word)));
  for (const subject of [subjects.life(self), subjects.everybody, subjects.who(self.id)])
    bus.subscribe(subject, () => {});
  bus.subscribe(subjects.hello, ({ subject, data }) => {
    const content = openBox(relay, subject, data);
    const word = content && readWord(content);
    if (word?.type === 'doubt' && word.id !== self.id) station.examine(word);
  });
  await bus.settled();
  const pause = AGAIN * Math.max(1, all / FEW);
  let version = 1;
  const announce = () => {
    version += 1;
    say({ type: 'hello', ...self, version, server: '', client: number });
    setTimeout(announce, pause * (0.5 + Math.random()));
  };
  setTimeout(announce, pause * Math.random());
  return () => new Watch(station, lives, say);
}
