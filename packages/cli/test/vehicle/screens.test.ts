import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DEFAULT_AUTHORITY } from '@immota/vehicle';
import { readConsentFile } from '../../src/vehicle/screens.ts';

const folder = mkdtempSync(join(tmpdir(), 'immota-consent-'));
after(() => rmSync(folder, { recursive: true }));

function read(text: string): ReturnType<typeof readConsentFile> {
  writeFileSync(join(folder, 'consent.json'), text);
  return readConsentFile(folder, 'UTC');
}

describe('readConsentFile()', () => {
  it('takes the standing rule and the machine’s clock where there is no file', () => {
    const rules = readConsentFile(folder, 'Europe/Berlin');
    assert.deepEqual(rules, { authority: DEFAULT_AUTHORITY, timeZone: 'Europe/Berlin' });
  });
  it('reads who may decide, and by which clock', () => {
    const steps = ['download', 'install', 'activate'];
    const rules = read(JSON.stringify({ authority: { fleet: steps }, timeZone: 'Asia/Shanghai' }));
    assert.deepEqual([...rules.authority.keys()], ['fleet']);
    assert.equal(rules.timeZone, 'Asia/Shanghai');
    assert.deepEqual(read('{}'), { authority: DEFAULT_AUTHORITY, timeZone: 'UTC' });
  });
  it('refuses what is none: a vehicle runs by no rule that nobody wrote', () => {
    for (const [text, code] of [
      ['[]', 'FILE'],
      ['{"timeZone":"Moon/Base"}', 'FILE'],
      ['{"timeZone":7}', 'FILE'],
      ['{"authority":{"owner":["download"]}}', 'AUTHORITY_MALFORMED'],
      ['{"authority":"owner"}', 'AUTHORITY_MALFORMED'],
    ] as const) {
      assert.throws(() => read(text), { code }, text);
    }
  });
});
