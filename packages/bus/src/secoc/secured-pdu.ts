/**
 * Secures single messages: an authenticator over data identifier (16 bits), message and freshness
 * value; behind the message travel the lowest bits of the freshness and the highest of the
 * authenticator.
 *
 * @source AUTOSAR PRS SecOC
 */
import { concatBytes } from '@immota/base';
import { type AesKey, computeCmac, isSameMac } from './cmac.ts';
import type { Freshness, ReceivingFreshness, SendingFreshness } from './freshness.ts';
import {
  BUILD_ATTEMPTS,
  BUILD_ATTEMPTS_MAX,
  FAILURE_REFILL_MS,
  FAILURES_BURST,
  PDU_MAX_BYTES,
} from './limits.ts';
import {
  SECOC_PROFILES,
  type SecocProfile,
  type SecocProfileName,
  trailerBytes,
} from './profile.ts';
import { SecocFault } from './secoc-fault.ts';
import { TokenBucket } from './token-bucket.ts';

/** What both ends of a stream of messages agree on. */
export interface SecocStream {
  readonly key: AesKey;
  /** 0 to 65,535. */
  readonly dataId: number;
  readonly profile: SecocProfileName;
}

/** What a sender has. */
export interface SecocSenderOptions extends SecocStream {
  readonly freshness: SendingFreshness;
}

/** What a receiver has. */
export interface SecocReceiverOptions extends SecocStream {
  readonly freshness: ReceivingFreshness;
  /** Freshness values tried for one message; 1 to 16, otherwise 4. */
  readonly attempts?: number | undefined;
}

const DATA_ID_MAX = 0xffff;

/** Secures the messages of one stream. */
export class SecocSender {
  readonly #options: SecocSenderOptions;

  /** @throws SecocFault FIELD_RANGE. */
  constructor(options: SecocSenderOptions) {
    checkStream(options);
    this.#options = options;
  }

  /**
   * Secures a message.
   *
   * @param message - up to 4,096 bytes.
   * @throws SecocFault PDU_LENGTH, NOT_SYNCHRONISED, FRESHNESS_EXHAUSTED; what the store throws.
   */
  protect(message: Uint8Array): Uint8Array {
    if (message.length > PDU_MAX_BYTES) {
      throw new SecocFault('PDU_LENGTH', `Cannot secure message: ${message.length} bytes`);
    }
    const freshness = this.#options.freshness.next(this.#options.dataId);
    return concatBytes([message, trailerOf(this.#options, message, freshness)]);
  }
}

/** Verifies the messages of one stream. */
export class SecocReceiver {
  readonly #options: SecocReceiverOptions;
  readonly #attempts: number;
  readonly #failures = new TokenBucket({ capacity: FAILURES_BURST, refillMs: FAILURE_REFILL_MS });

  /** @throws SecocFault FIELD_RANGE. */
  constructor(options: SecocReceiverOptions) {
    checkStream(options);
    this.#options = options;
    this.#attempts = options.attempts ?? BUILD_ATTEMPTS;
    if (
      !Number.isInteger(this.#attempts) ||
      this.#attempts < 1 ||
      this.#attempts > BUILD_ATTEMPTS_MAX
    ) {
      throw new SecocFault('FIELD_RANGE', `Cannot verify: ${this.#attempts} attempts`);
    }
  }

  /**
   * Verifies a message and uses its freshness up.
   *
   * @param secured - from outside.
   * @returns the message alone; it shares memory with `secured`.
   * @throws SecocFault PDU_LENGTH, NOT_SYNCHRONISED, THROTTLED, REPLAY, MAC_MISMATCH; what the store
   * throws.
   */
  verify(secured: Uint8Array, atMs: number): Uint8Array {
    const { dataId, freshness, profile: name } = this.#options;
    const profile = SECOC_PROFILES[name];
    const length = secured.length - trailerBytes(profile);
    if (length < 0 || length > PDU_MAX_BYTES) {
      throw new SecocFault('PDU_LENGTH', `Cannot verify message: ${secured.length} bytes`);
    }
    if (!this.#failures.has(atMs)) {
      throw new SecocFault('THROTTLED', 'Cannot verify message: too many were wrong before it');
    }
    const message = secured.subarray(0, length);
    const trailer = secured.subarray(length);
    const truncated = truncatedOf(profile, trailer);
    const isMadeWith = ({ full }: Freshness): boolean =>
      isSameMac(trailerOf(this.#options, message, { full, truncated }), trailer);
    const found = freshness.candidates(dataId, truncated, this.#attempts).find(isMadeWith);
    if (found === undefined) {
      this.#failures.take(atMs);
      const past = freshness.findPast(dataId, truncated);
      throw past !== undefined && isMadeWith(past)
        ? new SecocFault('REPLAY', 'Cannot verify message: it was there before')
        : new SecocFault('MAC_MISMATCH', 'Cannot verify message: its authenticator is wrong');
    }
    freshness.accept(dataId, truncated, found.full);
    return message;
  }
}

function checkStream({ dataId }: SecocStream): void {
  if (Number.isInteger(dataId) && dataId >= 0 && dataId <= DATA_ID_MAX) return;
  throw new SecocFault('FIELD_RANGE', `Cannot secure messages: data identifier ${dataId}`);
}

function trailerOf(
  { key, dataId, profile: name }: SecocStream,
  message: Uint8Array,
  { full, truncated }: Freshness,
): Uint8Array {
  const profile = SECOC_PROFILES[name];
  const id = new Uint8Array([dataId >>> 8, dataId & 0xff]);
  const mac = computeCmac(key, concatBytes([id, message, full]));
  const top = new DataView(mac.buffer, mac.byteOffset, 4).getUint32(0) >>> (32 - profile.macBits);
  const bytes = trailerBytes(profile);
  const trailer = new Uint8Array(4);
  // Multiplied and not shifted: the freshness may fill the highest bits of the 32.
  new DataView(trailer.buffer).setUint32(0, truncated * 2 ** profile.macBits + top);
  return trailer.subarray(4 - bytes);
}

function truncatedOf(profile: SecocProfile, trailer: Uint8Array): number {
  const first = trailer[0] ?? 0;
  return profile.freshnessBits === 0 ? 0 : first >>> (8 - profile.freshnessBits);
}
