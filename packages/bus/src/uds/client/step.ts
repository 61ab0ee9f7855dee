/** The steps of a procedure with an ECU. Whoever runs it carries them out; the procedure decides. */
import type { UdsCall, UdsRequest } from '../call.ts';
import type { CertificateRequest, ServerChallenge } from '../service/0x29-authentication.ts';
import { UdsFault } from '../uds-fault.ts';

/** See the head of the file. Each is answered with bytes; where none are meant, with none. */
export type UdsStep =
  /** Asks the ECU, or the whole group; answered with the response. */
  | { readonly kind: 'ask'; readonly request: UdsRequest; readonly isFunctional: boolean }
  /** Reads bytes that are to be sent. */
  | {
      readonly kind: 'read';
      readonly source: string;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
    }
  /** Draws bytes by chance. */
  | { readonly kind: 'draw'; readonly lengthBytes: number }
  /** Proves who we are, after a look at who the server says to be; answered with the proof. */
  | {
      readonly kind: 'prove';
      readonly request: CertificateRequest;
      readonly answer: ServerChallenge;
    }
  /** Computes the key to a seed. */
  | { readonly kind: 'unlock'; readonly level: number; readonly seed: Uint8Array }
  | { readonly kind: 'pause'; readonly delayMs: number }
  /** Keeps the session alive between the steps from here on, or does so no more. */
  | { readonly kind: 'keepSession'; readonly isKept: boolean }
  | { readonly kind: 'progress'; readonly progress: UdsProgress };

/** How far a procedure has come. */
export type UdsProgress =
  | { readonly kind: 'phase'; readonly phase: ProgrammingPhase }
  | { readonly kind: 'identified'; readonly data: ReadonlyMap<number, Uint8Array> }
  | {
      readonly kind: 'transferred';
      readonly source: string;
      readonly doneBytes: number;
      readonly lengthBytes: number;
    }
  /** A block is whole and was found good: a later attempt may leave it out. */
  | { readonly kind: 'blockChecked'; readonly source: string };

/** The parts of programming. */
export type ProgrammingPhase =
  | 'preProgramming'
  | 'authentication'
  | 'fingerprint'
  | 'erase'
  | 'download'
  | 'check'
  | 'dependencies'
  | 'activation'
  | 'postProgramming';

/** A procedure. The runner throws the UdsFault of a failed step into it. */
export type UdsProcedure<Result> = Generator<UdsStep, Result, Uint8Array>;

/** Asks the ECU. */
export function* ask<Result>(call: UdsCall<Result>): UdsProcedure<Result> {
  return call.read(yield { kind: 'ask', request: call, isFunctional: false });
}

/** Tells the whole group. One of it that does not go along is no reason to stop. */
export function* tellGroup(call: UdsCall<undefined>): UdsProcedure<undefined> {
  try {
    yield { kind: 'ask', request: call, isFunctional: true };
  } catch (error) {
    if (!(error instanceof UdsFault) || error.code !== 'REFUSED') throw error;
  }
  return undefined;
}

/** Tells of the phase that begins. */
export function* enterPhase(phase: ProgrammingPhase): UdsProcedure<undefined> {
  yield { kind: 'progress', progress: { kind: 'phase', phase } };
  return undefined;
}
