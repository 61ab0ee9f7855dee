/**
 * A Secondary over authenticated TCP, as its Primary sees it: one connection, made when it is needed,
 * kept, and made again when it broke.
 */
import { connect, type TLSSocket } from 'node:tls';
import { assert, type JsonObject } from '@immota/base';
import type { EcuIdentifier } from '@immota/uptane';
import { type Timer, wait } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { encodeMessage, type FrameKind, nextNumber } from './frame.ts';
import { ImageSender } from './image-sender.ts';
import {
  CONNECT_TIMEOUT_MS,
  RECONNECT_DELAY_MS,
  SILENCE_MAX_MS,
  TRANSFER_ATTEMPTS_IDLE,
} from './limits.ts';
import { type LinkCredential, linkNameOf } from './link-credentials.ts';
import { readFrames, speaksLink, tlsOptionsOf } from './link-tls.ts';
import {
  decodeCredit,
  decodeDocument,
  decodeInfo,
  decodeNonce,
  decodeNothing,
  decodePull,
  decodeRefusal,
  decodeStatus,
  encodeBundle,
  encodeNonce,
  encodeOffer,
} from './message.ts';
import type { MetadataBundle } from './metadata-bundle.ts';
import type {
  ImageOffer,
  SecondaryInfo,
  SecondaryLink,
  SecondaryStatus,
} from './secondary-link.ts';

/** Where a Secondary is, and how we show who we are. */
export interface ConnectSecondaryOptions {
  readonly host: string;
  readonly port: number;
  readonly ecuIdentifier: EcuIdentifier;
  /** The Primary's. */
  readonly credential: LinkCredential;
  readonly timer: Timer;
  /** How long an ECU may say nothing while it has a request; the limit of `limits.ts` when left out. */
  readonly silenceMaxMs?: number | undefined;
}

/** Makes a link. Nothing is sent before the first request. */
export function connectSecondary(options: ConnectSecondaryOptions): SecondaryLink {
  return new TcpLink(options);
}

interface Request {
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
  readonly offer: ImageOffer | undefined;
  /** Starts the wait for the peer anew. */
  readonly keepWaiting: () => void;
}

interface Connection {
  readonly socket: TLSSocket;
  readonly requests: Map<number, Request>;
  readonly senders: Map<number, ImageSender>;
  lastNumber: number;
}

const ACCEPTED: ReadonlySet<FrameKind> = new Set(['answer', 'refusal', 'pull', 'credit']);
const NOTHING: Uint8Array = new Uint8Array();

class TcpLink implements SecondaryLink {
  readonly ecuIdentifier: EcuIdentifier;
  readonly takesDeltas = true;
  readonly #options: ConnectSecondaryOptions;
  #connection: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(options: ConnectSecondaryOptions) {
    this.#options = options;
    this.ecuIdentifier = options.ecuIdentifier;
  }

  async getInfo(): Promise<SecondaryInfo> {
    return await this.#ask('info', NOTHING, decodeInfo);
  }

  async report(nonce: string): Promise<JsonObject> {
    return await this.#ask('report', encodeNonce(nonce), decodeDocument);
  }

  async drawTimeNonce(): Promise<string> {
    return await this.#ask('drawTimeNonce', NOTHING, decodeNonce);
  }

  async putTime(attestation: Uint8Array): Promise<void> {
    await this.#ask('putTime', attestation, decodeNothing);
  }

  async putMetadata(bundle: MetadataBundle): Promise<void> {
    await this.#ask('putMetadata', encodeBundle(bundle), decodeNothing);
  }

  async activate(): Promise<void> {
    await this.#ask('activate', NOTHING, decodeNothing);
  }

  async confirm(): Promise<void> {
    await this.#ask('confirm', NOTHING, decodeNothing);
  }

  async revert(): Promise<void> {
    await this.#ask('revert', NOTHING, decodeNothing);
  }

  async status(): Promise<SecondaryStatus> {
    return await this.#ask('status', NOTHING, decodeStatus);
  }

  /** The ECU says from where it pulls: after each broken connection it goes on where it stopped. */
  async sendImage(offer: ImageOffer): Promise<void> {
    const { timer } = this.#options;
    let furthestBytes = -1;
    for (let idle = 0; ; idle += 1) {
      let reachedBytes = 0;
      const watched: ImageOffer = {
        ...offer,
        open: (offsetBytes) => {
          reachedBytes = Math.max(reachedBytes, offsetBytes);
          return offer.open(offsetBytes);
        },
      };
      try {
        const payload = await this.#request('offerImage', encodeOffer(offer), watched);
        this.#decoded(payload, decodeNothing);
        return;
      } catch (error) {
        if (!(error instanceof VehicleFault) || error.code !== 'ECU_UNREACHABLE') throw error;
        if (reachedBytes > furthestBytes) idle = 0;
        furthestBytes = Math.max(furthestBytes, reachedBytes);
        if (idle >= TRANSFER_ATTEMPTS_IDLE || this.#isClosed) throw error;
      }
      await wait(timer, RECONNECT_DELAY_MS);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = this.#connection;
    this.#connection = undefined;
    try {
      (await opening)?.socket.destroy();
    } catch {
      // It never opened: there is nothing to close.
    }
  }

  async #ask<Result>(
    kind: FrameKind,
    payload: Uint8Array,
    decode: (payload: Uint8Array) => Result,
  ): Promise<Result> {
    return this.#decoded(await this.#request(kind, payload), decode);
  }

  #decoded<Result>(payload: Uint8Array, decode: (payload: Uint8Array) => Result): Result {
    try {
      return decode(payload);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async #request(kind: FrameKind, payload: Uint8Array, offer?: ImageOffer): Promise<Uint8Array> {
    const connection = await this.#connect();
    const { socket, requests } = connection;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const number = nextNumber(connection.lastNumber);
    connection.lastNumber = number;
    assert(!requests.has(number), 'no request waits through 65535 others');
    const { timer, silenceMaxMs = SILENCE_MAX_MS } = this.#options;
    let cancel: (() => void) | undefined;
    const keepWaiting = (): void => {
      cancel?.();
      cancel = timer.schedule(silenceMaxMs, () => {
        socket.destroy(this.#unreachable(`no answer in ${silenceMaxMs} ms`));
      });
    };
    requests.set(number, { resolve, reject, offer, keepWaiting });
    keepWaiting();
    try {
      socket.cork();
      for (const frame of encodeMessage(kind, number, payload)) socket.write(frame);
      socket.uncork();
      return await promise;
    } finally {
      cancel?.();
      requests.delete(number);
      stopSenders(connection, number);
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#isClosed) throw new VehicleFault('CLOSED', 'Cannot ask ECU: the link is closed');
    if (this.#connection !== undefined) return await this.#connection;
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const opening = this.#open(end);
    this.#connection = opening;
    void over.then(() => this.#forget(opening));
    return await opening;
  }

  /** Another one may have been made meanwhile: that one stays. */
  #forget(connection: Promise<Connection>): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  async #open(onClose: () => void): Promise<Connection> {
    const { host, port, credential, timer } = this.#options;
    const servername = linkNameOf(this.ecuIdentifier);
    const socket = connect({ ...tlsOptionsOf(credential), host, port, servername });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = timer.schedule(CONNECT_TIMEOUT_MS, () => {
      socket.destroy(this.#unreachable(`no connection in ${CONNECT_TIMEOUT_MS} ms`));
    });
    const connection: Connection = {
      socket,
      requests: new Map(),
      senders: new Map(),
      lastNumber: 0,
    };
    let fault: unknown;
    socket.once('secureConnect', resolve);
    socket.on('error', (error) => {
      fault = this.#translate(error);
    });
    socket.once('close', () => {
      fault ??= this.#unreachable('the connection broke');
      onClose();
      for (const sender of connection.senders.values()) sender.stop();
      for (const { reject: fail } of connection.requests.values()) fail(fault);
      reject(fault);
    });
    const onMessage = this.#receiver(connection);
    readFrames(socket, { timer, accepted: ACCEPTED, sink: { onMessage, onData: unexpectedData } });
    try {
      await promise;
    } finally {
      cancel();
    }
    if (!speaksLink(socket)) {
      socket.destroy();
      throw new VehicleFault('ECU_UNTRUSTED', `Cannot speak with ${host}: another protocol`);
    }
    return connection;
  }

  #receiver(
    connection: Connection,
  ): (kind: FrameKind, number: number, payload: Uint8Array) => void {
    const { requests, senders } = connection;
    return (kind, number, payload) => {
      if (kind === 'answer' || kind === 'refusal') {
        const request = requests.get(number);
        // Its answer may come after we have given up.
        if (kind === 'answer') request?.resolve(payload);
        else request?.reject(refusalOf(payload));
        return;
      }
      if (kind === 'credit') {
        const sender = senders.get(number);
        sender?.addCredit(decodeCredit(payload));
        if (sender !== undefined) requests.get(sender.request)?.keepWaiting();
        return;
      }
      const pull = decodePull(payload);
      const request = requests.get(pull.request);
      if (request?.offer === undefined || pull.offsetBytes > request.offer.lengthBytes) {
        throw new VehicleFault(
          'LINK_PROTOCOL',
          'Cannot go on with peer: it pulls what is not there',
        );
      }
      request.keepWaiting();
      stopSenders(connection, pull.request);
      const sender = new ImageSender(connection.socket, request.offer, { ...pull, number });
      senders.set(number, sender);
      void sender.run();
    };
  }

  #translate(error: unknown): unknown {
    if (error instanceof VehicleFault && error.code !== 'LINK_PROTOCOL') return error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isImpostor =
      code === 'LINK_PROTOCOL' ||
      code.startsWith('ERR_TLS') ||
      code.startsWith('ERR_SSL') ||
      CERTIFICATE.test(code);
    return isImpostor
      ? new VehicleFault('ECU_UNTRUSTED', `Cannot trust "${this.ecuIdentifier}": ${code}`, {
          cause: error,
        })
      : this.#unreachable(code === '' ? 'the connection broke' : code, error);
  }

  #unreachable(why: string, cause?: unknown): VehicleFault {
    const message = `Cannot reach "${this.ecuIdentifier}": ${why}`;
    return new VehicleFault('ECU_UNREACHABLE', message, { cause });
  }
}

/** How OpenSSL spells that a certificate is not one of this vehicle. */
const CERTIFICATE = /CERT|SIGNATURE|ISSUER|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/;

function stopSenders({ senders }: Connection, request: number): void {
  for (const [number, sender] of senders) {
    if (sender.request !== request) continue;
    sender.stop();
    senders.delete(number);
  }
}

/** A broken transfer is no refusal: the ECU would go on. */
function refusalOf(payload: Uint8Array): VehicleFault {
  const { code, message } = decodeRefusal(payload);
  const own = code === 'NETWORK' ? 'ECU_UNREACHABLE' : 'ECU_REFUSED';
  return new VehicleFault(own, `Cannot have it done: the ECU says ${code}: ${message}`);
}

function unexpectedData(): void {
  throw new VehicleFault('LINK_PROTOCOL', 'Cannot go on with peer: an ECU sends no image');
}
