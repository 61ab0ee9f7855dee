/** A reporter of node:test that writes one line of JSON for each test, for `tools/test.ts` to count. */
import { resolve } from 'node:path';

/** What became of one test, or what a file wrote to its standard error meanwhile. */
export interface TestRecord {
  readonly file: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'wrote';
  /** Why it was skipped, or what was written; empty for the others. */
  readonly reason: string;
}

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly file?: string;
    readonly entryFile?: string;
    /** Only what tells of a test has a name. */
    readonly name?: string;
    readonly message?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: {
      readonly type?: string;
      readonly passed?: boolean;
      readonly error?: { readonly failureType?: string };
    };
    /** What was still to be told when the run was interrupted. */
    readonly tests?: readonly { readonly name: string; readonly file?: string }[];
  };
}

/**
 * Turns the events of a run into lines.
 *
 * Tests are counted as they end, since their verdicts come in the order of the files and wait
 * behind one that hangs.
 *
 * @param source - the events, as node:test hands them to a reporter.
 * @yields a TestRecord as JSON, one a line.
 */
export default async function* record(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const ended = new Set<string>();
  for await (const event of source) {
    const { type, data } = event;
    if (type === 'test:complete' && isFile(data)) ended.add(data.file ?? '');
    const hanging = (data.tests ?? []).filter(({ file = '' }) => !ended.has(file));
    const lines = hanging.map(({ name, file = '' }): TestRecord => {
      return { file, name: `${name} did not come to its end`, outcome: 'failed', reason: '' };
    });
    const line = lineOf(event);
    if (line !== undefined) lines.push(line);
    yield lines.map((each) => `${JSON.stringify(each)}\n`).join('');
  }
}

function lineOf({ type, data }: TestEvent): TestRecord | undefined {
  const { file, entryFile, name, message = '' } = data;
  const place = entryFile ?? file ?? '';
  if (type === 'test:stderr') return { file: place, name: '', outcome: 'wrote', reason: message };
  if (name === undefined) return undefined;
  if (isFile(data)) {
    // A file stands as a test of its own when it broke, or when nothing in it was a test.
    const broken = type === 'test:pass' || type === 'test:fail';
    return broken ? { file: place, name, outcome: 'failed', reason: '' } : undefined;
  }
  const outcome = type === 'test:complete' ? outcomeOf(data) : undefined;
  if (outcome === undefined) return undefined;
  const said = [data.skip, data.todo].find((each) => typeof each === 'string');
  const reason = said ?? 'no reason given';
  return { file: place, name, outcome, reason: outcome === 'skipped' ? reason : '' };
}

function isFile({ name, file }: TestEvent['data']): boolean {
  return name !== undefined && file !== undefined && resolve(name) === file;
}

/** A suite counts only when it broke by itself, in a hook: its tests are counted one by one. */
function outcomeOf({ skip, todo, details }: TestEvent['data']): TestRecord['outcome'] | undefined {
  if ([skip, todo].some((mark) => mark !== undefined && mark !== false)) return 'skipped';
  const isSuite = details?.type === 'suite';
  if (details?.passed === true) return isSuite ? undefined : 'passed';
  return isSuite && details?.error?.failureType === 'subtestsFailed' ? undefined : 'failed';
}
