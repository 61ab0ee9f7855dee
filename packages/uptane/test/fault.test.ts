import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@immota/base';
import { UptaneFault } from '@immota/uptane';

describe('UptaneFault', () => {
  it('says what, where and why {uptane L5}', () => {
    const cause = new RangeError('beneath');
    const site = { repository: 'image', role: 'snapshot', cause } as const;
    const fault = new UptaneFault('ROLLBACK', 'Cannot trust Snapshot: version 1 after 2', site);
    assert.ok(fault instanceof Fault);
    const { name, code, repository, role, message } = fault;
    assert.deepEqual(
      { name, code, repository, role, message, cause: fault.cause },
      {
        name: 'UptaneFault',
        code: 'ROLLBACK',
        repository: 'image',
        role: 'snapshot',
        message: 'Cannot trust Snapshot: version 1 after 2',
        cause,
      },
    );
  });

  it('knows no place and no cause unless told', () => {
    const fault = new UptaneFault('EXPIRED', 'Cannot use it');
    assert.deepEqual(
      [fault.repository, fault.role, 'cause' in fault],
      [undefined, undefined, false],
    );
  });

  it('keeps the innermost place when it learns of others', () => {
    const cause = new RangeError('beneath');
    const inner = new UptaneFault('EXPIRED', 'Cannot use it', { role: 'brakes', cause });
    const outer = inner.located({ role: 'targets', repository: 'image' });
    assert.deepEqual([outer.role, outer.repository, outer.code], ['brakes', 'image', 'EXPIRED']);
    assert.equal(outer.cause, cause);
    assert.equal(outer.message, inner.message);
    const further = outer.located({ role: 'root', repository: 'director' });
    assert.deepEqual([further.role, further.repository], ['brakes', 'image']);
    const bare = new UptaneFault('EXPIRED', 'Cannot use it');
    const located = bare.located({ role: 'root', repository: 'director' });
    assert.deepEqual([located.role, located.repository], ['root', 'director']);
    assert.equal(located.cause, bare);
  });
});
