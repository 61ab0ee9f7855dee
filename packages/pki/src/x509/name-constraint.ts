/** Holds the names of a certificate against the constraints of an authority {RFC 5280 4.2.1.10}. */
import { equalBytes } from '@immota/base';

import { PkiFault } from '../fault.ts';
import type { NameConstraints } from './alternative-name.ts';
import type { Certificate } from './certificate.ts';
import type { DistinguishedName } from './name.ts';

/**
 * Checks that an authority may vouch for all names of a certificate.
 *
 * @param certificate - any one below the authority.
 * @param constraints - the authority's.
 * @throws PkiFault CHAIN_NAME when a name is excluded, or others of its form are permitted and it is not.
 */
export function checkNamesAllowed(certificate: Certificate, constraints: NameConstraints): void {
  const { permitted, excluded } = constraints;
  for (const name of certificate.alternativeNames?.dnsNames ?? []) {
    if (!isPermitted(name, permitted.dnsNames, isDnsWithin)) throw refuse(name);
    if (excluded.dnsNames.some((base) => isDnsTouching(name, base))) throw refuse(name);
  }
  for (const address of certificate.alternativeNames?.ipAddresses ?? []) {
    const text = Buffer.from(address).toString('hex');
    if (!isPermitted(address, permitted.ipRanges, isIpWithin)) throw refuse(text);
    if (excluded.ipRanges.some((range) => isIpWithin(address, range))) throw refuse(text);
  }
  if (certificate.subject.attributes.length === 0) return;
  const { subject } = certificate;
  if (!isPermitted(subject, permitted.directoryNames, isNameWithin)) throw refuse('its subject');
  if (excluded.directoryNames.some((base) => isNameWithin(subject, base))) {
    throw refuse('its subject');
  }
}

/** A form that no permitted subtree speaks of is not constrained. */
function isPermitted<Name, Base>(
  name: Name,
  bases: readonly Base[],
  isWithin: (name: Name, base: Base) => boolean,
): boolean {
  return bases.length === 0 || bases.some((base) => isWithin(name, base));
}

function isDnsWithin(name: string, base: string): boolean {
  return base === '' || name === base || name.endsWith(`.${base}`);
}

/** A wildcard also stands for the excluded names that lie below its own base. */
function isDnsTouching(name: string, base: string): boolean {
  return isDnsWithin(name, base) || (name.startsWith('*.') && isDnsWithin(base, name.slice(2)));
}

function isIpWithin(address: Uint8Array, range: Uint8Array): boolean {
  const { length } = address;
  if (range.length !== length * 2) return false;
  return address.every((octet, index) => {
    const mask = range[length + index] ?? 0;
    return ((octet ^ (range[index] ?? 0)) & mask) === 0;
  });
}

function isNameWithin(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.relativeNames.every((part, index) => {
    const own = name.relativeNames[index];
    return own !== undefined && equalBytes(own, part);
  });
}

function refuse(name: string): PkiFault {
  return new PkiFault('CHAIN_NAME', `Cannot trust certificate: not allowed to name ${name}`);
}
