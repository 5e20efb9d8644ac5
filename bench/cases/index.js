// The list of what is measured. A case is the module of the same name beside this file.
//
//   control   the two yardsticks every figure is divided by
//   packages  whose installed versions the report names
//   binary    a program the case needs; without it the case is left out with one printed line
//   memory    takes part in the memory set: its module also offers hold()
//   growth    takes part in the growth set: there is a module `<name>-growth.js` as well
//   calls     takes part in its part about calls
//   events    takes part in the events set: there is a module `<name>-events.js` as well
export const cases = [
  { name: 'app-net', packages: ['app-net'], memory: true, growth: true, calls: true, events: true },
  { name: 'raw-tcp', packages: [], control: true, memory: true, events: true },
  { name: 'ws-naive', packages: ['ws'], control: true, memory: true, events: true },
  { name: 'socket.io', packages: ['socket.io', 'socket.io-client'], memory: true, events: true },
  { name: 'rpc-websockets', packages: ['rpc-websockets'], memory: true },
  { name: 'birpc', packages: ['birpc', 'ws'], memory: true },
  { name: 'capnweb', packages: ['capnweb', 'ws'], memory: true },
  { name: 'trpc', packages: ['@trpc/server', '@trpc/client', 'ws'], memory: true },
  { name: 'grpc', packages: ['@grpc/grpc-js', '@grpc/proto-loader'] },
  { name: 'moleculer', packages: ['moleculer'], growth: true, events: true },
  { name: 'cote', packages: ['cote'] },
  { name: 'nats', packages: ['@nats-io/transport-node'], binary: 'nats-server', events: true },
];

export function findCase(name) {
  return cases.find((one) => one.name === name);
}
