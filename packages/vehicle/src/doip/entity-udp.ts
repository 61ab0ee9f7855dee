/** The UDP port of an entity: announcements out, questions in, answers out. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { DoipDatagram, DoipIdentification } from '@immota/bus';
import type { Timer } from '../ports.ts';
import { Alarm } from './alarm.ts';
import { DOIP_PORT } from './limits.ts';

/** What the port needs. */
export interface EntityUdpOptions {
  readonly host: string;
  readonly port: number;
  readonly announceTo?: { readonly address: string; readonly port: number } | undefined;
  readonly timer: Timer;
  readonly identification: DoipIdentification;
}

/** An open port. */
export interface EntityUdp {
  readonly port: number;
  close(): Promise<void>;
}

const EVERYBODY = { address: '255.255.255.255', port: DOIP_PORT };

/** Opens the port, and begins to announce. */
export async function openEntityUdp(options: EntityUdpOptions): Promise<EntityUdp> {
  const { host, port, announceTo = EVERYBODY, timer, identification } = options;
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  // A datagram that cannot be sent is one that was lost.
  socket.on('error', nothing);
  socket.setBroadcast(true);
  const send = (datagrams: readonly DoipDatagram[]): void => {
    for (const { to, bytes } of datagrams) {
      const place = to === undefined ? announceTo : readPlace(to);
      socket.send(bytes, place.port, place.address, nothing);
    }
  };
  const alarm = new Alarm(
    timer,
    () => identification.deadlineMs,
    () => send(identification.elapse(timer.elapsedMs())),
  );
  socket.on('message', (bytes, { address, port: from }) => {
    // Nobody hears at port 0.
    if (from === 0) return;
    send(identification.handle(`${address} ${from}`, bytes, timer.elapsedMs()));
    alarm.update();
  });
  identification.start(timer.elapsedMs());
  alarm.update();
  return {
    port: socket.address().port,
    close: async () => {
      alarm.stop();
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function readPlace(from: string): { readonly address: string; readonly port: number } {
  const [address = '', port = ''] = from.split(' ');
  return { address, port: Number(port) };
}

function nothing(): void {
  // See where it is used.
}
