import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JsonObject, type JsonValue, utf8 } from '@immota/base';
import { decodeManifest, limits, signReport } from '@immota/uptane';
import { manifestOf, parseManifest, PRIMARY, reportOf, SECONDARY } from '../support/manifests.ts';
import { editAt, withMember } from '../support/repository.ts';
import { BRAKE, codeOf, TBOX } from '../support/world.ts';

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
    const whole = parseManifest(await manifestOf());
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
        editAt({ ...parseManifest(await manifestOf()), signatures: [] }, ['signed'], (signed) => ({
          ...signed,
          installation_report: 'x',
        })),
      ),
    );
    assert.equal(decodeManifest(bytes).installationReport, undefined);
  });
});
