/** A tester's connection to a DoIP entity, and its ways to the ECUs behind it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { unreachable } from '@immota/base';
import { DoipClient, type DoipClientInput, type DoipClientOutput, DoipFault } from '@immota/bus';
import type { DiagnosticChannel } from '../diagnostics/channel.ts';
import type { Timer } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { Alarm } from './alarm.ts';
import { DoipSocket } from './doip-socket.ts';
import type { DoipTlsCredential } from './doip-tls.ts';
import { CONNECT_TIMEOUT_MS, DOIP_PORT, DOIP_TLS_PORT } from './limits.ts';

/** TLS of a tester. */
export interface ClientTls {
  /** 3496 when left out. */
  readonly port?: number | undefined;
  /** PEM: authorities of entities. */
  readonly ca: string;
  /** What the tester shows, if it has anything to show. */
  readonly credential?: Omit<DoipTlsCredential, 'ca'> | undefined;
  /** The name in the entity's certificate; that of the host when left out. */
  readonly servername?: string | undefined;
  /** `always`: never by plain TCP. `onDemand`: when the entity says so. */
  readonly use: 'always' | 'onDemand';
}

/** Where an entity is, and who we are. */
export interface ConnectDoipOptions {
  readonly host: string;
  /** 13400 when left out. */
  readonly port?: number | undefined;
  readonly tls?: ClientTls | undefined;
  readonly timer: Timer;
  /** The tester's own address. */
  readonly source: number;
  readonly activationType?: number | undefined;
  readonly oem?: Uint8Array | undefined;
  /** Of the protocol, as the entity announced it; that of 2019 when left out. */
  readonly version?: number | undefined;
  /** Bytes of the longest payload that either side takes. */
  readonly dataMaxBytes?: number | undefined;
}

/** How to reach an ECU. */
export interface DoipChannelOptions {
  /** Hears every ECU: they answer a group with addresses of their own. */
  readonly isFunctional?: boolean | undefined;
  /** Bytes of the longest message; what a payload has room for when left out. */
  readonly messageMaxBytes?: number | undefined;
}

/** A connection with routing. It is not made again when it breaks: sessions broke with it. */
export interface DoipConnection {
  /** The entity's own address. */
  readonly entityAddress: number;
  readonly isSecure: boolean;
  /** Fulfils when the connection is over, with the reason. */
  readonly closed: Promise<DoipFault>;
  openChannel(target: number, options?: DoipChannelOptions): DiagnosticChannel;
  close(): Promise<void>;
}

const ADDRESSES_BYTES = 4;
const DATA_MAX_BYTES_DEFAULT = 1_048_576 + 64;

/**
 * Connects, and asks for routing; comes again by TLS when the entity wants that.
 *
 * @throws VehicleFault NETWORK when nobody is there, or is not who it should be.
 * @throws DoipFault ACTIVATION_REFUSED, TLS_REQUIRED, TIMEOUT, CONNECTION_CLOSED.
 */
export async function connectDoip(options: ConnectDoipOptions): Promise<DoipConnection> {
  const { tls } = options;
  if (tls?.use === 'always') return await activate(options, true);
  try {
    return await activate(options, false);
  } catch (error) {
    const wantsTls = error instanceof DoipFault && error.code === 'TLS_REQUIRED';
    if (!wantsTls || tls === undefined) throw error;
    return await activate(options, true);
  }
}

async function activate(options: ConnectDoipOptions, isSecure: boolean): Promise<DoipConnection> {
  const socket = await open(options, isSecure);
  const connection = new Connection(socket, options, isSecure);
  await connection.activated;
  return connection;
}

async function open(options: ConnectDoipOptions, isSecure: boolean): Promise<Socket> {
  const { host, port = DOIP_PORT, tls, timer } = options;
  const socket =
    isSecure && tls !== undefined
      ? connectTls({
          host,
          port: tls.port ?? DOIP_TLS_PORT,
          ca: tls.ca,
          cert: tls.credential?.cert,
          key: tls.credential?.key,
          ...(tls.servername !== undefined && { servername: tls.servername }),
          minVersion: 'TLSv1.2',
        })
      : connect({ host, port });
  const cancel = timer.schedule(CONNECT_TIMEOUT_MS, () => {
    socket.destroy(new VehicleFault('NETWORK', 'Cannot connect to entity: no answer'));
  });
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    if (error instanceof VehicleFault) throw error;
    throw new VehicleFault('NETWORK', 'Cannot connect to entity: it is not there', {
      cause: error,
    });
  } finally {
    cancel();
  }
}

interface Listener {
  /** Undefined: all of them. */
  readonly source: number | undefined;
  readonly hear: (message: Uint8Array) => void;
}

class Connection implements DoipConnection {
  readonly isSecure: boolean;
  readonly closed: Promise<DoipFault>;
  readonly activated: Promise<void>;
  entityAddress = 0;
  readonly #machine: DoipClient;
  readonly #socket: DoipSocket;
  readonly #timer: Timer;
  readonly #alarm: Alarm;
  readonly #dataMaxBytes: number;
  readonly #listeners = new Set<Listener>();
  readonly #requests = new Map<number, PromiseWithResolvers<void>>();
  readonly #closing = Promise.withResolvers<DoipFault>();
  readonly #activating = Promise.withResolvers<void>();
  #lastId = 0;

  constructor(socket: Socket, options: ConnectDoipOptions, isSecure: boolean) {
    const { timer, dataMaxBytes = DATA_MAX_BYTES_DEFAULT } = options;
    this.isSecure = isSecure;
    this.closed = this.#closing.promise;
    this.activated = this.#activating.promise;
    this.#timer = timer;
    this.#dataMaxBytes = dataMaxBytes;
    this.#machine = new DoipClient({ ...options, dataMaxBytes });
    this.#alarm = new Alarm(
      timer,
      () => this.#machine.deadlineMs,
      () => this.#perform(this.#machine.elapse(timer.elapsedMs())),
    );
    this.#socket = new DoipSocket(socket, timer, {
      onBytes: (bytes) => this.#handle({ kind: 'bytes', bytes }),
      onClosed: () => this.#handle({ kind: 'closed' }),
    });
    this.#handle({ kind: 'opened' });
  }

  openChannel(target: number, options: DoipChannelOptions = {}): DiagnosticChannel {
    const { isFunctional = false, messageMaxBytes = this.#dataMaxBytes - ADDRESSES_BYTES } =
      options;
    const own = new Set<Listener>();
    return {
      messageMaxBytes,
      send: (message) => this.#send(target, message),
      listen: (hear) => {
        const listener: Listener = { source: isFunctional ? undefined : target, hear };
        own.add(listener);
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      close: async () => {
        for (const listener of own) this.#listeners.delete(listener);
        await Promise.resolve();
      },
    };
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.closed;
  }

  async #send(target: number, userData: Uint8Array): Promise<void> {
    const id = (this.#lastId += 1);
    const request = Promise.withResolvers<void>();
    this.#requests.set(id, request);
    this.#handle({ kind: 'request', id, target, userData });
    await request.promise;
  }

  #handle(input: DoipClientInput): void {
    this.#perform(this.#machine.handle(input, this.#timer.elapsedMs()));
    this.#alarm.update();
  }

  #perform(outputs: readonly DoipClientOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          void this.#socket.send(output.bytes);
          break;
        case 'activated':
          this.entityAddress = output.entity;
          this.#activating.resolve();
          break;
        case 'confirmationPending':
          break;
        case 'acknowledged':
          this.#requests.get(output.id)?.resolve();
          this.#requests.delete(output.id);
          break;
        case 'refused':
          this.#requests.get(output.id)?.reject(output.fault);
          this.#requests.delete(output.id);
          break;
        case 'received':
          this.#hear(output.source, output.userData);
          break;
        case 'failed':
          this.#fail(output.fault);
          break;
        default:
          unreachable(output);
      }
    }
  }

  #hear(source: number, message: Uint8Array): void {
    for (const listener of this.#listeners) {
      if (listener.source === undefined || listener.source === source) listener.hear(message);
    }
  }

  #fail(fault: DoipFault): void {
    this.#alarm.stop();
    this.#activating.reject(fault);
    this.#closing.resolve(fault);
    this.#socket.end();
  }
}
