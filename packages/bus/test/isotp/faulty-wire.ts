/** Two links, a wire between them that loses, repeats and swaps frames, and a clock that jumps. */
import { assert } from '@immota/base';
import type { CanFrame, IsoTpInput, IsoTpLink, IsoTpOutput } from '../../src/index.ts';

/** What the wire does with a frame. */
export type WireFault = 'none' | 'loss' | 'repeat' | 'late';

/** What came out of a link, and when. */
export interface Happened {
  readonly link: 0 | 1;
  readonly output: IsoTpOutput;
}

interface Event {
  readonly atMs: number;
  readonly link: 0 | 1;
  readonly input: IsoTpInput;
}

/** How long a frame takes; one that is late arrives behind the next two of its sender. */
const FRAME_MS = 0.25;
const LATE_MS = 0.6;
/** No message of the tests takes so many steps. */
const STEPS_MAX = 200_000;

/** See the head of the file. */
export class FaultyWire {
  readonly happened: Happened[] = [];
  readonly #links: readonly [IsoTpLink, IsoTpLink];
  readonly #faults: Iterator<WireFault>;
  readonly #events: Event[] = [];
  #nowMs = 0;

  /** @param faults - what happens to each frame in turn; none after the last. */
  constructor(links: readonly [IsoTpLink, IsoTpLink], faults: Iterable<WireFault>) {
    this.#links = links;
    this.#faults = faults[Symbol.iterator]();
  }

  /** Hands something to a link at this instant. */
  tell(link: 0 | 1, input: IsoTpInput): void {
    this.#take(link, this.#links[link].handle(input, this.#nowMs));
  }

  /** Lets time pass until nothing is under way. */
  run(): void {
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const event = this.#events[0];
      const due = this.#due();
      if (event !== undefined && event.atMs <= (due?.atMs ?? Number.POSITIVE_INFINITY)) {
        this.#events.shift();
        this.#nowMs = Math.max(this.#nowMs, event.atMs);
        this.tell(event.link, event.input);
      } else if (due === undefined) {
        return;
      } else {
        this.#nowMs = Math.max(this.#nowMs, due.atMs);
        this.#take(due.link, this.#links[due.link].elapse(this.#nowMs));
      }
    }
    assert(false, 'two links come to an end');
  }

  #due(): { readonly atMs: number; readonly link: 0 | 1 } | undefined {
    const [first, second] = this.#links.map(({ deadlineMs }) => deadlineMs);
    if (first !== undefined && first <= (second ?? first)) return { atMs: first, link: 0 };
    return second === undefined ? undefined : { atMs: second, link: 1 };
  }

  #take(link: 0 | 1, outputs: readonly IsoTpOutput[]): void {
    for (const output of outputs) {
      this.happened.push({ link, output });
      if (output.kind !== 'send') continue;
      const { frame, token } = output;
      this.#at(FRAME_MS, link, { kind: 'sent', token });
      this.#carry(link === 0 ? 1 : 0, frame);
    }
  }

  #carry(to: 0 | 1, frame: CanFrame): void {
    const fault = this.#faults.next();
    const kind = fault.done === true ? 'none' : fault.value;
    if (kind === 'loss') return;
    const input = { kind: 'frame', frame } as const;
    this.#at(kind === 'late' ? LATE_MS : FRAME_MS, to, input);
    if (kind === 'repeat') this.#at(FRAME_MS, to, input);
  }

  #at(delayMs: number, link: 0 | 1, input: IsoTpInput): void {
    const event = { atMs: this.#nowMs + delayMs, link, input };
    const index = this.#events.findIndex(({ atMs }) => atMs > event.atMs);
    this.#events.splice(index < 0 ? this.#events.length : index, 0, event);
  }
}
