/**
 * Attested time {uptane G1} {uptane G4}: a time source signs the time together with nonces that the
 * ECUs drew, with keys that the Director's Root names under `time`, so that they can be rotated.
 *
 * Off-standard: the Standard leaves the protocol open; ADR 11.
 */
import type { JsonObject, Signer } from '@immota/base';
import { AKTUALIZR } from '../encoding/aktualizr.ts';
import { decodeEnvelope } from '../encoding/envelope.ts';
import { readArray, readInstant, readText, writeInstant } from '../encoding/reader.ts';
import { UptaneFault } from '../fault.ts';
import type { Root } from '../metadata/roles.ts';
import { signMetadata } from '../sign/sign-metadata.ts';
import { keysOf } from '../verify/advance.ts';
import { checkThreshold } from '../verify/threshold.ts';
import type { Trusted } from '../verify/trusted.ts';

/** Nonces in one request: one for each ECU of the largest vehicle. */
export const TIME_NONCES_MAX = 256;
/** An attestation with 256 nonces of 32 bytes and hybrid signatures. */
export const TIME_ATTESTATION_MAX_BYTES = 65_536;
const TYPE = 'TimeAttestation';

/**
 * Attests a time to whoever drew the nonces.
 *
 * @param nonces - in hex, 16 to 32 bytes each, at most 256.
 * @param signers - the time source's keys.
 */
export async function attestTime(
  time: Temporal.Instant,
  nonces: readonly string[],
  signers: readonly Signer[],
): Promise<Uint8Array<ArrayBuffer>> {
  const signed: JsonObject = { _type: TYPE, time: writeInstant(time), nonces: parseNonces(nonces) };
  return await signMetadata(AKTUALIZR, signed, signers);
}

/** Reads nonces off the wire. @throws UptaneFault TIME_ATTESTATION when one is not 16 to 32 hex bytes. */
export function parseNonces(values: readonly unknown[]): readonly string[] {
  if (values.length === 0 || values.length > TIME_NONCES_MAX) {
    throw new UptaneFault('TIME_ATTESTATION', `Cannot read nonces: ${values.length} of them`);
  }
  return values.map((value) => {
    if (typeof value === 'string' && /^(?:[0-9a-f]{2}){16,32}$/.test(value)) return value;
    throw new UptaneFault('TIME_ATTESTATION', 'Cannot read nonces: one is not 16 to 32 hex bytes');
  });
}

/** What an ECU holds a time attestation against. */
export interface TimeContext {
  /** The Director's Root in force, or the one from the factory {uptane G3}. */
  readonly root: Trusted<Root>;
  /** The nonce this ECU drew for this request, in hex. */
  readonly nonce: string;
  /** The last time this ECU verified; the clock never goes back {uptane G6}. */
  readonly floor: Temporal.Instant;
}

/**
 * Verifies a time attestation.
 *
 * @returns the time, at least `floor`.
 * @throws UptaneFault TIME_ATTESTATION when it is for another request or behind the last time;
 * SIGNATURE_THRESHOLD when forged; ROLE_UNKNOWN when Root names no time source.
 */
export function verifyTime(bytes: Uint8Array, context: TimeContext): Temporal.Instant {
  const envelope = decodeEnvelope(AKTUALIZR, bytes, TIME_ATTESTATION_MAX_BYTES);
  const { body } = context.root;
  checkThreshold(envelope, body.keys, keysOf(body, 'time'));
  const { signed } = envelope;
  if (readText(signed, '_type') !== TYPE) {
    throw new UptaneFault('TIME_ATTESTATION', 'Cannot trust time: the document is none');
  }
  if (!readArray(signed, 'nonces', TIME_NONCES_MAX).includes(context.nonce)) {
    throw new UptaneFault('TIME_ATTESTATION', 'Cannot trust time: it answers another request');
  }
  const time = readInstant(signed, 'time');
  if (Temporal.Instant.compare(time, context.floor) < 0) {
    throw new UptaneFault(
      'TIME_ATTESTATION',
      `Cannot trust time: ${time.toString()} is before ${context.floor.toString()}`,
    );
  }
  return time;
}
