/** Reads the primitive values of DER, each in its one legal form. */
import { PkiFault } from '../fault.ts';
import { OID_COMPONENTS_MAX } from '../limits.ts';
import type { DerElement } from './read.ts';
import { TAG } from './tag.ts';

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** Reads an object identifier as dotted decimal. @throws PkiFault DER_MALFORMED, LIMIT. */
export function readOid(element: DerElement): string {
  const { content } = element;
  if (content.length === 0) throw malformed('object identifier', 'it is empty');
  const components: number[] = [];
  let value = 0;
  let isStart = true;
  for (const octet of content) {
    if (isStart && octet === 0x80) throw malformed('object identifier', 'a padded component');
    if (value > 0xff_ffff_ffff) throw malformed('object identifier', 'a component too large');
    value = value * 128 + (octet & 0x7f);
    isStart = octet < 0x80;
    if (!isStart) continue;
    if (components.length === 0) {
      const first = Math.min(Math.floor(value / 40), 2);
      components.push(first, value - first * 40);
    } else components.push(value);
    if (components.length > OID_COMPONENTS_MAX) {
      throw new PkiFault(
        'LIMIT',
        `Cannot read object identifier: over ${OID_COMPONENTS_MAX} parts`,
      );
    }
    value = 0;
  }
  if (!isStart) throw malformed('object identifier', 'it is cut short');
  return components.join('.');
}

/** Reads a boolean. @throws PkiFault DER_MALFORMED unless it is 00 or FF. */
export function readBoolean(element: DerElement): boolean {
  const [octet] = element.content;
  if (element.content.length !== 1 || (octet !== 0x00 && octet !== 0xff)) {
    throw malformed('boolean', 'neither true nor false');
  }
  return octet === 0xff;
}

/** Reads an integer's octets. @throws PkiFault DER_MALFORMED when empty, negative or padded. */
export function readUnsigned(element: DerElement): Uint8Array {
  const { content } = element;
  const [first, second] = content;
  if (first === undefined) throw malformed('integer', 'it is empty');
  if (first >= 0x80) throw malformed('integer', 'it is negative');
  if (first === 0 && second !== undefined && second < 0x80) throw malformed('integer', 'padded');
  return first === 0 && second !== undefined ? content.subarray(1) : content;
}

/** Reads an integer from 0 to 2^31 - 1. @throws PkiFault DER_MALFORMED outside of it. */
export function readSmallUnsigned(element: DerElement): number {
  const octets = readUnsigned(element);
  if (octets.length > 4) throw malformed('integer', 'it is too large');
  let value = 0;
  for (const octet of octets) value = value * 256 + octet;
  if (value > 0x7fff_ffff) throw malformed('integer', 'it is too large');
  return value;
}

/** Reads a bit string that is whole octets. @throws PkiFault DER_MALFORMED otherwise. */
export function readOctetsOfBits(element: DerElement): Uint8Array {
  if (element.content[0] !== 0) throw malformed('bit string', 'it is not whole octets');
  return element.content.subarray(1);
}

/** Reads a bit string of named bits, first bit first. @throws PkiFault DER_MALFORMED if not shortest. */
export function readNamedBits(element: DerElement): readonly number[] {
  const [unused] = element.content;
  const octets = element.content.subarray(1);
  const last = octets.at(-1);
  if (unused === undefined || unused > 7) throw malformed('bit string', 'its padding count');
  if (last === undefined) {
    if (unused !== 0) throw malformed('bit string', 'its padding count');
    return [];
  }
  // X.690 11.2.2: named bits end with their last one, so the bit before the padding is set.
  if ((last & ((1 << (unused + 1)) - 1)) !== 1 << unused) {
    throw malformed('bit string', 'it is not the shortest');
  }
  const bits: number[] = [];
  for (const [index, octet] of octets.entries()) {
    for (let bit = 0; bit < 8; bit += 1) {
      if ((octet & (0x80 >> bit)) !== 0) bits.push(index * 8 + bit);
    }
  }
  return bits;
}

/** Reads a UTF8String, PrintableString or IA5String. @throws PkiFault DER_MALFORMED otherwise. */
export function readText(element: DerElement, what: string): string {
  const { tag } = element;
  if (tag !== TAG.utf8String && tag !== TAG.printableString && tag !== TAG.ia5String) {
    throw malformed(what, 'it is no text of a known type');
  }
  const text = decodeText(element.content, what);
  if (tag === TAG.printableString && !PRINTABLE.test(text)) {
    throw malformed(what, 'a character that its type does not have');
  }
  if (tag === TAG.ia5String) checkAscii(element.content, what);
  return text;
}

/** Reads octets as ASCII text. @throws PkiFault DER_MALFORMED when one is above 127 or a control. */
export function readAscii(content: Uint8Array, what: string): string {
  checkAscii(content, what);
  return decodeText(content, what);
}

/**
 * Reads an UTCTime or GeneralizedTime in the one form RFC 5280 allows: seconds, and Z.
 *
 * @throws PkiFault DER_MALFORMED for any other form or a day that does not exist.
 */
export function readTime(element: DerElement, what: string): Temporal.Instant {
  const text = readAscii(element.content, what);
  let year: string;
  let rest: string;
  if (element.tag === TAG.utcTime && /^\d{12}Z$/.test(text)) {
    // {RFC 5280 4.1.2.5.1}: 50 and above is the last century.
    year = `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text.slice(0, 2)}`;
    rest = text.slice(2);
  } else if (element.tag === TAG.generalizedTime && /^\d{14}Z$/.test(text)) {
    year = text.slice(0, 4);
    rest = text.slice(4);
  } else throw malformed(what, 'it is no time in UTC with seconds');
  const at = (index: number): string => rest.slice(index, index + 2);
  if (at(8) === '60') throw malformed(what, 'a leap second');
  try {
    return Temporal.Instant.from(`${year}-${at(0)}-${at(2)}T${at(4)}:${at(6)}:${at(8)}Z`);
  } catch (error) {
    throw new PkiFault('DER_MALFORMED', `Cannot read ${what}: no such day or time`, {
      cause: error,
    });
  }
}

function checkAscii(content: Uint8Array, what: string): void {
  if (content.some((octet) => octet < 0x20 || octet > 0x7e)) {
    throw malformed(what, 'a character that its type does not have');
  }
}

function decodeText(content: Uint8Array, what: string): string {
  try {
    return textDecoder.decode(content);
  } catch (error) {
    throw new PkiFault('DER_MALFORMED', `Cannot read ${what}: it is not UTF-8`, { cause: error });
  }
}

function malformed(what: string, why: string): PkiFault {
  return new PkiFault('DER_MALFORMED', `Cannot read ${what}: ${why}`);
}
