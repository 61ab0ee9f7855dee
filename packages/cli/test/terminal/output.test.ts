import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliFault } from '../../src/fault.ts';
import { createOutput, reportFailure, table } from '../../src/terminal/output.ts';

function streams(): {
  readonly stdout: { write(text: string): void };
  readonly stderr: { write(text: string): void };
  readonly said: { out: string; err: string };
} {
  const said = { out: '', err: '' };
  return {
    said,
    stdout: {
      write: (text) => {
        said.out += text;
      },
    },
    stderr: {
      write: (text) => {
        said.err += text;
      },
    },
  };
}

describe('createOutput()', () => {
  it('speaks to people in words', () => {
    const { said, ...both } = streams();
    const output = createOutput(false, both);
    output.say('working');
    output.result({ count: 2 }, ({ count }) => `${count} done`);
    assert.deepEqual(said, { out: 'working\n2 done\n', err: '' });
  });
  it('speaks to programs in one JSON value, and of nothing else', () => {
    const { said, ...both } = streams();
    const output = createOutput(true, both);
    output.say('working');
    output.result({ count: 2 }, () => 'unused');
    assert.deepEqual(JSON.parse(said.out), { count: 2 });
  });
});

describe('reportFailure()', () => {
  it('names the code of a refusal and ends with 1', () => {
    const { said, ...both } = streams();
    assert.equal(reportFailure(new CliFault('USAGE', 'Cannot do it'), false, both), 1);
    assert.equal(said.err, 'immota: Cannot do it [USAGE]\n');
  });
  it('gives a refusal as JSON where JSON was asked for', () => {
    const { said, ...both } = streams();
    reportFailure(new CliFault('USAGE', 'Cannot do it'), true, both);
    assert.deepEqual(JSON.parse(said.out), { code: 'USAGE', message: 'Cannot do it' });
  });
  it('calls anything else a bug and ends with 70', () => {
    const { said, ...both } = streams();
    assert.equal(reportFailure(new TypeError('oops'), false, both), 70);
    assert.match(said.err, /this is a bug/);
  });
});

describe('table()', () => {
  it('lays cells out in columns', () => {
    assert.equal(
      table([
        ['A', 'LONG'],
        ['aaa', 'b'],
        ['c', 'd'],
      ]),
      'A    LONG\naaa  b\nc    d',
    );
  });
});
