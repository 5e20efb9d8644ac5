// Entry point of the calling process: node processes/client.js <case>, forked by run.js.
import './loopback.js';
import { liveBytes } from './usage.js';
import { answerParent } from './answer.js';
import { adding, callTimes, echoing, keepCalling, measureLatency } from './load.js';

const [name] = process.argv.slice(2);
const load = () => import(`../cases/${name}.js`);
let connection;
let kept = [];

answerParent({
  async connect({ port }) {
    const { connect } = await load();
    connection = await connect({ port });
  },
  calls: (window) => keepCalling(adding(connection), window),
  echoes: ({ bytes, ...window }) => keepCalling(echoing(connection, bytes), window),
  latency: (window) => measureLatency(adding(connection), window),

  live: ({ passes }) => liveBytes(passes),
  callTimes: (limits) => callTimes(adding(connection), limits),
  hold({ count }) {
    kept = Array.from({ length: count }, () => connection.hold());
    // Reported by `released`; meanwhile a failure must not end the process.
    for (const call of kept) Promise.resolve(call).catch(() => {});
  },
  async released() {
    const values = await Promise.all(kept);
    if (!values.every((value) => value === true)) throw new Error('wrong answer to hold()');
    kept = [];
  },
  async idle({ port, from, count }) {
    const { connect, idle } = await load();
    const opened = idle ? await idle.client({ from, count }) : await openMany(connect, { port, count });
    kept.push(...opened);
  },
  async reconnect({ port, count, limitMs }) {
    const { connect } = await load();
    const deadline = performance.now() + limitMs;
    let made = 0;
    while (made < count && performance.now() < deadline) {
      const once = await connect({ port });
      await adding(once)(made++);
      await once.close();
    }
    return made;
  },
});

async function openMany(connect, { port, count }) {
  const connections = [];
  for (let i = 0; i < count; i++) {
    const one = await connect({ port });
    // A connection which has been used once, as any real one has.
    await adding(one)(i);
    connections.push(one);
  }
  return connections;
}
