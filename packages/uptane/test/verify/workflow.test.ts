import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AKTUALIZR,
  metadataFileName,
  parseDelegatedRoleName,
  parseMetadataVersion,
  runWorkflow,
  TARGETS_ROLE,
  TUF,
  type Workflow,
  type WorkflowStep,
} from '@immota/uptane';

const STEP: WorkflowStep = { kind: 'load', repository: 'image', role: 'root' };
const NEXT: WorkflowStep = { kind: 'load', repository: 'image', role: 'snapshot' };

describe('metadataFileName()', () => {
  it('puts the version before the name, except for Timestamp {uptane B16}', () => {
    const version = parseMetadataVersion(7);
    assert.equal(metadataFileName(TUF, { kind: 'root', version: 3 }), '3.root.json');
    assert.equal(metadataFileName(TUF, { kind: 'timestamp' }), 'timestamp.json');
    assert.equal(metadataFileName(TUF, { kind: 'snapshot', version }), '7.snapshot.json');
    assert.equal(metadataFileName(TUF, { kind: 'snapshot', version: undefined }), 'snapshot.json');
    const top = { kind: 'targets', role: TARGETS_ROLE } as const;
    assert.equal(metadataFileName(AKTUALIZR, { ...top, version }), '7.targets.json');
    assert.equal(metadataFileName(AKTUALIZR, { ...top, version: undefined }), 'targets.json');
  });

  it('lets no delegated role climb out of its folder {uptane B17}', () => {
    const version = parseMetadataVersion(7);
    const nameOf = (dialect: typeof TUF, role: string): string =>
      metadataFileName(dialect, { kind: 'targets', role: parseDelegatedRoleName(role), version });
    assert.equal(nameOf(TUF, 'supplier'), '7.supplier.json');
    assert.equal(nameOf(AKTUALIZR, 'supplier'), 'delegations/7.supplier.json');
    assert.equal(nameOf(TUF, '../root'), '7...%2Froot.json');
    assert.equal(nameOf(AKTUALIZR, '../../a b'), 'delegations/7...%2F..%2Fa%20b.json');
  });

  it('treats a version below 1 as a bug of the caller', () => {
    const version = 0 as ReturnType<typeof parseMetadataVersion>;
    assert.throws(() => metadataFileName(TUF, { kind: 'snapshot', version }), {
      name: 'AssertionFailure',
    });
  });
});

function* twoSteps(): Workflow<string> {
  const first = yield STEP;
  const second = yield NEXT;
  return `${first?.toHex()} ${second?.toHex()}`;
}

describe('runWorkflow()', () => {
  it('performs one step after the other and hands the answers on', async () => {
    const steps: unknown[] = [];
    const result = await runWorkflow(twoSteps(), async (step) => {
      steps.push(step);
      return await Promise.resolve(steps.length === 1 ? Uint8Array.of(1) : undefined);
    });
    assert.equal(result, '01 undefined');
    assert.deepEqual(steps, [STEP, NEXT]);
  });

  it('throws what the cycle refuses with', async () => {
    const refusal = new RangeError('no');
    const workflow = (function* refuse(): Workflow<never> {
      yield STEP;
      throw refusal;
    })();
    await assert.rejects(
      runWorkflow(workflow, async () => await Promise.resolve(undefined)),
      (error) => error === refusal,
    );
  });

  it('throws into the cycle what the performer throws, and lets it go on', async () => {
    const broken = new RangeError('wire cut');
    const workflow = (function* survive(): Workflow<string> {
      try {
        yield STEP;
        return 'never';
      } catch (error) {
        assert.equal(error, broken);
        const answer = yield STEP;
        return `mended ${answer?.length}`;
      }
    })();
    let calls = 0;
    const result = await runWorkflow(workflow, async () => {
      calls += 1;
      if (calls === 1) throw broken;
      return await Promise.resolve(new Uint8Array(2));
    });
    assert.equal(result, 'mended 2');
  });

  it('throws what the performer throws where the cycle does not catch it', async () => {
    const broken = new RangeError('wire cut');
    const fail = async (): Promise<undefined> => await Promise.reject(broken);
    await assert.rejects(runWorkflow(twoSteps(), fail), (error) => error === broken);
  });

  it('comes to its result at once where nothing is asked', async () => {
    let calls = 0;
    const workflow = (function* ask(): Workflow<number> {
      if (calls > 0) yield STEP;
      return 3;
    })();
    const result = await runWorkflow(workflow, async () => {
      calls += 1;
      return await Promise.resolve(undefined);
    });
    assert.deepEqual([result, calls], [3, 0]);
  });
});
