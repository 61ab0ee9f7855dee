import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  type JsonObject,
  type JsonValue,
  SIGNATURE_ALGORITHMS,
  type Signer,
  utf8,
} from '@immota/base';
import {
  AKTUALIZR,
  checkCounter,
  checkSignedBy,
  decodeManifest,
  decodeReport,
  type EcuIdentifier,
  type EcuVersionReport,
  ecuKeyId,
  encodeCanonical,
  limits,
  parseEcuIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
  type PublicKey,
  publicKeyFromDer,
  signManifest,
  signReport,
  type UnverifiedManifest,
  type VehicleKeys,
  type VerifiedManifest,
  verifyManifest,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { editAt, withMember } from '../support/repository.ts';
import { BRAKE, codeOf, measure, NOW, TBOX, VEHICLE } from '../support/world.ts';

const PRIMARY = signerOf('tbox');
const SECONDARY = signerOf('brake', 'ecdsa-p256');
const EPOCH = Temporal.Instant.from('1970-01-01T00:00:00Z');

function keyOf({ algorithm, publicKeyDer }: Signer): PublicKey {
  return publicKeyFromDer(algorithm, publicKeyDer);
}

const KEYS: VehicleKeys = {
  vehicleIdentifier: VEHICLE,
  primaryEcuIdentifier: TBOX,
  ecus: new Map([
    [TBOX, keyOf(PRIMARY)],
    [BRAKE, keyOf(SECONDARY)],
  ]),
};

function reportOf(
  ecuIdentifier: EcuIdentifier,
  changes: Partial<EcuVersionReport> = {},
): EcuVersionReport {
  return {
    ecuIdentifier,
    installedImage: { name: parseTargetName('fw.bin'), ...measure(utf8('fw')) },
    attacksDetected: '',
    timeAttested: NOW,
    timePrevious: EPOCH,
    counter: 7,
    custom: {},
    ...changes,
  };
}

/** The manifest of a vehicle with two ECUs. */
async function manifestOf(
  reports?: readonly (readonly [EcuIdentifier, JsonObject])[],
  signer = PRIMARY,
): Promise<Uint8Array> {
  const own = reports ?? [
    [TBOX, await signReport(reportOf(TBOX), PRIMARY)],
    [BRAKE, await signReport(reportOf(BRAKE), SECONDARY)],
  ];
  const description = {
    vehicleIdentifier: VEHICLE,
    primaryEcuIdentifier: TBOX,
    reports: new Map(own),
  };
  return await signManifest(description, signer);
}

function parse(bytes: Uint8Array): JsonObject {
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
}

/** Changes a manifest's payload after it was signed. */
async function forged(
  path: readonly string[],
  edit: (object: JsonObject) => JsonObject,
): Promise<Uint8Array> {
  return utf8(JSON.stringify(editAt(parse(await manifestOf()), path, edit)));
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
    const members = Object.keys((parse(await manifestOf()) as { signed: JsonObject }).signed);
    assert.deepEqual(members.toSorted(), [
      'ecu_version_manifests',
      'primary_ecu_serial',
      'vehicle_identifier',
    ]);
  });

  it('name key, method and payload hash beside each signature {uptane J1}', async () => {
    for (const document of [parse(await manifestOf()), await signReport(reportOf(TBOX), PRIMARY)]) {
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
      const bare = parse(bytes);
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

function codeOfManifest(bytes: Uint8Array): string | undefined {
  return codeOf(() => decodeManifest(bytes));
}

describe('decodeManifest()', () => {
  it('refuses a report under the name of another ECU', async () => {
    const report = await signReport(reportOf(BRAKE), SECONDARY);
    const bytes = await manifestOf([[TBOX, report]]);
    assert.equal(
      codeOf(() => decodeManifest(bytes)),
      'MALFORMED',
    );
  });

  it('refuses what has not the shape of a manifest', async () => {
    const whole = parse(await manifestOf());
    const bare = (path: string, value: JsonValue | undefined): Uint8Array => {
      const names = path.split('/');
      const last = names.pop() ?? '';
      const edited = editAt({ ...whole, signatures: [] }, names, (object) =>
        withMember(object, last, value),
      );
      return utf8(JSON.stringify(edited));
    };
    const report = `signed/ecu_version_manifests/${TBOX}/signed`;
    const image = `${report}/installed_image`;
    assert.equal(codeOfManifest(bare('signed/extra', 1)), undefined);
    for (const [path, value] of [
      ['signed', undefined],
      ['signatures', undefined],
      ['signed/primary_ecu_serial', undefined],
      ['signed/primary_ecu_serial', ''],
      ['signed/vehicle_identifier', 'a b'],
      ['signed/custom', 1],
      ['signed/ecu_version_manifests', undefined],
      ['signed/ecu_version_manifests', []],
      [`signed/ecu_version_manifests/${TBOX}`, 1],
      [`signed/ecu_version_manifests/${TBOX}`, {}],
      [`signed/ecu_version_manifests/${TBOX}/signatures`, 1],
    ] as const) {
      assert.equal(codeOfManifest(bare(path, value)), 'MALFORMED', path);
    }
    // Inside a report the payload hash would speak first: these come without signatures.
    const unsigned = editAt(whole, ['signed', 'ecu_version_manifests', TBOX], (object) => ({
      ...object,
      signatures: [],
    }));
    for (const [path, value] of [
      [`${report}/ecu_serial`, undefined],
      [`${report}/attacks_detected`, undefined],
      [`${report}/attacks_detected`, 1],
      [`${report}/timeserver_time`, undefined],
      [`${report}/timeserver_time`, '2026-01-01'],
      [`${report}/previous_timeserver_time`, undefined],
      [`${report}/report_counter`, 7],
      [`${report}/report_counter`, ''],
      [`${report}/report_counter`, '-1'],
      [`${report}/report_counter`, '1.5'],
      [`${report}/report_counter`, 'x1'],
      [`${report}/report_counter`, '1x'],
      [`${report}/report_counter`, '9007199254740992'],
      [`${report}/report_counter`, '00000000000000001'],
      [`${report}/custom`, 1],
      [image, undefined],
      [`${image}/filepath`, ''],
      [`${image}/fileinfo`, undefined],
      [`${image}/fileinfo/length`, -1],
      [`${image}/fileinfo/hashes`, {}],
    ] as const) {
      const names = path.split('/');
      const last = names.pop() ?? '';
      const edited = editAt({ ...unsigned, signatures: [] }, names, (object) =>
        withMember(object, last, value),
      );
      assert.equal(
        codeOfManifest(utf8(JSON.stringify(edited))),
        'MALFORMED',
        `${path} ${JSON.stringify(value)}`,
      );
    }
    assert.equal(codeOfManifest(utf8(JSON.stringify({ ...unsigned, signatures: [] }))), undefined);
  });

  it('bounds the ECUs of a vehicle and the length of a manifest', async () => {
    const report = { ...(await signReport(reportOf(TBOX), PRIMARY)), signatures: [] };
    const many = (count: number): Uint8Array => {
      const reports = Array.from({ length: count }, (_, index) => [
        `E${index}`,
        editAt(report, ['signed'], (signed) => ({ ...signed, ecu_serial: `E${index}` })),
      ]);
      const signed = {
        primary_ecu_serial: TBOX,
        ecu_version_manifests: Object.fromEntries(reports) as JsonObject,
      };
      return utf8(JSON.stringify({ signatures: [], signed }));
    };
    assert.equal(
      codeOf(() => decodeManifest(many(limits.ECUS_MAX))),
      undefined,
    );
    assert.equal(
      codeOf(() => decodeManifest(many(limits.ECUS_MAX + 1))),
      'LIMIT',
    );
    const long = new Uint8Array(limits.MANIFEST_MAX_BYTES).fill(0x20);
    long.set(many(1));
    assert.equal(
      codeOf(() => decodeManifest(long)),
      undefined,
    );
    assert.equal(
      codeOf(() => decodeManifest(new Uint8Array([...long, 0x20]))),
      'LIMIT',
    );
  });

  it('takes an installation report that is no object for none', async () => {
    const bytes = utf8(
      JSON.stringify(
        editAt({ ...parse(await manifestOf()), signatures: [] }, ['signed'], (signed) => ({
          ...signed,
          installation_report: 'x',
        })),
      ),
    );
    assert.equal(decodeManifest(bytes).installationReport, undefined);
  });
});

describe('decodeReport()', () => {
  it('reads one report alone, whose signature its ECU can be held to', async () => {
    const { report, envelope } = decodeReport(await signReport(reportOf(BRAKE), SECONDARY));
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

describe('checkSignedBy()', () => {
  it('finds the signature of the key among others', () => {
    const payload = utf8('x');
    const key = { ...keyOf(PRIMARY), verify: (_: Uint8Array, bytes: Uint8Array) => bytes[0] === 1 };
    const signature = (byte: number): UnverifiedManifest['envelope']['signatures'][number] => ({
      keyId: ecuKeyId('ed25519', PRIMARY.publicKeyDer),
      bytes: Uint8Array.of(byte),
      method: undefined,
    });
    checkSignedBy({ payload, signatures: [signature(0), signature(1)] }, key, 'x');
    checkSignedBy({ payload, signatures: [signature(1), signature(0)] }, key, 'x');
    for (const signatures of [[], [signature(0)]]) {
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

describe('a manifest that the vehicles’ own client made', () => {
  const publicHex = '85F27E12EC1308B3BEC0AF1F91C67D847B633BFA7CBC89BD334A34A2B7C68835';
  const keyid = 'df92929a9e2f48f3fc4d54224aced15d731540678645a7ddafeb689d5ac079b6';
  const report = {
    signatures: [
      {
        keyid,
        method: 'ed25519',
        sig: '0bCTHyLKHhYZanzdtmGi53GgZsuPmzcyNEpnxyOoyu3sTVhMtG7XRG4Q+gEWWLNFhDwD9qUR/WzusOpY6Q1mCg==',
      },
    ],
    signed: {
      attacks_detected: '',
      ecu_serial: 'TBOX-0001',
      installed_image: {
        fileinfo: {
          hashes: { sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
          length: 0,
        },
        filepath: 'unknown',
      },
      previous_timeserver_time: '1970-01-01T00:00:00Z',
      report_counter: '1',
      timeserver_time: '1970-01-01T00:00:00Z',
    },
  };
  const recorded = {
    signatures: [
      {
        keyid,
        method: 'ed25519',
        sig: '2VlWTrX5PGi+bUqYaPmz8mVTBWZRq8/pEb69dMHSEY0+/ye4dn8w30Q9BLt9Ivaap76gPIyEwNXbHYFEFV6gCg==',
      },
    ],
    signed: { ecu_version_manifests: { 'TBOX-0001': report }, primary_ecu_serial: 'TBOX-0001' },
  };
  const key = AKTUALIZR.decodeKey({ keytype: 'ED25519', keyval: { public: publicHex } });

  it('verifies, signature by signature', () => {
    const manifest = decodeManifest(utf8(JSON.stringify(recorded)));
    const keys = { primaryEcuIdentifier: TBOX, ecus: new Map([[TBOX, key]]) };
    const { reports, vehicleIdentifier } = verifyManifest(manifest, keys);
    assert.equal(vehicleIdentifier, undefined);
    assert.equal(reports.get(TBOX)?.counter, 1);
    assert.equal(reports.get(TBOX)?.installedImage.name, 'unknown');
    assert.ok(reports.get(TBOX)?.timeAttested.equals(EPOCH));
  });

  it('names its key as we do', () => {
    assert.equal(ecuKeyId('ed25519', key.exportDer() ?? new Uint8Array()), keyid);
  });

  it('names an RSA key as we do', () => {
    const pem = [
      '-----BEGIN PUBLIC KEY-----',
      'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApPi6RuP7rTkAcqeXuqu+',
      '2vSImDqtsNNTZoFd7KZQRQJRMifjpdFV58iDURTL6BHV5CB0so1l3c3Poj6XX7fB',
      '0A6sLrQ+uYQg95zJCOW62hmkQgB+H2dFzlhoiyZFsqxDVOEPEhz0gqEWB0omzILh',
      'bnsp7HnA4IOBQ6LaDA2t5+eIfNLbaAA0p222edpr9a0sJkgoN4nnK++jJp7cw3/r',
      'jCnaJd55lw7ZOAA12Mb+3GB3ji+Pk9HPqTZldg22TPvB3rLoOVxuKFwwGZrsMVwf',
      '6ttR6MCWrpNI2tROmudUBHim+n1VuX7YUgNo/3WODTzvWobzZK76QmQy+klOp4ni',
      'xQIDAQAB',
      '-----END PUBLIC KEY-----',
      '',
    ].join('\n');
    const rsa = AKTUALIZR.decodeKey({ keytype: 'RSA', keyval: { public: pem } });
    assert.equal(
      ecuKeyId('rsa-pss', rsa.exportDer() ?? new Uint8Array()),
      '8d4a789cf56f0876187f9de31c1aa74f5adecd6cef2fa92d88c724084951d792',
    );
  });
});
