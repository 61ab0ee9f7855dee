import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import {
  AKTUALIZR,
  anchorRoot,
  attestTime,
  decodeRoot,
  limits,
  parseNonces,
  type Root,
  signMetadata,
  TIME_ATTESTATION_MAX_BYTES,
  TIME_NONCES_MAX,
  type Trusted,
  verifyTime,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { type Profile, teamOf, type Team } from '../support/repository.ts';
import { codeOf, NOW, World } from '../support/world.ts';

const NONCE = 'ab'.repeat(16);
const OTHER = 'cd'.repeat(32);

async function rootWith(timeTeam: Team | undefined): Promise<Trusted<Root>> {
  const { director } = new World({});
  director.timeTeam = timeTeam;
  const bytes = await director.publishRoot();
  return anchorRoot(decodeRoot(AKTUALIZR, bytes, limits.ROOT_MAX_BYTES));
}

async function settled(
  profile: Profile = 'classic',
): Promise<{ readonly root: Trusted<Root>; readonly team: Team }> {
  const team = teamOf('time', profile);
  return { root: await rootWith(team), team };
}

describe('attestTime(), verifyTime()', () => {
  for (const profile of ['classic', 'hybrid'] as const) {
    it(`agree on the time for each nonce, ${profile} {uptane G1} {uptane G4} {uptane G7}`, async () => {
      const { root, team } = await settled(profile);
      const bytes = await attestTime(NOW, [OTHER, NONCE], team.signers);
      for (const nonce of [NONCE, OTHER]) {
        const time = verifyTime(bytes, { root, nonce, floor: NOW.subtract({ hours: 1 }) });
        assert.ok(time.equals(NOW));
      }
    });
  }

  it('refuse a nonce that the ECU did not draw: a replayed answer', async () => {
    const { root, team } = await settled();
    const bytes = await attestTime(NOW, [NONCE], team.signers);
    for (const nonce of [OTHER, '', NONCE.slice(2), NONCE.toUpperCase()]) {
      assert.equal(
        codeOf(() => verifyTime(bytes, { root, nonce, floor: NOW })),
        'TIME_ATTESTATION',
      );
    }
  });

  it('never go back behind the last time {uptane G6} {uptane G3}', async () => {
    const { root, team } = await settled();
    const bytes = await attestTime(NOW, [NONCE], team.signers);
    assert.ok(verifyTime(bytes, { root, nonce: NONCE, floor: NOW }).equals(NOW));
    const floor = NOW.add({ nanoseconds: 1 });
    assert.equal(
      codeOf(() => verifyTime(bytes, { root, nonce: NONCE, floor })),
      'TIME_ATTESTATION',
    );
  });

  it('refuse what too few keys of the time source signed', async () => {
    const { root, team } = await settled('hybrid');
    const context = { root, nonce: NONCE, floor: NOW };
    const [one, other] = team.signers;
    assert.ok(one && other);
    for (const signers of [[one], [other], [signerOf('stranger')], []]) {
      // oxlint-disable-next-line no-await-in-loop -- one forgery after the other
      const bytes = await attestTime(NOW, [NONCE], signers);
      assert.equal(
        codeOf(() => verifyTime(bytes, context)),
        'SIGNATURE_THRESHOLD',
      );
    }
  });

  it('need a Root that names a time source', async () => {
    const { team } = await settled();
    const root = await rootWith(undefined);
    const bytes = await attestTime(NOW, [NONCE], team.signers);
    const code = codeOf(() => verifyTime(bytes, { root, nonce: NONCE, floor: NOW }));
    assert.equal(code, 'ROLE_UNKNOWN');
  });

  it('take no other document that the same keys signed', async () => {
    const { root, team } = await settled();
    const context = { root, nonce: NONCE, floor: NOW };
    const right = { _type: 'TimeAttestation', time: '2026-11-22T09:00:00Z', nonces: [NONCE] };
    const cases: readonly (readonly [JsonObject, string | undefined])[] = [
      [right, undefined],
      [{ ...right, _type: 'Timestamp' }, 'TIME_ATTESTATION'],
      [{ time: right.time, nonces: right.nonces }, 'MALFORMED'],
      [{ ...right, time: '2026-11-22' }, 'MALFORMED'],
      [{ ...right, nonces: NONCE }, 'MALFORMED'],
      [{ ...right, nonces: [] }, 'TIME_ATTESTATION'],
      [{ ...right, nonces: Array.from({ length: TIME_NONCES_MAX }, () => NONCE) }, undefined],
      [{ ...right, nonces: Array.from({ length: TIME_NONCES_MAX + 1 }, () => NONCE) }, 'LIMIT'],
    ];
    for (const [signed, code] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one document after the other
      const bytes = await signMetadata(AKTUALIZR, signed, team.signers);
      assert.equal(
        codeOf(() => verifyTime(bytes, context)),
        code,
        JSON.stringify(signed).slice(0, 99),
      );
    }
  });

  it('have a bound', async () => {
    const { root, team } = await settled();
    const bytes = await attestTime(NOW, [NONCE], team.signers);
    const context = { root, nonce: NONCE, floor: NOW };
    const padded = (lengthBytes: number): Uint8Array => {
      const long = new Uint8Array(lengthBytes).fill(0x20);
      long.set(bytes);
      return long;
    };
    assert.equal(
      codeOf(() => verifyTime(padded(TIME_ATTESTATION_MAX_BYTES), context)),
      undefined,
    );
    assert.equal(
      codeOf(() => verifyTime(padded(TIME_ATTESTATION_MAX_BYTES + 1), context)),
      'LIMIT',
    );
  });

  it('fit the largest vehicle in the hybrid profile', async () => {
    const { root, team } = await settled('hybrid');
    const nonces = Array.from({ length: TIME_NONCES_MAX }, (_, index) =>
      index.toString(16).padStart(64, '0'),
    );
    const bytes = await attestTime(NOW, nonces, team.signers);
    const nonce = nonces.at(-1) ?? '';
    assert.ok(verifyTime(bytes, { root, nonce, floor: NOW }).equals(NOW));
  });

  it('attest nothing for nonces that are none', async () => {
    await assert.rejects(attestTime(NOW, ['xy'], [signerOf('time')]), { code: 'TIME_ATTESTATION' });
  });
});

describe('parseNonces()', () => {
  it('takes 1 to 256 nonces of 16 to 32 bytes in lower-case hex', () => {
    const good = [
      [NONCE],
      [OTHER],
      [NONCE, OTHER],
      Array.from({ length: TIME_NONCES_MAX }, () => NONCE),
    ];
    for (const nonces of good) assert.deepEqual(parseNonces(nonces), nonces);
    for (const nonces of [
      [],
      Array.from({ length: TIME_NONCES_MAX + 1 }, () => NONCE),
      [NONCE.slice(2)],
      [`${OTHER}00`],
      [`${NONCE}0`],
      [NONCE.toUpperCase()],
      [`${NONCE}\n`],
      [`x${NONCE}`],
      [1],
      [undefined],
      [[NONCE]],
      [NONCE, ''],
    ]) {
      assert.equal(
        codeOf(() => parseNonces(nonces)),
        'TIME_ATTESTATION',
      );
    }
  });
});
