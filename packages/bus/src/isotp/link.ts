/**
 * One end of a link over ISO-TP (ISO 15765-2:2016): it sends and receives at the same time, one message
 * each way. It touches no bus: frames and times come in, frames and messages go out.
 */
import type { CanFrame } from '../can/frame.ts';
import type { IsoTpAddress, IsoTpTarget } from './address.ts';
import { createFrameFormat } from './frame-format.ts';
import type { IsoTpOutput, IsoTpOutputs } from './output.ts';
import type { IsoTpParameters } from './parameters.ts';
import { readPdu } from './pdu.ts';
import { IsoTpReceiver } from './receiver.ts';
import { IsoTpSender } from './sender.ts';

/** What happens to a link. */
export type IsoTpInput =
  /** Send a message; `isFunctional` to the whole group, in one frame. */
  | {
      readonly kind: 'send';
      readonly message: Uint8Array;
      readonly isFunctional?: boolean | undefined;
    }
  /** A frame was on the bus; those of others are passed over. */
  | { readonly kind: 'frame'; readonly frame: CanFrame }
  /** A frame that we asked to send was on the bus. */
  | { readonly kind: 'sent'; readonly token: number }
  /** No room for more: let the sender of a long message wait at the end of its block. */
  | { readonly kind: 'hold' }
  /** Room again. */
  | { readonly kind: 'release' };

/** See the head of the file. */
export class IsoTpLink {
  readonly #address: IsoTpAddress;
  readonly #parameters: IsoTpParameters;
  readonly #sender: IsoTpSender;
  readonly #receiver: IsoTpReceiver;

  /** @param address - as this end sees it. */
  constructor(address: IsoTpAddress, parameters: IsoTpParameters) {
    this.#address = address;
    this.#parameters = parameters;
    const format = createFrameFormat(address, parameters);
    let drawn = 0;
    const drawToken = (): number => (drawn += 1);
    this.#sender = new IsoTpSender(format, parameters, drawToken);
    this.#receiver = new IsoTpReceiver(format, parameters, drawToken);
  }

  /** True while no message of ours is under way. */
  get isReadyToSend(): boolean {
    return this.#sender.isIdle;
  }

  /** When `elapse` is to be called at the latest, or undefined while nothing is under way. */
  get deadlineMs(): number | undefined {
    const deadlineMs = Math.min(this.#sender.deadlineMs, this.#receiver.deadlineMs);
    return Number.isFinite(deadlineMs) ? deadlineMs : undefined;
  }

  /**
   * Takes what happened. What was due before is done first.
   *
   * @param atMs - of a clock that never goes back.
   * @throws IsoTpFault BUSY or MESSAGE_LENGTH for a message that cannot be sent now, or at all.
   */
  handle(input: IsoTpInput, atMs: number): readonly IsoTpOutput[] {
    // Before anything is done: what a call that throws had done would be lost.
    if (input.kind === 'send') {
      this.#sender.checkStart(input.message, input.isFunctional ?? false);
    }
    const outputs: IsoTpOutputs = [];
    this.#elapse(atMs, outputs);
    switch (input.kind) {
      case 'send':
        outputs.push(this.#sender.start(input.message, input.isFunctional ?? false, atMs));
        break;
      case 'frame':
        this.#hear(input.frame, atMs, outputs);
        break;
      case 'sent':
        this.#sender.confirm(input.token, atMs, outputs);
        this.#receiver.confirm(input.token, atMs, outputs);
        break;
      case 'hold':
        this.#receiver.hold();
        break;
      case 'release':
        this.#receiver.release(atMs, outputs);
    }
    return outputs;
  }

  /** Does what is due at this time. */
  elapse(atMs: number): readonly IsoTpOutput[] {
    const outputs: IsoTpOutputs = [];
    this.#elapse(atMs, outputs);
    return outputs;
  }

  #elapse(atMs: number, outputs: IsoTpOutputs): void {
    this.#sender.elapse(atMs, outputs);
    this.#receiver.elapse(atMs, outputs);
  }

  #hear(frame: CanFrame, atMs: number, outputs: IsoTpOutputs): void {
    const { rx, functionalRx } = this.#address;
    if (this.#isFor(frame, rx)) this.#hearPhysical(frame, atMs, outputs);
    else if (functionalRx !== undefined && this.#isFor(frame, functionalRx)) {
      const pdu = readPdu(frame.data, prefixBytes(functionalRx));
      // {15765-2:2016 9.8.3}: a group is asked in single frames, and does not disturb what is under way.
      if (pdu?.kind !== 'single') return;
      outputs.push({ kind: 'received', message: Uint8Array.from(pdu.bytes), isFunctional: true });
    }
  }

  #hearPhysical(frame: CanFrame, atMs: number, outputs: IsoTpOutputs): void {
    const pdu = readPdu(frame.data, prefixBytes(this.#address.rx));
    switch (pdu?.kind) {
      case 'single':
        this.#receiver.single(pdu.bytes, outputs);
        break;
      case 'first':
        this.#receiver.first(pdu, frame.data.length, atMs, outputs);
        break;
      case 'consecutive':
        this.#receiver.consecutive(pdu, frame.data.length, atMs, outputs);
        break;
      case 'flow':
        this.#sender.flow(pdu, atMs, outputs);
        break;
      case undefined:
    }
  }

  #isFor(frame: CanFrame, target: IsoTpTarget): boolean {
    return (
      frame.id === target.id &&
      frame.isExtended === this.#address.isExtended &&
      // A controller of CAN 2.0 cannot read a frame of CAN FD.
      (!frame.isFd || this.#parameters.isFd) &&
      (target.prefix === undefined || frame.data[0] === target.prefix)
    );
  }
}

function prefixBytes({ prefix }: IsoTpTarget): number {
  return prefix === undefined ? 0 : 1;
}
