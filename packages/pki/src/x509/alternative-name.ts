/** Alternative names and the constraints on them ({RFC 5280 4.2.1.6} and 4.2.1.10). */
import { PkiFault } from '../fault.ts';
import { ALTERNATIVE_NAMES_MAX } from '../limits.ts';
import { type DerElement, listDer, openDer, readDer } from '../der/read.ts';
import { contextConstructed, contextPrimitive, TAG } from '../der/tag.ts';
import { readAscii } from '../der/value.ts';
import { type Der, writeExplicit, writeImplicit, writeSequence } from '../der/write.ts';
import { type DistinguishedName, readName } from './name.ts';
import { utf8 } from '@immota/base';

const DNS = contextPrimitive(2);
const DIRECTORY = contextConstructed(4);
const URI = contextPrimitive(6);
const IP = contextPrimitive(7);
const DNS_NAME =
  /^(?=.{1,253}$)(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** The alternative names of a certificate, by form. Other forms than these are ignored. */
export interface AlternativeNames {
  /** In lower case. */
  readonly dnsNames: readonly string[];
  /** 4 or 16 octets each. */
  readonly ipAddresses: readonly Uint8Array[];
  readonly uris: readonly string[];
}

/** Names of the constrained forms. */
export interface NameSubtrees {
  /** In lower case; the empty one is every name. */
  readonly dnsNames: readonly string[];
  /** Address and mask, 8 or 32 octets. */
  readonly ipRanges: readonly Uint8Array[];
  readonly directoryNames: readonly DistinguishedName[];
}

/** What an authority may vouch for. */
export interface NameConstraints {
  readonly permitted: NameSubtrees;
  readonly excluded: NameSubtrees;
}

/** Reads a subjectAltName value. @throws PkiFault DER_MALFORMED, CERTIFICATE_MALFORMED, LIMIT. */
export function readAlternativeNames(value: Uint8Array): AlternativeNames {
  const dnsNames: string[] = [];
  const ipAddresses: Uint8Array[] = [];
  const uris: string[] = [];
  const elements = listDer(readDer(value, TAG.sequence, 'subjectAltName'), 'subjectAltName');
  checkCount(elements.length);
  for (const { tag, content } of elements) {
    if (tag === DNS) dnsNames.push(readDnsName(content));
    else if (tag === URI) uris.push(readAscii(content, 'URI'));
    else if (tag === IP) {
      if (content.length !== 4 && content.length !== 16) throw malformed('an IP address');
      ipAddresses.push(content);
    }
  }
  return { dnsNames, ipAddresses, uris };
}

/** Encodes a subjectAltName value. @throws PkiFault ISSUE_REFUSED for what is no host name or address. */
export function encodeAlternativeNames(
  dnsNames: readonly string[],
  ipAddresses: readonly string[],
): Der {
  return writeSequence(
    ...dnsNames.map((name) => writeImplicit(2, encodeDnsName(name))),
    ...ipAddresses.map((address) => writeImplicit(7, parseIpAddress(address))),
  );
}

/**
 * Reads a nameConstraints value.
 *
 * @throws PkiFault DER_MALFORMED, LIMIT; CERTIFICATE_UNSUPPORTED for a form that is not checked here,
 *   since a constraint that is not understood must not be passed over.
 */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const reader = openDer(readDer(value, TAG.sequence, 'nameConstraints'), 'nameConstraints');
  const permitted = reader.takeOptional(contextConstructed(0));
  const excluded = reader.takeOptional(contextConstructed(1));
  reader.end('nameConstraints');
  return { permitted: readSubtrees(permitted), excluded: readSubtrees(excluded) };
}

/** What a new authority may be held to. Of a form that is left out, nothing is constrained. */
export interface NewNameConstraints {
  /** Each with everything below it. */
  readonly dnsNames?: readonly string[] | undefined;
  /** Single addresses. */
  readonly ipAddresses?: readonly string[] | undefined;
  /** A name in DER, with everything below it. */
  readonly directoryName?: Uint8Array | undefined;
}

/** Encodes a nameConstraints value that permits only these; undefined when it would permit all. */
export function encodeNameConstraints(permitted: NewNameConstraints): Der | undefined {
  const { dnsNames = [], ipAddresses = [], directoryName } = permitted;
  const bases = [
    ...dnsNames.map((name) => writeImplicit(2, encodeDnsName(name))),
    ...ipAddresses.map((address) => {
      const octets = parseIpAddress(address);
      return writeImplicit(7, Uint8Array.of(...octets, ...octets.map(() => 0xff)));
    }),
    ...(directoryName === undefined ? [] : [writeExplicit(4, directoryName)]),
  ];
  if (bases.length === 0) return undefined;
  return writeSequence(writeExplicit(0, ...bases.map((base) => writeSequence(base))));
}

/**
 * Reads an IP address in text.
 *
 * @param text - IPv4 in dotted decimal, or IPv6 in any of its forms without a zone.
 * @returns 4 or 16 octets.
 * @throws PkiFault ISSUE_REFUSED for anything else.
 */
function parseIpAddress(text: string): Uint8Array<ArrayBuffer> {
  const bad = new PkiFault('ISSUE_REFUSED', `Cannot read IP address: ${text.slice(0, 64)}`);
  const quads = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/;
  if (quads.test(text) && !text.endsWith('.')) return Uint8Array.from(text.split('.'), Number);
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !URL.canParse(`http://[${text}]`)) throw bad;
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const [left, right] = [readGroups(head), readGroups(tail ?? '')];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return Uint8Array.from(
    [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 255]),
  );
}

function readGroups(part: string): readonly number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

function readSubtrees(element: DerElement | undefined): NameSubtrees {
  const dnsNames: string[] = [];
  const ipRanges: Uint8Array[] = [];
  const directoryNames: DistinguishedName[] = [];
  const subtrees = element === undefined ? [] : listDer(element, 'nameConstraints');
  checkCount(subtrees.length);
  for (const subtree of subtrees) {
    const reader = openDer(subtree, 'subtree');
    const base = reader.takeAny('base');
    // RFC 5280: minimum is 0, left out in DER, and maximum is absent.
    reader.end('subtree');
    if (base.tag === DNS) {
      dnsNames.push(base.content.length === 0 ? '' : readDnsName(base.content));
    } else if (base.tag === IP && (base.content.length === 8 || base.content.length === 32)) {
      ipRanges.push(base.content);
    } else if (base.tag === DIRECTORY) {
      directoryNames.push(readName(readDer(base.content, TAG.sequence, 'directory name')));
    } else {
      throw new PkiFault('CERTIFICATE_UNSUPPORTED', 'Cannot read nameConstraints: another form');
    }
  }
  return { dnsNames, ipRanges, directoryNames };
}

function readDnsName(content: Uint8Array): string {
  const name = readAscii(content, 'DNS name');
  if (!DNS_NAME.test(name)) throw malformed('a DNS name');
  return name.toLowerCase();
}

function encodeDnsName(name: string): Uint8Array {
  if (!DNS_NAME.test(name)) {
    throw new PkiFault('ISSUE_REFUSED', `Cannot vouch for DNS name: ${name.slice(0, 64)}`);
  }
  return utf8(name.toLowerCase());
}

function checkCount(count: number): void {
  if (count > ALTERNATIVE_NAMES_MAX) {
    throw new PkiFault(
      'LIMIT',
      `Cannot read names: ${count} are more than ${ALTERNATIVE_NAMES_MAX}`,
    );
  }
}

function malformed(what: string): PkiFault {
  return new PkiFault('CERTIFICATE_MALFORMED', `Cannot read alternative names: ${what} is none`);
}
