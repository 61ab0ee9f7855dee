/**
 * The client of UDS {14229-2:2021}: one request at a time, until its answer, a refusal, or the end of
 * patience. A server may ask for time, but not for ever.
 */
import { nameResponseCode, RESPONSE_CODES } from '../response-code.ts';
import {
  ANSWER_MAX_MS,
  BUSY_PAUSE_MS,
  BUSY_REPEATS_MAX,
  P2_CLIENT_MS,
  P2_STAR_CLIENT_MS,
  PENDINGS_MAX,
  S3_CLIENT_MS,
} from '../limits.ts';
import type { UdsRequest } from '../call.ts';
import { testerPresentSilently } from '../service/0x3e-tester-present.ts';
import { NEGATIVE } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';

/** How patient a client is. */
export interface UdsPatience {
  /** Until the first sign, from when the request has reached the server. */
  readonly p2Ms: number;
  /** Until no refusal comes any more, when no other answer is to come. */
  readonly suppressedMs: number;
  /** Until the next sign, after the server has asked for time. */
  readonly p2StarMs: number;
  readonly pendingsMax: number;
  /** For the answer, all in all. */
  readonly answerMaxMs: number;
}

/** The standard's, with bounds. */
export const DEFAULT_PATIENCE: UdsPatience = {
  p2Ms: P2_CLIENT_MS,
  suppressedMs: P2_CLIENT_MS,
  p2StarMs: P2_STAR_CLIENT_MS,
  pendingsMax: PENDINGS_MAX,
  answerMaxMs: ANSWER_MAX_MS,
};

/** What the client wants done. */
export type UdsRequesterOutput =
  /** A request; `sent` is called when the carrier has brought it over. */
  | { readonly kind: 'send'; readonly message: Uint8Array }
  /** The same, but to the whole group where there is one: its sessions are to be kept, too. */
  | { readonly kind: 'keepAlive'; readonly message: Uint8Array }
  /** The response; undefined when none was to come, and none came. */
  | { readonly kind: 'answered'; readonly response: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly fault: UdsFault };

interface Waiting {
  readonly request: UdsRequest;
  readonly endsMs: number;
  nextMs: number;
  pendings: number;
  repeats: number;
  /** Waits to send again rather than for an answer. */
  isPausing: boolean;
}

const REFUSAL_BYTES = 3;
const KEEP_ALIVE = testerPresentSilently().bytes;

/** See the head of the file. Times are milliseconds of one clock that never goes back. */
export class UdsRequester {
  readonly #patience: UdsPatience;
  #waiting: Waiting | undefined;
  #keepAliveMs: number | undefined;

  constructor(patience: UdsPatience = DEFAULT_PATIENCE) {
    this.#patience = patience;
  }

  /** When `elapse` is to be called at the latest. */
  get deadlineMs(): number | undefined {
    return this.#waiting?.nextMs ?? this.#keepAliveMs;
  }

  /**
   * Sends a request. Exactly one `answered` or `failed` follows.
   *
   * @throws UdsFault BUSY while another is under way.
   */
  ask(request: UdsRequest, atMs: number): readonly UdsRequesterOutput[] {
    if (this.#waiting !== undefined) {
      throw new UdsFault('BUSY', 'Cannot send request: another is under way');
    }
    const endsMs = atMs + this.#patience.answerMaxMs;
    this.#waiting = {
      request,
      endsMs,
      // How long a request is on its way is the carrier's business, within reason.
      nextMs: endsMs,
      pendings: 0,
      repeats: 0,
      isPausing: false,
    };
    return [{ kind: 'send', message: request.bytes }];
  }

  /** Notes that the request has reached the server: its time runs from here {14229-2:2021 7.2}. */
  sent(atMs: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.pendings > 0 || waiting.isPausing) return;
    const { p2Ms, suppressedMs } = this.#patience;
    const patienceMs = waiting.request.isSuppressed ? suppressedMs : p2Ms;
    waiting.nextMs = Math.min(atMs + patienceMs, waiting.endsMs);
  }

  /** Keeps the server's session alive between requests from now on, or does so no more. */
  keepSession(isKept: boolean, atMs: number): void {
    this.#keepAliveMs = isKept ? atMs + S3_CLIENT_MS : undefined;
  }

  /** Takes a message of the server. What answers nothing is not looked at. */
  handle(message: Uint8Array, atMs: number): readonly UdsRequesterOutput[] {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.isPausing) return [];
    const { request } = waiting;
    if (message[0] !== NEGATIVE) {
      const isOurs = request.responsePrefix.every((byte, index) => byte === message[index]);
      return isOurs ? this.#end({ kind: 'answered', response: message }, atMs) : [];
    }
    const [, serviceId = 0, responseCode = 0] = message;
    if (message.length !== REFUSAL_BYTES || serviceId !== request.bytes[0]) return [];
    if (responseCode === RESPONSE_CODES.requestCorrectlyReceivedResponsePending) {
      return this.#wait(waiting, atMs);
    }
    const isBusy = responseCode === RESPONSE_CODES.busyRepeatRequest;
    if (isBusy && waiting.repeats < BUSY_REPEATS_MAX) {
      waiting.repeats += 1;
      waiting.isPausing = true;
      waiting.nextMs = Math.min(atMs + BUSY_PAUSE_MS, waiting.endsMs);
      return [];
    }
    const fault = new UdsFault(
      'REFUSED',
      `Cannot serve request 0x${serviceId.toString(16)}: ${nameResponseCode(responseCode)}`,
      { responseCode },
    );
    return this.#end({ kind: 'failed', fault }, atMs);
  }

  /** Lets time pass. */
  elapse(atMs: number): readonly UdsRequesterOutput[] {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      if (this.#keepAliveMs === undefined || atMs < this.#keepAliveMs) return [];
      this.#keepAliveMs = atMs + S3_CLIENT_MS;
      return [{ kind: 'keepAlive', message: KEEP_ALIVE }];
    }
    if (atMs < waiting.nextMs) return [];
    if (atMs >= waiting.endsMs) return this.#end({ kind: 'failed', fault: exhausted() }, atMs);
    if (waiting.isPausing) {
      waiting.isPausing = false;
      waiting.nextMs = waiting.endsMs;
      return [{ kind: 'send', message: waiting.request.bytes }];
    }
    if (waiting.request.isSuppressed && waiting.pendings === 0) {
      return this.#end({ kind: 'answered', response: undefined }, atMs);
    }
    return this.#end({ kind: 'failed', fault: silence() }, atMs);
  }

  /** Gives up what is under way, when the carrier is gone. */
  abort(fault: UdsFault, atMs: number): readonly UdsRequesterOutput[] {
    this.#keepAliveMs = undefined;
    return this.#waiting === undefined ? [] : this.#end({ kind: 'failed', fault }, atMs);
  }

  #wait(waiting: Waiting, atMs: number): readonly UdsRequesterOutput[] {
    waiting.pendings += 1;
    if (waiting.pendings > this.#patience.pendingsMax || atMs >= waiting.endsMs) {
      return this.#end({ kind: 'failed', fault: exhausted() }, atMs);
    }
    waiting.nextMs = Math.min(atMs + this.#patience.p2StarMs, waiting.endsMs);
    return [];
  }

  #end(output: UdsRequesterOutput, atMs: number): readonly UdsRequesterOutput[] {
    this.#waiting = undefined;
    if (this.#keepAliveMs !== undefined) this.#keepAliveMs = atMs + S3_CLIENT_MS;
    return [output];
  }
}

function exhausted(): UdsFault {
  return new UdsFault('PENDING_EXHAUSTED', 'Cannot wait for server: it has had all its time');
}

function silence(): UdsFault {
  return new UdsFault('TIMEOUT', 'Cannot reach server: no answer in time');
}
