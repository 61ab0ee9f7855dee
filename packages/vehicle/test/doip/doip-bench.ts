/** An entity on a free port with one ECU in it, and testers that say what they like. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { DoipNackCode } from '@immota/bus';
import {
  connectDoip,
  type ConnectDoipOptions,
  createLocalTarget,
  type DoipConnection,
  type DoipEntityEvent,
  type DoipEntityServer,
  type LocalTarget,
  openDoipEntity,
  type OpenDoipEntityOptions,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { jumpingTimer, type JumpingTimer } from '../support/jumping-timer.ts';

export const ENTITY = 0x1000;
export const GROUP = 0xe400;
export const TESTER = 0x0e80;
export const VIN = 'WIMMOTA1234567890';
const UNKNOWN_TARGET: DoipNackCode = 0x03;

type Test = Pick<TestContext, 'after'>;

/** See the head of the file. */
export interface DoipBench {
  readonly entity: DoipEntityServer;
  readonly timer: JumpingTimer;
  readonly ecu: LocalTarget;
  readonly events: DoipEntityEvent[];
  /** Fulfils with the next event. */
  nextEvent(): Promise<DoipEntityEvent>;
  /** Connects as a tester; the connection is closed with the test. */
  connect(options?: Partial<ConnectDoipOptions>): Promise<DoipConnection>;
}

/** Opens an entity whose ECU answers with the service, then the length of the request. */
export async function openBench(
  test: Test,
  options: Partial<OpenDoipEntityOptions> = {},
): Promise<DoipBench> {
  const timer = jumpingTimer();
  const ecu = createLocalTarget({ logicalAddress: ENTITY, messageMaxBytes: 1_048_576 });
  ecu.serve((request) => {
    const [service = 0] = request.bytes;
    const answer = Uint8Array.of(service + 0x40, request.bytes.length % 256);
    void request.respond(answer);
  });
  const events: DoipEntityEvent[] = [];
  let wake = Promise.withResolvers<void>();
  let seen = 0;
  const entity = await openDoipEntity({
    identity: {
      vin: VIN,
      logicalAddress: ENTITY,
      eid: Uint8Array.of(2, 0, 0, 0, 0, 1),
      gid: new Uint8Array(6),
    },
    isGateway: false,
    host: '127.0.0.1',
    tcpPort: 0,
    udpPort: 0,
    announceTo: { address: '127.0.0.1', port: 9 },
    timer,
    entropy,
    route: (address) => (address === ENTITY || address === GROUP ? ecu : UNKNOWN_TARGET),
    onEvent: (event) => {
      events.push(event);
      wake.resolve();
    },
    ...options,
  });
  test.after(() => entity.close());
  return {
    entity,
    timer,
    ecu,
    events,
    nextEvent: async () => {
      while (events.length === seen) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
      const event = events[seen];
      if (event === undefined) throw new Error('there is an event');
      seen += 1;
      return event;
    },
    connect: async (changes = {}) => {
      const port = entity.tcpPort;
      const connection = await connectDoip({
        host: '127.0.0.1',
        port,
        timer,
        source: TESTER,
        ...changes,
      });
      test.after(() => connection.close());
      return connection;
    },
  };
}

/** A peer that speaks bytes. */
export interface RawTester {
  send(bytes: Uint8Array): void;
  /** Fulfils with type and payload of the next message, in hexadecimal; undefined at the end. */
  next(): Promise<string | undefined>;
  /** Reads no more. */
  pause(): void;
  readonly bytesRead: () => number;
}

/** Connects by plain TCP. */
export async function rawTester(test: Test, port: number): Promise<RawTester> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  test.after(() => socket.destroy());
  await once(socket, 'connect');
  let bytes = Buffer.alloc(0);
  let isOver = false;
  let wake = Promise.withResolvers<void>();
  socket.on('data', (more: Uint8Array) => {
    bytes = Buffer.concat([bytes, more]);
    wake.resolve();
  });
  socket.once('close', () => {
    isOver = true;
    wake.resolve();
  });
  return {
    send: (sent) => socket.write(sent),
    pause: () => socket.pause(),
    bytesRead: () => socket.bytesRead,
    next: async () => {
      for (;;) {
        const length = bytes.length < 8 ? undefined : bytes.readUInt32BE(4);
        if (length !== undefined && bytes.length >= 8 + length) {
          const text = `${bytes.subarray(2, 4).toHex()} ${bytes.subarray(8, 8 + length).toHex()}`;
          bytes = bytes.subarray(8 + length);
          return text.trim();
        }
        if (isOver) return undefined;
        await wake.promise;
        wake = Promise.withResolvers();
      }
    },
  };
}

/** A message by hand. */
export function message(
  type: number,
  payload: Uint8Array,
  lengthBytes = payload.length,
): Uint8Array {
  const bytes = Buffer.alloc(8 + payload.length);
  bytes.writeUInt16BE(0x03fc, 0);
  bytes.writeUInt16BE(type, 2);
  bytes.writeUInt32BE(lengthBytes, 4);
  bytes.set(payload, 8);
  return bytes;
}

export function activation(source: number, type = 0): Uint8Array {
  return message(0x0005, Uint8Array.of(source >> 8, source & 255, type, 0, 0, 0, 0));
}

export function diagnostic(source: number, target: number, data: readonly number[]): Uint8Array {
  const addresses = [source >> 8, source & 255, target >> 8, target & 255];
  return message(0x8001, Uint8Array.from([...addresses, ...data]));
}

/** Sends a request, and waits for the answer. */
export async function ask(
  connection: DoipConnection,
  bytes: Uint8Array,
  target: number = ENTITY,
): Promise<Uint8Array> {
  const channel = connection.openChannel(target, { isFunctional: target === GROUP });
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const stop = channel.listen(resolve);
  await channel.send(bytes);
  const answer = await promise;
  stop();
  await channel.close();
  return answer;
}
