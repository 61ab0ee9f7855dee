/** A reporter of node:test that writes one line of JSON for each test, for `tools/test.ts` to count. */

/** What became of one test. */
export interface TestRecord {
  readonly file: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped; empty for the others. */
  readonly reason: string;
}

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly file?: string;
    readonly entryFile?: string;
    readonly name: string;
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
    const outcome = outcomeOf(event);
    if (outcome === undefined) continue;
    const { file, entryFile, name, skip, todo } = event.data;
    const said = [skip, todo].find((reason) => typeof reason === 'string');
    const reason = outcome === 'skipped' ? (said ?? 'no reason given') : '';
    const line: TestRecord = { file: entryFile ?? file ?? '', name, outcome, reason };
    yield `${JSON.stringify(line)}\n`;
  }
}

/** A suite counts only when it broke by itself, in a hook: its tests are counted one by one. */
function outcomeOf({ type, data }: TestEvent): TestRecord['outcome'] | undefined {
  if (type !== 'test:pass' && type !== 'test:fail') return undefined;
  const isSuite = data.details?.type === 'suite';
  if (type === 'test:fail') {
    return isSuite && data.details?.error?.failureType === 'subtestsFailed' ? undefined : 'failed';
  }
  const left = [data.skip, data.todo].some((mark) => mark !== undefined && mark !== false);
  if (left) return 'skipped';
  return isSuite ? undefined : 'passed';
}
