/**
 * How a Secondary's link is laid upon UDS: our own identifiers, in the ranges that ISO 14229-1:2020
 * leaves to makers, and the messages that need a form.
 */
import { concatBytes } from '@immota/base';
import { MessageReader, uintBytes, UdsFault } from '@immota/bus';
import { decodeOffer, encodeOffer } from '../link/message.ts';
import { DOCUMENT_MAX_BYTES } from './limits.ts';
import type { ImageAnnouncement } from './image-intake.ts';

/** Data records of ours. */
export const SECONDARY_DATA = {
  /** Who the ECU is, as `encodeInfo` has it. */
  info: 0xfd00,
  status: 0xfd03,
  /** Why the last order was refused, as `encodeRefusal` has it; empty when it was not. */
  refusal: 0xfd0f,
  /** An image that is about to come. */
  announcement: 0xfd10,
  /** Who programs, and when: written before the first erasure. */
  fingerprint: 0xf15a,
} as const;

/** Routines of ours. */
export const SECONDARY_ROUTINES = {
  report: 0xf020,
  drawTimeNonce: 0xf021,
  putTime: 0xf022,
  activate: 0xf030,
  confirm: 0xf031,
  revert: 0xf032,
} as const;

/** Files of ours. */
export const SECONDARY_FILES = {
  metadata: 'uptane/metadata',
  time: 'uptane/time',
  image: 'uptane/image',
  /** A document that was too long for the answer to the question. */
  info: 'uptane/info',
  report: 'uptane/report',
} as const;

/** The one block of memory of a Secondary: all that its slot holds, from address 0 on. */
export const SECONDARY_BLOCK = 1;
/** The status byte of a routine that did what was asked. */
export const ROUTINE_DONE = 0;
/** The low nibble of a data format: our encrypted container. */
export const FORMAT_ENCRYPTED = 0x01;
/** An image in the clear. */
export const FORMAT_PLAIN = 0x00;
/** The high nibble of a data format, which {14229-1:2020 15.2} has for compression: a delta from what runs. */
export const FORMAT_DELTA = 0x10;

/** Encodes an announcement: the offer behind its length, then the head. */
export function encodeAnnouncement({ head, ...image }: ImageAnnouncement): Uint8Array {
  const offer = encodeOffer(image);
  return concatBytes([uintBytes(offer.length, 2), offer, head]);
}

/** Decodes an announcement. @throws UdsFault MESSAGE_MALFORMED, VehicleFault LINK_PROTOCOL. */
export function decodeAnnouncement(record: Uint8Array): ImageAnnouncement {
  const reader = new MessageReader(record);
  const offer = decodeOffer(reader.takeCounted(DOCUMENT_MAX_BYTES));
  // Kept for longer than the message.
  const head = reader.rest().slice();
  if (head.length > offer.lengthBytes) {
    throw new UdsFault('MESSAGE_MALFORMED', 'Cannot read announcement: a head beyond its image');
  }
  return { ...offer, head };
}

/** Encodes the answer of a routine that made a document: in place when it fits, else by its length. */
export function encodeDocument(document: Uint8Array, roomBytes: number): Uint8Array {
  const length = uintBytes(document.length, LENGTH_BYTES);
  const isShort = document.length + LENGTH_BYTES + 1 <= roomBytes;
  const parts = [Uint8Array.of(ROUTINE_DONE), length, ...(isShort ? [document] : [])];
  return concatBytes(parts);
}

/** Decodes it. @returns the document, or undefined when it has to be read as a file. */
export function decodeDocumentAnswer(record: Uint8Array): Uint8Array | undefined {
  const reader = new MessageReader(record, 1);
  const lengthBytes = reader.uint(LENGTH_BYTES);
  if (lengthBytes > DOCUMENT_MAX_BYTES) {
    throw new UdsFault('ANSWER_UNEXPECTED', `Cannot read document: ${lengthBytes} bytes`);
  }
  const document = reader.rest();
  if (document.length === 0 && lengthBytes > 0) return undefined;
  if (document.length === lengthBytes) return document;
  throw new UdsFault('ANSWER_UNEXPECTED', 'Cannot read document: a part of it');
}

const LENGTH_BYTES = 4;
