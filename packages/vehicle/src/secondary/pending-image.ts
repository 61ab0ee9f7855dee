/**
 * What verified metadata assign to this ECU and it does not run yet. Kept, so that a transfer goes on
 * after a restart; written from a VerifiedAssignment and from nothing else.
 */
import {
  type HashFunction,
  type Hashes,
  parseDigest,
  parseTargetName,
  type VerifiedAssignment,
} from '@immota/uptane';
import { z } from 'zod';
import { jsonValue } from '../primary/json-value.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import { keepRxswins, readRxswins, rxswinsSchema } from '../state/rxswins.ts';
import type { SecondaryContext } from './secondary-context.ts';

/** An image that this ECU may pull. */
export interface PendingImage {
  readonly image: SlotImage;
  /** Undefined for an image that comes in the clear. */
  readonly encryption:
    | {
        readonly lengthBytes: number;
        readonly method: string;
        readonly key: PendingKey | undefined;
      }
    | undefined;
}

/** Its content key, wrapped for this ECU. */
export interface PendingKey {
  readonly method: string;
  readonly wrapped: Uint8Array;
}

const IMAGE = z.object({
  name: z.string(),
  lengthBytes: z.int(),
  hashes: z.object({ sha256: z.string().nullable(), sha512: z.string().nullable() }),
  releaseCounter: z.int(),
  encryption: z
    .object({
      lengthBytes: z.int(),
      method: z.string(),
      key: z.object({ method: z.string(), wrapped: z.base64() }).nullable(),
    })
    .nullable(),
  /** Signed beside it; null where nothing is said of them. */
  rxswins: rxswinsSchema.nullable().default(null),
});

const PENDING = jsonValue('pending-image', IMAGE);
/** What was assigned when the image that is final was made so. */
const FINAL = jsonValue('final-image', IMAGE);

/** Finds what is assigned. */
export function findPending({ state }: SecondaryContext): PendingImage | undefined {
  return readImage(state.values.load(PENDING));
}

/**
 * Finds the image that was final last, with what opens it: an ECU with one bank may be given it again
 * for as long as no other is final. It was verified, and ran, in this very ECU.
 */
export function findFinal({ state }: SecondaryContext): PendingImage | undefined {
  return readImage(state.values.load(FINAL));
}

/** What is assigned has become final: durable together. */
export function keepFinal(context: SecondaryContext): void {
  const { state } = context;
  const record = state.values.load(PENDING);
  const pending = readImage(record);
  if (record === undefined || pending === undefined) return;
  state.transaction(() => {
    keepRxswins(context, pending.image, record.rxswins ?? undefined);
    state.values.save(FINAL, record);
    state.values.remove(PENDING);
  });
}

function readImage(record: z.infer<typeof IMAGE> | undefined): PendingImage | undefined {
  if (record === undefined) return undefined;
  const { name, lengthBytes, releaseCounter, encryption } = record;
  const hashes = hashesOf(record.hashes);
  return {
    image: { name: parseTargetName(name), lengthBytes, hashes, releaseCounter },
    encryption:
      encryption === null
        ? undefined
        : {
            lengthBytes: encryption.lengthBytes,
            method: encryption.method,
            key:
              encryption.key === null
                ? undefined
                : {
                    method: encryption.key.method,
                    wrapped: Uint8Array.fromBase64(encryption.key.wrapped),
                  },
          },
  };
}

/** Remembers what verified metadata assign; undefined when they assign nothing new. */
export function savePending(
  { state }: SecondaryContext,
  assignment: VerifiedAssignment | undefined,
): void {
  if (assignment === undefined) {
    state.values.remove(PENDING);
    return;
  }
  const { name, file, releaseCounter } = assignment;
  const { lengthBytes, hashes, encrypted } = file;
  const { wrappedKey } = assignment.assignment;
  const rxswins = readRxswins(file.custom);
  state.values.save(PENDING, {
    name,
    lengthBytes,
    hashes: { sha256: hashes.get('sha256') ?? null, sha512: hashes.get('sha512') ?? null },
    releaseCounter,
    encryption:
      encrypted === undefined
        ? null
        : {
            lengthBytes: encrypted.lengthBytes,
            method: encrypted.method,
            key:
              wrappedKey === undefined
                ? null
                : { method: wrappedKey.method, wrapped: wrappedKey.value.toBase64() },
          },
    rxswins: rxswins === undefined ? null : [...rxswins],
  });
}

function hashesOf({ sha256, sha512 }: Readonly<Record<HashFunction, string | null>>): Hashes {
  const hashes = new Map<HashFunction, string>();
  if (sha256 !== null) hashes.set('sha256', parseDigest('sha256', sha256));
  if (sha512 !== null) hashes.set('sha512', parseDigest('sha512', sha512));
  return hashes;
}
