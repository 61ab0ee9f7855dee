/** Makes certificates by hand, right or wrong in one place. */
import type { Signer } from '@immota/base';
import { generateSigner } from '@immota/pki';

import {
  type Der,
  writeBits,
  writeBoolean,
  writeDer,
  writeExplicit,
  writeInteger,
  writeOid,
  writeOctets,
  writeSequence,
  writeSetOf,
  writeText,
  writeTime,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { days } from './world.ts';

/** The parts of a certificate, each in DER; undefined leaves one out. */
export interface Parts {
  readonly version?: Der | undefined;
  readonly serial?: Der;
  readonly innerAlgorithm?: Der;
  readonly outerAlgorithm?: Der;
  readonly issuer?: Der;
  readonly validity?: Der;
  readonly subject?: Der;
  readonly publicKey?: Der;
  /** The extensions themselves. */
  readonly extensions?: readonly Der[] | undefined;
  /** Whatever follows inside the signed part. */
  readonly tail?: Der | undefined;
  /** Whatever follows the signature. */
  readonly outerTail?: Der | undefined;
  readonly signature?: Der;
  readonly signer?: Signer;
}

export const ECDSA: Der = writeSequence(writeOid(OID.ecdsaWithSha256));
const key = generateSigner('ecdsa-p256');

/** Makes a certificate with these parts; the others are those of a good leaf. */
export async function forge(parts: Parts = {}): Promise<Der> {
  const { signer = key } = parts;
  const { notBefore, notAfter } = days(365);
  const choose = (part: keyof Parts, usual: Der): Der | undefined =>
    part in parts ? (parts[part] as Der | undefined) : usual;
  const { extensions = 'extensions' in parts ? undefined : [] } = parts;
  const tbs = writeSequence(
    choose('version', writeExplicit(0, writeInteger(2))),
    choose('serial', writeInteger(4711)),
    choose('innerAlgorithm', ECDSA),
    choose('issuer', name('Forged Authority')),
    choose('validity', writeSequence(writeTime(notBefore), writeTime(notAfter))),
    choose('subject', name('forged')),
    choose('publicKey', Uint8Array.from(key.publicKeyDer)),
    extensions === undefined ? undefined : writeExplicit(3, writeSequence(...extensions)),
    parts.tail,
  );
  return writeSequence(
    tbs,
    choose('outerAlgorithm', ECDSA),
    choose('signature', writeBits(await signer.sign(tbs))),
    parts.outerTail,
  );
}

/** A name of one common name. */
export function name(commonName: string): Der {
  return writeSequence(attribute(OID.commonName, writeText(commonName)));
}

/** A relative name of one attribute. */
export function attribute(type: string, value: Der): Der {
  return writeSetOf([writeSequence(writeOid(type), value)]);
}

/** An extension. */
export function extension(oid: string, value: Uint8Array, isCritical = false): Der {
  const critical = isCritical ? writeBoolean(true) : undefined;
  return writeSequence(writeOid(oid), critical, writeOctets(value));
}

/** basicConstraints of an authority. */
export function authority(pathLength?: number): Der {
  const length = pathLength === undefined ? undefined : writeInteger(pathLength);
  return extension(OID.basicConstraints, writeSequence(writeBoolean(true), length), true);
}

/** extendedKeyUsage. */
export function purposes(...oids: readonly string[]): Der {
  return extension(OID.extendedKeyUsage, writeSequence(...oids.map((oid) => writeOid(oid))));
}

/** keyUsage from the octets of its bit string: padding count, then bits. */
export function usage(...octets: readonly number[]): Der {
  return extension(OID.keyUsage, writeDer(0x03, Uint8Array.from(octets)), true);
}

/** keyCertSign and cRLSign. */
export const ISSUES: Der = usage(1, 0x06);
/** digitalSignature. */
export const SIGNS: Der = usage(7, 0x80);

/** The parts of a request, each in DER. */
export interface RequestParts {
  readonly subject?: Der;
  readonly version?: Der;
  readonly attributes?: readonly Der[];
  readonly tail?: Der;
  readonly outerTail?: Der;
  readonly algorithm?: Der;
}

/** Makes a request by hand, right or wrong in one place. */
export async function forgeCertificateRequest(signer: Signer, parts: RequestParts): Promise<Der> {
  const info = writeSequence(
    parts.version ?? writeInteger(0),
    parts.subject ?? name('veh-1'),
    signer.publicKeyDer,
    writeExplicit(0, ...(parts.attributes ?? [])),
    parts.tail,
  );
  const signature = writeBits(await signer.sign(info));
  return writeSequence(info, parts.algorithm ?? ECDSA, signature, parts.outerTail);
}
