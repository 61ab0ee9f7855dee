import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@immota/base';
import { AKTUALIZR, decodeManifest, ecuKeyId, verifyManifest } from '@immota/uptane';
import { TBOX } from '../support/world.ts';

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
    assert.ok(
      reports.get(TBOX)?.timeAttested.equals(Temporal.Instant.from('1970-01-01T00:00:00Z')),
    );
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
