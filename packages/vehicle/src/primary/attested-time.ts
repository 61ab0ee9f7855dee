/**
 * The Primary's time {uptane G4} {uptane G6}: attested by the source that the Director's Root names,
 * never earlier than before, and carried on by the machine's clock only for as long as the policy
 * allows. Whoever drops attestations therefore freezes nothing for longer than that: the cycle fails
 * closed and says so.
 */
import { createHash } from 'node:crypto';
import { utf8 } from '@immota/base';
import {
  AKTUALIZR,
  anchorRoot,
  decodeRoot,
  limits,
  RepositorySession,
  type Root,
  runWorkflow,
  TIME_ATTESTATION_MAX_BYTES,
  type Trusted,
  UptaneFault,
  verifyTime,
} from '@immota/uptane';
import { DEVICE_PATHS } from '@immota/api';
import { z } from 'zod';
import { requestSmall } from '../download/request.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import { jsonValue } from './json-value.ts';
import { type MetadataSource, performFrom } from './metadata-source.ts';

const TIME = jsonValue(
  'time',
  z.object({
    /** The last attested time, and the one before. */
    attestedAt: z.iso.datetime(),
    previousAt: z.iso.datetime(),
    /** What the machine's clock said then. */
    clockAt: z.string(),
    /** Which keys attested it. */
    keys: z.string(),
  }),
);

/** What a Primary knows of the time. */
export interface KnownTime {
  readonly attestedAt: Temporal.Instant;
  readonly previousAt: Temporal.Instant;
  readonly clockAt: Temporal.Instant;
}

/** The time of a cycle, and the document that proves it, for the Secondaries. */
export interface CycleTime {
  readonly now: Temporal.Instant;
  /** Undefined when none came and the clock carries on. */
  readonly attestation: Uint8Array | undefined;
}

/** Tells the last attested time; from the factory on it is the one built in {uptane G3}. */
export function knownTime(context: PrimaryContext): KnownTime {
  const record = context.state.values.load(TIME);
  const { builtAt } = context.bundle;
  // Other keys attest now: the last time may have been forged with the lost ones, far in the future.
  if (record === undefined || record.keys !== timeKeysOf(directorRoot(context))) {
    return { attestedAt: builtAt, previousAt: builtAt, clockAt: builtAt };
  }
  return {
    attestedAt: Temporal.Instant.from(record.attestedAt),
    previousAt: Temporal.Instant.from(record.previousAt),
    clockAt: Temporal.Instant.from(record.clockAt),
  };
}

/**
 * Finds the time for a cycle over the air.
 *
 * @param nonces - one for each ECU, the Primary's own first.
 * @param source - for a newer Root, when the keys of the time source were changed.
 * @throws UptaneFault TIME_ATTESTATION, SIGNATURE_THRESHOLD or MALFORMED when the attestation is not to be trusted;
 * VehicleFault TIME_UNAVAILABLE when none came for too long.
 */
export async function attestCycleTime(
  context: PrimaryContext,
  nonces: readonly string[],
  source: MetadataSource,
): Promise<CycleTime> {
  const attestation = await fetchAttestation(context, nonces);
  if (attestation === undefined) {
    return { now: carriedTime(context, context.policy.timeMaxAgeMs), attestation };
  }
  try {
    return { now: acceptTime(context, attestation, nonces[0] ?? ''), attestation };
  } catch (error) {
    if (!isKeyMismatch(error)) throw error;
    await advanceDirectorRoot(context, source);
    return { now: acceptTime(context, attestation, nonces[0] ?? ''), attestation };
  }
}

/**
 * Verifies an attestation and keeps its time as the floor of all later ones.
 *
 * @throws UptaneFault TIME_ATTESTATION or SIGNATURE_THRESHOLD; the floor stays as it was.
 */
function acceptTime(
  context: PrimaryContext,
  attestation: Uint8Array,
  nonce: string,
): Temporal.Instant {
  const root = directorRoot(context);
  const { attestedAt: floor } = knownTime(context);
  const now = verifyTime(attestation, { root, nonce, floor });
  context.state.values.save(TIME, {
    attestedAt: now.toString(),
    previousAt: floor.toString(),
    clockAt: context.surroundings.clock.now().toString(),
    keys: timeKeysOf(root),
  });
  return now;
}

/**
 * Carries the last attested time on by the machine's clock.
 *
 * @throws VehicleFault TIME_UNAVAILABLE when that is longer than allowed, or the clock went back.
 */
export function carriedTime(context: PrimaryContext, maxAgeMs: number): Temporal.Instant {
  const { attestedAt, clockAt } = knownTime(context);
  const elapsedMs = context.surroundings.clock.now().epochMilliseconds - clockAt.epochMilliseconds;
  if (elapsedMs < 0 || elapsedMs > maxAgeMs) {
    throw new VehicleFault(
      'TIME_UNAVAILABLE',
      `Cannot know the time: the last attestation is of ${attestedAt.toString()}`,
    );
  }
  return attestedAt.add({ milliseconds: elapsedMs });
}

/**
 * Guesses the time where nothing is trusted by it: the last attested time, and what the machine's
 * clock says has passed, but no more than the policy lets it.
 */
export function estimatedTime(context: PrimaryContext): Temporal.Instant {
  const { attestedAt, clockAt } = knownTime(context);
  const elapsedMs = context.surroundings.clock.now().epochMilliseconds - clockAt.epochMilliseconds;
  const milliseconds = Math.min(Math.max(elapsedMs, 0), context.policy.timeMaxAgeMs);
  return attestedAt.add({ milliseconds });
}

/** Finds the Director's Root in force; from the factory on it is the pinned one. */
function directorRoot({ state, bundle }: PrimaryContext): Trusted<Root> {
  const bytes = state.metadata.load('director', 'root') ?? bundle.pinnedRoots.director;
  return anchorRoot(decodeRoot(AKTUALIZR, bytes, limits.ROOT_MAX_BYTES));
}

/** A dropped answer is the network's; a wrong one is the verifier's to judge. */
async function fetchAttestation(
  context: PrimaryContext,
  nonces: readonly string[],
): Promise<Uint8Array | undefined> {
  try {
    const { status, bytes } = await requestSmall(context.network(), {
      method: 'POST',
      url: context.bundle.gatewayOrigin + DEVICE_PATHS.time,
      headers: { 'content-type': 'application/json' },
      body: utf8(JSON.stringify({ nonces })),
      lengthMaxBytes: TIME_ATTESTATION_MAX_BYTES,
    });
    return status === 200 ? bytes : undefined;
  } catch (error) {
    if (!(error instanceof VehicleFault) || error.code === 'CLOSED') throw error;
    noteAttack(context, error);
    return undefined;
  }
}

/**
 * Walks the Director's Root on, so that a time source with new keys can be trusted. Its expiry is
 * judged by the carried time; the cycle that follows judges it again by the attested one.
 */
async function advanceDirectorRoot(context: PrimaryContext, source: MetadataSource): Promise<void> {
  const session = new RepositorySession({
    repository: 'director',
    dialect: AKTUALIZR,
    now: knownTime(context).attestedAt,
    pinnedRoot: context.bundle.pinnedRoots.director,
    chain: 'full',
  });
  await runWorkflow(session.refreshRoot(), performFrom(context, source));
}

function isKeyMismatch(error: unknown): boolean {
  return (
    error instanceof UptaneFault && ['SIGNATURE_THRESHOLD', 'ROLE_UNKNOWN'].includes(error.code)
  );
}

/** Tells key sets of the time source apart {uptane G5}: a rotation ends the reign of the old floor. */
function timeKeysOf({ body }: Trusted<Root>): string {
  const role = body.roles.get('time');
  const identities = [...(role?.keyIds ?? [])].map((id) => body.keys.get(id)?.identity ?? id);
  return createHash('sha256')
    .update(`${role?.threshold ?? 0}:${identities.toSorted().join()}`)
    .digest('hex');
}
