/**
 * Keeps messages to a tester of 2012 apart in time.
 *
 * There are testers that take one message from each read and lose what came together with it: an answer
 * behind its acknowledgement, or a final answer behind "pending". Real ECUs are mostly slow enough not to
 * meet them; ours are not. A tester that sends its next request at once, three times running, reads a
 * stream and is not slowed down any more; whoever takes longer hardly notices. ADR 74.
 */
import { HELD_MAX, PROMPT_COUNT, PROMPT_MS, SPACING_MS } from './limits.ts';

/** The parts of one message. */
export type MessageParts = readonly Uint8Array[];

/** The version of ISO 13400-2:2012, which such testers speak. */
const VERSION_2012 = 0x02;

/** See the head of the file. */
export class AnswerPacer {
  readonly #held: MessageParts[] = [];
  /** Requests running that came at once; it stays where it is when there were enough of them. */
  #promptCount = 0;
  #isOn = false;
  #lastSentMs = -Infinity;

  /** When `elapse` has to be called next. */
  get deadlineMs(): number | undefined {
    return this.#held.length === 0 ? undefined : this.#lastSentMs + SPACING_MS;
  }

  /** A request begins: how long after our last word tells what the tester is like. */
  noteRequest(version: number, atMs: number): void {
    if (this.#promptCount < PROMPT_COUNT) {
      this.#promptCount = atMs - this.#lastSentMs < PROMPT_MS ? this.#promptCount + 1 : 0;
    }
    this.#isOn = version === VERSION_2012 && this.#promptCount < PROMPT_COUNT;
  }

  /** Takes what must not wait. @returns what is sent now, the held ones first. */
  pass(parts: MessageParts, atMs: number): readonly MessageParts[] {
    this.#lastSentMs = atMs;
    return [...this.#held.splice(0), parts];
  }

  /** Takes an answer. @returns what is sent now. */
  put(parts: MessageParts, atMs: number): readonly MessageParts[] {
    const isSoon = atMs < this.#lastSentMs + SPACING_MS;
    const mustWait = this.#held.length > 0 || (this.#isOn && isSoon);
    if (!mustWait || this.#held.length >= HELD_MAX) return this.pass(parts, atMs);
    this.#held.push(parts);
    return [];
  }

  /** Gives the one whose time has come. */
  elapse(atMs: number): readonly MessageParts[] {
    if (atMs < (this.deadlineMs ?? Infinity)) return [];
    this.#lastSentMs = atMs;
    return this.#held.splice(0, 1);
  }
}
