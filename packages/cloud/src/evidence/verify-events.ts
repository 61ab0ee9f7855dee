/** Events in a file of evidence: each linked, and each stream in its order. */
import { equalBytes, type JsonObject } from '@immota/base';
import { AKTUALIZR, checkSignedBy, decodeEnvelope, type PublicKey } from '@immota/uptane';
import { linkHash } from '../event-log/chain.ts';
import { CHECKPOINT_MAX_BYTES } from '../limits.ts';
import { bytesOf, hashOf, numberOf, objectOf, textOf } from './body.ts';
import { EvidenceFault } from './evidence-fault.ts';

/** An event that was checked. */
export interface CheckedEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly kind: string;
  readonly body: JsonObject;
  readonly hash: Uint8Array;
}

/** Checks events of one stream after the other; only the last one is remembered. */
export class EventChecker {
  #last: CheckedEvent | undefined;

  /** The last event of the stream that came last. */
  get last(): CheckedEvent | undefined {
    return this.#last;
  }

  /** @throws EvidenceFault EVIDENCE_CHAIN. */
  check(line: JsonObject): CheckedEvent {
    const stream = textOf(line, 'stream');
    const sequence = numberOf(line, 'sequence');
    const kind = textOf(line, 'kind');
    const body = objectOf(line, 'body');
    const previous = hashOf(line, 'previousHash');
    const hash = hashOf(line, 'hash');
    const at = instantOf(textOf(line, 'at'));
    const what = `event ${sequence} of "${stream}"`;
    if (!equalBytes(linkHash(previous, { stream, sequence, at, kind, body }), hash)) {
      throw new EvidenceFault('EVIDENCE_CHAIN', `Cannot trust ${what}: it was changed`);
    }
    const last = this.#last;
    if (last?.stream === stream) {
      if (sequence <= last.sequence) {
        throw new EvidenceFault(
          'EVIDENCE_CHAIN',
          `Cannot trust ${what}: it stands behind a later one`,
        );
      }
      if (sequence === last.sequence + 1 && !equalBytes(previous, last.hash)) {
        throw new EvidenceFault('EVIDENCE_CHAIN', `Cannot trust ${what}: it follows another event`);
      }
    }
    const checked = { stream, sequence, kind, body, hash };
    this.#last = checked;
    return checked;
  }
}

function instantOf(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch (error) {
    throw new EvidenceFault('EVIDENCE_MALFORMED', 'Cannot read event: its time is none', {
      cause: error,
    });
  }
}

/**
 * Checks the signed head of the fleet's stream against the last event that is there.
 *
 * @throws EvidenceFault EVIDENCE_CHECKPOINT.
 */
export function checkCheckpoint(
  line: JsonObject,
  key: PublicKey,
  last: CheckedEvent | undefined,
): void {
  try {
    const envelope = decodeEnvelope(AKTUALIZR, bytesOf(line, 'document'), CHECKPOINT_MAX_BYTES);
    checkSignedBy(envelope, key, 'checkpoint');
    const { signed } = envelope;
    const sequence = numberOf(signed, 'sequence');
    const isHead =
      last !== undefined &&
      textOf(signed, '_type') === 'EventCheckpoint' &&
      textOf(signed, 'stream') === last.stream &&
      sequence >= last.sequence &&
      (sequence > last.sequence || equalBytes(hashOf(signed, 'hash'), last.hash));
    if (isHead) return;
  } catch (error) {
    throw new EvidenceFault('EVIDENCE_CHECKPOINT', 'Cannot trust head of the event log', {
      cause: error,
    });
  }
  throw new EvidenceFault(
    'EVIDENCE_CHECKPOINT',
    'Cannot trust head of the event log: it is for other events',
  );
}
