/** A workshop of the maker's, and technicians with certificates of it. */
import { createHash } from 'node:crypto';
import {
  type Certificate,
  chainBelowRoot,
  createRootAuthority,
  encodeCertificatesPem,
  encodePem,
  exportPrivateKey,
  generateSigner,
  issueAuthority,
  issueDeviceCertificate,
  openAuthority,
  parseDeviceId,
  type Validity,
} from '@immota/pki';
import {
  signApproval,
  type TechnicianAnswer,
  type TechnicianApproval,
  type TechnicianCredential,
  type TechnicianDesk,
  type TechnicianRequest,
  workSha256Of,
} from '@immota/vehicle';
import { entropy } from './folder.ts';

const VALIDITY: Validity = {
  notBefore: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  notAfter: Temporal.Instant.from('2036-01-01T00:00:00Z'),
};

/** A workshop. */
export interface Workshop {
  readonly root: Certificate;
  readonly rootPem: string;
  readonly hire: (name: string, validity?: Validity) => Promise<TechnicianCredential>;
}

/** Makes a workshop with an authority of its own. */
export async function makeWorkshop(): Promise<Workshop> {
  const rootSigner = generateSigner('ecdsa-p256');
  const root = await createRootAuthority({
    signer: rootSigner,
    name: { commonName: 'Workshops' },
    validity: VALIDITY,
    entropy,
  });
  const signer = generateSigner('ecdsa-p256');
  const certificate = await issueAuthority(root, {
    publicKeyDer: signer.publicKeyDer,
    kind: 'devices',
    name: { commonName: 'Technicians' },
    validity: VALIDITY,
    entropy,
  });
  const authority = openAuthority([certificate, root.certificate], signer);
  return {
    root: root.certificate,
    rootPem: encodeCertificatesPem([root.certificate]),
    hire: async (name, validity = VALIDITY) => {
      const own = generateSigner('ecdsa-p256');
      const leaf = await issueDeviceCertificate(authority, {
        deviceId: parseDeviceId(name),
        publicKeyDer: own.publicKeyDer,
        validity,
        entropy,
      });
      return {
        certificatePem: encodeCertificatesPem([leaf, ...chainBelowRoot(authority)]),
        privateKeyPem: encodePem('PRIVATE KEY', exportPrivateKey(own)),
      };
    },
  };
}

/** Says yes to what a vehicle shows, unless told otherwise. */
export async function approve(
  request: TechnicianRequest,
  credential: TechnicianCredential,
  changes: Partial<TechnicianApproval> = {},
): Promise<Uint8Array> {
  return await signApproval(
    {
      id: entropy.bytes(16).toHex(),
      vehicle: request.vehicle,
      correlationId: request.correlationId,
      step: request.stop.step,
      workSha256: workSha256Of(request.stop, request.images),
      challenge: request.challenge,
      decision: 'go',
      reason: '',
      from: Temporal.Instant.from('2026-06-01T00:00:00Z'),
      until: Temporal.Instant.from('2026-06-02T00:00:00Z'),
      ...changes,
    },
    credential,
  );
}

/** A desk in memory. */
export class BenchDesk implements TechnicianDesk {
  request: TechnicianRequest | undefined;
  readonly inbox: Uint8Array[] = [];
  readonly answers: TechnicianAnswer[] = [];

  show(request: TechnicianRequest | undefined): void {
    this.request = request;
  }

  take(): readonly Uint8Array[] {
    return this.inbox.splice(0);
  }

  answer(answer: TechnicianAnswer): void {
    this.answers.push(answer);
  }

  /** What the vehicle waits for. */
  get open(): TechnicianRequest {
    if (this.request === undefined) throw new TypeError('the vehicle waits for no technician');
    return this.request;
  }

  get codes(): readonly string[] {
    return this.answers.map(({ code }) => code);
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
