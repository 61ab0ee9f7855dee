/** The way from a router to one ECU: one request at a time, and each answer to whoever asked. */
import { DOIP_NACK, type DoipNackCode } from '@immota/bus';
import type { DiagnosticChannel } from '../diagnostics/channel.ts';
import type { Timer } from '../ports.ts';
import { QUEUE_MAX, QUIET_MS, RESPONSE_MAX_MS, UNREACHABLE_MS } from './limits.ts';
import type { RoutedRequest } from './target.ts';
import { isAnswerTo, isKeptSilent, isPending, wantsNoAnswer } from './uds-peek.ts';

/** What a lane needs. */
export interface EcuLaneOptions {
  readonly address: number;
  readonly channel: DiagnosticChannel;
  readonly timer: Timer;
  readonly queueMax?: number | undefined;
  readonly responseMaxMs?: number | undefined;
  /** Takes memory for a request, or says that there is none. */
  reserve(lengthBytes: number): boolean;
  release(lengthBytes: number): void;
  /** Told of requests that were acknowledged and did not reach their ECU. */
  readonly onFailed?: ((address: number, error: unknown) => void) | undefined;
}

/** A request that is with the ECU. */
interface Exchange {
  readonly request: RoutedRequest;
  /** The request wants no answer: its tester may go on at once. */
  readonly isQuiet: boolean;
  cancel: (() => void) | undefined;
}

/** See the head of the file. */
export class EcuLane {
  readonly #options: EcuLaneOptions;
  readonly #stopListening: () => void;
  readonly #queue: RoutedRequest[] = [];
  #exchange: Exchange | undefined;
  /** Whose request was the last: what the ECU says late is meant for that tester. */
  #last: RoutedRequest | undefined;
  /** Whose request may still be answered although nobody waits for it any more. */
  #strayTester: number | undefined;
  #isSending = false;
  #isClosed = false;
  #failedAtMs = -Infinity;

  constructor(options: EcuLaneOptions) {
    this.#options = options;
    this.#stopListening = options.channel.listen((message) => this.#hear(message));
  }

  /** Bytes of the longest message. */
  get messageMaxBytes(): number {
    return this.#options.channel.messageMaxBytes;
  }

  /** Takes a request, or says why not. */
  enqueue(request: RoutedRequest): DoipNackCode | undefined {
    const { timer, queueMax = QUEUE_MAX } = this.#options;
    if (this.#isClosed) return DOIP_NACK.targetUnreachable;
    if (request.bytes.length > this.messageMaxBytes) return DOIP_NACK.messageTooLarge;
    if (timer.elapsedMs() < this.#failedAtMs + UNREACHABLE_MS) {
      return DOIP_NACK.transportProtocolError;
    }
    if (this.#queue.length >= queueMax) return DOIP_NACK.outOfMemory;
    if (!this.#options.reserve(request.bytes.length)) return DOIP_NACK.outOfMemory;
    this.#queue.push(request);
    this.#next();
    return undefined;
  }

  /** Ends; what waits is dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    this.#exchange?.cancel?.();
    this.#exchange = undefined;
    for (const { bytes } of this.#queue.splice(0)) this.#options.release(bytes.length);
    await this.#options.channel.close();
  }

  #next(): void {
    if (this.#isSending || this.#isClosed) return;
    const [request] = this.#queue;
    if (request === undefined || !this.#mayFollow(request)) return;
    this.#queue.shift();
    this.#abandon();
    if (request.isGone()) {
      this.#options.release(request.bytes.length);
      this.#next();
      return;
    }
    void this.#send(request);
  }

  /** A tester paces itself after requests without an answer; others wait until the ECU is free. */
  #mayFollow(request: RoutedRequest): boolean {
    const exchange = this.#exchange;
    return (
      exchange === undefined || (exchange.isQuiet && exchange.request.tester === request.tester)
    );
  }

  async #send(request: RoutedRequest): Promise<void> {
    const { channel, address, timer, responseMaxMs = RESPONSE_MAX_MS } = this.#options;
    const exchange: Exchange = {
      request,
      isQuiet: wantsNoAnswer(request.bytes),
      cancel: undefined,
    };
    this.#exchange = exchange;
    this.#last = request;
    this.#isSending = true;
    try {
      await channel.send(request.bytes);
      // The answer may have come before the channel said that the request was there.
      const waitMs = exchange.isQuiet || request.isFunctional ? QUIET_MS : responseMaxMs;
      if (this.#exchange === exchange) this.#wait(exchange, waitMs);
    } catch (error) {
      this.#failedAtMs = timer.elapsedMs();
      if (this.#exchange === exchange) this.#exchange = undefined;
      this.#options.onFailed?.(address, error);
    } finally {
      this.#options.release(request.bytes.length);
      this.#isSending = false;
      this.#next();
    }
  }

  #wait(exchange: Exchange, waitMs: number): void {
    if (this.#isClosed) return;
    exchange.cancel?.();
    exchange.cancel = this.#options.timer.schedule(waitMs, () => {
      if (this.#exchange !== exchange) return;
      this.#abandon();
      this.#next();
    });
  }

  #hear(message: Uint8Array): void {
    const exchange = this.#exchange;
    if (exchange === undefined || !isAnswerTo(exchange.request.bytes, message)) {
      this.#hearUnasked(message);
      return;
    }
    this.#respond(exchange.request, message);
    if (isPending(message)) {
      this.#wait(exchange, this.#options.responseMaxMs ?? RESPONSE_MAX_MS);
      return;
    }
    exchange.cancel?.();
    this.#exchange = undefined;
    // An ECU does one thing after the other: what it was asked before is over.
    this.#strayTester = undefined;
    this.#next();
  }

  /** Late answers and events go to the last tester, unless they may be meant for another. */
  #hearUnasked(message: Uint8Array): void {
    const last = this.#last;
    if (last === undefined) return;
    const isMeant = this.#strayTester === undefined || this.#strayTester === last.tester;
    if (isMeant) this.#respond(last, message);
  }

  /** Waits no longer for the answer to what the ECU has. */
  #abandon(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    exchange.cancel?.();
    this.#strayTester = exchange.request.tester;
    this.#exchange = undefined;
  }

  #respond(request: RoutedRequest, message: Uint8Array): void {
    if (request.isGone() || (request.isFunctional && isKeptSilent(message))) return;
    void request.respondAs(this.#options.address, message);
  }
}
