import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { type JsonObject, type JsonValue, SIGNATURE_ALGORITHMS, utf8 } from '@immota/base';
import {
  checkCounter,
  checkSignedBy,
  decodeManifest,
  decodeReport,
  type EcuIdentifier,
  ecuKeyId,
  encodeCanonical,
  parseEcuIdentifier,
  parseVehicleIdentifier,
  type PublicKey,
  signManifest,
  signReport,
  type UnverifiedManifest,
  type VerifiedManifest,
  verifyManifest,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import {
  keyOf,
  KEYS,
  manifestOf,
  parseManifest,
  PRIMARY,
  reportOf,
  SECONDARY,
} from '../support/manifests.ts';
import { editAt, withMember } from '../support/repository.ts';
import { BRAKE, codeOf, NOW, TBOX, VEHICLE } from '../support/world.ts';

/** Changes a manifest's payload after it was signed. */
async function forged(
  path: readonly string[],
  edit: (object: JsonObject) => JsonObject,
): Promise<Uint8Array> {
  return utf8(JSON.stringify(editAt(parseManifest(await manifestOf()), path, edit)));
}

describe('signManifest(), verifyManifest()', () => {
  for (const algorithm of SIGNATURE_ALGORITHMS) {
    it(`agree on a manifest signed with ${algorithm} {uptane I3} {uptane J2} {uptane J4}`, async () => {
      const signer = signerOf('primary', algorithm);
      const report = await signReport(reportOf(TBOX), signer);
      const manifest = decodeManifest(await manifestOf([[TBOX, report]], signer));
      const ecus = new Map([[TBOX, keyOf(signer)]]);
      const verified = verifyManifest(manifest, { ...KEYS, ecus });
      assert.equal(verified.vehicleIdentifier, VEHICLE);
      assert.equal(verified.primaryEcuIdentifier, TBOX);
      assert.equal(verified.reports.size, 1);
      assert.equal(verified.refused.size, 0);
    });
  }

  it('carry every field of a report {uptane J3}', async () => {
    const report = reportOf(BRAKE, {
      attacksDetected: 'rollback of Director metadata',
      timePrevious: NOW.subtract({ hours: 1 }),
      counter: 2 ** 53 - 1,
      custom: { slot: 'b', healthy: true },
    });
    const manifest = decodeManifest(
      await manifestOf([[BRAKE, await signReport(report, SECONDARY)]]),
    );
    const read = verifyManifest(manifest, KEYS).reports.get(BRAKE);
    assert.ok(read);
    assert.ok(read.timeAttested.equals(report.timeAttested));
    assert.ok(read.timePrevious.equals(report.timePrevious));
    const { timeAttested: _, timePrevious: __, ...rest } = read;
    const { timeAttested: ___, timePrevious: ____, ...expected } = report;
    assert.deepEqual(rest, expected);
  });

  it('carry a report without a counter or anything of our own', async () => {
    const signed = await signReport(reportOf(BRAKE, { counter: undefined }), SECONDARY);
    const { signed: payload } = signed as { signed: JsonObject };
    assert.deepEqual(Object.keys(payload).toSorted(), [
      'attacks_detected',
      'ecu_serial',
      'installed_image',
      'previous_timeserver_time',
      'timeserver_time',
    ]);
    assert.equal(decodeReport(signed).report.counter, undefined);
    assert.deepEqual(decodeReport(signed).report.custom, {});
  });

  it('carry an installation report and a custom part', async () => {
    const installationReport = { report: { result: { code: 'OK' } } };
    const bytes = await signManifest(
      {
        vehicleIdentifier: VEHICLE,
        primaryEcuIdentifier: TBOX,
        reports: new Map(),
        installationReport,
        custom: { consent: 'yes' },
      },
      PRIMARY,
    );
    const verified = verifyManifest(decodeManifest(bytes), KEYS);
    assert.deepEqual(verified.installationReport, installationReport);
    assert.deepEqual(verified.custom, { consent: 'yes' });
    const bare = verifyManifest(decodeManifest(await manifestOf()), KEYS);
    assert.equal(bare.installationReport, undefined);
    assert.deepEqual(bare.custom, {});
    const members = Object.keys(
      (parseManifest(await manifestOf()) as { signed: JsonObject }).signed,
    );
    assert.deepEqual(members.toSorted(), [
      'ecu_version_manifests',
      'primary_ecu_serial',
      'vehicle_identifier',
    ]);
  });

  it("bring the signer's own texts to NFC {uptane B1}", async () => {
    const decomposed = { 'o\u0308': 'a\u0308' };
    const composed = { '\u00f6': '\u00e4' };
    const report = reportOf(BRAKE, { attacksDetected: 'u\u0308', custom: decomposed });
    const signed = await signReport(report, SECONDARY);
    const bytes = await signManifest(
      {
        vehicleIdentifier: VEHICLE,
        primaryEcuIdentifier: TBOX,
        reports: new Map([[BRAKE, signed]]),
        installationReport: decomposed,
        custom: decomposed,
      },
      PRIMARY,
    );
    const { custom, installationReport, reports } = verifyManifest(decodeManifest(bytes), KEYS);
    assert.deepEqual([custom, installationReport], [composed, composed]);
    assert.deepEqual(reports.get(BRAKE)?.custom, composed);
    assert.equal(reports.get(BRAKE)?.attacksDetected, '\u00fc');
  });

  it('name key, method and payload hash beside each signature {uptane J1}', async () => {
    for (const document of [
      parseManifest(await manifestOf()),
      await signReport(reportOf(TBOX), PRIMARY),
    ]) {
      const { signed, signatures } = document as unknown as {
        signed: JsonObject;
        signatures: readonly JsonObject[];
      };
      const [signature, ...others] = signatures;
      assert.deepEqual(others, []);
      assert.equal(signature?.['keyid'], ecuKeyId('ed25519', PRIMARY.publicKeyDer));
      assert.equal(signature?.['method'], 'ed25519');
      const sha256 = createHash('sha256').update(encodeCanonical(signed, 'escaped')).digest('hex');
      assert.deepEqual(signature?.['hashes'], { sha256 });
    }
  });
});

describe('verifyManifest()', () => {
  it('refuses a manifest that the registered Primary did not sign {uptane E4}', async () => {
    for (const signer of [signerOf('stranger'), SECONDARY, signerOf('tbox', 'ml-dsa-65')]) {
      // oxlint-disable-next-line no-await-in-loop -- one signer after the other
      const manifest = decodeManifest(await manifestOf(undefined, signer));
      assert.equal(
        codeOf(() => verifyManifest(manifest, KEYS)),
        'REPORT_SIGNATURE',
      );
    }
  });

  it('looks at the registered key, whatever key identifier is stated {uptane F3}', async () => {
    const renamed = await forged([], (document) => {
      const [signature] = document['signatures'] as readonly JsonObject[];
      return { ...document, signatures: [{ ...signature, keyid: 'another' }] };
    });
    assert.equal(
      codeOf(() => verifyManifest(decodeManifest(renamed), KEYS)),
      undefined,
    );
  });

  it('refuses a manifest that was changed', async () => {
    const changes: readonly (readonly [string, JsonValue])[] = [
      ['custom', { note: 'x' }],
      ['installation_report', {}],
      ['ecu_version_manifests', {}],
    ];
    for (const [name, value] of changes) {
      // oxlint-disable-next-line no-await-in-loop -- one change after the other
      const bytes = await forged(['signed'], (signed) => withMember(signed, name, value));
      const bare = parseManifest(bytes);
      const unhashed = utf8(
        JSON.stringify({
          ...bare,
          signatures: (bare['signatures'] as readonly JsonObject[]).map((each) =>
            withMember(each, 'hashes', undefined),
          ),
        }),
      );
      assert.equal(
        codeOf(() => decodeManifest(bytes)),
        'MALFORMED',
      );
      assert.equal(
        codeOf(() => verifyManifest(decodeManifest(unhashed), KEYS)),
        'REPORT_SIGNATURE',
      );
    }
  });

  it('refuses the manifest of another Primary {uptane E4}', async () => {
    const manifest = decodeManifest(await manifestOf());
    const keys = { ...KEYS, primaryEcuIdentifier: BRAKE };
    assert.equal(
      codeOf(() => verifyManifest(manifest, keys)),
      'ECU_UNKNOWN',
    );
    const nobody = { ...KEYS, ecus: new Map<EcuIdentifier, PublicKey>() };
    assert.equal(
      codeOf(() => verifyManifest(manifest, nobody)),
      'REPORT_SIGNATURE',
    );
  });

  it('refuses a manifest that names another vehicle {uptane E6}', async () => {
    const manifest = decodeManifest(await manifestOf());
    const another = { ...KEYS, vehicleIdentifier: parseVehicleIdentifier('ANOTHER') };
    assert.equal(
      codeOf(() => verifyManifest(manifest, another)),
      'VEHICLE_MISMATCH',
    );
    assert.equal(
      codeOf(() => verifyManifest(manifest, { ...KEYS, vehicleIdentifier: undefined })),
      undefined,
    );
    const { vehicleIdentifier: _, ...unnamed } = manifest;
    const foreign = { ...unnamed, vehicleIdentifier: undefined };
    assert.equal(
      codeOf(() => verifyManifest(foreign, another)),
      undefined,
    );
  });

  it('lists a report that its own ECU did not sign, and accepts the others {uptane E4}', async () => {
    const radio = parseEcuIdentifier('RADIO-1');
    const manifest = decodeManifest(
      await manifestOf([
        [TBOX, await signReport(reportOf(TBOX), PRIMARY)],
        [BRAKE, await signReport(reportOf(BRAKE), PRIMARY)],
        [radio, await signReport(reportOf(radio), signerOf('radio'))],
      ]),
    );
    const { reports, refused } = verifyManifest(manifest, KEYS);
    assert.deepEqual([...reports.keys()], [TBOX]);
    assert.deepEqual(
      [...refused].map(([ecu, { code }]) => [ecu, code]),
      [
        [BRAKE, 'REPORT_SIGNATURE'],
        [radio, 'REPORT_SIGNATURE'],
      ],
    );
  });

  it('leaves out what the vehicle left out', async () => {
    const { reports, refused } = verifyManifest(decodeManifest(await manifestOf([])), KEYS);
    assert.deepEqual([reports.size, refused.size], [0, 0]);
  });

  it('knows an unverified manifest from a verified one', async () => {
    const unverified: UnverifiedManifest = decodeManifest(await manifestOf());
    // @ts-expect-error an unverified manifest is not a verified one
    const pretended: VerifiedManifest = unverified;
    assert.equal(pretended, unverified);
  });
});

describe('decodeReport()', () => {
  it('reads one report alone, whose signature its ECU can be held to', async () => {
    const document = await signReport(reportOf(BRAKE), SECONDARY);
    const { report, envelope } = decodeReport(document);
    const bytes = encodeCanonical(document, 'escaped');
    assert.deepEqual([envelope.bytes, envelope.digestInput()], [bytes, bytes]);
    assert.equal(report.ecuIdentifier, BRAKE);
    checkSignedBy(envelope, keyOf(SECONDARY), 'report');
    assert.equal(
      codeOf(() => checkSignedBy(envelope, keyOf(PRIMARY), 'report')),
      'REPORT_SIGNATURE',
    );
    assert.equal(
      codeOf(() => checkSignedBy(envelope, undefined, 'report')),
      'REPORT_SIGNATURE',
    );
    assert.equal(
      codeOf(() => decodeReport({})),
      'MALFORMED',
    );
  });
});

function signatureOf(byte: number): UnverifiedManifest['envelope']['signatures'][number] {
  const keyId = ecuKeyId('ed25519', PRIMARY.publicKeyDer);
  return { keyId, bytes: Uint8Array.of(byte), method: undefined };
}

describe('checkSignedBy()', () => {
  it('finds the signature of the key among others', () => {
    const payload = utf8('x');
    const key = { ...keyOf(PRIMARY), verify: (_: Uint8Array, bytes: Uint8Array) => bytes[0] === 1 };
    checkSignedBy({ payload, signatures: [signatureOf(0), signatureOf(1)] }, key, 'x');
    checkSignedBy({ payload, signatures: [signatureOf(1), signatureOf(0)] }, key, 'x');
    for (const signatures of [[], [signatureOf(0)]]) {
      assert.equal(
        codeOf(() => checkSignedBy({ payload, signatures }, key, 'x')),
        'REPORT_SIGNATURE',
      );
    }
  });
});

describe('checkCounter()', () => {
  it('accepts only what is higher than the last {uptane E5} {uptane J3}', () => {
    for (const [last, counter, code] of [
      [undefined, undefined, undefined],
      [undefined, 0, undefined],
      [0, 1, undefined],
      [5, 6, undefined],
      [5, 100, undefined],
      [5, 5, 'REPORT_REPLAY'],
      [5, 4, 'REPORT_REPLAY'],
      [0, 0, 'REPORT_REPLAY'],
      [5, undefined, 'REPORT_REPLAY'],
      [0, undefined, 'REPORT_REPLAY'],
    ] as const) {
      assert.equal(
        codeOf(() => checkCounter(last, counter)),
        code,
      );
    }
  });
});
