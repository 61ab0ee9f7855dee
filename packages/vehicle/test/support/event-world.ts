/** Memories of security events with a key of their own, on disks whose power a test stops. */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import type { Signer } from '@immota/base';
import { decodeSecurityEvent, type EventFilterOptions } from '@immota/bus';
import { generateSigner } from '@immota/pki';
import {
  openSecurityEvents,
  type Refusal,
  REFUSAL_EVENT_IDS,
  type SecurityEvents,
  type SecurityEventsOptions,
  type StoredEvent,
} from '@immota/vehicle';
import type { SimulatedDisk } from './simulated-disk.ts';

const signer: Signer = generateSigner('ed25519');
const publicKey = createPublicKey({
  key: Buffer.from(signer.publicKeyDer),
  format: 'der',
  type: 'spki',
});

/** Tells each event, and none together. */
const EACH: EventFilterOptions = {
  rules: new Map(
    [...Object.values(REFUSAL_EVENT_IDS), 0x8020].map((definition) => [
      definition,
      { mode: 'detailed-bypassing' },
    ]),
  ),
};

/** Three small files: full after some ten events. */
const SMALL = { segments: 3, segmentBytes: 1200 };

/** Opens a memory. */
export async function openEvents(
  disk: SimulatedDisk,
  options: Partial<SecurityEventsOptions> = {},
): Promise<SecurityEvents> {
  return openSecurityEvents({
    files: disk,
    signer,
    clock: { now: () => Temporal.Instant.from('2026-11-22T09:00:00.5Z') },
    timer: { elapsedMs: () => 0, schedule: () => () => undefined },
    instance: 5,
    sensor: 1,
    filter: EACH,
    size: SMALL,
    ...options,
  });
}

/** A refusal that can be told from others. */
export function refusal(id: number): Refusal {
  return { reason: 'unknown-identifier', from: 'obd', id, isExtended: false, lengthBytes: 8 };
}

/** What an event says, after its signature was verified and its number compared. */
export function readEvent({ sequence, bytes }: StoredEvent): Readonly<Record<string, unknown>> {
  const { event, signed } = decodeSecurityEvent(bytes);
  assert.ok(signed !== undefined && event.context !== undefined);
  assert.ok(verify(null, signed.message, publicKey, signed.signature));
  const context: unknown = JSON.parse(Buffer.from(event.context).toString('utf8'));
  assert.ok(typeof context === 'object' && context !== null);
  const details = Object.fromEntries(Object.entries(context));
  assert.equal(details['sequence'], sequence);
  return { ...details, definition: event.definition, count: event.count, time: event.time };
}

/** The files of a memory of events. */
export const EVENT_FILES: readonly string[] = [
  'events-0',
  'events-1',
  'events-2',
  'events-ack-0',
  'events-ack-1',
];
