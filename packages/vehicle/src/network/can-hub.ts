/**
 * A CAN bus within the process. Frames take the time that they take on a wire, and contend for it.
 *
 * A simulation's timer is exact, and each frame ends at its very instant. A machine's own timer is late by
 * about a millisecond, in which four frames pass: the hub then lets the bus catch up frame by frame, each
 * answered before the next, on a clock of its own. So frames come late, but no slower than on the wire.
 * That clock is `timer`: whoever measures pauses between frames must take it.
 */
import {
  type CanBitRate,
  type CanBus,
  CanFault,
  type CanFrame,
  CanSegment,
  type CanSegmentOutput,
} from '@immota/bus';
import type { Timer } from '../ports.ts';
import { Agenda } from './agenda.ts';

/** What a hub stands on. */
export interface CanHubOptions {
  readonly timer: Timer;
  readonly rate: CanBitRate;
}

/** See the head of the file. */
export interface CanHub {
  /** The bus's time; never ahead of the timer that the hub was given. */
  readonly timer: Timer;
  /** How long the wire has been busy in all. */
  readonly busyMs: number;
  /** Joins a node. */
  connect(): CanBus;
  /** Ends all; frames that wait are refused. */
  close(): void;
}

interface Node {
  readonly listeners: Set<(frame: CanFrame) => void>;
  readonly sending: PromiseWithResolvers<void>[];
}

/** Makes a hub. */
export function createCanHub(options: CanHubOptions): CanHub {
  return new Hub(options);
}

class Hub implements CanHub {
  readonly timer: Timer;
  readonly #outer: Timer;
  readonly #segment: CanSegment;
  readonly #agenda = new Agenda();
  readonly #nodes = new Map<number, Node>();
  #lastNode = 0;
  #nowMs: number;
  #isCatchingUp = false;
  #isClosed = false;
  #alarm: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor({ timer, rate }: CanHubOptions) {
    this.#outer = timer;
    this.#nowMs = timer.elapsedMs();
    this.#segment = new CanSegment(rate);
    this.timer = {
      elapsedMs: () => this.#elapsedMs(),
      schedule: (delayMs, action) => {
        const cancel = this.#agenda.add(this.#elapsedMs() + Math.max(0, delayMs), action);
        this.#arm();
        return cancel;
      },
    };
  }

  get busyMs(): number {
    return this.#segment.busyMs;
  }

  connect(): CanBus {
    this.#lastNode += 1;
    const number = this.#lastNode;
    const node: Node = { listeners: new Set(), sending: [] };
    this.#nodes.set(number, node);
    return {
      send: (frame) => this.#send(number, node, frame),
      listen: (listener) => {
        node.listeners.add(listener);
        return () => node.listeners.delete(listener);
      },
      close: async () => this.#leave(number, node),
    };
  }

  close(): void {
    this.#isClosed = true;
    for (const [number, node] of this.#nodes) this.#leave(number, node);
    this.#alarm?.cancel();
  }

  async #send(number: number, node: Node, frame: CanFrame): Promise<void> {
    if (this.#isClosed || this.#nodes.get(number) !== node) throw closed();
    const passed = this.#segment.handle({ kind: 'send', node: number, frame }, this.#elapsedMs());
    const sending = Promise.withResolvers<void>();
    node.sending.push(sending);
    // The frame before may end at the very instant at which this one comes.
    this.#deliver(passed);
    this.#arm();
    await sending.promise;
  }

  #leave(number: number, node: Node): void {
    this.#nodes.delete(number);
    this.#segment.remove(number);
    node.listeners.clear();
    for (const { reject } of node.sending.splice(0)) reject(closed());
  }

  /** The next thing that happens on the bus. */
  #nextMs(): number {
    return Math.min(this.#segment.deadlineMs ?? Number.POSITIVE_INFINITY, this.#agenda.nextMs);
  }

  /** Time does not pass what has not happened yet, and stands while what has is answered. */
  #elapsedMs(): number {
    if (this.#isCatchingUp) return this.#nowMs;
    this.#nowMs = Math.max(this.#nowMs, Math.min(this.#outer.elapsedMs(), this.#nextMs()));
    return this.#nowMs;
  }

  #arm(): void {
    if (this.#isCatchingUp || this.#isClosed) return;
    const nextMs = this.#nextMs();
    if (this.#alarm !== undefined && this.#alarm.atMs <= nextMs) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, nextMs - this.#outer.elapsedMs());
    const cancel = this.#outer.schedule(delayMs, () => {
      this.#alarm = undefined;
      void this.#catchUp();
    });
    this.#alarm = { atMs: nextMs, cancel };
  }

  async #catchUp(): Promise<void> {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    for (;;) {
      const nextMs = this.#nextMs();
      if (this.#isClosed || nextMs > this.#outer.elapsedMs()) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      this.#happen();
      // Who answers at once does so at this instant of the bus, and not after all that is late.
      if (this.#outer.elapsedMs() > this.#nowMs) await nextTurn();
    }
    this.#isCatchingUp = false;
    this.#arm();
  }

  #happen(): void {
    this.#deliver(this.#segment.elapse(this.#nowMs));
    this.#agenda.takeDue(this.#nowMs)?.();
  }

  #deliver(passed: readonly CanSegmentOutput[]): void {
    for (const { node: number, frame } of passed) {
      for (const [other, { listeners }] of this.#nodes) {
        if (other === number) continue;
        for (const listener of listeners) listener(frame);
      }
      this.#nodes.get(number)?.sending.shift()?.resolve();
    }
  }
}

/** One turn of the event loop: all that a frame has caused is done, in however many steps. */
async function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}

function closed(): CanFault {
  return new CanFault('CLOSED', 'Cannot send frame: the place on the bus was given up');
}
