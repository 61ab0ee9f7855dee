/** Distinguished names {RFC 5280 4.1.2.4}. */
import { PkiFault } from '../fault.ts';
import { NAME_ATTRIBUTES_MAX, NAME_VALUE_MAX_CHARACTERS } from '../limits.ts';
import { type DerElement, listDer, openDer } from '../der/read.ts';
import { TAG } from '../der/tag.ts';
import { readOid, readText } from '../der/value.ts';
import { type Der, writeOid, writeSequence, writeSetOf, writeText } from '../der/write.ts';
import { OID } from '../oid.ts';

/** One attribute of a name. */
export interface NameAttribute {
  /** Dotted decimal. */
  readonly type: string;
  readonly value: string;
}

/**
 * A name as it stood in its certificate.
 *
 * Names are compared octet by octet. RFC 5280 would fold case and spaces; an authority that spells
 * its name in two ways is refused here.
 */
export interface DistinguishedName {
  readonly der: Uint8Array;
  /** Each relative name, whole, in order. */
  readonly relativeNames: readonly Uint8Array[];
  readonly attributes: readonly NameAttribute[];
}

/** What our own names are made of. */
export interface NameParts {
  readonly commonName: string;
  readonly organization?: string | undefined;
}

/** Reads a name. @throws PkiFault DER_MALFORMED, LIMIT. */
export function readName(element: DerElement): DistinguishedName {
  const relativeNames: Uint8Array[] = [];
  const attributes: NameAttribute[] = [];
  for (const relative of listDer(element, 'name')) {
    if (relative.tag !== TAG.set) throw malformed('a relative name that is no set');
    relativeNames.push(relative.raw);
    const parts = listDer(relative, 'relative name');
    if (parts.length === 0) throw malformed('an empty relative name');
    for (const part of parts) {
      if (part.tag !== TAG.sequence) throw malformed('an attribute that is no sequence');
      const reader = openDer(part, 'name attribute');
      const type = readOid(reader.take(TAG.oid, 'attribute type'));
      const value = readText(reader.takeAny('attribute value'), 'attribute value');
      reader.end('name attribute');
      attributes.push({ type, value });
      if (attributes.length > NAME_ATTRIBUTES_MAX || value.length > NAME_VALUE_MAX_CHARACTERS) {
        throw new PkiFault('LIMIT', 'Cannot read name: too many attributes, or one too long');
      }
    }
  }
  return { der: element.raw, relativeNames, attributes };
}

/**
 * Encodes a name: organization first, so that an authority can be held to it by a name constraint.
 *
 * @throws PkiFault LIMIT when a part is empty or longer than 64 characters (RFC 5280 ub-common-name).
 */
export function encodeName(parts: NameParts): Der {
  const { commonName, organization } = parts;
  return writeSequence(
    organization === undefined ? undefined : encodePart(OID.organizationName, organization),
    encodePart(OID.commonName, commonName),
  );
}

/** Encodes the name that every name of an organization begins with. @throws PkiFault LIMIT. */
export function encodeOrganization(organization: string): Der {
  return writeSequence(encodePart(OID.organizationName, organization));
}

/** Finds the one common name of a name; undefined when there is none, or several. */
export function findCommonName(name: DistinguishedName): string | undefined {
  const found = name.attributes.filter(({ type }) => type === OID.commonName);
  return found.length === 1 ? found[0]?.value : undefined;
}

/** Finds the first organization of a name. */
export function findOrganization(name: DistinguishedName): string | undefined {
  return name.attributes.find(({ type }) => type === OID.organizationName)?.value;
}

function encodePart(type: string, value: string): Der {
  if (value.length === 0 || value.length > 64 || !value.isWellFormed()) {
    throw new PkiFault('LIMIT', 'Cannot encode name: each part has 1 to 64 characters');
  }
  return writeSetOf([writeSequence(writeOid(type), writeText(value))]);
}

function malformed(why: string): PkiFault {
  return new PkiFault('DER_MALFORMED', `Cannot read name: ${why}`);
}
