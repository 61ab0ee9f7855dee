/**
 * Both machines of DoIP at the ends of a simulated link of 100BASE-T1: full duplex, TCP in full segments,
 * every frame with what Ethernet puts around it.
 */
import { DOIP_ACTIVATION_TYPES, DoipClient, DoipEntity } from '@immota/bus';

/** Bytes in a millisecond. */
const WIRE_BYTES_PER_MS = 12_500;
const SEGMENT_BYTES = 1460;
/** IP and TCP, Ethernet with its check sequence, preamble, and the gap to the next frame. */
const OVERHEAD_BYTES = 40 + 18 + 8 + 12;
/** A frame has no less than 64 bytes, and 20 around it. */
const FRAME_MIN_BYTES = 84;
/** From the wire through a switch and both ends' stacks to the program. */
const LATENCY_MS = 0.05;

const ENTITY = 0x1000;
const TESTER = 0x0e80;
const ANSWER = 0x76;
const CONNECTION = 1;

/** What of the wire's bytes can be data of TCP at best, in MB/s. */
export const LINK_LIMIT_MB_PER_S: number =
  (WIRE_BYTES_PER_MS / 1000) * (SEGMENT_BYTES / (SEGMENT_BYTES + OVERHEAD_BYTES));

interface Arrival {
  readonly atMs: number;
  readonly to: 'entity' | 'client';
  readonly bytes: Uint8Array;
}

/** One direction of the wire. */
class Wire {
  #freeAtMs = 0;

  /** Cuts a message into segments. @returns when each has arrived. */
  send(bytes: Uint8Array, atMs: number, to: Arrival['to']): readonly Arrival[] {
    const arrivals: Arrival[] = [];
    for (let offset = 0; offset < bytes.length; offset += SEGMENT_BYTES) {
      const segment = bytes.subarray(offset, offset + SEGMENT_BYTES);
      const frameBytes = Math.max(FRAME_MIN_BYTES, segment.length + OVERHEAD_BYTES);
      this.#freeAtMs = Math.max(this.#freeAtMs, atMs) + frameBytes / WIRE_BYTES_PER_MS;
      arrivals.push({ atMs: this.#freeAtMs + LATENCY_MS, to, bytes: segment });
    }
    return arrivals;
  }
}

/**
 * Transfers blocks, each acknowledged and answered before the next; the ECU answers at once, so that what
 * is measured is the protocol's own cost.
 *
 * @returns MB of transfer data in a second.
 */
export function measureLink(blockBytes: number, count: number): number {
  const rule = { needsTls: false, needsAuthorization: false };
  const entity = new DoipEntity({
    logicalAddress: ENTITY,
    isTester: () => true,
    activationTypes: new Map([[DOIP_ACTIVATION_TYPES.default, rule]]),
    admit: () => undefined,
  });
  const client = new DoipClient({ source: TESTER });
  const wires = { entity: new Wire(), client: new Wire() };
  const block = new Uint8Array(blockBytes);
  let pending: readonly Arrival[] = [];
  let startedMs = 0;
  let answered = 0;
  const transmit = (to: Arrival['to'], parts: readonly Uint8Array[], atMs: number): void => {
    const bytes = new Uint8Array(Buffer.concat(parts));
    pending = [...pending, ...wires[to].send(bytes, atMs, to)].toSorted((a, b) => a.atMs - b.atMs);
  };
  const tell = (input: Parameters<DoipClient['handle']>[0], atMs: number): void => {
    for (const output of client.handle(input, atMs)) {
      if (output.kind === 'send') transmit('entity', output.bytes, atMs);
      if (output.kind === 'received') answered += 1;
      const isFirst = output.kind === 'activated';
      if (isFirst) startedMs = atMs;
      if ((isFirst || output.kind === 'received') && answered < count) {
        tell({ kind: 'request', id: answered, target: ENTITY, userData: block }, atMs);
      }
    }
  };
  const serve = (bytes: Uint8Array, atMs: number): void => {
    for (const output of entity.handle({ kind: 'bytes', connection: CONNECTION, bytes }, atMs)) {
      if (output.kind === 'send') transmit('client', output.bytes, atMs);
      if (output.kind !== 'received') continue;
      const userData = Uint8Array.of(ANSWER, 1);
      for (const input of [
        { kind: 'accepted', connection: CONNECTION, target: ENTITY },
        { kind: 'answered', connection: CONNECTION, source: ENTITY, userData },
      ] as const) {
        for (const said of entity.handle(input, atMs)) {
          if (said.kind === 'send') transmit('client', said.bytes, atMs);
        }
      }
    }
  };
  entity.handle({ kind: 'opened', connection: CONNECTION, isSecure: false }, 0);
  tell({ kind: 'opened' }, 0);
  let nowMs = 0;
  for (let [next] = pending; next !== undefined; [next] = pending) {
    pending = pending.slice(1);
    nowMs = next.atMs;
    if (next.to === 'entity') serve(next.bytes, nowMs);
    else tell({ kind: 'bytes', bytes: next.bytes }, nowMs);
  }
  if (answered !== count) return Number.NaN;
  // A block is service and counter, then data.
  return ((blockBytes - 2) * count) / 1e6 / ((nowMs - startedMs) / 1000);
}
