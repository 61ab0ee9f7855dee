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
      readonly error?: { readonly failureType?: string };
    };
  };
}

/**
 * Turns the events of a run into lines.
 *
 * @param source - the events, as node:test hands them to a reporter.
 * @yields a TestRecord as JSON, one a line.
 */
export default async function* record(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = lineOf(event);
    if (line !== undefined) yield `${JSON.stringify(line)}\n`;
  }
}

function lineOf(event: TestEvent): TestRecord | undefined {
  const { file, entryFile, name, message = '', skip, todo } = event.data;
  const place = entryFile ?? file ?? '';
  if (event.type === 'test:stderr') {
    return { file: place, name: '', outcome: 'wrote', reason: message };
  }
  if (name === undefined) return undefined;
  const isFile = file !== undefined && resolve(name) === file;
  // A file stands as a test of its own when it broke or hung, or when nothing in it was a test.
  const outcome = isFile && isVerdict(event) ? 'failed' : outcomeOf(event);
  if (outcome === undefined) return undefined;
  const said = [skip, todo].find((reason) => typeof reason === 'string') ?? 'no reason given';
  return { file: place, name, outcome, reason: outcome === 'skipped' ? said : '' };
}

function isVerdict({ type }: TestEvent): boolean {
  return type === 'test:pass' || type === 'test:fail';
}

/** A suite counts only when it broke by itself, in a hook: its tests are counted one by one. */
function outcomeOf(event: TestEvent): TestRecord['outcome'] | undefined {
  if (!isVerdict(event)) return undefined;
  const { type, data } = event;
  const isSuite = data.details?.type === 'suite';
  if (type === 'test:fail') {
    return isSuite && data.details?.error?.failureType === 'subtestsFailed' ? undefined : 'failed';
  }
  const left = [data.skip, data.todo].some((mark) => mark !== undefined && mark !== false);
  if (left) return 'skipped';
  return isSuite ? undefined : 'passed';
}
