import assert from 'node:assert/strict';
import { createHash, constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkLog, checkLogs, renderLogs } from '../../wire/check-log.ts';
import { canonical, type Members } from '../vectors/support/author.ts';

interface Ecu {
  readonly serial: string;
  readonly clientKey: Members;
  readonly keyId: string;
  readonly method: string;
  sign(payload: Buffer): Buffer;
}

function makeEcu(serial: string, kind: 'ED25519' | 'RSA'): Ecu {
  const { publicKey, privateKey } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ed25519');
  const value =
    kind === 'RSA'
      ? publicKey.export({ type: 'spki', format: 'pem' })
      : publicKey
          .export({ type: 'spki', format: 'der' })
          .subarray(-32)
          .toString('hex')
          .toUpperCase();
  const quoted = JSON.stringify(value.trimEnd());
  return {
    serial,
    clientKey: { keytype: kind, keyval: { public: value } },
    keyId: createHash('sha256').update(quoted).digest('hex'),
    method: kind === 'RSA' ? 'rsassa-pss' : 'ed25519',
    sign: (payload) => signWith(privateKey, payload),
  };
}

function signWith(key: KeyObject, payload: Buffer): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, payload, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign('sha256', payload, { key, padding, saltLength: 32 });
}

function envelope(ecu: Ecu, signed: Members): Members {
  const sig = ecu.sign(Buffer.from(canonical(signed))).toString('base64');
  return { signatures: [{ keyid: ecu.keyId, method: ecu.method, sig }], signed };
}

function reportOf({ serial }: Ecu): Members {
  return {
    ecu_serial: serial,
    attacks_detected: '',
    installed_image: {
      filepath: 'unknown',
      fileinfo: { length: 0, hashes: { sha256: createHash('sha256').digest('hex') } },
    },
    previous_timeserver_time: '1970-01-01T00:00:00Z',
    timeserver_time: '1970-01-01T00:00:00Z',
  };
}

const PRIMARY = makeEcu('TBOX-0001', 'ED25519');
const SECONDARY = makeEcu('BRAKE-0001', 'RSA');

function registration(): Members {
  return {
    primary_ecu_serial: PRIMARY.serial,
    ecus: [PRIMARY, SECONDARY].map(({ serial, clientKey }) => ({
      ecu_serial: serial,
      hardware_identifier: `${serial}-hw`,
      clientKey,
    })),
  };
}

function manifest(bend: (reports: Members) => void = () => undefined): Members {
  const reports: Members = {
    [PRIMARY.serial]: envelope(PRIMARY, reportOf(PRIMARY)),
    [SECONDARY.serial]: envelope(SECONDARY, reportOf(SECONDARY)),
  };
  bend(reports);
  return envelope(PRIMARY, { primary_ecu_serial: PRIMARY.serial, ecu_version_manifests: reports });
}

function log(
  ...requests: readonly (readonly [method: string, path: string, body: unknown])[]
): string {
  const lines = requests.map(([method, path, body]) =>
    JSON.stringify({ method, path, cn: 'veh-1', headers: {}, status: 200, body }),
  );
  return `${lines.join('\n')}\n`;
}

const REGISTER = ['POST', '/director/ecus', registration()] as const;

function codes(text: string): readonly (string | undefined)[] {
  return checkLog('log', text).map(({ refusal }) => refusal?.split(':')[0]);
}

describe('checkLog()', () => {
  it('reads registrations and verifies manifests, and passes the rest by', () => {
    const text = log(
      ['PUT', '/system_info', { id: 'vm' }],
      REGISTER,
      ['GET', '/director/1.root.json', null],
      ['PUT', '/director/manifest', manifest()],
    );
    assert.deepEqual(checkLog('log', text), [
      { where: 'log:2', kind: 'registration', count: 2, refusal: undefined },
      { where: 'log:4', kind: 'manifest', count: 3, refusal: undefined },
    ]);
  });

  it('refuses a manifest whose Primary did not sign it', () => {
    const forged = { ...manifest(), ...envelope(SECONDARY, {}), signed: manifest()['signed'] };
    const text = log(REGISTER, ['PUT', '/director/manifest', forged]);
    assert.deepEqual(codes(text), [undefined, 'REPORT_SIGNATURE']);
  });

  it('refuses a manifest with a report that its ECU did not sign', () => {
    const forged = manifest((reports) => {
      reports[SECONDARY.serial] = envelope(PRIMARY, reportOf(SECONDARY));
    });
    const text = log(REGISTER, ['PUT', '/director/manifest', forged]);
    assert.deepEqual(codes(text), [undefined, 'REPORT_SIGNATURE']);
  });

  it('refuses a manifest that no registration came before', () => {
    assert.deepEqual(codes(log(['PUT', '/director/manifest', manifest()])), ['UNREGISTERED']);
  });

  it('refuses a signature that names its key by another rule', () => {
    const renamed = manifest((reports) => {
      reports[PRIMARY.serial] = envelope({ ...PRIMARY, keyId: 'other' }, reportOf(PRIMARY));
    });
    const text = log(REGISTER, ['PUT', '/director/manifest', renamed]);
    assert.deepEqual(codes(text), [undefined, 'KEY_NAME']);
  });

  it('refuses a registration with a key that verifies nothing', () => {
    const body = { ...registration() };
    const unreachable = { keytype: 'unknown', keyval: { public: '' } };
    body['ecus'] = [{ ecu_serial: 'a', hardware_identifier: 'b', clientKey: unreachable }];
    assert.deepEqual(codes(log(['POST', '/director/ecus', body])), ['MALFORMED']);
  });

  for (const body of [
    {},
    { ecus: 7 },
    { ecus: [7] },
    { ...registration(), primary_ecu_serial: 7 },
  ]) {
    it(`refuses the registration ${JSON.stringify(body).slice(0, 30)}`, () => {
      assert.deepEqual(codes(log(['POST', '/director/ecus', body])), ['MALFORMED']);
    });
  }

  for (const line of ['[]', '{"method":"PUT","path":"/director/manifest","body":[]}']) {
    it(`refuses the line ${line}`, () => {
      assert.throws(() => checkLog('log', line), { code: 'MALFORMED' });
    });
  }
});

describe('checkLogs()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immota-wire-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('refuses a folder without logs', () => {
    assert.throws(() => checkLogs(folder), { code: 'NOT_FOUND' });
  });

  it('sums up all logs of a folder', () => {
    writeFileSync(join(folder, 'one.jsonl'), log(REGISTER));
    writeFileSync(join(folder, 'two.jsonl'), log(['PUT', '/director/manifest', manifest()]));
    assert.equal(
      renderLogs(checkLogs(folder)),
      [
        'ok   one.jsonl:1  registration, 2 keys',
        'FAIL two.jsonl:1  manifest: UNREGISTERED: Cannot verify manifest: the vehicle never registered',
        '1 passed, 1 failed',
      ].join('\n'),
    );
  });
});
