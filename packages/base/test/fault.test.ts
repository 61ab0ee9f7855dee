import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertThat, Fault, findFaultCode, InputFault, unreachable } from '@immota/base';

describe('Fault', () => {
  it('carries its code, its message and what lies beneath', () => {
    const cause = new TypeError('beneath');
    const fault = new InputFault('JSON_LIMIT', 'Cannot read JSON: too long', { cause });
    assert.deepEqual(
      [fault.name, fault.code, fault.message, fault.cause],
      ['InputFault', 'JSON_LIMIT', 'Cannot read JSON: too long', cause],
    );
    assert.ok(fault instanceof Fault && fault instanceof Error);
  });
});

describe('findFaultCode()', () => {
  it('finds the code of a Fault and of nothing else', () => {
    assert.equal(findFaultCode(new InputFault('JSON_LIMIT', 'Cannot read')), 'JSON_LIMIT');
    const system = Object.assign(new TypeError('x'), { code: 'ENOENT' });
    for (const other of [system, { code: 'X' }, undefined]) {
      assert.equal(findFaultCode(other), undefined);
    }
  });
});

describe('assert()', () => {
  it('lets a true condition pass', () => {
    assert.doesNotThrow(() => assertThat(true, 'one is one'));
  });
  it('ends a false one with its statement, as no Fault', () => {
    const expected = { name: 'AssertionFailure', message: 'one is two' };
    assert.throws(() => assertThat(false, 'one is two'), expected);
    assert.throws(
      () => assertThat(false, 'x'),
      (error) => !(error instanceof Fault),
    );
  });
});

describe('unreachable()', () => {
  it('names the value that no case foresaw', () => {
    const value = 'purple' as never;
    assert.throws(() => unreachable(value), {
      name: 'AssertionFailure',
      message: 'unreachable: purple',
    });
  });
});
