/** The limit: node:https that asks for a client certificate, checks nothing else, and stores nothing. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { answerParent } from './server-process.ts';

const [cert = '', key = '', ca = ''] = process.argv.slice(2).map((file) => readFileSync(file));
const server = createServer(
  { cert, key, ca, requestCert: true, rejectUnauthorized: true, noDelay: true },
  (request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(request.method === 'GET' ? 304 : 200, { 'content-length': 0 });
      response.end();
    });
  },
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
answerParent({
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  port: (server.address() as AddressInfo).port,
  postgresMs: () => 0,
  close: () => {
    server.closeAllConnections();
    server.close();
    return Promise.resolve();
  },
});
