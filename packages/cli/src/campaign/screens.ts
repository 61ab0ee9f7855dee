/** Campaigns as a terminal shows them. */
import { isJsonObject, type JsonObject, member } from '@immota/base';
import { object, objects, show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

const BAR_WIDTH = 30;

/** A campaign, its waves, and why it holds. */
export function campaignScreen(campaign: JsonObject): string {
  const hold = object(campaign, 'hold');
  const waves = objects(campaign, 'waves');
  return [
    `Campaign ${text(campaign, 'campaignId')}: ${text(campaign, 'name')}`,
    `state ${text(campaign, 'state')}, approval ${text(object(campaign, 'approval'), 'state')}, ` +
      `vehicles: ${show(object(campaign, 'counts')) || 'none yet'}`,
    ...(Object.keys(hold).length === 0
      ? []
      : [
          `HELD since ${text(hold, 'since')} in wave ${text(hold, 'wave')}: ${text(hold, 'explanation')}`,
        ]),
    `content ${text(campaign, 'contentSha256')}`,
    table([
      ['WAVE', 'NAME', 'UP TO', 'STATE', 'VEHICLES', 'COUNTS', 'WAITS FOR'],
      ...waves.map((wave) => [
        text(wave, 'number'),
        text(wave, 'name'),
        permille(wave, 'upToPermille'),
        text(wave, 'state'),
        text(wave, 'vehicles'),
        show(object(wave, 'counts')),
        text(wave, 'waitsFor'),
      ]),
    ]),
  ].join('\n');
}

/** What happens: the funnel with what stops vehicles, and the failure rate against its limit. */
export function liveScreen(live: JsonObject): string {
  const funnel = objects(live, 'funnel');
  const all = Math.max(1, numberOf(funnel[0] ?? {}, 'vehicles'));
  const failures = object(live, 'failures');
  const health = object(live, 'health');
  return [
    ...funnel.map((stage) => {
      const vehicles = numberOf(stage, 'vehicles');
      const stopped = objects(stage, 'stopped')
        .slice(0, 3)
        .map((one) => `${text(one, 'reason')} ${text(one, 'vehicles')}`)
        .join(', ');
      const bar = '█'.repeat(Math.round((vehicles / all) * BAR_WIDTH)).padEnd(BAR_WIDTH, '·');
      return `${text(stage, 'stage').padEnd(10)} ${bar} ${String(vehicles).padStart(9)}  ${stopped}`.trimEnd();
    }),
    `failures ${rate(failures)} of ${text(failures, 'outcomes')} outcomes, limit ` +
      `${percent(numberOf(failures, 'limit'))}: ${text(failures, 'verdict')}`,
    ...(Object.keys(health).length === 0
      ? []
      : [
          `unhealthy: treated ${rate(object(health, 'treated'))}, untouched ` +
            `${rate(object(health, 'control'))}: ${text(health, 'verdict')}`,
        ]),
  ].join('\n');
}

/** Where failures gather. */
export function failuresScreen(rows: readonly JsonObject[]): string {
  return table([
    ['HARDWARE', 'RAN BEFORE', 'OUTCOMES', 'FAILURES', 'CODES', 'FOR INSTANCE'],
    ...rows.map((row) => [
      text(row, 'hardwareId'),
      text(row, 'source'),
      text(row, 'outcomes'),
      text(row, 'failures'),
      show(object(row, 'codes')),
      text(row, 'sample'),
    ]),
  ]);
}

/** Other campaigns that want some of the same vehicles. */
export function conflictsScreen(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'No other live campaign wants any of its vehicles.';
  return rows
    .map((row) => `${text(row, 'name')} (${text(row, 'state')}): ${text(row, 'explanation')}`)
    .join('\n');
}

/** Why vehicles are not updated, one object each. */
export function whyNotScreen(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'No campaign means this vehicle.';
  return rows
    .map((row) =>
      [
        `${text(row, 'campaignName')} (${text(row, 'release')}): ${text(row, 'state')} ${text(row, 'reason')}`.trimEnd(),
        `  ${text(row, 'meaning')} Since ${text(row, 'since')}.`,
        ...(show(object(row, 'measured')) === ''
          ? []
          : [`  Measured: ${show(object(row, 'measured'))}`]),
        `  Next: ${text(row, 'nextStep')} Who: ${text(row, 'actor')}.`,
      ].join('\n'),
    )
    .join('\n');
}

/** A rehearsal, or how far it is. */
export function rehearsalScreen(rehearsal: JsonObject): string {
  const result = object(rehearsal, 'result');
  const head = `Rehearsal ${text(rehearsal, 'state')}: ${text(rehearsal, 'seen')} of ${text(rehearsal, 'total')} vehicles`;
  if (Object.keys(result).length === 0) {
    return [head, text(rehearsal, 'problem')].filter((line) => line !== '').join('\n');
  }
  return [
    head,
    `matched ${text(result, 'matched')}, can be updated ${text(result, 'plannable')}, there already ${text(result, 'alreadyThere')}`,
    ...objects(result, 'blocked').map(
      (one) => `  ${text(one, 'reason')} ${text(one, 'vehicles')}: ${text(one, 'meaning')}`,
    ),
    `bytes ${show(object(result, 'bytes'))}; minutes ${show(object(result, 'minutes'))}; hours to 95 % ${text(result, 'hoursTo95') || 'unknown'}`,
    ...objects(result, 'conflicts').map((one) => `  conflict: ${text(one, 'explanation')}`),
    ...objects(result, 'stranding').map(
      (one) =>
        `  ${text(one, 'isBlocking') === 'true' ? 'STRANDS' : 'note'}: ${text(one, 'detail')}`,
    ),
  ].join('\n');
}

function numberOf(parent: JsonObject, name: string): number {
  const value = member(parent, name);
  return typeof value === 'number' ? value : 0;
}

function permille(parent: JsonObject, name: string): string {
  return percent(numberOf(parent, name) / 1000);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function rate(known: JsonObject): string {
  if (!isJsonObject(known) || Object.keys(known).length === 0) return 'unknown';
  const [estimate, low, high] = ['estimate', 'low', 'high'].map((name) => numberOf(known, name));
  return `${percent(estimate ?? 0)} (${percent(low ?? 0)} to ${percent(high ?? 0)})`;
}
