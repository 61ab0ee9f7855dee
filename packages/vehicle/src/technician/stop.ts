/**
 * Where an update stops for a technician {R156 7.1.4.2}: what the Director's signed metadata ask for, and
 * what the vehicle's maker says of ECUs that people depend on. A stop is part of the transaction's record,
 * so that nothing that is forgotten or withdrawn later opens it.
 */
import { createHash } from 'node:crypto';
import { type JsonObject, member } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';
import { z } from 'zod';
import { LANGUAGES_MAX, TASK_ECUS_MAX, TASK_MAX_CHARACTERS, TASKS_MAX } from './limits.ts';

/**
 * `activate`: everything is downloaded and prepared, and no ECU has changed over. `commit`: every ECU runs
 * its new image on trial, the work is done, and all can still be taken back.
 */
export type TechnicianStep = 'activate' | 'commit';

const text = z.record(z.string().max(35), z.string().max(TASK_MAX_CHARACTERS));
const step = z.enum(['activate', 'commit']);

/** A stop as it is kept. */
export const stopSchema = z.object({
  step,
  /** Of this update, and at work on which the technician stands by. */
  ecus: z.array(z.string()),
  /** What is to be done, each by language. */
  tasks: z.array(text),
});

/** See the head of the file. */
export type TechnicianStop = Readonly<z.infer<typeof stopSchema>>;

/** An image of the update: what the technician agrees to. */
export interface PlannedImage {
  readonly ecu: string;
  readonly name: string;
  readonly sha256: string;
}

const ecuNames = z.array(z.string().max(256)).max(TASK_ECUS_MAX);
/** `technicianGated` and `technician` in the custom part of the Director's Targets. */
const gatedSchema = ecuNames.default([]);
const tasksSchema = z
  .array(
    z.object({
      step,
      ecus: ecuNames,
      task: text.refine((languages) => Object.keys(languages).length <= LANGUAGES_MAX),
    }),
  )
  .max(TASKS_MAX)
  .default([]);

/**
 * Finds where an update has to stop.
 *
 * @param custom - of verified Director Targets. What cannot be read there gates every ECU: a slip of the
 * pen must not take the technician away.
 * @param ecus - of this update; what is asked for others does not concern it.
 * @param needsPerson - whether people depend on an ECU while it does not serve, such as for the doors.
 */
export function findStops(
  custom: JsonObject,
  ecus: readonly string[],
  needsPerson: (ecu: string) => boolean,
): readonly TechnicianStop[] {
  const named = gatedSchema.safeParse(member(custom, 'technicianGated'));
  const asked = tasksSchema.safeParse(member(custom, 'technician'));
  const isReadable = named.success && asked.success;
  const tasks = (asked.data ?? []).filter((task) => task.ecus.some((ecu) => ecus.includes(ecu)));
  const gated = new Set([...(named.data ?? []), ...tasks.flatMap((task) => task.ecus)]);
  const stopping = ecus.filter((ecu) => !isReadable || gated.has(ecu) || needsPerson(ecu));
  if (stopping.length === 0) return [];
  // Whoever is to work on it afterwards is there before: a vehicle does not change over without them.
  const before = {
    step: 'activate',
    ecus: stopping,
    tasks: tasks.map(({ task }) => task),
  } as const;
  const later = tasks.filter((task) => task.step === 'commit');
  if (later.length === 0) return [before];
  const after = {
    step: 'commit',
    ecus: ecus.filter((ecu) => later.some((task) => task.ecus.includes(ecu))),
    tasks: later.map(({ task }) => task),
  } as const;
  return [before, after];
}

/** What binds an approval to a stop: step, ECUs, words and images, whatever their order. */
export function workSha256Of(
  { step: at, ecus, tasks }: TechnicianStop,
  images: readonly PlannedImage[],
): string {
  const work: JsonObject = {
    step: at,
    ecus: [...ecus].toSorted(),
    tasks: tasks.map((task) => ({ ...task })),
    images: images
      .map(({ ecu, name, sha256 }) => ({ ecu, name, sha256 }))
      .toSorted((left, right) => (left.ecu < right.ecu ? -1 : 1)),
  };
  return createHash('sha256').update(encodeCanonical(work, 'escaped')).digest('hex');
}
