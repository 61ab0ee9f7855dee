/**
 * Where a release asks for a technician {R156 7.1.4.2}: by hardware in the signed release, by ECU in what
 * the Director signs for one vehicle.
 */
import { z } from '@hono/zod-openapi';
import type { JsonObject } from '@immota/base';
import {
  type EcuIdentifier,
  type HardwareIdentifier,
  parseHardwareIdentifier,
} from '@immota/uptane';

const TASKS_MAX = 64;
const LANGUAGES_MAX = 64;

/** Reads what a release says of technicians. */
export const technicianSchema: z.ZodType<readonly TechnicianText[]> = z
  .array(
    z.object({
      hardwareId: z.string(),
      step: z.enum(['activate', 'commit']),
      task: z
        .record(z.string().max(35), z.string().max(2000))
        .refine((task) => Object.keys(task).length <= LANGUAGES_MAX),
    }),
  )
  .max(TASKS_MAX);

interface TechnicianText {
  readonly hardwareId: string;
  readonly step: 'activate' | 'commit';
  readonly task: Readonly<Record<string, string>>;
}

/** Work that a vehicle does not do by itself. */
export interface TechnicianTask {
  readonly hardwareIdentifier: HardwareIdentifier;
  /** `activate`: before anything changes over. `commit`: besides, before all of it becomes final. */
  readonly step: 'activate' | 'commit';
  /** In words, by language tag. */
  readonly task: Readonly<Record<string, string>>;
}

/** An ECU of a vehicle, as far as tasks concern it. */
interface TaskedEcu {
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
}

/** Reads tasks. @throws UptaneFault MALFORMED for hardware that is none. */
export function readTasks(tasks: readonly TechnicianText[] = []): readonly TechnicianTask[] {
  return tasks.map(({ hardwareId, step, task }) => {
    return { hardwareIdentifier: parseHardwareIdentifier(hardwareId), step, task };
  });
}

/**
 * Puts a release's tasks into the words of a vehicle's own metadata.
 *
 * @param images - what the vehicle gets: a task for an ECU that gets nothing is none.
 * @returns members of `custom`; empty when the vehicle does it by itself.
 */
export function technicianCustom(
  tasks: readonly TechnicianTask[],
  ecus: readonly TaskedEcu[],
  images: ReadonlyMap<EcuIdentifier, unknown>,
): JsonObject {
  const touched = ecus.filter(({ ecuIdentifier }) => images.has(ecuIdentifier));
  const technician = tasks.flatMap(({ hardwareIdentifier, step, task }) => {
    const named = touched
      .filter((ecu) => ecu.hardwareIdentifier === hardwareIdentifier)
      .map((ecu) => ecu.ecuIdentifier)
      .toSorted();
    return named.length === 0 ? [] : [{ step, ecus: named, task: { ...task } }];
  });
  if (technician.length === 0) return {};
  const technicianGated = [...new Set(technician.flatMap((task) => task.ecus))].toSorted();
  return { technicianGated, technician };
}
