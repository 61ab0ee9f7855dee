/** A vehicle's connection, byte by byte: what travels is counted where TLS hands it to TCP. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { CredentialFiles } from '@immota/pki';

/** How to connect. */
export interface ConnectionOptions {
  readonly port: number;
  readonly credential: CredentialFiles;
  readonly session?: Buffer | undefined;
  /** How keys are agreed on; the engine's choice when left out, which is hybrid. */
  readonly group?: 'X25519' | undefined;
}

/** An open connection that asks one thing after the other. */
export interface Connection {
  readonly isResumed: boolean;
  /** Sends a request and waits for the head of its answer, which must be all of it. @returns the status. */
  ask(request: Uint8Array): Promise<number>;
  /** Bytes of TLS records in both directions so far. */
  wireBytes(): number;
  /** The ticket for the next connection, once the server has sent one. */
  session(): Promise<Buffer>;
  close(): Promise<void>;
}

const END = '\r\n\r\n';

/** Connects and makes the handshake. */
export async function openConnection({
  port,
  credential,
  session,
  group,
}: ConnectionOptions): Promise<Connection> {
  const tcp = connectTcp(port, '127.0.0.1');
  tcp.setNoDelay(true);
  const socket = connect({
    socket: tcp,
    servername: 'localhost',
    ca: credential.rootPem,
    cert: credential.clientPem,
    key: credential.privateKeyPem,
    ...(session === undefined ? {} : { session }),
    ...(group === undefined ? {} : { ecdhCurve: group }),
  });
  const ticket = once(socket, 'session').then(([bytes]): Buffer => Buffer.from(bytes));
  ticket.catch(() => undefined);
  await once(socket, 'secureConnect');
  return {
    isResumed: socket.isSessionReused(),
    ask: (request) => ask(socket, request),
    wireBytes: () => tcp.bytesRead + tcp.bytesWritten,
    session: () => ticket,
    close: async () => {
      const closed = once(socket, 'close');
      socket.end();
      socket.resume();
      await closed;
    },
  };
}

async function ask(socket: TLSSocket, request: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let text = '';
  const take = (part: Buffer): void => {
    text += part.toString('latin1');
    if (text.includes(END)) resolve(Number(text.slice(9, 12)));
  };
  const ended = (): void => {
    reject(new TypeError(`the server closed the connection after: ${text}`));
  };
  socket.on('data', take);
  socket.once('close', ended);
  socket.write(request);
  try {
    return await promise;
  } finally {
    socket.off('data', take);
    socket.off('close', ended);
  }
}
