/**
 * Wake-ups over MQTT, beside polling: a message says "ask now" and nothing else. A vehicle trusts
 * none of it, so whoever forges one makes a vehicle poll, which it would do anyway.
 *
 * The broker is embedded. A vehicle may subscribe to its own topic, and publish nothing.
 */
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { wakeTopic } from '@immota/api';
import { Aedes, type Client } from 'aedes';
import { CloudFault } from '../fault.ts';

/** Vehicles connected at once; an idle connection costs some 70 KB. */
const CONNECTIONS_MAX = 20_000;
/** How long a handshake and the CONNECT after it may take. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What the broker needs. */
export interface WakeBrokerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The same as the gateway's: one server for its vehicles, by whatever way they come. */
  readonly tls: TlsOptions;
  /**
   * Says which vehicle a connection belongs to.
   *
   * @throws when its certificate is missing, revoked, barred, or no vehicle's.
   */
  readonly identify: (socket: TLSSocket) => string;
  /** Told of clients that were turned away. */
  readonly refused: (error: unknown) => void;
}

/** A broker that runs. */
export interface WakeBroker {
  readonly port: number;
  /** Wakes a vehicle. @returns whether it is connected. */
  wake(vehicleId: string): Promise<boolean>;
  /** Cuts the connection of a vehicle that was barred. */
  disconnect(vehicleId: string): void;
  close(): Promise<void>;
}

/** Starts the broker. */
export async function openWakeBroker(options: WakeBrokerOptions): Promise<WakeBroker> {
  const vehicles = new Map<string, Set<Client>>();
  const owners = new WeakMap<Client, string>();
  const broker = await createBroker(owners);
  const server = createServer(
    { ...options.tls, handshakeTimeout: CONNECT_TIMEOUT_MS },
    (socket) => {
      socket.on('error', () => socket.destroy());
      try {
        const vehicleId = options.identify(socket);
        const client = admit(broker, vehicles, { socket, vehicleId });
        owners.set(client, vehicleId);
      } catch (error) {
        options.refused(error);
        socket.destroy();
      }
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('tlsClientError', (error) => options.refused(error));
  await listen(server, options);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    wake: async (vehicleId) => {
      if (!vehicles.has(vehicleId)) return false;
      await publish(broker, wakeTopic(vehicleId));
      return true;
    },
    disconnect: (vehicleId) => {
      for (const client of vehicles.get(vehicleId) ?? []) client.close();
    },
    close: async () => {
      const stopped = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await new Promise<void>((resolve) => {
        broker.close(() => resolve());
      });
      await stopped;
    },
  };
}

async function createBroker(owners: WeakMap<Client, string>): Promise<Aedes> {
  return await Aedes.createBroker({
    connectTimeout: CONNECT_TIMEOUT_MS,
    authorizeSubscribe: (client, subscription, callback) => {
      const owner = owners.get(client);
      const isOwn = owner !== undefined && subscription.topic === wakeTopic(owner);
      // A refused subscription, and not an error: an error would leave the client guessing.
      callback(null, isOwn ? subscription : null);
    },
    authorizePublish: (_client, _packet, callback) => {
      callback(new CloudFault('FORBIDDEN', 'Cannot publish: vehicles only listen here'));
    },
  });
}

function admit(
  broker: Aedes,
  vehicles: Map<string, Set<Client>>,
  { socket, vehicleId }: { readonly socket: TLSSocket; readonly vehicleId: string },
): Client {
  const client = broker.handle(socket);
  const clients = vehicles.get(vehicleId) ?? new Set();
  clients.add(client);
  vehicles.set(vehicleId, clients);
  socket.once('close', () => {
    clients.delete(client);
    if (clients.size === 0) vehicles.delete(vehicleId);
  });
  return client;
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
