/**
 * Takes manifests in: read, verified, held against the inventory, and durable before the vehicle
 * hears of it {uptane E1} {uptane E3}.
 */
import { createHash } from 'node:crypto';
import { equalBytes } from '@immota/base';
import { type Batcher, createBatcher } from '@immota/store';
import { decodeManifest, UptaneFault, verifyManifest } from '@immota/uptane';
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { EcuKeyCache } from '../inventory/ecu-key.ts';
import { loadVehicles, type VehicleRecord } from '../inventory/vehicle-record.ts';
import { BATCH_ITEMS, BATCH_PENDING_MAX, GATHER_MS, MANIFEST_ATTEMPTS_MAX } from '../limits.ts';
import { type Assessment, assessManifest } from './assess.ts';
import type { ReportObserver } from './ports.ts';
import { type CheckIn, saveCheckIns } from './save-check-ins.ts';

/** What an accepted manifest leaves behind. */
export interface AcceptedManifest {
  readonly record: VehicleRecord;
  /** Undefined when it was the same manifest again. */
  readonly assessment: Assessment | undefined;
}

/** Takes manifests in. */
export interface ManifestIntake {
  /**
   * Accepts a manifest.
   *
   * @param vehicleId - as the connection's certificate names it {uptane E6}.
   * @param body - as it came.
   * @throws UptaneFault MALFORMED, LIMIT, SIGNATURE_DUPLICATE, ECU_UNKNOWN, REPORT_SIGNATURE, REPORT_REPLAY;
   * CloudFault NOT_REGISTERED, VEHICLE_MISMATCH, MANIFEST_CONFLICT; StoreFault. Then nothing changed but
   * the record of the refusal.
   */
  accept(vehicleId: string, body: Uint8Array): Promise<AcceptedManifest>;
  close(): Promise<void>;
}

/** Codes that tell of a forged or replayed manifest, and the event that records each. */
export const SUSPICIOUS: ReadonlyMap<string, 'manifest.refused' | 'report.replayed'> = new Map([
  ['REPORT_SIGNATURE', 'manifest.refused'],
  ['ECU_UNKNOWN', 'manifest.refused'],
  ['VEHICLE_MISMATCH', 'manifest.refused'],
  ['SIGNATURE_DUPLICATE', 'manifest.refused'],
  ['MALFORMED', 'manifest.refused'],
  ['LIMIT', 'manifest.refused'],
  ['REPORT_REPLAY', 'report.replayed'],
]);

/**
 * Opens the intake.
 *
 * @param cache - of ECU keys.
 * @param observer - told inside the transaction that stores a manifest.
 */
export function openManifestIntake(
  context: CloudContext,
  { cache, observer }: { readonly cache: EcuKeyCache; readonly observer: ReportObserver },
): ManifestIntake {
  const reading = createBatcher<string, VehicleRecord | undefined>({
    maxItems: BATCH_ITEMS,
    maxDelayMs: GATHER_MS,
    maxPending: BATCH_PENDING_MAX,
    maxFlushes: 2,
    flush: async (ids) => {
      const records = await loadVehicles(context.database.kysely, [...new Set(ids)], cache);
      return ids.map((id) => records.get(id));
    },
  });
  const writing: Batcher<CheckIn, boolean> = createBatcher<CheckIn, boolean>({
    maxItems: BATCH_ITEMS,
    maxDelayMs: GATHER_MS,
    maxPending: BATCH_PENDING_MAX,
    flush: (checkIns) => saveDistinct(context, observer, checkIns),
  });
  const attempt = async (vehicleId: string, body: Uint8Array): Promise<AcceptedManifest> => {
    const manifest = decodeManifest(body);
    const sha256 = createHash('sha256').update(body).digest();
    for (let attempts = 0; attempts < MANIFEST_ATTEMPTS_MAX; attempts += 1) {
      const record = await reading.add(vehicleId);
      if (record?.keys === undefined) {
        throw new CloudFault('NOT_REGISTERED', `Cannot accept manifest: register ECUs first`);
      }
      // The answer to this very manifest was lost on its way: it is no replay.
      if (
        record.lastManifestSha256 !== undefined &&
        equalBytes(record.lastManifestSha256, sha256)
      ) {
        return { record, assessment: undefined };
      }
      const verified = verifyManifest(manifest, record.keys);
      const assessment = assessManifest(record, verified, context.clock.now());
      if (await writing.add({ assessment, sha256 })) return { record, assessment };
    }
    throw new CloudFault('MANIFEST_CONFLICT', 'Cannot accept manifest: others came in between');
  };
  return {
    async accept(vehicleId, body) {
      try {
        return await attempt(vehicleId, body);
      } catch (error) {
        await recordRefusal(context, vehicleId, error);
        throw error;
      }
    },
    async close() {
      await reading.close();
      await writing.close();
    },
  };
}

/** Two manifests of one vehicle in one batch: the second finds the first's revision and is tried again. */
async function saveDistinct(
  context: CloudContext,
  observer: ReportObserver,
  checkIns: readonly CheckIn[],
): Promise<readonly boolean[]> {
  const first = new Map<string, CheckIn>();
  for (const checkIn of checkIns) {
    if (!first.has(checkIn.assessment.vehicleId)) first.set(checkIn.assessment.vehicleId, checkIn);
  }
  const chosen = [...first.values()];
  const saved = await saveCheckIns(context, observer, chosen);
  const outcome = new Map(chosen.map((checkIn, index) => [checkIn, saved[index] ?? false]));
  return checkIns.map((checkIn) => outcome.get(checkIn) ?? false);
}

async function recordRefusal(
  context: CloudContext,
  vehicleId: string,
  error: unknown,
): Promise<void> {
  if (!(error instanceof UptaneFault || error instanceof CloudFault)) return;
  const kind = SUSPICIOUS.get(error.code);
  if (kind === undefined) return;
  const at = context.clock.now();
  const event = { stream: vehicleId, kind, at, body: { code: error.code } };
  await committed(context.database, (tx) => context.events.append(tx, [event]));
}
