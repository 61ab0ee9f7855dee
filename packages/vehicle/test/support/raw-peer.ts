/** Peers that speak TLS and then say whatever a test wants: strangers, and nodes that were taken over. */
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { connect, type ConnectionOptions, createServer, type TLSSocket } from 'node:tls';
import assert from 'node:assert/strict';
import type { EcuIdentifier } from '@immota/uptane';
import type { LinkCredential } from '@immota/vehicle';
import { linkNameOf } from '../../src/link/link-credentials.ts';
import { tlsOptionsOf } from '../../src/link/link-tls.ts';
import { createFrameDecoder, FRAME_KINDS, type FrameKind } from '../../src/link/frame.ts';

/** A message that came. */
export interface SeenMessage {
  readonly kind: FrameKind;
  readonly number: number;
  readonly payload: Uint8Array;
}

/** A client of a node's port. */
export interface RawClient {
  readonly socket: TLSSocket;
  /** Fulfils when the connection is over, with every byte that came. */
  readonly closed: Promise<Uint8Array>;
  /** Fulfils with the next message. */
  readonly next: () => Promise<SeenMessage>;
}

/** Opens a connection with a Primary's credential, or another one. */
export function rawClient(
  port: number,
  ecu: EcuIdentifier,
  options: { readonly credential?: LinkCredential; readonly tls?: ConnectionOptions },
): RawClient {
  const { credential, tls } = options;
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: linkNameOf(ecu),
    ...(credential === undefined ? {} : tlsOptionsOf(credential)),
    ...tls,
  });
  const parts: Uint8Array[] = [];
  const seen: SeenMessage[] = [];
  let wake: (() => void) | undefined;
  const decoder = createFrameDecoder(new Set(Object.keys(FRAME_KINDS) as FrameKind[]), {
    onMessage: (kind, number, payload) => {
      seen.push({ kind, number, payload });
      wake?.();
    },
    onData: () => undefined,
  });
  socket.on('data', (bytes: Uint8Array) => {
    parts.push(bytes);
    decoder.push(bytes);
  });
  socket.on('error', () => undefined);
  const { promise: closed, resolve: close } = Promise.withResolvers<Uint8Array>();
  socket.once('close', () => close(new Uint8Array(Buffer.concat(parts))));
  return {
    socket,
    closed,
    next: async () => {
      while (seen.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      const [message] = seen.splice(0, 1);
      assert.ok(message !== undefined);
      return message;
    },
  };
}

/** Serves a port with a Secondary's credential; `serve` says what it says. */
export async function rawServer(
  test: Pick<TestContext, 'after'>,
  credential: LinkCredential,
  serve: (socket: TLSSocket) => void,
): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...tlsOptionsOf(credential), requestCert: true });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
