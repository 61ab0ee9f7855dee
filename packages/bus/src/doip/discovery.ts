/** Reads what entities say of themselves by UDP, and keeps each of them once. */
import { PAYLOAD_TYPES } from './codes.ts';
import { DoipFault } from './doip-fault.ts';
import { decodeHeader, HEADER_BYTES, VERSION_DEFAULT } from './header.ts';
import { DISCOVERED_MAX } from './limits.ts';
import { type DoipIdentity, encodeMessage } from './message.ts';
import { decodePayload } from './payload.ts';

/** An entity that was found. */
export interface DiscoveredDoipEntity extends DoipIdentity {
  /** Where the announcement came from. */
  readonly from: string;
  readonly version: number;
  readonly furtherAction: number;
}

/** Whom to look for; everybody when both are left out. */
export interface DoipDiscoveryRequest {
  readonly eid?: Uint8Array | undefined;
  readonly vin?: string | undefined;
}

/**
 * Writes an identification request.
 *
 * @throws DoipFault FIELD_RANGE.
 */
export function encodeDoipDiscovery({ eid, vin }: DoipDiscoveryRequest): Uint8Array<ArrayBuffer> {
  if (eid !== undefined) {
    return encodeMessage({ kind: 'identificationRequestByEid', eid }, VERSION_DEFAULT);
  }
  if (vin !== undefined) {
    return encodeMessage({ kind: 'identificationRequestByVin', vin }, VERSION_DEFAULT);
  }
  return encodeMessage({ kind: 'identificationRequest' }, VERSION_DEFAULT);
}

/** See the head of the file. */
export class DoipDiscovery {
  readonly #found = new Map<string, DiscoveredDoipEntity>();

  /** All that were found. */
  get found(): readonly DiscoveredDoipEntity[] {
    return [...this.#found.values()];
  }

  /** Takes a datagram. @returns the entity when it is a new one. */
  handle(from: string, bytes: Uint8Array): DiscoveredDoipEntity | undefined {
    const entity = readAnnouncement(from, bytes);
    if (entity === undefined) return undefined;
    const key = `${from} ${entity.eid.toHex()} ${entity.logicalAddress}`;
    if (this.#found.has(key) || this.#found.size >= DISCOVERED_MAX) return undefined;
    this.#found.set(key, entity);
    return entity;
  }
}

/** What is no announcement is somebody else's business. */
function readAnnouncement(from: string, bytes: Uint8Array): DiscoveredDoipEntity | undefined {
  try {
    const { version, type, lengthBytes } = decodeHeader(bytes);
    const payload = bytes.subarray(HEADER_BYTES);
    if (type !== PAYLOAD_TYPES.announcement || payload.length !== lengthBytes) return undefined;
    const message = decodePayload(type, payload);
    if (message.kind !== 'announcement') return undefined;
    const { vin, logicalAddress, eid, gid, furtherAction } = message;
    return { from, version, vin, logicalAddress, eid, gid, furtherAction };
  } catch (error) {
    if (error instanceof DoipFault) return undefined;
    throw error;
  }
}
