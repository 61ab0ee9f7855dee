/**
 * Bugs that are planted in the ports of the simulation, to see that its eyes are open. The code that is
 * shipped has no such options.
 */
import type { RecordStore, SectorRange, SlotFiles, TransactionRecord } from '@immota/vehicle';

/**
 * What can be planted. `skip-sync`: every third time something is to be made durable, it is not.
 * `one-place`: a boot record is written over the one before it. `skip-journal-sync`: what a T-BOX writes
 * into its journal while ECUs are activated is not made durable. `skip-page-sync`: every third time a page
 * of a bank that is rewritten in place is to be noted, it is not.
 */
export const PLANTS = ['skip-sync', 'one-place', 'skip-journal-sync', 'skip-page-sync'] as const;

const SKIP_EVERY = 3;

/** Records of which some stay in memory. */
export function plantRecords(plant: string | undefined, records: RecordStore): RecordStore {
  if (plant !== 'skip-sync' && plant !== 'skip-page-sync') return records;
  const skips = { record: everyThird(), page: everyThird() };
  return {
    load: async () => records.load(),
    save: async (record) => {
      if (plant !== 'skip-sync' || !skips.record()) await records.save(record);
    },
    saveProgress: async (bank, durableBytes) => records.saveProgress(bank, durableBytes),
    saveRewrite: async (bank, progress) => {
      if (plant !== 'skip-page-sync' || !skips.page()) await records.saveRewrite(bank, progress);
    },
  };
}

function everyThird(): () => boolean {
  let count = 0;
  return () => {
    count += 1;
    return count % SKIP_EVERY === 0;
  };
}

/** The places for records: all of them, or one that stands for all. */
export function plantPlaces(
  plant: string | undefined,
  places: readonly SectorRange[],
): readonly SectorRange[] {
  const [first] = places;
  return plant === 'one-place' && first !== undefined ? [first, first] : places;
}

/** Whether a record of a vehicle's transaction is made durable. */
export function isJournalSynced(plant: string | undefined): (record: TransactionRecord) => boolean {
  return ({ phase }) => plant !== 'skip-journal-sync' || phase !== 'activating';
}

/** Files that are not always synced. */
export function plantFiles(plant: string | undefined, files: SlotFiles): SlotFiles {
  if (plant !== 'skip-sync') return files;
  let count = 0;
  return {
    ...files,
    openToWrite: async (name) => {
      const file = await files.openToWrite(name);
      return {
        ...file,
        sync: async () => {
          count += 1;
          if (count % SKIP_EVERY !== 0) await file.sync();
        },
      };
    },
  };
}
