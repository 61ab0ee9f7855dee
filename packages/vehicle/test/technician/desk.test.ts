import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  handInApproval,
  openFolderDesk,
  readTechnicianAnswer,
  readTechnicianRequest,
  type TechnicianRequest,
} from '@immota/vehicle';
import { makeFolder } from '../support/folder.ts';
import { sha256Of } from '../support/technician.ts';

const REQUEST: TechnicianRequest = {
  vehicle: 'WVWZZZ1',
  correlationId: 'c-1',
  stop: { step: 'commit', ecus: ['CAMERA'], tasks: [{ en: 'Calibrate' }] },
  images: [{ ecu: 'CAMERA', name: 'camera-2', sha256: '11' }],
  challenge: '34'.repeat(32),
};

describe('openFolderDesk()', () => {
  it('shows what is waited for, until nothing is', (test) => {
    const folder = makeFolder(test);
    const desk = openFolderDesk(folder);
    assert.equal(readTechnicianRequest(folder), undefined);
    desk.show(REQUEST);
    desk.show(REQUEST);
    assert.deepEqual(readTechnicianRequest(folder), REQUEST);
    desk.show(undefined);
    assert.equal(readTechnicianRequest(folder), undefined);
  });

  it('takes what was handed in once, a few at a time, and says what came of it', (test) => {
    const folder = makeFolder(test);
    const desk = openFolderDesk(folder);
    for (let count = 0; count < 10; count += 1) {
      const bytes = Buffer.from(`approval ${count}`);
      handInApproval(folder, bytes, sha256Of(bytes));
    }
    assert.deepEqual([desk.take().length, desk.take().length, desk.take().length], [8, 2, 0]);
    assert.equal(readTechnicianAnswer(folder), undefined);
    const answer = { sha256: 'aa', code: 'APPROVAL_TIME', message: 'too late' };
    desk.answer(answer);
    assert.deepEqual(readTechnicianAnswer(folder), answer);
  });

  it('reads no more of a file than an approval may have, and leaves other files alone', (test) => {
    const folder = makeFolder(test);
    const desk = openFolderDesk(folder);
    const inbox = join(folder, 'inbox');
    writeFileSync(join(inbox, `${'0'.repeat(64)}.json`), new Uint8Array(1_000_000));
    writeFileSync(join(inbox, 'notes.txt'), 'not for the vehicle');
    assert.deepEqual(
      desk.take().map(({ length }) => length),
      [32_769],
    );
    assert.deepEqual(readdirSync(inbox), ['notes.txt']);
  });

  it('believes no document that is none', (test) => {
    const folder = makeFolder(test);
    mkdirSync(folder, { recursive: true });
    for (const text of ['', '[]', '{"vehicle":1}']) {
      writeFileSync(join(folder, 'request.json'), text);
      writeFileSync(join(folder, 'answer.json'), text);
      for (const read of [readTechnicianRequest, readTechnicianAnswer]) {
        assert.throws(() => read(folder), { code: 'APPROVAL_MALFORMED' });
      }
    }
    assert.ok(existsSync(join(folder, 'request.json')));
  });

  it('tells when something was handed in', async (test) => {
    const folder = makeFolder(test);
    const desk = openFolderDesk(folder);
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = desk.listen(resolve);
    handInApproval(folder, Buffer.from('x'), sha256Of(Buffer.from('x')));
    await promise;
    end();
    assert.equal(desk.take().length, 1);
  });
});
