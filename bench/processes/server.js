// Entry point of the serving process: node processes/server.js <case>, forked by run.js.
import './loopback.js';
import { cpuMicroseconds, liveBytes } from './usage.js';
import { answerParent } from './answer.js';
import { createService } from './service.js';

const [name] = process.argv.slice(2);
const service = createService();
let started;

answerParent({
  async start({ port }) {
    const { server } = await import(`../cases/${name}.js`);
    started = await server({ port, service });
  },
  // The case's own way to offer many connections, for those in which one server is not enough.
  async idle({ from, count }) {
    const { idle } = await import(`../cases/${name}.js`);
    await idle?.server({ from, count, service });
  },
  cpu: () => cpuMicroseconds(started?.pids),
  live: ({ passes }) => liveBytes(passes),
  held: () => service.held(),
  release: () => service.release(),
});
