/**
 * Reads DER (ITU-T X.690) strictly: definite, shortest lengths and one-octet tags only. Whatever
 * could be written in two ways is refused, so that no two parsers see two things in the same
 * signed bytes. Nothing here recurses; the caller's own structure is the depth.
 */
import { PkiFault } from '../fault.ts';
import { DER_CHILDREN_MAX } from '../limits.ts';

/** One element: its identifier octet, its content, and the whole of it as it stood. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

/** Takes the elements of a constructed one in order. */
export interface DerReader {
  /** Takes the next element, which must have this identifier octet. */
  take(tag: number, what: string): DerElement;
  /** Takes the next element whatever it is. */
  takeAny(what: string): DerElement;
  /** Takes the next element if it has this identifier octet. */
  takeOptional(tag: number): DerElement | undefined;
  /** Checks that nothing is left. */
  end(what: string): void;
}

/**
 * Reads the one element that fills the bytes.
 *
 * @param bytes - DER from outside; the caller has bounded its length.
 * @param tag - the identifier octet it must have.
 * @param what - what is read, for the message.
 * @throws PkiFault DER_MALFORMED when it is no such element, or bytes follow it.
 */
export function readDer(bytes: Uint8Array, tag: number, what: string): DerElement {
  const element = readElement(bytes, 0, what);
  if (element.raw.length !== bytes.length) throw malformed(what, 'bytes follow it');
  if (element.tag !== tag) throw wrongTag(what, tag, element.tag);
  return element;
}

/**
 * Opens a constructed element.
 *
 * @param element - whose content is a series of elements.
 * @param what - what is read, for the message.
 * @throws PkiFault DER_MALFORMED when its content is no such series; LIMIT when it has more than 1024.
 */
export function openDer(element: DerElement, what: string): DerReader {
  return readSeries(element.content, what);
}

/**
 * Lists the elements of a constructed one.
 *
 * @throws PkiFault as `openDer`.
 */
export function listDer(element: DerElement, what: string): readonly DerElement[] {
  return splitElements(element.content, what);
}

function readSeries(content: Uint8Array, what: string): DerReader {
  const elements = splitElements(content, what);
  let index = 0;
  const takeAny = (field: string): DerElement => {
    const element = elements[index];
    if (element === undefined) throw malformed(what, `${field} is missing`);
    index += 1;
    return element;
  };
  return {
    take: (tag, field) => {
      const element = takeAny(field);
      if (element.tag !== tag) throw wrongTag(field, tag, element.tag);
      return element;
    },
    takeAny,
    takeOptional: (tag) => (elements[index]?.tag === tag ? takeAny('an element') : undefined),
    end: (field) => {
      if (index < elements.length) throw malformed(field, 'it holds more than it should');
    },
  };
}

function splitElements(content: Uint8Array, what: string): readonly DerElement[] {
  const elements: DerElement[] = [];
  let offset = 0;
  while (offset < content.length) {
    if (elements.length === DER_CHILDREN_MAX) {
      throw new PkiFault('LIMIT', `Cannot read ${what}: more than ${DER_CHILDREN_MAX} elements`);
    }
    const element = readElement(content, offset, what);
    elements.push(element);
    offset += element.raw.length;
  }
  return elements;
}

function readElement(bytes: Uint8Array, start: number, what: string): DerElement {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw malformed(what, 'it is cut short');
  if ((tag & 0x1f) === 0x1f) throw malformed(what, 'a tag of several octets');
  let length = first;
  let offset = start + 2;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    // Three octets reach 16 MiB, far above every limit here; 0x80 is BER's indefinite form.
    if (octets === 0 || octets > 3) throw malformed(what, 'a length that is not allowed');
    length = 0;
    for (let index = 0; index < octets; index += 1) {
      const octet = bytes[offset + index];
      if (octet === undefined) throw malformed(what, 'it is cut short');
      length = length * 256 + octet;
    }
    offset += octets;
    if (length < 0x80 || length < 256 ** (octets - 1)) {
      throw malformed(what, 'a length that is not the shortest');
    }
  }
  const end = offset + length;
  if (end > bytes.length) throw malformed(what, 'it is cut short');
  return { tag, content: bytes.subarray(offset, end), raw: bytes.subarray(start, end) };
}

function malformed(what: string, why: string): PkiFault {
  return new PkiFault('DER_MALFORMED', `Cannot read ${what}: ${why}`);
}

function wrongTag(what: string, expected: number, found: number): PkiFault {
  return malformed(what, `expected tag 0x${expected.toString(16)}, found 0x${found.toString(16)}`);
}
