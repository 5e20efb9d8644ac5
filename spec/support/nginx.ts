import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ephemeralCertificate } from '../../src/transport/certificate.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { need } from './need.ts';

/** A real nginx, on a free port and with a folder of its own, with TLS in front of a server on this host. */

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

function isInstalled(): boolean {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore', env: { PATH } });
    return true;
  } catch {
    return false;
  }
}

/** Call in `before`. Skips where nginx is missing; with `CI` set, fails. */
export function needNginx(context: Mocha.Context): void {
  need(context, isInstalled(), 'nginx: apt-get install nginx');
}

export class Nginx {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, server: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = server;
  }

  /** @param location what is in its `location`, beside the `proxy_pass` to this port */
  static async start(to: number, location: string): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'app-net-nginx-'));
    // Its worker may run as another user.
    await chmod(folder, 0o755);
    const { key, cert } = await ephemeralCertificate();
    await writeFile(join(folder, 'key.pem'), key);
    await writeFile(join(folder, 'cert.pem'), cert);
    const port = await freePort();
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const configuration = `
      daemon off; master_process off; pid ${folder}/pid; error_log stderr;
      events {}
      http {
        access_log off; ${folders.join(' ')}
        server {
          listen 127.0.0.1:${port} ssl;
          ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
          location /net { proxy_pass http://127.0.0.1:${to}; ${location} }
        }
      }`;
    const file = join(folder, 'nginx.conf');
    await writeFile(file, configuration);
    const server = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH },
    });
    let told = '';
    server.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    await eventually(async () => {
      if (server.exitCode !== null) throw new Error(`nginx ended: ${told}`);
      const tcp = connect(port, '127.0.0.1');
      await once(tcp, 'connect');
      tcp.destroy();
    });
    return new Nginx(port, folder, server);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
