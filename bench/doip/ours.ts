/**
 * Sends blocks of TransferData to an ECU over the loopback, each acknowledged and answered before the
 * next, by our DoIP or by bare TCP. Both ends live in this process. Prints CPU milliseconds.
 *
 * Usage: node ours.ts doip|tcp BLOCK_BYTES COUNT
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import {
  connectDoip,
  createLocalTarget,
  openDoipEntity,
  systemSurroundings,
} from '@immota/vehicle';

const ENTITY = 0x1000;
const TESTER = 0x0e80;
const TRANSFER_DATA = 0x36;
const ANSWER = 0x76;
const HOST = '127.0.0.1';
/** What DoIP says back: an acknowledgement and an answer. */
const REPLY_BYTES = 27;
const WARM_UP_BLOCKS = 50;

const [carrier = '', blockBytes = '', count = ''] = process.argv.slice(2);
const block = new Uint8Array(Number(blockBytes));
block[0] = TRANSFER_DATA;
const send = carrier === 'doip' ? await openDoip() : await openTcp();
for (let sent = 0; sent < WARM_UP_BLOCKS; sent += 1) await send();
const before = process.cpuUsage();
for (let sent = 0; sent < Number(count); sent += 1) await send();
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / 1000));
process.exit();

async function openDoip(): Promise<() => Promise<void>> {
  const { timer, entropy } = systemSurroundings();
  const ecu = createLocalTarget({ logicalAddress: ENTITY, messageMaxBytes: block.length });
  ecu.serve((request) => void request.respond(Uint8Array.of(ANSWER, request.bytes[1] ?? 0)));
  const entity = await openDoipEntity({
    identity: {
      vin: undefined,
      logicalAddress: ENTITY,
      eid: new Uint8Array(6),
      gid: new Uint8Array(6),
    },
    isGateway: false,
    host: HOST,
    tcpPort: 0,
    udpPort: 0,
    announceTo: { address: HOST, port: 9 },
    timer,
    entropy,
    route: () => ecu,
  });
  const connection = await connectDoip({ host: HOST, port: entity.tcpPort, timer, source: TESTER });
  const channel = connection.openChannel(ENTITY);
  let answered = Promise.withResolvers<void>();
  channel.listen(() => answered.resolve());
  return async () => {
    answered = Promise.withResolvers();
    await channel.send(block);
    await answered.promise;
  };
}

/** The same bytes by the shortest program that has a whole block in its hands before it answers. */
async function openTcp(): Promise<() => Promise<void>> {
  const server = createServer({ noDelay: true }, (socket) => {
    const reply = new Uint8Array(REPLY_BYTES);
    onEach(socket, block.length, () => socket.write(reply));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = connect({ host: HOST, port, noDelay: true });
  await once(socket, 'connect');
  let answered = Promise.withResolvers<void>();
  onEach(socket, REPLY_BYTES, () => answered.resolve());
  return async () => {
    answered = Promise.withResolvers();
    socket.write(block);
    await answered.promise;
  };
}

function onEach(socket: Socket, lengthBytes: number, action: (whole: Uint8Array) => void): void {
  let pieces: Uint8Array[] = [];
  let missingBytes = lengthBytes;
  socket.on('data', (bytes: Uint8Array) => {
    pieces.push(bytes);
    missingBytes -= bytes.length;
    if (missingBytes > 0) return;
    const whole = Buffer.concat(pieces);
    pieces = [];
    missingBytes = lengthBytes;
    action(whole);
  });
}
