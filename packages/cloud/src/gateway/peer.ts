/** Whose connection it is {uptane E6}: the common name of a checked certificate that nobody revoked. */
import { hash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@immota/base';
import {
  type Certificate,
  checkDevice,
  type DeviceId,
  parseCertificate,
  PkiFault,
  type VerifiedDevice,
} from '@immota/pki';
import { CloudFault } from '../fault.ts';
import type { AccessView } from '../inventory/access.ts';
import { isBootstrap } from '../inventory/credentials.ts';
import { PEER_CACHE_ENTRIES } from './limits.ts';

/** Who is at the other end of a connection. */
export interface Peer {
  readonly deviceId: DeviceId;
  /** `bootstrap` may provision vehicles and nothing else. */
  readonly kind: 'vehicle' | 'bootstrap';
  readonly device: VerifiedDevice;
  readonly notAfterMs: number;
}

/** What peers are checked against. */
export interface PeerOptions {
  readonly anchors: readonly Certificate[];
  /** The issuing authorities: resumed sessions do not carry them. */
  readonly intermediates: readonly Certificate[];
  readonly access: AccessView;
  readonly clock: Clock;
}

/** Identifies peers, and remembers whose chains were checked. */
export class PeerIdentifier {
  readonly #options: PeerOptions;
  readonly #bySocket = new WeakMap<TLSSocket, Peer>();
  readonly #byFingerprint = new Map<string, Peer>();

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /**
   * Tells who sends a request. The chain is checked once a certificate; revocation, expiry and quarantine at
   * each request.
   *
   * @throws CloudFault CERTIFICATE_MISSING, QUARANTINED; PkiFault as `checkDevice`.
   */
  identify(socket: TLSSocket): Peer {
    const peer = this.#bySocket.get(socket) ?? this.#remember(socket);
    const { access, clock } = this.#options;
    const { deviceId, device, notAfterMs } = peer;
    if (access.isRevoked(device.certificate.serial)) {
      throw new PkiFault('REVOKED', `Cannot serve ${deviceId}: its certificate was revoked`);
    }
    if (clock.now().epochMilliseconds > notAfterMs) {
      throw new PkiFault('CHAIN_EXPIRED', `Cannot serve ${deviceId}: its certificate expired`);
    }
    if (access.isQuarantined(deviceId)) {
      throw new CloudFault('QUARANTINED', `Cannot serve ${deviceId}: it is barred`);
    }
    return peer;
  }

  #remember(socket: TLSSocket): Peer {
    const presented = socket.getPeerX509Certificate();
    if (presented === undefined) {
      throw new CloudFault('CERTIFICATE_MISSING', 'Cannot serve request: no client certificate');
    }
    const { raw } = presented;
    const fingerprint = hash('sha256', raw);
    const known = this.#byFingerprint.get(fingerprint);
    const peer = known ?? this.#check(raw);
    this.#byFingerprint.delete(fingerprint);
    this.#byFingerprint.set(fingerprint, peer);
    if (this.#byFingerprint.size > PEER_CACHE_ENTRIES) {
      const { value } = this.#byFingerprint.keys().next();
      if (value !== undefined) this.#byFingerprint.delete(value);
    }
    this.#bySocket.set(socket, peer);
    return peer;
  }

  #check(der: Uint8Array): Peer {
    const { anchors, intermediates, access, clock } = this.#options;
    const device = checkDevice(parseCertificate(der), {
      anchors,
      intermediates,
      at: clock.now(),
      isRevoked: (_, serial) => access.isRevoked(serial),
    });
    const notAfter = device.chain.map((certificate) => certificate.notAfter.epochMilliseconds);
    const { deviceId } = device;
    const kind = isBootstrap(deviceId) ? 'bootstrap' : 'vehicle';
    return { deviceId, kind, device, notAfterMs: Math.min(...notAfter) };
  }
}
