// gRPC, unary calls over one HTTP/2 connection without TLS, definitions loaded at start.
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { bench } = grpc.loadPackageDefinition(loadSync(fileURLToPath(new URL('grpc.proto', import.meta.url))));

export async function server({ port, service }) {
  const listener = new grpc.Server();
  listener.addService(bench.Bench.service, {
    add: ({ request }, answer) => answer(null, { value: service.add(request.a, request.b) }),
    echo: ({ request }, answer) => answer(null, { value: service.echo(request.value) }),
  });
  await new Promise((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    listener.bindAsync(`127.0.0.1:${port}`, credentials, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  return {};
}

export async function connect({ port }) {
  const client = new bench.Bench(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  await new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
  });
  const call = (method, message) =>
    new Promise((resolve, reject) => {
      client[method](message, (error, answer) => {
        if (error) reject(error);
        else resolve(answer.value);
      });
    });
  return {
    add: (a, b) => call('add', { a, b }),
    echo: (value) => call('echo', { value }),
    close: async () => client.close(),
  };
}
