/**
 * A tester's end of one TCP connection to a DoIP entity: asks for routing, answers alive checks, and
 * knows which message was acknowledged.
 *
 * @source ISO 13400-2:2019, routing activation, alive check, diagnostic messages
 */
import { unreachable } from '@immota/base';
import { DOIP_ACTIVATION, DOIP_ACTIVATION_TYPES, PAYLOAD_TYPES } from './codes.ts';
import { DoipFault } from './doip-fault.ts';
import { VERSION_2019 } from './header.ts';
import {
  ACKNOWLEDGE_MS,
  CONFIRMATION_MAX_MS,
  CONTROL_MS,
  DATA_MAX_BYTES,
  PARTIAL_MESSAGE_MAX_MS,
  UNACKNOWLEDGED_MAX,
} from './limits.ts';
import { type DoipMessage, encodeDiagnosticHead, encodeMessage } from './message.ts';
import { DoipStreamDecoder, type StreamEvent } from './stream-decoder.ts';

/** How to be a tester. */
export interface DoipClientOptions {
  /** The tester's own address. */
  readonly source: number;
  readonly activationType?: number | undefined;
  readonly oem?: Uint8Array | undefined;
  /** Of the protocol; what the entity announced, or that of 2019. */
  readonly version?: number | undefined;
  /** Bytes of the longest payload that is taken. */
  readonly dataMaxBytes?: number | undefined;
}

/** What happens to a tester. */
export type DoipClientInput =
  /** The connection is there. */
  | { readonly kind: 'opened' }
  /** The bytes are not to be written again. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'closed' }
  /** Sends a request, once routing is active. `id` comes back when it was acknowledged. */
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly target: number;
      readonly userData: Uint8Array;
    };

/** What a tester does. */
export type DoipClientOutput =
  /** One message; its parts are sent one behind the other. */
  | { readonly kind: 'send'; readonly bytes: readonly Uint8Array[] }
  /** Routing is active; the address is the entity's own. */
  | { readonly kind: 'activated'; readonly entity: number }
  /** Somebody in the vehicle has to say yes first. */
  | { readonly kind: 'confirmationPending' }
  | { readonly kind: 'acknowledged'; readonly id: number }
  | { readonly kind: 'refused'; readonly id: number; readonly fault: DoipFault }
  | { readonly kind: 'received'; readonly source: number; readonly userData: Uint8Array }
  /** It is over: the connection has to be closed. Requests under way are lost. */
  | { readonly kind: 'failed'; readonly fault: DoipFault };

interface Waiting {
  readonly id: number;
  readonly target: number;
  readonly deadlineMs: number;
}

const ACCEPTED: ReadonlySet<number> = new Set([
  PAYLOAD_TYPES.genericNack,
  PAYLOAD_TYPES.routingActivationResponse,
  PAYLOAD_TYPES.aliveCheckRequest,
  PAYLOAD_TYPES.diagnosticMessage,
  PAYLOAD_TYPES.diagnosticAck,
  PAYLOAD_TYPES.diagnosticNack,
]);
const NONE: ReadonlySet<number> = new Set();

/** See the head of the file. */
export class DoipClient {
  readonly #options: DoipClientOptions;
  readonly #decoder: DoipStreamDecoder;
  #state: 'closed' | 'activating' | 'active' = 'closed';
  /** Oldest first. */
  #waiting: readonly Waiting[] = [];
  #activationDeadlineMs: number | undefined;
  #partialDeadlineMs: number | undefined;
  #outputs: DoipClientOutput[] = [];

  constructor(options: DoipClientOptions) {
    this.#options = options;
    this.#decoder = new DoipStreamDecoder({
      accepted: ACCEPTED,
      ignored: NONE,
      payloadMaxBytes: options.dataMaxBytes ?? DATA_MAX_BYTES,
      hasRoom: () => true,
    });
  }

  /** When `elapse` has to be called next. */
  get deadlineMs(): number | undefined {
    const first = Math.min(
      this.#activationDeadlineMs ?? Infinity,
      this.#partialDeadlineMs ?? Infinity,
      this.#waiting[0]?.deadlineMs ?? Infinity,
    );
    return first === Infinity ? undefined : first;
  }

  /** Takes what happened. @returns what to do, in order. */
  handle(input: DoipClientInput, atMs: number): readonly DoipClientOutput[] {
    this.#outputs = [];
    switch (input.kind) {
      case 'opened':
        this.#activate(atMs);
        break;
      case 'bytes':
        this.#read(input.bytes, atMs);
        break;
      case 'closed':
        this.#fail(new DoipFault('CONNECTION_CLOSED', 'Cannot reach entity: it hung up'));
        break;
      case 'request':
        this.#request(input, atMs);
        break;
      default:
        unreachable(input);
    }
    return this.#outputs;
  }

  /** Does what is due. */
  elapse(atMs: number): readonly DoipClientOutput[] {
    this.#outputs = [];
    if (atMs >= (this.#activationDeadlineMs ?? Infinity)) {
      this.#fail(new DoipFault('TIMEOUT', 'Cannot activate routing: no answer'));
    } else if (atMs >= (this.#partialDeadlineMs ?? Infinity)) {
      this.#fail(new DoipFault('TIMEOUT', 'Cannot read message: the rest of it does not come'));
    } else {
      const late = this.#waiting.filter(({ deadlineMs }) => atMs >= deadlineMs);
      this.#waiting = this.#waiting.filter(({ deadlineMs }) => atMs < deadlineMs);
      for (const { id } of late) {
        const fault = new DoipFault('TIMEOUT', 'Cannot send request: it was not acknowledged');
        this.#outputs.push({ kind: 'refused', id, fault });
      }
    }
    return this.#outputs;
  }

  #activate(atMs: number): void {
    const { source, activationType = DOIP_ACTIVATION_TYPES.default, oem } = this.#options;
    this.#state = 'activating';
    this.#activationDeadlineMs = atMs + CONTROL_MS;
    this.#send({ kind: 'routingActivationRequest', source, activationType, oem });
  }

  #request(
    { id, target, userData }: Extract<DoipClientInput, { kind: 'request' }>,
    atMs: number,
  ): void {
    const refuse = (fault: DoipFault): void => {
      this.#outputs.push({ kind: 'refused', id, fault });
    };
    if (this.#state !== 'active') {
      refuse(new DoipFault('CONNECTION_CLOSED', 'Cannot send request: routing is not active'));
      return;
    }
    if (this.#waiting.length >= UNACKNOWLEDGED_MAX) {
      refuse(new DoipFault('QUEUE_FULL', 'Cannot send request: too many wait for their answer'));
      return;
    }
    const { source, version = VERSION_2019 } = this.#options;
    const head = encodeDiagnosticHead({ source, target, version }, userData.length);
    this.#waiting = [...this.#waiting, { id, target, deadlineMs: atMs + ACKNOWLEDGE_MS }];
    this.#outputs.push({ kind: 'send', bytes: [head, userData] });
  }

  #read(bytes: Uint8Array, atMs: number): void {
    let isNew = this.#partialDeadlineMs === undefined;
    this.#decoder.feed(bytes);
    for (let event = this.#decoder.next(); event !== undefined; event = this.#decoder.next()) {
      if (event.kind !== 'began') isNew = true;
      this.#take(event, atMs);
    }
    if (!this.#decoder.isWithin) this.#partialDeadlineMs = undefined;
    else if (isNew) this.#partialDeadlineMs = atMs + PARTIAL_MESSAGE_MAX_MS;
  }

  #take(event: StreamEvent, atMs: number): void {
    switch (event.kind) {
      case 'refused':
        // What a tester does not know it lets pass; a stream out of step it cannot read.
        if (event.isFatal) {
          this.#fail(new DoipFault('HEADER_PATTERN', 'Cannot read entity: no DoIP message'));
        }
        break;
      case 'began':
        // Meant for another tester: not ours to keep.
        if (event.target !== this.#options.source) this.#decoder.skip();
        break;
      case 'message':
        this.#receive(event.message, atMs);
        break;
      default:
        unreachable(event);
    }
  }

  #receive(message: DoipMessage, atMs: number): void {
    const { kind } = message;
    if (kind === 'routingActivationResponse') {
      if (this.#state === 'activating') this.#settle(message, atMs);
    } else if (kind === 'aliveCheckRequest') {
      this.#send({ kind: 'aliveCheckResponse', source: this.#options.source });
    } else if (kind === 'diagnosticMessage') {
      const { source, userData } = message;
      if (this.#state === 'active') this.#outputs.push({ kind: 'received', source, userData });
    } else if (kind === 'diagnosticAck') {
      this.#answered(message.source, undefined);
    } else if (kind === 'diagnosticNack') {
      const { source, code } = message;
      const what = `Cannot send request: the entity answers ${hex(code)}`;
      this.#answered(source, new DoipFault('MESSAGE_REFUSED', what, code));
    } else if (kind === 'genericNack') {
      this.#refused(message.code);
    }
  }

  #settle(
    message: Extract<DoipMessage, { kind: 'routingActivationResponse' }>,
    atMs: number,
  ): void {
    const { tester, entity, code } = message;
    if (tester !== this.#options.source) return;
    if (code === DOIP_ACTIVATION.activated) {
      this.#state = 'active';
      this.#activationDeadlineMs = undefined;
      this.#outputs.push({ kind: 'activated', entity });
    } else if (code === DOIP_ACTIVATION.confirmationPending) {
      this.#activationDeadlineMs = atMs + CONFIRMATION_MAX_MS;
      this.#outputs.push({ kind: 'confirmationPending' });
    } else {
      const faultCode =
        code === DOIP_ACTIVATION.tlsRequired ? 'TLS_REQUIRED' : 'ACTIVATION_REFUSED';
      const what = `Cannot activate routing: the entity answers ${hex(code)}`;
      this.#fail(new DoipFault(faultCode, what, code));
    }
  }

  /** The oldest request to this target was answered. */
  #answered(target: number, fault: DoipFault | undefined): void {
    const index = this.#waiting.findIndex((waiting) => waiting.target === target);
    const waiting = this.#waiting[index];
    if (waiting === undefined) return;
    this.#waiting = this.#waiting.toSpliced(index, 1);
    const { id } = waiting;
    this.#outputs.push(
      fault === undefined ? { kind: 'acknowledged', id } : { kind: 'refused', id, fault },
    );
  }

  /** An entity refuses headers in the order they came, and a tester's are of one kind. */
  #refused(code: number): void {
    const what = `Cannot send message: the entity answers ${hex(code)} to its header`;
    const fault = new DoipFault('MESSAGE_REFUSED', what, code);
    const [oldest] = this.#waiting;
    if (this.#state !== 'active' || oldest === undefined) this.#fail(fault);
    else this.#answered(oldest.target, fault);
  }

  #fail(fault: DoipFault): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#decoder.stop();
    this.#activationDeadlineMs = undefined;
    this.#partialDeadlineMs = undefined;
    for (const { id } of this.#waiting) this.#outputs.push({ kind: 'refused', id, fault });
    this.#waiting = [];
    this.#outputs.push({ kind: 'failed', fault });
  }

  #send(message: DoipMessage): void {
    const bytes = [encodeMessage(message, this.#options.version ?? VERSION_2019)];
    this.#outputs.push({ kind: 'send', bytes });
  }
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}
