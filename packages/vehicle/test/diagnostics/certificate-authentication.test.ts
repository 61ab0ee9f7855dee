import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CertificateRequest, OwnershipProof, ServerChallenge } from '@immota/bus';
import { parseCertificatesPem } from '@immota/pki';
import { parseEcuIdentifier, parseVehicleIdentifier } from '@immota/uptane';
import {
  type AuthenticationPort,
  certificateOf,
  createEcuAuthentication,
  createVehicleLinkCredentials,
  type EcuAuthenticationOptions,
  type LinkCredential,
  primaryRoleOf,
  proveToEcu,
  type TesterAuthenticationOptions,
  type VehicleLinkCredentials,
} from '@immota/vehicle';
import { createHash } from 'node:crypto';
import { entropy } from '../support/folder.ts';
import { linkCredentials } from '../support/nodes.ts';
import { NOW } from '../support/uds-secondary.ts';
import { BRAKE, VEHICLE } from '../support/vehicle-world.ts';

const NOTHING = new Uint8Array();
const ECU_NAME = `e${createHash('sha256').update(BRAKE).digest('hex').slice(0, 40)}.ecu.internal`;

interface Ends {
  readonly credentials: VehicleLinkCredentials;
  readonly ecuCredential: LinkCredential;
  readonly ecu: AuthenticationPort;
}

async function ends(changes: Partial<EcuAuthenticationOptions> = {}): Promise<Ends> {
  const credentials = await linkCredentials();
  const ecuCredential = credentials.secondaries.get(BRAKE);
  assert.ok(ecuCredential !== undefined);
  const ecu = createEcuAuthentication({
    anchors: parseCertificatesPem(ecuCredential.authorityPem),
    roleOf: primaryRoleOf,
    credential: ecuCredential,
    entropy,
    now: NOW,
    vin: VEHICLE,
    ecuSerialNumber: BRAKE,
    ...changes,
  });
  return { credentials, ecuCredential, ecu };
}

function requestOf(credential: LinkCredential, isBidirectional = true): CertificateRequest {
  return {
    isBidirectional,
    communicationConfiguration: 0,
    certificate: certificateOf(credential),
    challenge: entropy.bytes(32),
  };
}

function testerOf(
  credential: LinkCredential,
  changes: Partial<TesterAuthenticationOptions> = {},
): TesterAuthenticationOptions {
  return {
    credential,
    vin: VEHICLE,
    ecuSerialNumber: BRAKE,
    ecuDnsName: ECU_NAME,
    now: NOW,
    ...changes,
  };
}

async function prove(
  request: CertificateRequest,
  answer: ServerChallenge,
  options: TesterAuthenticationOptions,
): Promise<OwnershipProof> {
  return {
    proof: await proveToEcu({ kind: 'prove', request, answer }, options),
    ephemeralKey: NOTHING,
  };
}

describe('createEcuAuthentication() and proveToEcu()', () => {
  it('agree in both directions, and in one', async () => {
    const { credentials, ecu } = await ends();
    for (const isBidirectional of [true, false]) {
      const request = requestOf(credentials.primary, isBidirectional);
      const answer = await ecu.verifyCertificate(request);
      const wanted = isBidirectional ? {} : { ecuDnsName: undefined };
      const proof = await prove(request, answer, testerOf(credentials.primary, wanted));
      assert.equal((await ecu.verifyProof({ request, answer, proof })).role, 'primary');
    }
  });

  it('refuse a proof for another challenge, with another key, or thrown back', async () => {
    const { credentials, ecu, ecuCredential } = await ends();
    const request = requestOf(credentials.primary);
    const answer = await ecu.verifyCertificate(request);
    const other = await ecu.verifyCertificate(requestOf(credentials.primary));
    const options = testerOf(credentials.primary, { ecuDnsName: undefined });
    const stolen = {
      ...options,
      credential: { ...credentials.primary, privateKeyPem: ecuCredential.privateKeyPem },
    };
    const proofs = [
      await prove(request, other, options),
      await prove(request, answer, stolen),
      { proof: answer.proof, ephemeralKey: NOTHING },
      { ...(await prove(request, answer, options)), ephemeralKey: Uint8Array.of(1) },
      { proof: NOTHING, ephemeralKey: NOTHING },
    ];
    for (const proof of proofs) {
      await assert.rejects(ecu.verifyProof({ request, answer, proof }), {
        code: 'REFUSED',
        responseCode: 0x58,
      });
    }
  });

  it('refuse testers by what is wrong with their certificate', async () => {
    const stranger = await createVehicleLinkCredentials({
      vehicleIdentifier: parseVehicleIdentifier('WVWZZZ1JZ3W000009'),
      secondaries: [parseEcuIdentifier(BRAKE)],
      entropy,
    });
    const { credentials, ecu, ecuCredential } = await ends();
    const refused = async (
      port: AuthenticationPort,
      certificate: Uint8Array,
      responseCode: number,
    ): Promise<void> => {
      const request = { ...requestOf(credentials.primary), certificate };
      await assert.rejects(port.verifyCertificate(request), { code: 'REFUSED', responseCode });
    };
    await refused(ecu, Uint8Array.of(0x30, 0), 0x54);
    await refused(ecu, certificateOf(stranger.primary), 0x52);
    // A Secondary's certificate is for servers: it gives no orders to others.
    await refused(ecu, certificateOf(ecuCredential), 0x53);
    const { ecu: early } = await ends({ now: () => Temporal.Instant.from('1969-01-01T00:00:00Z') });
    await refused(early, certificateOf(credentials.primary), 0x50);
    const { ecu: strict } = await ends({ roleOf: () => undefined });
    await refused(strict, certificateOf(credentials.primary), 0x56);
  });

  it('give nothing to an ECU that is not the one that is meant', async () => {
    const { credentials, ecu } = await ends();
    const request = requestOf(credentials.primary);
    const answer = await ecu.verifyCertificate(request);
    const untrusted = { code: 'ANSWER_UNEXPECTED' };
    const refuses = async (
      shown: ServerChallenge,
      changes: Partial<TesterAuthenticationOptions> = {},
    ): Promise<void> => {
      await assert.rejects(
        prove(request, shown, testerOf(credentials.primary, changes)),
        untrusted,
      );
    };
    await refuses({ ...answer, challenge: new Uint8Array(16) });
    await refuses({ ...answer, challenge: request.challenge });
    await refuses({ ...answer, certificate: NOTHING });
    await refuses({ ...answer, certificate: certificateOf(credentials.primary) });
    await refuses({ ...answer, proof: answer.proof.map((byte) => byte ^ 1) });
    await refuses(answer, { ecuDnsName: 'e00.ecu.internal' });
    await refuses(answer, { vin: 'WVWZZZ1JZ3W000009' });
    await refuses(answer, { ecuSerialNumber: 'ABS-2' });
    const again = requestOf(credentials.primary);
    const later = await ecu.verifyCertificate(again);
    await refuses({ ...later, challenge: answer.challenge });
  });
});
