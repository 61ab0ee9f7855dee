/** Tells what was checked, what failed and what did not run. */
import type { Missing } from './needs.ts';
import type { TestRecord } from './record.ts';

/** The outcome of one suite, or of one package of a shared one. */
export interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Titles of what failed. */
  readonly failures: readonly string[];
  /** Titles and reasons of what did not run. */
  readonly notRun: readonly string[];
}

/** More rows than this in one list help nobody. */
const LIST_MAX = 50;

/**
 * Counts the records of a suite.
 *
 * @param name - the suite's.
 * @param records - one for each test.
 * @param seconds - how long the whole took.
 */
export function countRecords(
  name: string,
  records: readonly TestRecord[],
  seconds: number,
): Outcome {
  const of = (outcome: TestRecord['outcome']): readonly TestRecord[] =>
    records.filter((record) => record.outcome === outcome);
  return {
    name,
    seconds,
    passed: of('passed').length,
    failed: of('failed').length,
    skipped: of('skipped').length,
    failures: of('failed').map(({ name: title }) => title),
    notRun: of('skipped').map(({ name: title, reason }) => `${title}: ${reason}`),
  };
}

/**
 * Renders the end of the run. Its last line is for machines: `N passed, N failed, N skipped`.
 *
 * @param outcomes - of every suite, in order.
 * @param missing - what the machine lacks.
 */
export function renderReport(outcomes: readonly Outcome[], missing: readonly Missing[]): string {
  const width = Math.max(12, ...outcomes.map(({ name }) => name.length));
  const rows = outcomes.map(({ name, passed, failed, skipped, seconds }) =>
    [
      name.padEnd(width),
      ...[passed, failed, skipped].map((count) => String(count).padStart(8)),
      seconds.toFixed(1).padStart(9),
    ].join(''),
  );
  const head = `${'suite'.padEnd(width)}  passed  failed not run  seconds`;
  const total = (of: 'passed' | 'failed' | 'skipped'): number =>
    outcomes.reduce((sum, outcome) => sum + outcome[of], 0);
  return [
    '',
    head,
    '-'.repeat(head.length),
    ...rows,
    ...list('Failed:', outcomes, ({ failures }) => failures),
    ...list('Not run:', outcomes, ({ notRun }) => notRun),
    ...(missing.length === 0 ? [] : ['', 'Missing on this machine:']),
    ...missing.map(({ name, reason }) => `  ${name}: ${reason}`),
    '',
    `${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`,
  ].join('\n');
}

function list(
  head: string,
  outcomes: readonly Outcome[],
  pick: (outcome: Outcome) => readonly string[],
): readonly string[] {
  const lines = outcomes.flatMap((outcome) =>
    pick(outcome).map((text) => `  ${outcome.name}: ${text}`),
  );
  if (lines.length === 0) return [];
  const rest = lines.length > LIST_MAX ? [`  … and ${lines.length - LIST_MAX} more`] : [];
  return ['', head, ...lines.slice(0, LIST_MAX), ...rest];
}
