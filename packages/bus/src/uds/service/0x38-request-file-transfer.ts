/** RequestFileTransfer {14229-1:2020 15.6}. */
import { utf8 } from '@immota/base';
import { makeCall, type UdsCall } from '../call.ts';
import { FILE_MAX_BYTES, PATH_MAX_BYTES } from '../limits.ts';
import { countedBytes, MessageReader, uintBytes, uintLength } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';
import { readBlockLength } from './0x34-request-download.ts';

/** What is done with a file, by the mode of operation. */
export const FILE_MODES = {
  add: 1,
  delete: 2,
  replace: 3,
  read: 4,
  readDirectory: 5,
  resume: 6,
} as const;

/** One of them. */
export type FileMode = keyof typeof FILE_MODES;

/** Which file, and what of it comes. */
export interface FileRequest {
  readonly mode: FileMode;
  readonly path: string;
  /** As of a download; 0 for a deletion or a listing. */
  readonly dataFormat: number;
  /** Bytes as they come over the bus; 0 where the server sends. */
  readonly sizeBytes: number;
}

/** How the transfer goes on. */
export interface FileAnswer {
  /** Data bytes of one block. */
  readonly blockDataBytes: number;
  /** Of the file or listing that the server sends. */
  readonly sizeBytes: number;
  /** Where a resumed file goes on. */
  readonly positionBytes: number;
}

const POSITION_BYTES = 8;
const SEGMENT = /^[A-Za-z0-9._-]{1,128}$/;

/** Asks to send, read or delete a file. */
export function requestFileTransfer(request: FileRequest): UdsCall<FileAnswer> {
  const { mode, path, dataFormat, sizeBytes } = request;
  const head = Uint8Array.of(SERVICES.requestFileTransfer, FILE_MODES[mode]);
  const sizeLength = uintLength(sizeBytes);
  const size = uintBytes(sizeBytes, sizeLength);
  const parts = [
    head,
    ...countedBytes(utf8(checkPath(path, mode))),
    ...(hasFormat(mode) ? [uintBytes(dataFormat, 1)] : []),
    ...(hasSize(mode) ? [uintBytes(sizeLength, 1), size, size] : []),
  ];
  return makeCall(parts, 1, (reader) => readAnswer(reader, mode));
}

/** Reads a request. @throws UdsFault MESSAGE_MALFORMED; VALUE_RANGE for a mode or path that cannot be. */
export function readFileRequest(request: Uint8Array): FileRequest {
  const reader = new MessageReader(request, 1);
  const mode = findMode(reader.uint(1));
  const pathBytes = reader.takeCounted(PATH_MAX_BYTES);
  const dataFormat = hasFormat(mode) ? reader.uint(1) : 0;
  let sizeBytes = 0;
  if (hasSize(mode)) {
    const sizeLength = reader.uint(1);
    reader.take(sizeLength);
    sizeBytes = reader.uint(sizeLength);
  }
  reader.end();
  // Each byte a character: what is no ASCII is no segment of a path.
  const path = checkPath(String.fromCodePoint(...pathBytes), mode);
  if (sizeBytes > FILE_MAX_BYTES) throw unfit(`a file of ${sizeBytes} bytes`);
  return { mode, path, dataFormat, sizeBytes };
}

/** Encodes a response, behind its service identifier. */
export function encodeFileAnswer(
  { mode, dataFormat }: FileRequest,
  blockBytes: number,
  { sizeBytes, positionBytes }: Pick<FileAnswer, 'sizeBytes' | 'positionBytes'>,
): readonly Uint8Array[] {
  const modeByte = Uint8Array.of(FILE_MODES[mode]);
  if (mode === 'delete') return [modeByte];
  const lengthBytes = uintLength(blockBytes);
  const sizeLength = uintLength(sizeBytes);
  const size = uintBytes(sizeBytes, sizeLength);
  return [
    modeByte,
    Uint8Array.of(lengthBytes),
    uintBytes(blockBytes, lengthBytes),
    uintBytes(dataFormat, 1),
    ...(mode === 'read' ? [uintBytes(sizeLength, 2), size, size] : []),
    ...(mode === 'readDirectory' ? [uintBytes(sizeLength, 2), size] : []),
    ...(mode === 'resume' ? [uintBytes(positionBytes, POSITION_BYTES)] : []),
  ];
}

/** Tells whether the server sends. */
export function isReading(mode: FileMode): boolean {
  return mode === 'read' || mode === 'readDirectory';
}

function readAnswer(reader: MessageReader, mode: FileMode): FileAnswer {
  if (mode === 'delete') return { blockDataBytes: 0, sizeBytes: 0, positionBytes: 0 };
  const blockDataBytes = readBlockLength(reader, reader.uint(1));
  reader.take(1);
  let sizeBytes = 0;
  if (isReading(mode)) {
    const sizeLength = reader.uint(2);
    sizeBytes = reader.uint(sizeLength);
    if (mode === 'read') sizeBytes = reader.uint(sizeLength);
  }
  const positionBytes = mode === 'resume' ? reader.uint(POSITION_BYTES) : 0;
  return { blockDataBytes, sizeBytes, positionBytes };
}

/** Relative, of plain segments: nothing that climbs, hides or surprises a file system. */
function checkPath(path: string, mode: FileMode): string {
  const segments = path.split('/');
  const isRoot = path === '' && mode === 'readDirectory';
  const isPlain = segments.every((segment) => SEGMENT.test(segment) && !segment.startsWith('.'));
  if (!isRoot && (!isPlain || path.length > PATH_MAX_BYTES)) throw unfit('such a path');
  return path;
}

function findMode(code: number): FileMode {
  for (const mode of ['add', 'delete', 'replace', 'read', 'readDirectory', 'resume'] as const) {
    if (FILE_MODES[mode] === code) return mode;
  }
  throw unfit(`mode ${code}`);
}

function hasFormat(mode: FileMode): boolean {
  return mode !== 'delete' && mode !== 'readDirectory';
}

function hasSize(mode: FileMode): boolean {
  return mode === 'add' || mode === 'replace' || mode === 'resume';
}

function unfit(what: string): UdsFault {
  return new UdsFault('VALUE_RANGE', `Cannot transfer file: ${what}`);
}
