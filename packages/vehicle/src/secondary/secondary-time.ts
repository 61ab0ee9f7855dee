/**
 * A Secondary's time {uptane G1} {uptane G5} {uptane G6}: what the time source that the Director's
 * Root names has attested, for a nonce that this ECU drew. Between attestations the ECU's own timer
 * carries it on; it never goes back, but where the time source's keys were changed {uptane G3}.
 */
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
import { z } from 'zod';
import { fetchFromBundle, type MetadataBundle } from '../link/metadata-bundle.ts';
import { jsonValue } from '../primary/json-value.ts';
import type { SecondaryContext } from './secondary-context.ts';

const NONCE_LENGTH_BYTES = 16;

const NONCE = jsonValue('time-nonce', z.string());
const TIME = jsonValue(
  'time',
  z.object({
    attestedAt: z.iso.datetime(),
    previousAt: z.iso.datetime(),
    /** Which keys attested it. */
    keys: z.string(),
  }),
);

/** What an ECU knows of the time. */
export interface AttestedTime {
  readonly attestedAt: Temporal.Instant;
  readonly previousAt: Temporal.Instant;
}

/** The time of one ECU while it runs. */
export class SecondaryTime {
  readonly #context: SecondaryContext;
  /** When, by our own timer, the last attestation came; undefined when it came before this start. */
  #attestedElapsedMs: number | undefined;
  /** Signed by keys that our Root does not know yet; the next metadata may bring a newer Root. */
  #pending: Uint8Array | undefined;

  /** Reads nothing yet. */
  constructor(context: SecondaryContext) {
    this.#context = context;
  }

  /** Tells the last attested time; from the factory on it is the one built in. */
  known(): AttestedTime {
    const { state, factory } = this.#context;
    const record = state.values.load(TIME);
    // Other keys attest now: the last time may have been forged with the lost ones, far ahead.
    if (record === undefined || record.keys !== timeKeysOf(directorRoot(this.#context))) {
      return { attestedAt: factory.builtAt, previousAt: factory.builtAt };
    }
    return {
      attestedAt: Temporal.Instant.from(record.attestedAt),
      previousAt: Temporal.Instant.from(record.previousAt),
    };
  }

  /** Tells the time for verification: the attested one, and what our timer has counted since. */
  now(): Temporal.Instant {
    const { attestedAt } = this.known();
    if (this.#attestedElapsedMs === undefined) return attestedAt;
    const elapsedMs = this.#context.surroundings.timer.elapsedMs() - this.#attestedElapsedMs;
    return attestedAt.add({ milliseconds: Math.max(0, Math.floor(elapsedMs)) });
  }

  /** Draws the nonce that the next attestation has to answer, and keeps it. */
  drawNonce(): string {
    const { state, surroundings } = this.#context;
    const nonce = surroundings.entropy.bytes(NONCE_LENGTH_BYTES).toHex();
    state.values.save(NONCE, nonce);
    return nonce;
  }

  /**
   * Verifies an attestation and keeps its time as the floor of all later ones. Its nonce is spent.
   *
   * @throws UptaneFault TIME_ATTESTATION or SIGNATURE_THRESHOLD; the floor stays as it was.
   */
  accept(attestation: Uint8Array): Temporal.Instant {
    const { state, surroundings, onProgress } = this.#context;
    const root = directorRoot(this.#context);
    const nonce = state.values.load(NONCE);
    if (nonce === undefined) {
      throw new UptaneFault('TIME_ATTESTATION', 'Cannot trust time: nobody asked for it');
    }
    const { attestedAt: floor } = this.known();
    this.#pending = undefined;
    let now: Temporal.Instant;
    try {
      now = verifyTime(attestation, { root, nonce, floor });
    } catch (error) {
      const isShort = attestation.length <= TIME_ATTESTATION_MAX_BYTES;
      if (isShort && isKeyMismatch(error)) this.#pending = Uint8Array.from(attestation);
      throw error;
    }
    state.transaction(() => {
      state.values.save(TIME, {
        attestedAt: now.toString(),
        previousAt: floor.toString(),
        keys: timeKeysOf(root),
      });
      state.values.remove(NONCE);
    });
    this.#attestedElapsedMs = surroundings.timer.elapsedMs();
    onProgress({ kind: 'time-attested', time: now });
    return now;
  }

  /**
   * Looks at a refused attestation again, with the Root that new metadata bring {uptane H2}.
   *
   * @throws UptaneFault as `accept`, or as the Root is refused.
   */
  async acceptPending(bundle: MetadataBundle): Promise<void> {
    const attestation = this.#pending;
    if (attestation === undefined) return;
    this.#pending = undefined;
    const { state, factory } = this.#context;
    const session = new RepositorySession({
      repository: 'director',
      dialect: AKTUALIZR,
      now: this.now(),
      pinnedRoot: factory.directorRoot,
      chain: factory.verification === 'full' ? 'full' : 'targets-only',
    });
    // oxlint-disable-next-line require-await -- the port is asynchronous, bundle and state are not
    await runWorkflow(session.refreshRoot(), async (step) =>
      step.kind === 'fetch' ? fetchFromBundle(bundle, step) : state.metadata.perform(step),
    );
    this.accept(attestation);
  }
}

/** The Director's Root in force, or the one from the factory. It was trusted when it was saved. */
function directorRoot({ state, factory }: SecondaryContext): Trusted<Root> {
  const bytes = state.metadata.load('director', 'root') ?? factory.directorRoot;
  return anchorRoot(decodeRoot(AKTUALIZR, bytes, limits.ROOT_MAX_BYTES));
}

function timeKeysOf({ body }: Trusted<Root>): string {
  const role = body.roles.get('time');
  return JSON.stringify([[...(role?.keyIds ?? [])].toSorted(), role?.threshold ?? 0]);
}

function isKeyMismatch(error: unknown): boolean {
  return (
    error instanceof UptaneFault &&
    (error.code === 'SIGNATURE_THRESHOLD' || error.code === 'ROLE_UNKNOWN')
  );
}
