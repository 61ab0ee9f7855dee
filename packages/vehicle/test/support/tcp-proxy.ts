/** A wire between a Primary and a node that a test can count on and cut. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';

/** See the head of the file. */
export interface TcpProxy {
  readonly port: number;
  /** Connections so far. */
  count(): number;
  /** Cuts what is connected now. */
  cut(): void;
  /** Cuts the connection that brings so many bytes more to the node. */
  cutAfter(lengthBytes: number): void;
}

/** Puts a wire before a port of this machine. */
export async function startProxy(
  test: Pick<TestContext, 'after'>,
  port: () => number,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let count = 0;
  let leftBytes = Infinity;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    count += 1;
    const far = connect(port(), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    near.on('data', (bytes) => {
      leftBytes -= bytes.length;
      if (leftBytes < 0) {
        leftBytes = Infinity;
        cut();
      } else {
        far.write(bytes);
      }
    });
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    cut();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    count: () => count,
    cut,
    cutAfter: (lengthBytes) => {
      leftBytes = lengthBytes;
    },
  };
}
