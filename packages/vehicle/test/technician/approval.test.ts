import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as holds, constantFrom, oneof, property, string, uint8Array } from 'fast-check';
import {
  type ApprovalContext,
  signApproval,
  type TechnicianApproval,
  type TechnicianCredential,
  verifyApproval,
} from '@immota/vehicle';
import { makeWorkshop, type Workshop } from '../support/technician.ts';

const APPROVAL: TechnicianApproval = {
  id: 'ab'.repeat(16),
  vehicle: 'WVWZZZ1',
  correlationId: 'c-1',
  step: 'activate',
  workSha256: '12'.repeat(32),
  challenge: '34'.repeat(32),
  decision: 'go',
  reason: '',
  from: Temporal.Instant.from('2026-11-22T08:00:00Z'),
  until: Temporal.Instant.from('2026-11-22T18:00:00Z'),
};
const NOW = Temporal.Instant.from('2026-11-22T09:00:00Z');

interface Scene {
  readonly workshop: Workshop;
  readonly credential: TechnicianCredential;
  readonly context: ApprovalContext;
}

async function setScene(): Promise<Scene> {
  const workshop = await makeWorkshop();
  const { vehicle, correlationId, step, workSha256, challenge } = APPROVAL;
  return {
    workshop,
    credential: await workshop.hire('ann-17'),
    context: {
      vehicle,
      correlationId,
      step,
      workSha256,
      challenge,
      anchors: [workshop.root],
      now: NOW,
      isUsed: () => false,
    },
  };
}

/** Changes a member of the envelope. */
function envelope(bytes: Uint8Array, edit: (members: Record<string, string>) => void): Uint8Array {
  const members: Record<string, string> = JSON.parse(Buffer.from(bytes).toString());
  edit(members);
  return Buffer.from(JSON.stringify(members));
}

describe('verifyApproval() {R156 7.1.4.2}', () => {
  it('takes what a technician of the workshop has signed, and names them by their certificate', async () => {
    const { credential, context } = await setScene();
    const bytes = await signApproval(APPROVAL, credential);
    const { sha256, ...said } = verifyApproval(bytes, context);
    assert.deepEqual(said, { ...APPROVAL, technician: 'ann-17' });
    assert.match(sha256, /^[0-9a-f]{64}$/);
  });

  it('refuses what is bound to anything else', async () => {
    const { credential, context } = await setScene();
    const bytes = await signApproval(APPROVAL, credential);
    for (const other of [
      { vehicle: 'WVWZZZ2' },
      { correlationId: 'c-2' },
      { step: 'commit' },
      { workSha256: '13'.repeat(32) },
      { challenge: '35'.repeat(32) },
    ] as const) {
      assert.throws(() => verifyApproval(bytes, { ...context, ...other }), {
        code: 'APPROVAL_FOREIGN',
      });
    }
  });

  it('is good from its first instant to its last, and for a day at most', async () => {
    const { credential, context } = await setScene();
    const bytes = await signApproval(APPROVAL, credential);
    const at = (now: Temporal.Instant): (() => unknown) => {
      return () => verifyApproval(bytes, { ...context, now });
    };
    const { from, until } = APPROVAL;
    for (const now of [from, until]) assert.doesNotThrow(at(now));
    for (const now of [from.subtract({ milliseconds: 1 }), until.add({ milliseconds: 1 })]) {
      assert.throws(at(now), { code: 'APPROVAL_TIME' });
    }
    const day = await signApproval({ ...APPROVAL, until: from.add({ hours: 24 }) }, credential);
    assert.doesNotThrow(() => verifyApproval(day, context));
    const longer = { ...APPROVAL, until: from.add({ hours: 24, milliseconds: 1 }) };
    const bytesOfLonger = await signApproval(longer, credential);
    assert.throws(() => verifyApproval(bytesOfLonger, context), { code: 'APPROVAL_TIME' });
  });

  it('refuses a replay by its own name', async () => {
    const { credential, context } = await setScene();
    const bytes = await signApproval(APPROVAL, credential);
    const isUsed = (id: string): boolean => id === APPROVAL.id;
    assert.throws(() => verifyApproval(bytes, { ...context, isUsed }), {
      code: 'APPROVAL_REPLAYED',
    });
  });

  it('refuses whom no workshop vouches for', async () => {
    const { workshop, credential, context } = await setScene();
    const stranger = await (await makeWorkshop()).hire('ann-17');
    const late = Temporal.Instant.from('2026-11-01T00:00:00Z');
    const ended = await workshop.hire('bob-3', { notBefore: late, notAfter: late });
    const bytes = await signApproval(APPROVAL, credential);
    const other = await signApproval(APPROVAL, await workshop.hire('cyd-9'));
    const changed = envelope(bytes, (members) => {
      const said = Buffer.from(members['payload'] ?? '', 'base64').toString();
      members['payload'] = Buffer.from(said.replace('c-1', 'c-2')).toString('base64');
    });
    const swapped = envelope(bytes, (members) => {
      const shown: Record<string, string> = JSON.parse(Buffer.from(other).toString());
      members['certificates'] = shown['certificates'] ?? '';
    });
    const unsigned = envelope(bytes, (members) => {
      members['signature'] = '';
    });
    const refused = [
      await signApproval(APPROVAL, stranger),
      await signApproval(APPROVAL, ended),
      changed,
      swapped,
      unsigned,
    ];
    for (const forged of refused) {
      assert.throws(() => verifyApproval(forged, context), { code: 'APPROVAL_UNTRUSTED' });
    }
    assert.throws(() => verifyApproval(bytes, { ...context, anchors: [] }), {
      code: 'APPROVAL_UNTRUSTED',
    });
  });

  it('refuses what says nothing, although it is signed', async () => {
    const { credential, context } = await setScene();
    for (const part of [{ id: 'x' }, { challenge: '' }, { reason: 'x'.repeat(201) }]) {
      const bytes = await signApproval({ ...APPROVAL, ...part }, credential);
      assert.throws(() => verifyApproval(bytes, context), { code: 'APPROVAL_MALFORMED' });
    }
  });

  it('answers any bytes with a coded fault', async () => {
    const { credential, context } = await setScene();
    const good = Buffer.from(await signApproval(APPROVAL, credential)).toString();
    const bytes = oneof(
      uint8Array({ maxLength: 80 }),
      string({ maxLength: 60 }).map((text) => Buffer.from(text)),
      constantFrom('{}', '[]', '"', '{"payload":"","certificates":"","signature":""}').map((text) =>
        Buffer.from(text),
      ),
      constantFrom('payload', 'certificates', 'signature').map((part) =>
        envelope(Buffer.from(good), (members) => {
          members[part] = 'AAAA';
        }),
      ),
      constantFrom(new Uint8Array(40_000).fill(0x20)),
    );
    holds(
      property(bytes, (any) => {
        assert.throws(() => verifyApproval(any, context), {
          code: /^APPROVAL_(MALFORMED|UNTRUSTED)$/,
        });
      }),
    );
  });
});
