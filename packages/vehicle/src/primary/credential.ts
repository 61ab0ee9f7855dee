/**
 * The vehicle's certificate: from the factory first, then renewed over EST (RFC 7030) with a new key
 * before it runs out. A new one is used only when our peers would trust it; until then the old one
 * stays.
 */
import { DEVICE_PATHS } from '@immota/api';
import { equalBytes } from '@immota/base';
import {
  type Certificate,
  checkChain,
  encodeCertificatesPem,
  encodeEnrolmentRequest,
  encodePem,
  exportPrivateKey,
  generateSigner,
  parseCaCerts,
  parseEnrolmentResponse,
  PkiFault,
  type SoftwareSigner,
} from '@immota/pki';
import { z } from 'zod';
import type { TlsCredential } from '../download/https-fetcher.ts';
import { requestSmall, type SmallResponse } from '../download/request.ts';
import type { VehicleState } from '../state/vehicle-state.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { estimatedTime } from './attested-time.ts';
import { readCertificates, type VehicleBundle } from './bundle.ts';
import type { PrimaryContext } from './context.ts';
import { jsonValue } from './json-value.ts';

/** An EST body with a chain in it. */
const EST_ANSWER_MAX_BYTES = 262_144;

const CREDENTIAL = jsonValue(
  'credential',
  z.object({ certificatePem: z.string(), privateKeyPem: z.string() }),
);

/** Finds the credential in force. */
export function currentCredential(state: VehicleState, bundle: VehicleBundle): TlsCredential {
  return state.values.load(CREDENTIAL) ?? bundle.credential;
}

/**
 * Renews the certificate when little of its life is left.
 *
 * @returns the new credential, kept already; undefined when it was not due.
 * @throws VehicleFault ENROLMENT_REFUSED when the server refuses, or gives a certificate that is not
 * ours or leads to no authority we know.
 */
export async function renewIfDue(context: PrimaryContext): Promise<TlsCredential | undefined> {
  const { state, bundle, policy, onProgress } = context;
  const [certificate, ...chain] = readCertificates(
    currentCredential(state, bundle).certificatePem,
    'client.pem',
  );
  const { notBefore, notAfter } = certificate;
  const lifeMs = notAfter.epochMilliseconds - notBefore.epochMilliseconds;
  const leftMs = notAfter.epochMilliseconds - estimatedTime(context).epochMilliseconds;
  if (leftMs > lifeMs * policy.renewAtRemaining) return undefined;
  const signer = generateSigner('ecdsa-p256');
  try {
    const renewed = await reenrol(context, certificate, signer);
    const path = await verifiedPath(context, renewed, { previous: certificate, chain });
    const credential = credentialOf(signer, path);
    state.values.save(CREDENTIAL, credential);
    onProgress({ kind: 'certificate-renewed', notAfter: renewed.notAfter });
    return credential;
  } catch (error) {
    if (!(error instanceof PkiFault)) throw error;
    throw new VehicleFault('ENROLMENT_REFUSED', `Cannot renew certificate: ${error.message}`, {
      cause: error,
    });
  }
}

async function reenrol(
  context: PrimaryContext,
  { subject }: Certificate,
  signer: SoftwareSigner,
): Promise<Certificate> {
  const request = await encodeEnrolmentRequest(signer, subject);
  const { status, headers, bytes } = await askEst(context, 'simplereenroll', request);
  if (status !== 200) {
    throw new VehicleFault('ENROLMENT_REFUSED', `Cannot renew certificate: ${status}`);
  }
  const message = { mediaType: headers.get('content-type'), body: bytes };
  return parseEnrolmentResponse(message, signer.publicKeyDer);
}

/**
 * Checks that the certificate is ours, lasts longer than the old one, and leads to an authority that
 * the factory's roots vouch for.
 */
async function verifiedPath(
  context: PrimaryContext,
  renewed: Certificate,
  known: { readonly previous: Certificate; readonly chain: readonly Certificate[] },
): Promise<readonly Certificate[]> {
  const { previous, chain } = known;
  if (!equalBytes(renewed.subject.der, previous.subject.der)) {
    throw new VehicleFault('ENROLMENT_REFUSED', 'Cannot renew certificate: it names another');
  }
  if (Temporal.Instant.compare(renewed.notAfter, previous.notAfter) <= 0) {
    throw new VehicleFault('ENROLMENT_REFUSED', 'Cannot renew certificate: it ends no later');
  }
  const roots = readCertificates(context.bundle.rootsPem, 'root.crt');
  const isKnown = chain.some(({ subject }) => equalBytes(subject.der, renewed.issuer.der));
  const intermediates = isKnown ? chain : [...chain, ...(await fetchAuthorities(context))];
  const at = estimatedTime(context);
  const path = checkChain(renewed, 'device', { intermediates, anchors: roots, at });
  return path.slice(0, -1);
}

async function fetchAuthorities(context: PrimaryContext): Promise<readonly Certificate[]> {
  const { status, headers, bytes } = await askEst(context, 'cacerts', undefined);
  if (status !== 200) return [];
  return parseCaCerts({ mediaType: headers.get('content-type'), body: bytes });
}

async function askEst(
  context: PrimaryContext,
  operation: 'cacerts' | 'simplereenroll',
  request: { readonly mediaType: string | undefined; readonly body: Uint8Array } | undefined,
): Promise<SmallResponse> {
  const url = context.bundle.gatewayOrigin + DEVICE_PATHS.est.replace(':operation', operation);
  return await requestSmall(context.network(), {
    method: request === undefined ? 'GET' : 'POST',
    url,
    ...(request === undefined
      ? {}
      : {
          headers: {
            'content-type': request.mediaType ?? '',
            'content-transfer-encoding': 'base64',
          },
          body: request.body,
        }),
    lengthMaxBytes: EST_ANSWER_MAX_BYTES,
  });
}

function credentialOf(signer: SoftwareSigner, path: readonly Certificate[]): TlsCredential {
  const privateKey = exportPrivateKey(signer);
  const privateKeyPem = encodePem('PRIVATE KEY', privateKey);
  privateKey.fill(0);
  return { certificatePem: encodeCertificatesPem(path), privateKeyPem };
}
