/** How to be a DoIP entity. */
import type {
  DoipActivationRule,
  DoipActivationVerdict,
  DoipCloseReason,
  DoipIdentity,
} from '@immota/bus';
import type { Entropy } from '@immota/base';
import type { Timer } from '../ports.ts';
import type { EntityTls } from './doip-tls.ts';
import type { DiagnosticRoute } from './target.ts';

/** Who is at the other end of a connection. */
export interface DoipPeer {
  readonly address: string;
  readonly isSecure: boolean;
  /** DER of a certificate that our authorities vouch for; undefined when none was shown. */
  readonly certificate: Uint8Array | undefined;
}

/** A request for routing that somebody has to allow. */
export interface DoipActivation {
  readonly peer: DoipPeer;
  readonly tester: number;
  readonly activationType: number;
  readonly oem: Uint8Array | undefined;
  /** Tells the tester to wait for somebody in the vehicle: a minute, not two seconds. */
  readonly announcePending: () => void;
}

/** What an entity tells those who watch it. */
export type DoipEntityEvent =
  | {
      readonly kind: 'activated';
      readonly peer: DoipPeer;
      readonly tester: number;
      readonly activationType: number;
    }
  | { readonly kind: 'closed'; readonly peer: DoipPeer; readonly reason: DoipCloseReason };

/** See the head of the file. */
export interface OpenDoipEntityOptions {
  readonly identity: DoipIdentity;
  readonly isGateway: boolean;
  /** All addresses when left out. */
  readonly host?: string | undefined;
  /** 13400 when left out; 0 takes any free one. */
  readonly tcpPort?: number | undefined;
  readonly udpPort?: number | undefined;
  /** Where announcements go; 255.255.255.255, port 13400, when left out. */
  readonly announceTo?: { readonly address: string; readonly port: number } | undefined;
  readonly tls?: EntityTls | undefined;
  readonly timer: Timer;
  readonly entropy: Entropy;
  /** Where requests go. */
  readonly route: DiagnosticRoute;
  /** Which addresses testers have; 0x0E00 to 0x0FFF when left out. */
  readonly isTester?: ((address: number) => boolean) | undefined;
  /** By type; types 00 and 01 without any condition when left out. */
  readonly activationTypes?: ReadonlyMap<number, DoipActivationRule> | undefined;
  /** Asked where a rule needs it; without it such a request is rejected. */
  readonly authorize?:
    | ((
        activation: DoipActivation,
      ) => Promise<Exclude<DoipActivationVerdict, 'confirmationPending'>>)
    | undefined;
  /** 0: not ready; 1: ready; 2: not supported, as when left out. */
  readonly powerMode?: (() => number) | undefined;
  readonly dataMaxBytes?: number | undefined;
  readonly socketsMax?: number | undefined;
  readonly strangersMax?: number | undefined;
  readonly onEvent?: ((event: DoipEntityEvent) => void) | undefined;
}
