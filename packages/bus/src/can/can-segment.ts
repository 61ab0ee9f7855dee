/**
 * A wire with nodes at it: one frame at a time, and of all that wait the one with the lowest identifier
 * next. It knows no clock: times come in, and a frame comes out when its last bit has passed.
 */
import { type CanBitRate, frameTimeMs } from './bit-rate.ts';
import { CanFault } from './can-fault.ts';
import type { CanFrame } from './frame.ts';
import { QUEUE_MAX_FRAMES } from './limits.ts';

/** What the wire is told: a node wants to send. */
export interface CanSegmentInput {
  readonly kind: 'send';
  /** Which node; any number that it keeps. */
  readonly node: number;
  readonly frame: CanFrame;
}

/** A frame has passed: all but its node have heard it. Those of one node pass in the order they came. */
export interface CanSegmentOutput {
  readonly kind: 'passed';
  readonly node: number;
  readonly frame: CanFrame;
  readonly atMs: number;
}

interface Waiting {
  readonly frame: CanFrame;
  readonly rank: number;
  readonly lengthMs: number;
}

const NOTHING: readonly CanSegmentOutput[] = [];

/** See the head of the file. */
export class CanSegment {
  readonly #rate: CanBitRate;
  readonly #queues = new Map<number, Waiting[]>();
  #passing: { readonly node: number; readonly frame: CanFrame; readonly endMs: number } | undefined;
  #freeAtMs = 0;
  #busyMs = 0;

  constructor(rate: CanBitRate) {
    this.#rate = rate;
  }

  /** When the frame on the wire has passed, or undefined while the wire is free. */
  get deadlineMs(): number | undefined {
    return this.#passing?.endMs;
  }

  /** How long the wire has been busy in all: the load over a span is the difference by its length. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /**
   * Lets a node's frame wait for the wire.
   *
   * @returns frames that have passed until now, as `elapse` does.
   * @param atMs - of a clock that never goes back.
   * @throws CanFault QUEUE_FULL, BIT_RATE.
   */
  handle({ node, frame }: CanSegmentInput, atMs: number): readonly CanSegmentOutput[] {
    const waiting = {
      frame,
      rank: arbitrationRank(frame),
      lengthMs: frameTimeMs(frame, this.#rate),
    };
    const waitCount = this.#queues.get(node)?.length ?? 0;
    // Before anything passes: a call that throws could not tell of it.
    if (waitCount >= QUEUE_MAX_FRAMES) {
      throw new CanFault('QUEUE_FULL', `Cannot send frame: ${waitCount} wait already`);
    }
    const passed = this.elapse(atMs);
    const queue = this.#queues.get(node);
    if (queue === undefined) this.#queues.set(node, [waiting]);
    else queue.push(waiting);
    if (this.#passing === undefined) this.#arbitrate(Math.max(atMs, this.#freeAtMs));
    return passed;
  }

  /** Lets frames pass whose end has come. */
  elapse(atMs: number): readonly CanSegmentOutput[] {
    if (this.#passing === undefined || this.#passing.endMs > atMs) return NOTHING;
    const passed: CanSegmentOutput[] = [];
    // Bounded by the queues, since nothing joins them meanwhile.
    while (this.#passing !== undefined && this.#passing.endMs <= atMs) {
      const { node, frame, endMs } = this.#passing;
      passed.push({ kind: 'passed', node, frame, atMs: endMs });
      this.#passing = undefined;
      this.#freeAtMs = endMs;
      this.#arbitrate(endMs);
    }
    return passed;
  }

  /** Takes back what a node has waiting; a frame on the wire passes all the same. */
  remove(node: number): void {
    this.#queues.delete(node);
  }

  /** Lets the first frames of all nodes contend; the node that came first wins between equals. */
  #arbitrate(atMs: number): void {
    let winner: { readonly node: number; readonly queue: Waiting[] } | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [node, queue] of this.#queues) {
      const rank = queue[0]?.rank ?? Number.POSITIVE_INFINITY;
      if (rank >= lowest) continue;
      lowest = rank;
      winner = { node, queue };
    }
    const first = winner?.queue.shift();
    if (winner === undefined || first === undefined) return;
    if (winner.queue.length === 0) this.#queues.delete(winner.node);
    this.#busyMs += first.lengthMs;
    this.#passing = { node: winner.node, frame: first.frame, endMs: atMs + first.lengthMs };
  }
}

/**
 * Tells which of two frames wins the wire: the one with the lower rank. The bits decide in the order they
 * pass, so that 11 bits win over 29 that begin with the same.
 */
function arbitrationRank({ id, isExtended }: CanFrame): number {
  const IDENTIFIER_EXTENSION = 2 ** 18;
  if (!isExtended) return id * 2 * IDENTIFIER_EXTENSION;
  const base = Math.floor(id / IDENTIFIER_EXTENSION);
  return (base * 2 + 1) * IDENTIFIER_EXTENSION + (id % IDENTIFIER_EXTENSION);
}
