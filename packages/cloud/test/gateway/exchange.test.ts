import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { readBody, sendProblem } from '../../src/gateway/exchange.ts';
import { refusalOf } from '../../src/gateway/refusal-table.ts';

const LENGTH_MAX_BYTES = 4;
let read: PromiseWithResolvers<Uint8Array>;
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const body = readBody(request, LENGTH_MAX_BYTES);
  body.then(
    () => response.end(),
    (error: unknown) => sendProblem(response, refusalOf(error)),
  );
  body.then(read.resolve, read.reject);
});
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** Sends the head of a request and what there is of its body. */
function send(headers: string, body: string): Socket {
  read = Promise.withResolvers<Uint8Array>();
  read.promise.catch(() => undefined);
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`);
  return socket;
}

async function bodyText(): Promise<string> {
  return Buffer.from(await read.promise).toString();
}

async function answerOf(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString().slice(9, 12);
}

describe('readBody()', () => {
  it('reads what came in one piece or in several', async () => {
    const whole = send('content-length: 4', 'abcd');
    assert.deepEqual([await bodyText(), await answerOf(whole)], ['abcd', '200']);
    const parts = send('transfer-encoding: chunked', '2\r\nab\r\n');
    parts.write('2\r\ncd\r\n0\r\n\r\n');
    assert.deepEqual([await bodyText(), await answerOf(parts)], ['abcd', '200']);
  });

  it('refuses what is longer, announced or not', async () => {
    for (const [headers, body] of [
      ['content-length: 5', 'abcde'],
      ['transfer-encoding: chunked', '5\r\nabcde\r\n0\r\n\r\n'],
    ] as const) {
      const socket = send(headers, body);
      assert.equal(await answerOf(socket), '413');
      await assert.rejects(read.promise, { code: 'REQUEST_TOO_LONG' });
    }
  });

  it('ends when the sender goes away', async () => {
    const socket = send('content-length: 4\r\nexpect: 100-continue', '');
    await once(socket, 'data');
    socket.write('a', () => socket.resetAndDestroy());
    await assert.rejects(read.promise, (error) => {
      const { status, code } = refusalOf(error);
      assert.deepEqual([status, code], [503, 'UNAVAILABLE']);
      return true;
    });
  });
});
