/**
 * Where questions of the Primary meet answers of screens. A question stands on after the Primary has
 * stopped waiting for it; an answer that comes then is kept for the moment at which it is asked again.
 */
import { checkAnswer, type ConsentRules } from '../consent/check-answer.ts';
import { ConsentFault } from '../consent/consent-fault.ts';
import type { ConsentAnswer, ConsentPort, ConsentRequest } from '../consent/consent-port.ts';
import type { Clock } from '@immota/base';

/** What a desk stands on. */
export interface ConsentDeskOptions {
  readonly rules: ConsentRules;
  readonly clock: Clock;
  /** Hears that what is asked has changed. */
  readonly onChange: () => void;
  /** Hears of an answer that nobody waits for at the moment. */
  readonly onAnswered: () => void;
}

interface OpenQuestion {
  readonly request: ConsentRequest;
  /** Absent while the Primary does not wait. */
  resolve: ((answer: ConsentAnswer) => void) | undefined;
}

/** See the head of the file. */
export class ConsentDesk implements ConsentPort {
  readonly #options: ConsentDeskOptions;
  #open: OpenQuestion | undefined;
  #kept: { readonly request: ConsentRequest; readonly answer: ConsentAnswer } | undefined;

  constructor(options: ConsentDeskOptions) {
    this.#options = options;
  }

  /** What is asked now. */
  question(): ConsentRequest | undefined {
    return this.#open?.request;
  }

  /** Whether an answer waits to be fetched. */
  isAnswered(): boolean {
    return this.#kept !== undefined;
  }

  async ask(request: ConsentRequest, signal: AbortSignal): Promise<ConsentAnswer | undefined> {
    const kept = this.#kept;
    this.#kept = undefined;
    // The Primary judges it anew: other words, another budget, a vehicle that moves.
    if (kept !== undefined && isSame(kept.request, request)) return kept.answer;
    const { promise, resolve } = Promise.withResolvers<ConsentAnswer | undefined>();
    const open: OpenQuestion = { request, resolve };
    this.#open = open;
    const stopWaiting = (): void => {
      open.resolve = undefined;
      resolve(undefined);
    };
    if (signal.aborted) stopWaiting();
    else signal.addEventListener('abort', stopWaiting, { once: true });
    this.#options.onChange();
    return await promise;
  }

  /**
   * Answers what is asked.
   *
   * @throws ConsentFault NOT_ASKED, and as `checkAnswer`.
   */
  answer(about: Pick<ConsentRequest, 'correlationId' | 'step'>, answer: ConsentAnswer): void {
    const open = this.#open;
    if (open === undefined || !isSame(open.request, about)) {
      throw new ConsentFault('NOT_ASKED', `Cannot take answer: ${about.step} is not asked now`);
    }
    const { rules, clock, onAnswered, onChange } = this.#options;
    checkAnswer(open.request, answer, rules, clock.now());
    this.#open = undefined;
    if (open.resolve === undefined) {
      this.#kept = { request: open.request, answer };
      onAnswered();
    } else {
      open.resolve(answer);
    }
    onChange();
  }

  /** Forgets what is asked: the update is gone, or was answered elsewhere. */
  clear(): void {
    this.#open = undefined;
    this.#kept = undefined;
  }
}

function isSame(
  one: Pick<ConsentRequest, 'correlationId' | 'step'>,
  other: Pick<ConsentRequest, 'correlationId' | 'step'>,
): boolean {
  return one.correlationId === other.correlationId && one.step === other.step;
}
