/** One end of an ISO-TP link at a bus: drives the protocol with frames and time, and queues messages. */
import {
  type CanBus,
  type IsoTpAddress,
  IsoTpFault,
  type IsoTpInput,
  IsoTpLink,
  type IsoTpOutput,
  type IsoTpParameters,
} from '@immota/bus';
import type { Timer } from '../ports.ts';
import { SEND_QUEUE_MAX } from './limits.ts';

/** What a port stands on. */
export interface IsoTpPortOptions {
  readonly bus: CanBus;
  /** The bus's own time where it has one: see `CanHub.timer`. */
  readonly timer: Timer;
  /** As this end sees it. */
  readonly address: IsoTpAddress;
  readonly parameters: IsoTpParameters;
}

/** Who hears what a port receives. */
export interface IsoTpHearer {
  message(message: Uint8Array, isFunctional: boolean): void;
  /** A message of the peer was lost. */
  lost?(fault: IsoTpFault): void;
}

interface Outgoing {
  readonly message: Uint8Array;
  readonly isFunctional: boolean;
  readonly done: PromiseWithResolvers<void>;
}

/** See the head of the file. */
export class IsoTpPort {
  readonly #bus: CanBus;
  readonly #timer: Timer;
  readonly #link: IsoTpLink;
  readonly #hearers = new Set<IsoTpHearer>();
  readonly #outgoing: Outgoing[] = [];
  readonly #stopListening: () => void;
  #current: Outgoing | undefined;
  #alarm: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #isClosed = false;

  constructor({ bus, timer, address, parameters }: IsoTpPortOptions) {
    this.#bus = bus;
    this.#timer = timer;
    this.#link = new IsoTpLink(address, parameters);
    this.#stopListening = bus.listen((frame) => this.#happen({ kind: 'frame', frame }));
  }

  /**
   * Sends a message behind those that wait.
   *
   * @param message - stays as it is until the promise is settled: it is not copied.
   * @throws IsoTpFault of the way it failed; BUSY when too many wait.
   */
  async send(message: Uint8Array, isFunctional = false): Promise<void> {
    if (this.#isClosed) throw closed();
    if (this.#outgoing.length >= SEND_QUEUE_MAX) {
      throw new IsoTpFault('BUSY', `Cannot send message: ${SEND_QUEUE_MAX} wait already`);
    }
    const outgoing = { message, isFunctional, done: Promise.withResolvers<void>() };
    this.#outgoing.push(outgoing);
    this.#sendNext();
    await outgoing.done.promise;
  }

  /** Hears messages from now on. @returns what ends it. */
  listen(hearer: IsoTpHearer): () => void {
    this.#hearers.add(hearer);
    return () => this.#hearers.delete(hearer);
  }

  /** Gives up what is under way. The bus stays open: it belongs to whoever opened it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    this.#alarm?.cancel();
    this.#hearers.clear();
    this.#current?.done.reject(closed());
    for (const { done } of this.#outgoing.splice(0)) done.reject(closed());
  }

  #sendNext(): void {
    while (this.#link.isReadyToSend) {
      const next = this.#outgoing.shift();
      if (next === undefined) return;
      const outputs = this.#begin(next);
      if (outputs !== undefined) this.#apply(outputs);
    }
  }

  /** @returns undefined when the message was refused for its length: the next one may pass. */
  #begin(outgoing: Outgoing): readonly IsoTpOutput[] | undefined {
    const { message, isFunctional, done } = outgoing;
    try {
      const input = { kind: 'send', message, isFunctional } as const;
      const outputs = this.#link.handle(input, this.#timer.elapsedMs());
      this.#current = outgoing;
      return outputs;
    } catch (error) {
      done.reject(error);
      return undefined;
    }
  }

  #happen(input: IsoTpInput): void {
    if (this.#isClosed) return;
    this.#apply(this.#link.handle(input, this.#timer.elapsedMs()));
  }

  #apply(outputs: readonly IsoTpOutput[]): void {
    for (const output of outputs) this.#carryOut(output);
    if (outputs.length > 0) this.#sendNext();
    this.#arm();
  }

  #carryOut(output: IsoTpOutput): void {
    switch (output.kind) {
      case 'send':
        void this.#put(output);
        return;
      case 'delivered':
        this.#current?.done.resolve();
        this.#current = undefined;
        return;
      case 'received':
        for (const hearer of this.#hearers) hearer.message(output.message, output.isFunctional);
        return;
      case 'failed':
        if (output.direction === 'sending') {
          this.#current?.done.reject(output.fault);
          this.#current = undefined;
        } else {
          for (const hearer of this.#hearers) hearer.lost?.(output.fault);
        }
        return;
      case 'begun':
    }
  }

  async #put({ frame, token }: IsoTpOutput & { readonly kind: 'send' }): Promise<void> {
    try {
      await this.#bus.send(frame);
    } catch {
      // What the bus refused does not get onto it: the time-out of the link says so to its user.
      return;
    }
    this.#happen({ kind: 'sent', token });
  }

  #arm(): void {
    if (this.#isClosed) return;
    const { deadlineMs } = this.#link;
    // An alarm that is too early costs less than one that is set anew with each frame.
    if (deadlineMs === undefined || (this.#alarm?.atMs ?? Infinity) <= deadlineMs) return;
    this.#alarm?.cancel();
    const cancel = this.#timer.schedule(deadlineMs - this.#timer.elapsedMs(), () => {
      this.#alarm = undefined;
      if (!this.#isClosed) this.#apply(this.#link.elapse(this.#timer.elapsedMs()));
    });
    this.#alarm = { atMs: deadlineMs, cancel };
  }
}

function closed(): IsoTpFault {
  return new IsoTpFault('CLOSED', 'Cannot send message: the link was closed');
}
