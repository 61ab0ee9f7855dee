/** The extensions of a certificate {RFC 5280 4.2}. */
import { PkiFault } from '../fault.ts';
import { EXTENSIONS_MAX } from '../limits.ts';
import { type DerElement, listDer, openDer, readDer } from '../der/read.ts';
import { contextPrimitive, TAG } from '../der/tag.ts';
import { readBoolean, readNamedBits, readOid, readSmallUnsigned } from '../der/value.ts';
import {
  type Der,
  writeBoolean,
  writeExplicit,
  writeImplicit,
  writeInteger,
  writeNamedBits,
  writeOctets,
  writeOid,
  writeSequence,
} from '../der/write.ts';
import { OID } from '../oid.ts';
import {
  type AlternativeNames,
  type NameConstraints,
  readAlternativeNames,
  readNameConstraints,
} from './alternative-name.ts';
import { utf8 } from '@immota/base';

/** The bits of keyUsage, in their order. */
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** What a key may be used for. */
export type KeyUsage = (typeof KEY_USAGES)[number];

/** The extensions that are understood; what is absent here was absent there. */
export interface Extensions {
  readonly isAuthority: boolean;
  /** How many authorities may stand below this one. */
  readonly pathLength?: number | undefined;
  readonly keyUsages?: ReadonlySet<KeyUsage> | undefined;
  /** Dotted decimal. */
  readonly purposes?: readonly string[] | undefined;
  readonly alternativeNames?: AlternativeNames | undefined;
  readonly nameConstraints?: NameConstraints | undefined;
  readonly subjectKeyId?: Uint8Array | undefined;
  readonly authorityKeyId?: Uint8Array | undefined;
}

/**
 * Reads the extensions of a certificate or of a request.
 *
 * @param element - the SEQUENCE of them.
 * @throws PkiFault DER_MALFORMED; LIMIT above 32; CERTIFICATE_MALFORMED when one repeats or
 *   contradicts another; CERTIFICATE_UNSUPPORTED when a critical one is not understood.
 */
export function readExtensions(element: DerElement): Extensions {
  const values = new Map<string, Uint8Array>();
  const elements = listDer(element, 'extensions');
  if (elements.length > EXTENSIONS_MAX) {
    throw new PkiFault('LIMIT', `Cannot read extensions: more than ${EXTENSIONS_MAX}`);
  }
  for (const extension of elements) {
    const { oid, isCritical, value } = readExtension(extension);
    if (values.has(oid)) throw malformed(`${oid} repeats`);
    if (isCritical && !UNDERSTOOD.has(oid)) {
      throw new PkiFault('CERTIFICATE_UNSUPPORTED', `Cannot read extensions: ${oid} is critical`);
    }
    values.set(oid, value);
  }
  const read = <T>(oid: string, reader: (value: Uint8Array) => T): T | undefined => {
    const value = values.get(oid);
    return value === undefined ? undefined : reader(value);
  };
  const constraints = read(OID.basicConstraints, readBasicConstraints);
  return {
    isAuthority: constraints?.isAuthority ?? false,
    pathLength: constraints?.pathLength,
    keyUsages: read(OID.keyUsage, readKeyUsage),
    purposes: read(OID.extendedKeyUsage, readPurposes),
    alternativeNames: read(OID.subjectAltName, readAlternativeNames),
    nameConstraints: read(OID.nameConstraints, readNameConstraints),
    subjectKeyId: read(OID.subjectKeyIdentifier, (value) => {
      return readDer(value, TAG.octetString, 'subject key identifier').content;
    }),
    authorityKeyId: read(OID.authorityKeyIdentifier, readAuthorityKeyId),
  };
}

const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.nameConstraints,
]);

/** Encodes one extension. */
export function encodeExtension(oid: string, isCritical: boolean, value: Uint8Array): Der {
  const critical = isCritical ? writeBoolean(true) : undefined;
  return writeSequence(writeOid(oid), critical, writeOctets(value));
}

/** Encodes basicConstraints of an authority, with how many may stand below it. */
export function encodeAuthorityConstraints(pathLength: number): Der {
  const value = writeSequence(writeBoolean(true), writeInteger(pathLength));
  return encodeExtension(OID.basicConstraints, true, value);
}

/** Encodes basicConstraints of one that is no authority. */
export function encodeLeafConstraints(): Der {
  return encodeExtension(OID.basicConstraints, true, writeSequence());
}

/** Encodes keyUsage. */
export function encodeKeyUsage(usages: readonly KeyUsage[]): Der {
  const bits = usages.map((usage) => KEY_USAGES.indexOf(usage));
  return encodeExtension(OID.keyUsage, true, writeNamedBits(bits));
}

/** Encodes extendedKeyUsage. */
export function encodePurposes(purposes: readonly string[]): Der {
  return encodeExtension(OID.extendedKeyUsage, false, writeSequence(...purposes.map(writeOid)));
}

/** Encodes the subject's and the authority's key identifiers. */
export function encodeKeyIds(subjectKeyId: Uint8Array, authorityKeyId: Uint8Array): readonly Der[] {
  return [
    encodeExtension(OID.subjectKeyIdentifier, false, writeOctets(subjectKeyId)),
    encodeAuthorityKeyId(authorityKeyId),
  ];
}

/** Encodes the authority's key identifier. */
export function encodeAuthorityKeyId(keyId: Uint8Array): Der {
  const value = writeSequence(writeImplicit(0, keyId));
  return encodeExtension(OID.authorityKeyIdentifier, false, value);
}

/** Where others ask whether a certificate is still good. */
export interface StatusLocations {
  readonly crlUrl?: string | undefined;
  readonly ocspUrl?: string | undefined;
}

/** Encodes where the revocation list and the OCSP responder are found. */
export function encodeStatusLocations({ crlUrl, ocspUrl }: StatusLocations): readonly Der[] {
  const found: Der[] = [];
  if (crlUrl !== undefined) {
    const fullName = writeExplicit(0, writeImplicit(6, utf8(crlUrl)));
    const point = writeSequence(writeExplicit(0, fullName));
    found.push(encodeExtension(OID.crlDistributionPoints, false, writeSequence(point)));
  }
  if (ocspUrl !== undefined) {
    const access = writeSequence(writeOid(OID.accessMethodOcsp), writeImplicit(6, utf8(ocspUrl)));
    found.push(encodeExtension(OID.authorityInformationAccess, false, writeSequence(access)));
  }
  return found;
}

/** Reads one extension. @throws PkiFault DER_MALFORMED, also for a default that is written out. */
export function readExtension(element: DerElement): {
  readonly oid: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
} {
  if (element.tag !== TAG.sequence) {
    throw new PkiFault('DER_MALFORMED', 'Cannot read extension: it is no sequence');
  }
  const reader = openDer(element, 'extension');
  const oid = readOid(reader.take(TAG.oid, 'extension id'));
  const critical = reader.takeOptional(TAG.boolean);
  const isCritical = critical !== undefined && readBoolean(critical);
  if (critical !== undefined && !isCritical) {
    throw new PkiFault('DER_MALFORMED', 'Cannot read extension: a default is written out');
  }
  const { content: value } = reader.take(TAG.octetString, 'extension value');
  reader.end('extension');
  return { oid, isCritical, value };
}

function readBasicConstraints(value: Uint8Array): { isAuthority: boolean; pathLength?: number } {
  const reader = openDer(readDer(value, TAG.sequence, 'basicConstraints'), 'basicConstraints');
  const flag = reader.takeOptional(TAG.boolean);
  const length = reader.takeOptional(TAG.integer);
  reader.end('basicConstraints');
  const isAuthority = flag !== undefined && readBoolean(flag);
  if (flag !== undefined && !isAuthority) throw malformed('a default is written out');
  if (length === undefined) return { isAuthority };
  if (!isAuthority) throw malformed('a path length without an authority');
  return { isAuthority, pathLength: readSmallUnsigned(length) };
}

function readKeyUsage(value: Uint8Array): ReadonlySet<KeyUsage> {
  const bits = readNamedBits(readDer(value, TAG.bitString, 'keyUsage'));
  if (bits.length === 0) throw malformed('keyUsage allows nothing');
  return new Set(
    bits.map((bit) => {
      const usage = KEY_USAGES[bit];
      if (usage === undefined) throw malformed('keyUsage has an unknown bit');
      return usage;
    }),
  );
}

function readPurposes(value: Uint8Array): readonly string[] {
  const elements = listDer(readDer(value, TAG.sequence, 'extendedKeyUsage'), 'extendedKeyUsage');
  if (elements.length === 0) throw malformed('extendedKeyUsage is empty');
  return elements.map((element) => {
    if (element.tag !== TAG.oid) throw malformed('a purpose that is no object identifier');
    return readOid(element);
  });
}

function readAuthorityKeyId(value: Uint8Array): Uint8Array | undefined {
  const what = 'authority key identifier';
  const reader = openDer(readDer(value, TAG.sequence, what), what);
  return reader.takeOptional(contextPrimitive(0))?.content;
}

function malformed(why: string): PkiFault {
  return new PkiFault('CERTIFICATE_MALFORMED', `Cannot read extensions: ${why}`);
}
