/**
 * Wake-ups over MQTT, beside polling: a message says "ask now" and nothing else. A vehicle trusts
 * none of it, so whoever forges one makes a vehicle poll, which it would do anyway.
 *
 * The broker is embedded. A vehicle may subscribe to its own topic, and publish nothing. It bears its
 * own name and leaves nothing behind: no session, no queue, no will.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { wakeTopic } from '@immota/api';
import { Aedes, type Client } from 'aedes';
import { CloudFault } from '../fault.ts';

/** Vehicles connected at once; an idle connection costs some 70 KB. */
const CONNECTIONS_MAX = 20_000;
/** How long a handshake and the CONNECT after it may take. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Connections of one vehicle: one, and the one it just lost without noticing. */
const CONNECTIONS_PER_VEHICLE_MAX = 2;

/** What the broker needs. */
export interface WakeBrokerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The same as the gateway's: one server for its vehicles, by whatever way they come. */
  readonly tls: TlsOptions;
  /**
   * Says which vehicle a connection belongs to. It is asked again later: what was good may be barred.
   *
   * @throws when its certificate is missing, revoked, over, barred, or no vehicle's.
   */
  readonly identify: (socket: TLSSocket) => string;
  /** Told of clients that were turned away, with their address. */
  readonly refused: (error: unknown, address: string) => void;
}

/** A broker that runs. */
export interface WakeBroker {
  readonly port: number;
  /** Wakes a vehicle. @returns whether it is connected. */
  wake(vehicleId: string): Promise<boolean>;
  /** Wakes many, each that is connected. @returns how many are. */
  wakeAll(vehicleIds: Iterable<string>): Promise<number>;
  /** The vehicles that are connected. */
  connected(): readonly string[];
  /** Asks anew whose connections they are, and cuts those of vehicles that were barred. */
  recheck(): void;
  /** Shows new connections another certificate. */
  show(tls: TlsOptions): void;
  close(): Promise<void>;
}

/** Starts the broker. */
export async function openWakeBroker(options: WakeBrokerOptions): Promise<WakeBroker> {
  const clients = new Map<string, Set<Connection>>();
  const owners = new WeakMap<Client, string>();
  const broker = await createBroker(owners, options);
  const server = createServer(
    { ...options.tls, handshakeTimeout: CONNECT_TIMEOUT_MS },
    (socket) => {
      socket.on('error', () => socket.destroy());
      try {
        admit({ broker, clients, owners }, socket, options.identify(socket));
      } catch (error) {
        options.refused(error, socket.remoteAddress ?? '');
        socket.destroy();
      }
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('tlsClientError', (error, socket) => {
    options.refused(
      new CloudFault('CERTIFICATE_MISSING', 'Cannot wake: no TLS', { cause: error }),
      socket.remoteAddress ?? '',
    );
  });
  const sockets = trackSockets(server);
  await listen(server, options);
  const recheck = (): void => {
    for (const connection of [...clients.values()].flatMap((own) => [...own])) {
      checkStill(connection, options);
    }
  };
  const wake = async (vehicleId: string): Promise<boolean> => {
    for (const connection of clients.get(vehicleId) ?? []) checkStill(connection, options);
    if (!clients.has(vehicleId)) return false;
    await publish(broker, wakeTopic(vehicleId));
    return true;
  };
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    wake,
    wakeAll: async (vehicleIds) => {
      let count = 0;
      // oxlint-disable-next-line no-await-in-loop -- one after another: the vehicles come at once anyway
      for (const vehicleId of vehicleIds) if (await wake(vehicleId)) count += 1;
      return count;
    },
    connected: () => [...clients.keys()],
    recheck,
    show: (tls) => server.setSecureContext(tls),
    close: () => closeAll(broker, server, sockets),
  };
}

interface Connection {
  readonly socket: TLSSocket;
  readonly vehicleId: string;
  readonly cut: () => void;
}

async function createBroker(
  owners: WeakMap<Client, string>,
  options: WakeBrokerOptions,
): Promise<Aedes> {
  const refused = ({ conn }: Client, fault: CloudFault): void => {
    const address = 'remoteAddress' in conn ? conn.remoteAddress : undefined;
    options.refused(fault, address ?? '');
  };
  return await Aedes.createBroker({
    connectTimeout: CONNECT_TIMEOUT_MS,
    preConnect: (client, packet, callback) => {
      // Another's name would cut that vehicle off; a session or a will would outlive the connection.
      const isOwn = packet.clientId === owners.get(client);
      const isFit = isOwn && packet.clean === true && packet.will === undefined;
      callback(null, isFit);
      if (isFit) return;
      refused(
        client,
        new CloudFault('WRONG_CREDENTIALS', 'Cannot wake: not as its certificate says'),
      );
      client.close();
    },
    authorizeSubscribe: (client, subscription, callback) => {
      const owner = owners.get(client);
      const isOwn = owner !== undefined && subscription.topic === wakeTopic(owner);
      // A refused subscription, and not an error: an error would leave the client guessing.
      callback(null, isOwn ? subscription : null);
    },
    authorizePublish: (client, _packet, callback) => {
      const fault = new CloudFault('FORBIDDEN', 'Cannot publish: vehicles only listen here');
      if (client !== null) refused(client, fault);
      callback(fault);
    },
  });
}

interface Admission {
  readonly broker: Aedes;
  readonly clients: Map<string, Set<Connection>>;
  readonly owners: WeakMap<Client, string>;
}

function admit({ broker, clients, owners }: Admission, socket: TLSSocket, vehicleId: string): void {
  const own = clients.get(vehicleId) ?? new Set<Connection>();
  const [oldest] = own;
  if (oldest !== undefined && own.size >= CONNECTIONS_PER_VEHICLE_MAX) oldest.cut();
  const client = broker.handle(socket);
  owners.set(client, vehicleId);
  const leave = (): void => {
    own.delete(connection);
    if (own.size === 0 && clients.get(vehicleId) === own) clients.delete(vehicleId);
  };
  const connection: Connection = {
    socket,
    vehicleId,
    cut: () => {
      leave();
      client.close();
      socket.destroy();
    },
  };
  own.add(connection);
  clients.set(vehicleId, own);
  socket.once('close', leave);
}

/** Expiry, revocation and quarantine come while a connection is open. */
function checkStill(connection: Connection, options: WakeBrokerOptions): void {
  const { socket, cut } = connection;
  try {
    options.identify(socket);
  } catch (error) {
    options.refused(error, socket.remoteAddress ?? '');
    cut();
  }
}

async function publish(broker: Aedes, topic: string): Promise<void> {
  const packet = {
    cmd: 'publish',
    topic,
    payload: '',
    qos: 1,
    retain: false,
    dup: false,
  } as const;
  await new Promise<void>((resolve, reject) => {
    broker.publish(packet, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

async function listen(server: Server, { host, port }: WakeBrokerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Also those whose handshake is not done: they would hold up the end. */
function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function closeAll(
  broker: Aedes,
  server: Server,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  await new Promise<void>((resolve) => {
    broker.close(() => resolve());
  });
  for (const socket of sockets) socket.destroy();
  await stopped;
}
