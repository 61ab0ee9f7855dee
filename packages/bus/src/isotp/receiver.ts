/** The half of a link that receives: one message at a time {15765-2:2016 9.4, 9.8.3}. */
import type { FrameFormat } from './frame-format.ts';
import { IsoTpFault, type IsoTpFaultCode } from './isotp-fault.ts';
import { RECEIVE_START_BYTES } from './limits.ts';
import type { IsoTpOutputs } from './output.ts';
import type { IsoTpParameters } from './parameters.ts';
import type { Pdu } from './pdu.ts';

type FlowKind = 'continue' | 'wait' | 'overflow';

/** A message of which parts are here. */
interface Reception {
  readonly lengthBytes: number;
  /** RX_DL: what the First Frame measured, and all but the last must. */
  readonly frameBytes: number;
  /** As large as what has come, up to twice; never as large as what was announced. */
  buffer: Uint8Array;
  receivedBytes: number;
  sequence: number;
  leftInBlock: number;
  waits: number;
  /** Whether the sender was told to go on. */
  isGoing: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;

/** See the head of the file. */
export class IsoTpReceiver {
  readonly #format: FrameFormat;
  readonly #parameters: IsoTpParameters;
  readonly #drawToken: () => number;
  #reception: Reception | undefined;
  #isHeld = false;
  /** The flow control frame that is not on the bus yet: at most one, however often we are provoked. */
  #flight: { readonly token: number; readonly kind: FlowKind } | undefined;
  #flightDeadlineMs = NEVER;
  /** The one to follow it. */
  #waiting: FlowKind | undefined;
  /** The next part must come, or the next wait must go. */
  #deadlineMs = NEVER;

  /** @param drawToken - gives numbers that no other frame of this link has. */
  constructor(format: FrameFormat, parameters: IsoTpParameters, drawToken: () => number) {
    this.#format = format;
    this.#parameters = parameters;
    this.#drawToken = drawToken;
  }

  /** Infinity while there is nothing to wait for. */
  get deadlineMs(): number {
    return Math.min(this.#deadlineMs, this.#flightDeadlineMs);
  }

  /** Takes a message of one frame. */
  single(bytes: Uint8Array, outputs: IsoTpOutputs): void {
    this.#giveUpForNew(outputs);
    outputs.push({ kind: 'received', message: Uint8Array.from(bytes), isFunctional: false });
  }

  /** Takes the beginning of a long message. */
  first(
    pdu: Pdu & { readonly kind: 'first' },
    frameBytes: number,
    atMs: number,
    outputs: IsoTpOutputs,
  ): void {
    this.#giveUpForNew(outputs);
    const { lengthBytes, bytes } = pdu;
    const { messageMaxBytes } = this.#parameters;
    if (lengthBytes > messageMaxBytes) {
      this.#flow('overflow', atMs, outputs);
      this.#fail('BUFFER_OVERFLOW', `${lengthBytes} bytes, at most ${messageMaxBytes}`, outputs);
      return;
    }
    const buffer = new Uint8Array(Math.min(lengthBytes, RECEIVE_START_BYTES));
    buffer.set(bytes);
    this.#reception = {
      lengthBytes,
      frameBytes,
      buffer,
      receivedBytes: bytes.length,
      sequence: 1,
      leftInBlock: 0,
      waits: 0,
      isGoing: false,
    };
    outputs.push({ kind: 'begun', lengthBytes });
    this.#askForBlock(atMs, outputs);
  }

  /** Takes a part; one that nobody waits for changes nothing. */
  consecutive(
    pdu: Pdu & { readonly kind: 'consecutive' },
    frameBytes: number,
    atMs: number,
    outputs: IsoTpOutputs,
  ): void {
    const reception = this.#reception;
    if (reception === undefined || !reception.isGoing) return;
    const { bytes, sequence } = pdu;
    const missingBytes = reception.lengthBytes - reception.receivedBytes;
    // {15765-2:2016 9.6.4}: all are as long as the first; the last may be shorter.
    const isShort = frameBytes < reception.frameBytes && bytes.length < missingBytes;
    if (isShort || frameBytes > reception.frameBytes) return;
    if (sequence !== reception.sequence) {
      this.#fail('WRONG_SEQUENCE', `part ${sequence} instead of ${reception.sequence}`, outputs);
      return;
    }
    const taken = bytes.length > missingBytes ? bytes.subarray(0, missingBytes) : bytes;
    append(reception, taken);
    reception.sequence = (sequence + 1) & 0xf;
    if (reception.receivedBytes === reception.lengthBytes) {
      const message = reception.buffer.subarray(0, reception.lengthBytes);
      this.#reset();
      outputs.push({ kind: 'received', message, isFunctional: false });
      return;
    }
    reception.leftInBlock -= 1;
    if (reception.leftInBlock === 0) this.#askForBlock(atMs, outputs);
    else this.#deadlineMs = atMs + this.#parameters.crMs;
  }

  /** Takes the news that a flow control frame is on the bus. */
  confirm(token: number, atMs: number, outputs: IsoTpOutputs): void {
    const flight = this.#flight;
    if (flight === undefined || token !== flight.token) return;
    this.#land();
    if (this.#waiting !== undefined) {
      const kind = this.#waiting;
      this.#waiting = undefined;
      this.#flow(kind, atMs, outputs);
    } else if (this.#reception !== undefined) {
      const { brMs, crMs } = this.#parameters;
      if (flight.kind === 'wait') this.#deadlineMs = atMs + brMs;
      // A part that overtook this news has set a later deadline already.
      else if (this.#deadlineMs === NEVER) this.#deadlineMs = atMs + crMs;
    }
  }

  /** Makes senders wait at the end of their block; a message that goes on is not touched. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Lets senders go on. */
  release(atMs: number, outputs: IsoTpOutputs): void {
    this.#isHeld = false;
    if (this.#reception?.isGoing === false) this.#askForBlock(atMs, outputs);
  }

  /** Does what is due. */
  elapse(atMs: number, outputs: IsoTpOutputs): void {
    if (atMs >= this.#flightDeadlineMs) {
      this.#land();
      this.#waiting = undefined;
      if (this.#reception !== undefined) this.#fail('TIMEOUT_A', 'the bus took no frame', outputs);
    }
    if (atMs < this.#deadlineMs) return;
    if (this.#reception?.isGoing === false) this.#askForBlock(atMs, outputs);
    else this.#fail('TIMEOUT_CR', 'the next part did not come', outputs);
  }

  /** Tells the sender to send a block, or to wait. */
  #askForBlock(atMs: number, outputs: IsoTpOutputs): void {
    const reception = this.#reception;
    if (reception === undefined) return;
    this.#deadlineMs = NEVER;
    reception.isGoing = !this.#isHeld;
    if (this.#isHeld) {
      reception.waits += 1;
      if (reception.waits > this.#parameters.waitFramesMax) {
        this.#fail('WAIT_OVERRUN', 'we were not ready in time', outputs);
        return;
      }
      this.#flow('wait', atMs, outputs);
      return;
    }
    const { blockSize } = this.#parameters;
    reception.waits = 0;
    reception.leftInBlock = blockSize === 0 ? NEVER : blockSize;
    this.#flow('continue', atMs, outputs);
  }

  #flow(kind: FlowKind, atMs: number, outputs: IsoTpOutputs): void {
    if (this.#flight !== undefined) {
      this.#waiting = kind;
      return;
    }
    const token = this.#drawToken();
    this.#flight = { token, kind };
    this.#flightDeadlineMs = atMs + this.#parameters.arMs;
    outputs.push({ kind: 'send', frame: this.#format.flow(kind), token });
  }

  #land(): void {
    this.#flight = undefined;
    this.#flightDeadlineMs = NEVER;
  }

  /** {15765-2:2016 9.8.3}: the beginning of a new message ends the old one. */
  #giveUpForNew(outputs: IsoTpOutputs): void {
    if (this.#reception === undefined) return;
    this.#fail('UNEXPECTED_PDU', 'another message began', outputs);
  }

  #fail(code: IsoTpFaultCode, why: string, outputs: IsoTpOutputs): void {
    this.#reset();
    const fault = new IsoTpFault(code, `Cannot receive message: ${why}`);
    outputs.push({ kind: 'failed', direction: 'receiving', fault });
  }

  #reset(): void {
    this.#reception = undefined;
    this.#deadlineMs = NEVER;
  }
}

function append(reception: Reception, bytes: Uint8Array): void {
  const { receivedBytes, lengthBytes } = reception;
  const neededBytes = receivedBytes + bytes.length;
  if (neededBytes > reception.buffer.length) {
    const grown = new Uint8Array(Math.min(lengthBytes, 2 * reception.buffer.length));
    grown.set(reception.buffer.subarray(0, receivedBytes));
    reception.buffer = grown;
  }
  reception.buffer.set(bytes, receivedBytes);
  reception.receivedBytes = neededBytes;
}
