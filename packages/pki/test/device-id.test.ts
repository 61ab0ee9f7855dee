import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseDeviceId } from '@immota/pki';

import { refuses } from './support/world.ts';

describe('parseDeviceId()', () => {
  it('takes what fits a common name and a path', () => {
    for (const id of ['veh-1', 'WVWZZZ1JZXW000001', '9', 'a'.repeat(64), 'a.b_c:d-E']) {
      assert.equal(parseDeviceId(id), id);
    }
  });

  it('refuses anything else', async () => {
    for (const id of [
      '',
      'a'.repeat(65),
      '-a',
      '.',
      '..',
      'a b',
      'a/b',
      'a\n',
      'é',
      'a%',
      7,
      undefined,
    ]) {
      await refuses('DEVICE_ID', () => parseDeviceId(id));
    }
  });
});
