/**
 * What ECUs have shown: how fast they took images and how long they booted. The last few of each; from
 * these the middle one, and how far the others lie from it, so that one strange night does not count.
 */
import { z } from 'zod';

/** Observations that are kept of each kind: an odd number has a middle. */
const KEPT = 9;
/** A vehicle has at most 256 ECUs. */
const ECUS_MAX = 256;
/** From the median of deviations to a standard deviation, where chance is normal. */
const MAD_TO_SIGMA = 1.4826;
/** Two standard deviations to each side, and never less than a tenth: a lucky series proves little. */
const SIGMAS = 2;
const SPREAD_MIN = 0.1;

const ecuSchema = z.object({
  ecu: z.string(),
  bytesPerSecond: z.array(z.number().positive()),
  bootMs: z.array(z.number().min(0)),
});

/** Describes an experience in the state. */
export const experienceSchema: z.ZodArray<typeof ecuSchema> = z.array(ecuSchema);

/** See the head of the file. */
export type Experience = z.infer<typeof experienceSchema>;

/** Something that was seen. */
export interface Observation {
  readonly ecu: string;
  readonly kind: 'bytesPerSecond' | 'bootMs';
  readonly value: number;
}

/** A figure with the range in which it is to be expected. */
export interface Estimate {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

/** Adds what was seen; the oldest gives way. */
export function learn(experience: Experience, { ecu, kind, value }: Observation): Experience {
  if (!Number.isFinite(value) || value <= 0) return experience;
  const known = experience.find((one) => one.ecu === ecu) ?? {
    ecu,
    bytesPerSecond: [],
    bootMs: [],
  };
  const next = { ...known, [kind]: [...known[kind], value].slice(-KEPT) };
  return [...experience.filter((one) => one.ecu !== ecu), next].slice(-ECUS_MAX);
}

/** Estimates a figure of an ECU; undefined when it was never seen. */
export function estimate(
  experience: Experience,
  ecu: string,
  kind: Observation['kind'],
): Estimate | undefined {
  const values = experience.find((one) => one.ecu === ecu)?.[kind] ?? [];
  if (values.length === 0) return undefined;
  const likely = median(values);
  const deviation = MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - likely)));
  const spread = Math.max(SIGMAS * deviation, SPREAD_MIN * likely);
  // A rate is never foretold as nothing: half of the middle is as low as this goes.
  return { low: Math.max(likely / 2, likely - spread), likely, high: likely + spread };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
