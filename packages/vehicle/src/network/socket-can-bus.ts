/**
 * A bus on two raw channels of the kernel: one sends, the other hears everything, ours included. What it
 * hears of ours tells that the frame was on the bus: the kernel gives frames back when the controller is
 * done with them, and without that a long message would be poured into a queue of ten frames.
 */
import { type CanBus, CanFault, type CanFrame } from '@immota/bus';
import type { Timer } from '../ports.ts';
import { ECHO_TIMEOUT_MS, FRAMES_IN_FLIGHT_MAX, KERNEL_FRAMES_MAX } from './limits.ts';

/** How a frame gets into the kernel. @returns false when it has no room. */
export type KernelWriter = (frame: CanFrame) => boolean;

/** See the head of the file. */
export interface KernelBus extends CanBus {
  /** Takes a frame that the kernel brought. */
  hear(frame: CanFrame): void;
}

interface Sending {
  readonly frame: CanFrame;
  readonly done: PromiseWithResolvers<void>;
  expiresMs: number;
}

/** Makes the bus; `close` does not close the channels. */
export function createKernelBus(write: KernelWriter, timer: Timer): KernelBus {
  return new Bus(write, timer);
}

class Bus implements KernelBus {
  readonly #write: KernelWriter;
  readonly #timer: Timer;
  readonly #listeners = new Set<(frame: CanFrame) => void>();
  readonly #waiting: Sending[] = [];
  readonly #inKernel: Sending[] = [];
  #cancelAlarm: (() => void) | undefined;
  #isClosed = false;

  constructor(write: KernelWriter, timer: Timer) {
    this.#write = write;
    this.#timer = timer;
  }

  async send(frame: CanFrame): Promise<void> {
    if (this.#isClosed) throw closed();
    if (this.#waiting.length >= FRAMES_IN_FLIGHT_MAX) {
      throw new CanFault('QUEUE_FULL', `Cannot send frame: ${this.#waiting.length} wait already`);
    }
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ frame, done, expiresMs: 0 });
    this.#pump();
    await done.promise;
  }

  listen(listener: (frame: CanFrame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hear(frame: CanFrame): void {
    const index = this.#inKernel.findIndex((sending) => isSame(sending.frame, frame));
    const [own] = index < 0 ? [] : this.#inKernel.splice(index, 1);
    if (own === undefined) {
      for (const listener of this.#listeners) listener(frame);
      return;
    }
    own.done.resolve();
    this.#pump();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#cancelAlarm?.();
    for (const list of [this.#inKernel, this.#waiting]) {
      for (const { done } of list.splice(0)) done.reject(closed());
    }
  }

  #pump(): void {
    while (this.#inKernel.length < KERNEL_FRAMES_MAX) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (this.#write(next.frame)) {
        next.expiresMs = this.#timer.elapsedMs() + ECHO_TIMEOUT_MS;
        this.#inKernel.push(next);
      } else {
        const fault = new CanFault('QUEUE_FULL', 'Cannot send frame: the kernel has no room');
        next.done.reject(fault);
      }
    }
    this.#arm();
  }

  #arm(): void {
    const [oldest] = this.#inKernel;
    if (oldest === undefined || this.#cancelAlarm !== undefined) return;
    const delayMs = oldest.expiresMs - this.#timer.elapsedMs();
    this.#cancelAlarm = this.#timer.schedule(delayMs, () => {
      this.#cancelAlarm = undefined;
      this.#expire();
    });
  }

  /** A controller that is off forgets its frames; those behind them must not wait for ever. */
  #expire(): void {
    const nowMs = this.#timer.elapsedMs();
    while ((this.#inKernel[0]?.expiresMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const fault = new CanFault('DRIVER_FAILED', 'Cannot send frame: nobody acknowledged it');
      this.#inKernel.shift()?.done.reject(fault);
    }
    this.#pump();
  }
}

/** The kernel does not tell us whether a short frame was one of CAN FD. */
function isSame(sent: CanFrame, heard: CanFrame): boolean {
  return (
    sent.id === heard.id &&
    sent.isExtended === heard.isExtended &&
    sent.data.length === heard.data.length &&
    sent.data.every((byte, index) => byte === heard.data[index])
  );
}

function closed(): CanFault {
  return new CanFault('CLOSED', 'Cannot send frame: the channel was closed');
}
