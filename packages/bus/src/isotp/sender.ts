/** The half of a link that sends: one message at a time {15765-2:2016 9.4}. */
import type { CanFrame } from '../can/frame.ts';
import type { FrameFormat } from './frame-format.ts';
import { IsoTpFault, type IsoTpFaultCode } from './isotp-fault.ts';
import type { IsoTpOutputs } from './output.ts';
import type { IsoTpParameters } from './parameters.ts';
import type { Pdu } from './pdu.ts';
import { decodeSeparationTime } from './separation-time.ts';

/** What follows when a frame is on the bus. */
type Next = 'end' | 'flow' | 'pause';

const NOTHING: Uint8Array = new Uint8Array();

/** See the head of the file. */
export class IsoTpSender {
  readonly #format: FrameFormat;
  readonly #parameters: IsoTpParameters;
  readonly #drawToken: () => number;
  #phase: 'idle' | 'confirmation' | 'flow' | 'pause' = 'idle';
  #deadlineMs = Number.POSITIVE_INFINITY;
  #message = NOTHING;
  #offset = 0;
  #sequence = 1;
  #token = 0;
  #next: Next = 'end';
  #leftInBlock = Number.POSITIVE_INFINITY;
  #separationMs = 0;
  #waits = 0;

  /** @param drawToken - gives numbers that no other frame of this link has. */
  constructor(format: FrameFormat, parameters: IsoTpParameters, drawToken: () => number) {
    this.#format = format;
    this.#parameters = parameters;
    this.#drawToken = drawToken;
  }

  get isIdle(): boolean {
    return this.#phase === 'idle';
  }

  /** Infinity while there is nothing to wait for. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /**
   * Checks that a message can begin now.
   *
   * @throws IsoTpFault BUSY, MESSAGE_LENGTH.
   */
  checkStart(message: Uint8Array, isFunctional: boolean): void {
    if (this.#phase !== 'idle') {
      throw new IsoTpFault('BUSY', 'Cannot send message: another is under way');
    }
    const { functionalMaxBytes } = this.#format;
    const maxBytes = isFunctional ? functionalMaxBytes : this.#parameters.messageMaxBytes;
    if (message.length === 0 || message.length > maxBytes) {
      throw new IsoTpFault(
        'MESSAGE_LENGTH',
        `Cannot send message: ${message.length} bytes, at most ${maxBytes}`,
      );
    }
  }

  /** Begins a message that was checked. */
  start(message: Uint8Array, isFunctional: boolean, atMs: number): CanFrameToSend {
    const { singleMaxBytes } = this.#format;
    if (message.length <= singleMaxBytes) {
      return this.#transmit(this.#format.single(message, isFunctional), 'end', atMs);
    }
    const [frame, takenBytes] = this.#format.first(message);
    this.#message = message;
    this.#offset = takenBytes;
    this.#sequence = 1;
    this.#waits = 0;
    return this.#transmit(frame, 'flow', atMs);
  }

  /** Takes the news that a frame is on the bus; of a frame that was given up it changes nothing. */
  confirm(token: number, atMs: number, outputs: IsoTpOutputs): void {
    if (this.#phase !== 'confirmation' || token !== this.#token) return;
    switch (this.#next) {
      case 'end':
        this.#reset();
        outputs.push({ kind: 'delivered' });
        return;
      case 'flow':
        this.#await('flow', atMs + this.#parameters.bsMs);
        return;
      case 'pause':
        if (this.#separationMs === 0) outputs.push(this.#consecutive(atMs));
        else this.#await('pause', atMs + this.#separationMs);
    }
  }

  /** Takes a flow control frame; one that nobody waits for changes nothing. */
  flow(pdu: Pdu & { readonly kind: 'flow' }, atMs: number, outputs: IsoTpOutputs): void {
    // The answer proves that the frame was on the bus, although nobody has told us yet.
    const isAwaited =
      this.#phase === 'flow' || (this.#phase === 'confirmation' && this.#next === 'flow');
    if (!isAwaited) return;
    switch (pdu.status) {
      case 'continue':
        // {15765-2:2016 9.6.5.6}: each tells the pace until the next.
        this.#waits = 0;
        this.#leftInBlock = pdu.blockSize === 0 ? Number.POSITIVE_INFINITY : pdu.blockSize;
        this.#separationMs = decodeSeparationTime(pdu.separation) / 1000;
        outputs.push(this.#consecutive(atMs));
        return;
      case 'wait':
        this.#waits += 1;
        if (this.#waits > this.#parameters.waitFramesMax) {
          this.#fail('WAIT_OVERRUN', `asked to wait ${this.#waits} times`, outputs);
        } else {
          this.#await('flow', atMs + this.#parameters.bsMs);
        }
        return;
      case 'overflow':
        this.#fail('BUFFER_OVERFLOW', `${this.#message.length} bytes are too many`, outputs);
        return;
      case 'reserved':
        this.#fail('INVALID_FLOW_STATUS', 'unknown flow status', outputs);
    }
  }

  /** Does what is due. */
  elapse(atMs: number, outputs: IsoTpOutputs): void {
    if (atMs < this.#deadlineMs) return;
    if (this.#phase === 'pause') {
      outputs.push(this.#consecutive(atMs));
    } else if (this.#phase === 'flow') {
      this.#fail('TIMEOUT_BS', 'no flow control came', outputs);
    } else {
      this.#fail('TIMEOUT_A', 'the bus took no frame', outputs);
    }
  }

  #consecutive(atMs: number): CanFrameToSend {
    const [frame, offset] = this.#format.consecutive(this.#message, this.#offset, this.#sequence);
    this.#offset = offset;
    this.#sequence = (this.#sequence + 1) & 0xf;
    this.#leftInBlock -= 1;
    const between = this.#leftInBlock === 0 ? 'flow' : 'pause';
    return this.#transmit(frame, offset === this.#message.length ? 'end' : between, atMs);
  }

  #transmit(frame: CanFrame, next: Next, atMs: number): CanFrameToSend {
    this.#token = this.#drawToken();
    this.#next = next;
    this.#await('confirmation', atMs + this.#parameters.asMs);
    return { kind: 'send', frame, token: this.#token };
  }

  #await(phase: 'confirmation' | 'flow' | 'pause', deadlineMs: number): void {
    this.#phase = phase;
    this.#deadlineMs = deadlineMs;
  }

  #fail(code: IsoTpFaultCode, why: string, outputs: IsoTpOutputs): void {
    this.#reset();
    const fault = new IsoTpFault(code, `Cannot send message: ${why}`);
    outputs.push({ kind: 'failed', direction: 'sending', fault });
  }

  #reset(): void {
    this.#phase = 'idle';
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#message = NOTHING;
  }
}

interface CanFrameToSend {
  readonly kind: 'send';
  readonly frame: CanFrame;
  readonly token: number;
}
