/** Writes DER. */
import { assert, concatBytes, utf8 } from '@immota/base';

import { contextConstructed, contextPrimitive, TAG } from './tag.ts';

/** Bytes that are a whole DER element. */
export type Der = Uint8Array<ArrayBuffer>;

/** Writes an element: identifier octet, shortest length, content. */
export function writeDer(tag: number, content: Uint8Array): Der {
  const { length } = content;
  if (length < 0x80) return concatBytes([Uint8Array.of(tag, length), content]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return concatBytes([Uint8Array.of(tag, 0x80 | octets.length, ...octets), content]);
}

/** Writes a SEQUENCE; `undefined` stands for an absent optional element. */
export function writeSequence(...elements: readonly (Uint8Array | undefined)[]): Der {
  return writeDer(TAG.sequence, join(elements));
}

/** Writes a SET OF, its elements in the order that DER asks for. */
export function writeSetOf(elements: readonly Uint8Array[]): Der {
  return writeDer(TAG.set, join(elements.toSorted((left, right) => Buffer.compare(left, right))));
}

/** Writes `[number]` explicitly around elements. */
export function writeExplicit(
  number: number,
  ...elements: readonly (Uint8Array | undefined)[]
): Der {
  return writeDer(contextConstructed(number), join(elements));
}

/** Writes `[number]` in place of a primitive's own tag. */
export function writeImplicit(number: number, content: Uint8Array): Der {
  return writeDer(contextPrimitive(number), content);
}

/** Writes an object identifier given as dotted decimal. */
export function writeOid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const component of [first * 40 + second, ...rest]) {
    const groups = [component % 128];
    for (let left = Math.floor(component / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift(0x80 | (left % 128));
    }
    octets.push(...groups);
  }
  return writeDer(TAG.oid, Uint8Array.from(octets));
}

/** Writes a non-negative integer. */
export function writeInteger(value: number): Der {
  assert(Number.isSafeInteger(value) && value >= 0, 'the integer is safe and not negative');
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return writeUnsigned(Uint8Array.from(octets.length === 0 ? [0] : octets));
}

/** Writes a non-negative integer from its octets, highest first. */
export function writeUnsigned(octets: Uint8Array): Der {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start += 1;
  const shortest = octets.subarray(start);
  const isHigh = (shortest[0] ?? 0) >= 0x80;
  return writeDer(TAG.integer, isHigh ? concatBytes([Uint8Array.of(0), shortest]) : shortest);
}

/** Writes an ENUMERATED value below 128. */
export function writeEnumerated(value: number): Der {
  return writeDer(TAG.enumerated, Uint8Array.of(value));
}

/** Writes a BOOLEAN. */
export function writeBoolean(value: boolean): Der {
  return writeDer(TAG.boolean, Uint8Array.of(value ? 0xff : 0x00));
}

/** Writes NULL. */
export function writeNull(): Der {
  return writeDer(TAG.null, new Uint8Array());
}

/** Writes an OCTET STRING. */
export function writeOctets(content: Uint8Array): Der {
  return writeDer(TAG.octetString, content);
}

/** Writes a BIT STRING of whole octets. */
export function writeBits(content: Uint8Array): Der {
  return writeDer(TAG.bitString, concatBytes([Uint8Array.of(0), content]));
}

/** Writes a BIT STRING of named bits in its shortest form. */
export function writeNamedBits(bits: readonly number[]): Der {
  if (bits.length === 0) return writeDer(TAG.bitString, Uint8Array.of(0));
  const highest = Math.max(...bits);
  const octets = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const bit of bits) {
    const index = Math.floor(bit / 8);
    octets[index] = (octets[index] ?? 0) | (0x80 >> (bit % 8));
  }
  return writeDer(TAG.bitString, concatBytes([Uint8Array.of(7 - (highest % 8)), octets]));
}

/** Writes a UTF8String. */
export function writeText(text: string): Der {
  return writeDer(TAG.utf8String, utf8(text));
}

/** Writes a time as {RFC 5280 4.1.2.5} asks: UTCTime up to 2049, GeneralizedTime after; whole seconds. */
export function writeTime(instant: Temporal.Instant): Der {
  const { year } = instant.toZonedDateTimeISO('UTC');
  if (year < 1950 || year > 2049) return writeGeneralizedTime(instant);
  return writeDer(TAG.utcTime, utf8(digits(instant).slice(2)));
}

/** Writes a GeneralizedTime in whole seconds. */
export function writeGeneralizedTime(instant: Temporal.Instant): Der {
  return writeDer(TAG.generalizedTime, utf8(digits(instant)));
}

function digits(instant: Temporal.Instant): string {
  const text = instant.toString({ smallestUnit: 'second' });
  assert(text.length === 20, 'the year has four digits');
  return text.replaceAll(/[-:T]/g, '');
}

function join(elements: readonly (Uint8Array | undefined)[]): Uint8Array {
  return concatBytes(elements.filter((element) => element !== undefined));
}
