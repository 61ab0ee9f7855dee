/** Signing, online or offline: the same bytes either way. */
import type { JsonObject, Signer } from '@immota/base';
import { encodeCanonical } from '../encoding/canonical.ts';
import type { Dialect } from '../encoding/dialect.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeAround,
  type MadeSignature,
} from '../encoding/envelope.ts';
import { keyIdOf } from '../encoding/encode-metadata.ts';
import { UptaneFault } from '../fault.ts';
import type { PublicKey } from '../metadata/key.ts';

/** The bytes that the keys of a role sign. */
export function payloadBytes(dialect: Dialect, signed: JsonObject): Uint8Array<ArrayBuffer> {
  return encodeCanonical(signed, dialect.canonicalForm);
}

/**
 * Signs a payload with one key.
 *
 * @param signed - the payload's object.
 * @returns the signature under the key's own identifier.
 */
export async function makeSignature(
  dialect: Dialect,
  signed: JsonObject,
  signer: Signer,
): Promise<MadeSignature> {
  return signPayload(dialect, payloadBytes(dialect, signed), signer);
}

/**
 * Signs a payload with every given key and puts the file together.
 *
 * @param signers - in the profile `hybrid` both halves of each key pair.
 * @returns the file, in canonical form.
 */
export async function signMetadata(
  dialect: Dialect,
  signed: JsonObject,
  signers: readonly Signer[],
): Promise<Uint8Array<ArrayBuffer>> {
  const payload = payloadBytes(dialect, signed);
  const signatures = await Promise.all(
    signers.map((signer) => signPayload(dialect, payload, signer)),
  );
  return dialect.canonicalForm === 'escaped'
    ? envelopeAround(dialect, payload, signatures)
    : encodeEnvelope(dialect, signed, signatures);
}

async function signPayload(
  dialect: Dialect,
  payload: Uint8Array,
  signer: Signer,
): Promise<MadeSignature> {
  return {
    keyId: keyIdOf(dialect, signer.algorithm, signer.publicKeyDer),
    method: dialect.methodOf(signer.algorithm),
    bytes: await signer.sign(payload),
  };
}

/**
 * Adds a signature that was made elsewhere to a file, replacing an older one of the same key.
 *
 * @param file - a signed document, with or without signatures.
 * @param signature - to add.
 * @param key - the key it is said to be from: a signature that does not verify is not let in.
 * @throws UptaneFault SIGNATURE_THRESHOLD when it does not verify, or as `decodeEnvelope`.
 */
export function addSignature(
  dialect: Dialect,
  file: { readonly bytes: Uint8Array; readonly lengthMaxBytes: number },
  { signature, key }: { readonly signature: MadeSignature; readonly key: PublicKey },
): Uint8Array<ArrayBuffer> {
  const envelope = decodeEnvelope(dialect, file.bytes, file.lengthMaxBytes);
  if (!key.verify(envelope.payload, signature.bytes)) {
    throw new UptaneFault('SIGNATURE_THRESHOLD', 'Cannot add signature: it does not verify');
  }
  const kept = envelope.signatures.filter(({ keyId }) => keyId !== signature.keyId);
  return encodeEnvelope(dialect, envelope.signed, [...kept, signature]);
}
