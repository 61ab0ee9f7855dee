/** The links of the event log: each hash covers the one before and everything in the event. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';

/** What a link covers besides the hash before it. */
export interface ChainedEvent {
  readonly stream: string;
  /** 1, 2, 3 … without a gap. */
  readonly sequence: number;
  readonly at: Temporal.Instant;
  readonly kind: string;
  readonly body: JsonObject;
}

/** Where a stream's chain ends. */
export interface ChainHead {
  /** Of the last event; 0 when there is none. */
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** The head of a stream without events. */
export const GENESIS: ChainHead = { sequence: 0, hash: new Uint8Array(32) };

/**
 * Computes the hash of an event: SHA-256 over the hash before it and its own canonical JSON.
 *
 * @param previous - of the event before; 32 zero bytes for the first.
 * @param event - as it is stored.
 */
export function linkHash(previous: Uint8Array, event: ChainedEvent): Uint8Array {
  const { stream, sequence, at, kind, body } = event;
  const content = { at: instantText(at), body, kind, sequence, stream };
  const digest = createHash('sha256').update(previous).update(encodeCanonical(content, 'escaped'));
  return new Uint8Array(digest.digest());
}

/** Cuts an instant to what the log keeps: milliseconds, so that it reads back as it was hashed. */
export function eventInstant(at: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(at.epochMilliseconds);
}

function instantText(at: Temporal.Instant): string {
  return at.toString({ smallestUnit: 'millisecond', roundingMode: 'trunc' });
}
