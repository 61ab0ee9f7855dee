/** What a Secondary says it runs {uptane J3} {uptane J4}, signed by its own key. */
import type { JsonObject } from '@immota/base';
import {
  type EcuVersionReport,
  type HashFunction,
  type InstalledImage,
  parseTargetName,
  signReport,
} from '@immota/uptane';
import { z } from 'zod';
import { jsonValue } from '../primary/json-value.ts';
import type { BootHealth } from '../slots/boot-health.ts';
import { findRxswins } from '../state/rxswins.ts';
import { tellAttacks } from './attack-notes.ts';
import type { SecondaryContext } from './secondary-context.ts';
import type { AttestedTime } from './secondary-time.ts';

const REPORT_COUNTER = jsonValue('report-counter', z.int().min(0));
const RELEASE_COUNTER = jsonValue('release-counter', z.int().min(0));

/** What an ECU says that was never programmed, as the dialect's own virtual Secondaries do. */
const NEVER_INSTALLED: InstalledImage = {
  name: parseTargetName('noimage'),
  lengthBytes: 0,
  hashes: new Map<HashFunction, string>([
    ['sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ]),
};

/**
 * Signs a fresh report.
 *
 * @param nonce - the Primary's; it comes back, so that no old report passes for this one.
 */
export async function makeReport(
  context: SecondaryContext,
  nonce: string,
  { attestedAt, previousAt }: AttestedTime,
): Promise<JsonObject> {
  const { state, slots, factory, keys } = context;
  const counter = (state.values.load(REPORT_COUNTER) ?? 0) + 1;
  // Spent before it is used: a counter that comes twice is a replay.
  state.values.save(REPORT_COUNTER, counter);
  const running = slots.findRunning();
  const report: EcuVersionReport = {
    ecuIdentifier: factory.ecuIdentifier,
    installedImage: running ?? NEVER_INSTALLED,
    attacksDetected: tellAttacks(context),
    timeAttested: attestedAt,
    timePrevious: previousAt,
    counter,
    custom: {
      nonce,
      releaseCounter: running?.releaseCounter ?? 0,
      // What runs now may be taken back: a Director must not count it as installed.
      trial: slots.condition().isTrial,
      ...bootObject(context),
      ...rxswinsObject(context),
    },
  };
  return await signReport(report, keys.identity);
}

/** The release below which this ECU installs nothing {uptane K7}: kept twice, the higher one counts. */
export function releaseCounterOf({ state, slots }: SecondaryContext): number {
  const { releaseFloor } = slots.condition();
  return Math.max(releaseFloor, state.values.load(RELEASE_COUNTER) ?? 0);
}

/** Remembers the release that was confirmed, beside the boot record: either alone may be lost. */
export function keepReleaseCounter(context: SecondaryContext): void {
  const counter = releaseCounterOf(context);
  if (context.state.values.load(RELEASE_COUNTER) === counter) return;
  context.state.values.save(RELEASE_COUNTER, counter);
}

/** {R156 7.2.1.2.2}: which approved software it is part of, so that a Director can compare. */
function rxswinsObject(context: SecondaryContext): JsonObject {
  const rxswins = findRxswins(context) ?? context.factoryRxswins;
  return rxswins === undefined ? {} : { rxswins: rxswins.map((one) => ({ ...one })) };
}

/** How the ECU booted, and how the last attempt ended. */
function bootObject({ slots }: SecondaryContext): JsonObject {
  const { running, outcome } = slots.condition();
  const boot = {
    slot: running ?? null,
    health: outcome?.result === 'fell-back' ? 'fallback' : 'healthy',
  };
  if (outcome === undefined) return { boot };
  const { result, image, reason, health } = outcome;
  const examined = health === undefined ? {} : { health: healthObject(health) };
  const lastInstallation = { name: image.name, result, reason, ...examined };
  return { boot, lastInstallation };
}

/** Trouble codes in hex, as workshops read them. */
function healthObject(health: BootHealth): JsonObject {
  const { isSelfTestPassed, troubleCodesBefore, troubleCodesAfter, resets } = health;
  return {
    isSelfTestPassed,
    resets,
    troubleCodesBefore: troubleCodesBefore?.map(troubleCodeText) ?? null,
    troubleCodesAfter: troubleCodesAfter.map(troubleCodeText),
  };
}

function troubleCodeText(code: number): string {
  return code.toString(16).padStart(6, '0');
}
