/**
 * Security levels {14229-1:2020 10.4}: seeds that serve once, attempts that are counted before they
 * are judged, and delays that a restart does not shorten.
 */
import { equalBytes } from '@immota/base';
import { RESPONSE_CODES } from '../response-code.ts';
import { isSeedRequest, levelOf } from '../service/0x27-security-access.ts';
import { type AdmittedRequest, checkLength } from './access.ts';
import type { KeyPolicy } from './description.ts';
import { answer, type Reaction, refusal, resultOf } from './reaction.ts';

const HEAD_BYTES = 2;

/** See the head of the file. */
export class KeyGuard {
  readonly #policy: KeyPolicy;
  #failedAttempts: number;
  #closedUntilMs: number;
  #seed: { readonly level: number; readonly bytes: Uint8Array } | undefined;
  #unlocked: { readonly level: number; readonly seedBytes: number } | undefined;

  /** @param failedAttempts - as kept over the restart. */
  constructor(policy: KeyPolicy, failedAttempts: number, atMs: number) {
    this.#policy = policy;
    this.#failedAttempts = failedAttempts;
    const isClosed = failedAttempts >= policy.attemptsMax;
    this.#closedUntilMs = atMs + (isClosed ? policy.delayMs : policy.bootDelayMs);
  }

  /** The level that is open. */
  get level(): number | undefined {
    return this.#unlocked?.level;
  }

  /** Locks, and forgets the seed that was given out. */
  lock(): void {
    this.#seed = undefined;
    this.#unlocked = undefined;
  }

  /** Serves a request for a seed, or one with a key. */
  serve(request: AdmittedRequest, atMs: number): Reaction {
    const level = levelOf(request.subFunction);
    return isSeedRequest(request.subFunction)
      ? this.#giveSeed(request, level, atMs)
      : this.#takeKey(request, level, atMs);
  }

  #giveSeed({ bytes, subFunction }: AdmittedRequest, level: number, atMs: number): Reaction {
    const echo = Uint8Array.of(subFunction);
    if (this.#unlocked?.level === level)
      return answer(echo, new Uint8Array(this.#unlocked.seedBytes));
    this.#checkDelay(atMs);
    this.#seed = undefined;
    return {
      kind: 'perform',
      operation: { kind: 'makeSeed', level, record: bytes.subarray(HEAD_BYTES) },
      conclude: (outcome) => {
        const { record } = resultOf(outcome, 'record');
        // A seed of zeros says "unlocked": no generator may say so by chance.
        if (equalBytes(record, new Uint8Array(record.length))) {
          throw refusal(RESPONSE_CODES.conditionsNotCorrect);
        }
        this.#seed = { level, bytes: record };
        return answer(echo, record);
      },
    };
  }

  #takeKey(request: AdmittedRequest, level: number, atMs: number): Reaction {
    const { bytes, subFunction } = request;
    const seed = this.#seed;
    if (seed?.level !== level) throw refusal(RESPONSE_CODES.requestSequenceError);
    if (bytes.length === HEAD_BYTES) checkLength(request, HEAD_BYTES + 1);
    this.#checkDelay(atMs);
    this.#seed = undefined;
    // Counted first: who cuts the power during the judgement has used an attempt too.
    this.#failedAttempts = Math.min(this.#failedAttempts + 1, this.#policy.attemptsMax);
    return {
      kind: 'perform',
      operation: { kind: 'checkKey', level, seed: seed.bytes, key: bytes.subarray(HEAD_BYTES) },
      keepAttempts: this.#failedAttempts,
      conclude: (outcome, concludedMs) => {
        if (!resultOf(outcome, 'key').isValid) throw this.#fail(concludedMs);
        this.#failedAttempts = 0;
        this.#unlocked = { level, seedBytes: seed.bytes.length };
        return { kind: 'answer', parts: [Uint8Array.of(subFunction)], keepAttempts: 0 };
      },
    };
  }

  #fail(atMs: number): Error {
    if (this.#failedAttempts < this.#policy.attemptsMax) return refusal(RESPONSE_CODES.invalidKey);
    this.#closedUntilMs = atMs + this.#policy.delayMs;
    return refusal(RESPONSE_CODES.exceededNumberOfAttempts);
  }

  #checkDelay(atMs: number): void {
    if (atMs < this.#closedUntilMs) throw refusal(RESPONSE_CODES.requiredTimeDelayNotExpired);
  }
}
