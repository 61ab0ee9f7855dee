/** What goes into the machine of a DoIP entity, and what comes out of it. */
import type { DoipNackCode } from './codes.ts';

/** What an activation type asks of a tester. */
export interface DoipActivationRule {
  /** Refused with code 07 over plain TCP, so that the tester comes back by TLS. */
  readonly needsTls: boolean;
  /** Somebody has to say yes: a check of its certificate, or a person in the vehicle. */
  readonly needsAuthorization: boolean;
}

/** How to be an entity. */
export interface DoipEntityOptions {
  readonly logicalAddress: number;
  /** Tells whether this address may be a tester's here. */
  isTester(address: number): boolean;
  /** By number; a type that is not in here is refused with code 06. */
  readonly activationTypes: ReadonlyMap<number, DoipActivationRule>;
  /**
   * Says no to a diagnostic message as soon as its addresses are there, before its data is kept.
   *
   * @param dataLengthBytes - as announced.
   */
  admit(target: number, dataLengthBytes: number): DoipNackCode | undefined;
  /** Bytes of the longest payload (MDS). */
  readonly dataMaxBytes?: number | undefined;
  /** Bytes that unfinished messages may announce together. */
  readonly memoryMaxBytes?: number | undefined;
  /** Testers at one time (MCTS). */
  readonly socketsMax?: number | undefined;
  /** Connections without activation at one time. */
  readonly strangersMax?: number | undefined;
}

/** How the question of an authorization ended. */
export type DoipActivationVerdict =
  | 'granted'
  | 'authenticationMissing'
  | 'rejected'
  | 'confirmationPending';

/** What happens to an entity. Connections are numbered by whoever has them. */
export type DoipEntityInput =
  | { readonly kind: 'opened'; readonly connection: number; readonly isSecure: boolean }
  /** The bytes are not to be written again. */
  | { readonly kind: 'bytes'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: 'closed'; readonly connection: number }
  | {
      readonly kind: 'authorized';
      readonly connection: number;
      readonly verdict: DoipActivationVerdict;
    }
  /** The message is on its way to the target. */
  | { readonly kind: 'accepted'; readonly connection: number; readonly target: number }
  | {
      readonly kind: 'refused';
      readonly connection: number;
      readonly target: number;
      readonly code: DoipNackCode;
    }
  /** An ECU has something to say to the tester of this connection. */
  | {
      readonly kind: 'answered';
      readonly connection: number;
      readonly source: number;
      readonly userData: Uint8Array;
    };

/** Why an entity ends a connection. */
export type DoipCloseReason =
  /** No DoIP header, or a length that its type does not have. */
  | 'malformed'
  /** No request for routing in time: a half-open socket. */
  | 'initialInactivity'
  /** Nothing for five minutes. */
  | 'generalInactivity'
  /** A message that began and did not end. */
  | 'partialMessage'
  /** No answer to the alive check, and another wants the place. */
  | 'dead'
  /** Routing was refused. */
  | 'denied'
  /** An address that is not this connection's: spoofing, or diagnostics before activation. */
  | 'spoofedSource'
  /** Too many connections that say nothing; the oldest of them goes. */
  | 'crowded';

/** What an entity does. */
export type DoipEntityOutput =
  /** One message; its parts are sent one behind the other. */
  | {
      readonly kind: 'send';
      readonly connection: number;
      readonly bytes: readonly Uint8Array[];
    }
  /** After what was sent before. No input of this connection means anything from now on. */
  | { readonly kind: 'close'; readonly connection: number; readonly reason: DoipCloseReason }
  /** To be answered by `authorized`. */
  | {
      readonly kind: 'authorize';
      readonly connection: number;
      readonly tester: number;
      readonly activationType: number;
      readonly oem: Uint8Array | undefined;
    }
  | {
      readonly kind: 'activated';
      readonly connection: number;
      readonly tester: number;
      readonly activationType: number;
    }
  /** A request; to be answered by `accepted` or `refused`, and then `answered`. */
  | {
      readonly kind: 'received';
      readonly connection: number;
      readonly tester: number;
      readonly target: number;
      readonly userData: Uint8Array;
    };
