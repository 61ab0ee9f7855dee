/**
 * What an installation came to, in the state until the Director has heard of it {uptane J4}: what was
 * assigned, how each ECU fared, and how often each assignment has failed.
 */
import type { JsonObject } from '@immota/base';
import {
  type AssignedTarget,
  type EcuVersionReport,
  hashesAgree,
  type Measurement,
  parseEcuIdentifier,
  type TargetName,
  type VerifiedAssignment,
} from '@immota/uptane';
import { z } from 'zod';
import { JOURNAL_MAX } from '../state/limits.ts';
import { type EcuResult, isFailure } from '../transaction/results.ts';
import type { HeldBack } from './campaign-policy.ts';
import type { PrimaryContext } from './context.ts';
import { queueEvent } from './event-queue.ts';
import { jsonValue } from './json-value.ts';

/** Assignments that are remembered as failed; a vehicle has at most 256 ECUs. */
const FAILURES_MAX = 512;
const CONTENT_TYPE = 'application/vnd.com.here.otac.installationReport.v1';

/** What was to be installed together. */
export interface Installation {
  readonly correlationId: string;
  readonly ecus: readonly {
    readonly ecu: string;
    readonly hardware: string;
    readonly name: string;
    readonly sha256: string;
  }[];
}

const outcomeSchema = z.object({
  correlationId: z.string(),
  items: z.array(
    z.object({
      ecu: z.string(),
      hardware: z.string(),
      code: z.string(),
      description: z.string(),
    }),
  ),
});

const OUTCOME = jsonValue('outcome', outcomeSchema);

/** An outcome that the Director has not heard of. */
export type Outcome = z.infer<(typeof OUTCOME)['schema']>;

/** What an installation came to, as the journal keeps it. */
export interface ConcludedInstallation extends Outcome {
  readonly sequence: number;
}

const FAILURES = jsonValue(
  'failures',
  z.array(z.object({ assignment: z.string(), count: z.int() })),
);

const WAITING = jsonValue(
  'waiting',
  z.object({
    correlationId: z.string(),
    state: z.string(),
    detail: z.string(),
    /** Of a campaign that holds its update back. */
    measured: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  }),
);

/** Describes what an offer assigns. */
export function newInstallation(
  correlationId: string,
  assignments: readonly VerifiedAssignment[],
): Installation {
  return {
    correlationId,
    ecus: assignments.map(({ ecuIdentifier, hardwareIdentifier, name, file }) => ({
      ecu: ecuIdentifier,
      hardware: hardwareIdentifier,
      name,
      sha256: digestOf(file),
    })),
  };
}

/**
 * Ends an installation: what each ECU came to is kept until the Director has it, failures are
 * counted so that nothing is tried for ever.
 */
export function concludeInstallation(
  context: PrimaryContext,
  installation: Installation,
  results: readonly EcuResult[],
): void {
  const { state, onProgress } = context;
  const byEcu = new Map<string, EcuResult>(results.map((result) => [result.ecu, result]));
  state.transaction(() => {
    const items = installation.ecus.map(({ ecu, hardware }) => {
      const { code, description } = byEcu.get(ecu) ?? {
        code: 'OPERATION_CANCELLED',
        description: 'Another ECU of the update failed',
      };
      return { ecu, hardware, code, description };
    });
    state.values.save(OUTCOME, { correlationId: installation.correlationId, items });
    for (const ecu of installation.ecus) {
      const result = byEcu.get(ecu.ecu);
      // An ECU that was only taken back has nothing against the image.
      if (result !== undefined && isFailure(result)) countFailure(context, installation, ecu);
      queueEvent(context, 'EcuInstallationCompleted', {
        ecu: ecu.ecu,
        correlationId: installation.correlationId,
        success: result?.code === 'OK',
        code: result?.code ?? 'OPERATION_CANCELLED',
      });
    }
    state.values.remove(WAITING);
    state.journal.append('installation', { correlationId: installation.correlationId, items });
  });
  for (const { ecu, code, description } of results) {
    onProgress({ kind: 'ecu-result', ecu: parseEcuIdentifier(ecu), code, description });
  }
}

/** Tells how often an assignment has failed in this vehicle. */
export function failuresOf(
  { state }: PrimaryContext,
  correlationId: string,
  { ecuIdentifier, file }: VerifiedAssignment,
): number {
  const key = failureKey(correlationId, ecuIdentifier, digestOf(file));
  return state.values.load(FAILURES)?.find(({ assignment }) => assignment === key)?.count ?? 0;
}

/**
 * Forgets the failures of what is no longer assigned: whoever withdraws an update and assigns it again
 * means it.
 */
export function forgetOldFailures(
  { state }: PrimaryContext,
  correlationId: string,
  assignments: readonly VerifiedAssignment[],
): void {
  const known = state.values.load(FAILURES) ?? [];
  const current = new Set(
    assignments.map(({ ecuIdentifier, file }) =>
      failureKey(correlationId, ecuIdentifier, digestOf(file)),
    ),
  );
  const kept = known.filter(({ assignment }) => current.has(assignment));
  if (kept.length < known.length) state.values.save(FAILURES, kept);
}

/** Finds what the Director has not heard of. */
export function findOutcome({ state }: PrimaryContext): Outcome | undefined {
  return state.values.load(OUTCOME);
}

/** Lists what installations came to, oldest first, behind a number of the journal. */
export function listInstallations(
  { state }: PrimaryContext,
  afterSequence: number,
): readonly ConcludedInstallation[] {
  return state.journal.list(afterSequence, JOURNAL_MAX).flatMap(({ sequence, kind, body }) => {
    const parsed = kind === 'installation' ? outcomeSchema.safeParse(body) : undefined;
    return parsed?.success === true ? [{ sequence, ...parsed.data }] : [];
  });
}

/** Forgets an outcome that the Director has accepted; a newer one stays. */
export function forgetOutcome({ state }: PrimaryContext, told: Outcome): void {
  state.transaction(() => {
    if (JSON.stringify(state.values.load(OUTCOME)) === JSON.stringify(told)) {
      state.values.remove(OUTCOME);
    }
  });
}

/** Remembers why an update does not go on, for the next manifest; undefined when it does. */
export function saveWaiting(
  { state }: PrimaryContext,
  waiting:
    | {
        readonly correlationId: string;
        readonly state: string;
        readonly detail: string;
        readonly measured?: HeldBack['measured'];
      }
    | undefined,
): void {
  if (waiting !== undefined) state.values.save(WAITING, { measured: {}, ...waiting });
  else if (state.values.load(WAITING) !== undefined) state.values.remove(WAITING);
}

/** What a manifest says under `custom.progress` while an update waits. */
export function waitingObject({ state }: PrimaryContext): JsonObject | undefined {
  const waiting = state.values.load(WAITING);
  if (waiting === undefined) return undefined;
  const { correlationId, state: reason, detail, measured } = waiting;
  return { progress: { correlationId, state: reason, measured: { detail, ...measured } } };
}

/** An outcome in the shape that the dialect's Directors read. */
export function installationReport({ correlationId, items }: Outcome): JsonObject {
  const failed = items.filter(({ code }) => code !== 'OK');
  const success = failed.length === 0;
  // Of several the one that somebody has to go to.
  const worst = failed.find(({ code }) => code === 'WORKSHOP_REQUIRED') ?? failed[0];
  const deviceCode =
    items.length === 1
      ? (failed[0]?.code ?? 'OK')
      : failed.map(({ hardware, code }) => `${hardware}:${code}`).join('|') || 'OK';
  return {
    content_type: CONTENT_TYPE,
    report: {
      correlation_id: correlationId,
      raw_report: success ? 'Installation successful' : 'Installation failed',
      result: {
        success,
        code: deviceCode,
        description: success
          ? 'Device has been successfully installed'
          : (worst?.description ?? ''),
      },
      items: items.map(({ ecu, code, description }) => ({
        ecu,
        result: { success: code === 'OK', code, description },
      })),
    },
  };
}

/** Tells whether a report names the image that is assigned. */
export function isInstalled(
  report: EcuVersionReport | undefined,
  target: Pick<AssignedTarget, 'name' | 'file'>,
): boolean {
  return report !== undefined && runs(report, target.name, target.file);
}

/** The digest by which an image is told from others: SHA-256, or SHA-512 where there is no other. */
export function digestOf({ hashes }: Measurement): string {
  return hashes.get('sha256') ?? hashes.get('sha512') ?? '';
}

function runs({ installedImage }: EcuVersionReport, name: TargetName, file: Measurement): boolean {
  return (
    installedImage.name === name &&
    installedImage.lengthBytes === file.lengthBytes &&
    hashesAgree(installedImage.hashes, file.hashes)
  );
}

function countFailure(
  { state }: PrimaryContext,
  { correlationId }: Installation,
  { ecu, sha256 }: Installation['ecus'][number],
): void {
  const assignment = failureKey(correlationId, ecu, sha256);
  const known = state.values.load(FAILURES) ?? [];
  const count = (known.find((entry) => entry.assignment === assignment)?.count ?? 0) + 1;
  const others = known.filter((entry) => entry.assignment !== assignment);
  state.values.save(FAILURES, [...others, { assignment, count }].slice(-FAILURES_MAX));
}

function failureKey(correlationId: string, ecu: string, sha256: string): string {
  return JSON.stringify([correlationId, ecu, sha256]);
}
