/** The TCP connections of an entity: the machine decides, this file carries. */
import { Fault, unreachable } from '@immota/base';
import {
  type DoipActivationVerdict,
  DOIP_ACTIVATION_TYPES,
  DOIP_NACK,
  type DoipActivationRule,
  DoipEntity,
  type DoipEntityInput,
  type DoipEntityOutput,
  type DoipNackCode,
} from '@immota/bus';
import type { Socket } from 'node:net';
import { Alarm } from './alarm.ts';
import { DoipSocket } from './doip-socket.ts';
import type { DoipPeer, OpenDoipEntityOptions } from './entity-options.ts';
import { LINGERING_MAX } from './limits.ts';

interface Connection {
  readonly socket: DoipSocket;
  readonly peer: DoipPeer;
}

type Output<Kind extends DoipEntityOutput['kind']> = Extract<DoipEntityOutput, { kind: Kind }>;

const OPEN_TO_ALL: DoipActivationRule = { needsTls: false, needsAuthorization: false };
/** What a workshop and an inspector ask for; whoever needs more says so. */
const ACTIVATION_TYPES_DEFAULT: ReadonlyMap<number, DoipActivationRule> = new Map([
  [DOIP_ACTIVATION_TYPES.default, OPEN_TO_ALL],
  [DOIP_ACTIVATION_TYPES.wwhObd, OPEN_TO_ALL],
]);
const TESTER_FIRST = 0x0e00;
const TESTER_LAST = 0x0fff;

/** See the head of the file. */
export class EntitySockets {
  readonly machine: DoipEntity;
  readonly #options: OpenDoipEntityOptions;
  readonly #connections = new Map<number, Connection>();
  /** Ended by us and not gone yet, oldest first. */
  readonly #lingering = new Set<DoipSocket>();
  readonly #alarm: Alarm;
  #lastId = 0;

  constructor(options: OpenDoipEntityOptions) {
    this.#options = options;
    this.machine = new DoipEntity({
      logicalAddress: options.identity.logicalAddress,
      isTester: options.isTester ?? isTesterAddress,
      activationTypes: options.activationTypes ?? ACTIVATION_TYPES_DEFAULT,
      admit: (target, dataLengthBytes) => this.#admit(target, dataLengthBytes),
      dataMaxBytes: options.dataMaxBytes,
      socketsMax: options.socketsMax,
      strangersMax: options.strangersMax,
    });
    const { timer } = options;
    this.#alarm = new Alarm(
      timer,
      () => this.machine.deadlineMs,
      () => this.#perform(this.machine.elapse(timer.elapsedMs())),
    );
  }

  /** Takes over a connected socket. */
  accept(raw: Socket, peer: DoipPeer): void {
    const connection = (this.#lastId += 1);
    const socket = new DoipSocket(raw, this.#options.timer, {
      onBytes: (bytes) => this.#handle({ kind: 'bytes', connection, bytes }),
      onClosed: () => {
        this.#connections.delete(connection);
        this.#lingering.delete(socket);
        this.#handle({ kind: 'closed', connection });
      },
    });
    this.#connections.set(connection, { socket, peer });
    this.#handle({ kind: 'opened', connection, isSecure: peer.isSecure });
  }

  /** Cuts all connections. */
  close(): void {
    this.#alarm.stop();
    for (const { socket } of this.#connections.values()) socket.destroy();
    for (const socket of this.#lingering) socket.destroy();
  }

  #handle(input: DoipEntityInput): void {
    this.#perform(this.machine.handle(input, this.#options.timer.elapsedMs()));
    this.#alarm.update();
  }

  #perform(outputs: readonly DoipEntityOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          void this.#send(output);
          break;
        case 'close':
          this.#end(output);
          break;
        case 'authorize':
          void this.#authorize(output);
          break;
        case 'activated':
          this.#report(output);
          break;
        case 'received':
          this.#deliver(output);
          break;
        default:
          unreachable(output);
      }
    }
  }

  async #send({ connection, bytes }: Output<'send'>): Promise<void> {
    await this.#connections.get(connection)?.socket.send(bytes);
  }

  #end({ connection, reason }: Output<'close'>): void {
    const found = this.#connections.get(connection);
    if (found === undefined) return;
    const { socket, peer } = found;
    this.#connections.delete(connection);
    this.#lingering.add(socket);
    socket.end();
    // Whoever makes us refuse them faster than they go away gets no more kindness.
    if (this.#lingering.size > LINGERING_MAX) this.#lingering.values().next().value?.destroy();
    this.#options.onEvent?.({ kind: 'closed', peer, reason });
  }

  #report({ connection, tester, activationType }: Output<'activated'>): void {
    const peer = this.#connections.get(connection)?.peer;
    if (peer !== undefined) {
      this.#options.onEvent?.({ kind: 'activated', peer, tester, activationType });
    }
  }

  async #authorize(output: Output<'authorize'>): Promise<void> {
    const { connection, tester, activationType, oem } = output;
    const peer = this.#connections.get(connection)?.peer;
    const { authorize } = this.#options;
    if (peer === undefined) return;
    const announcePending = (): void => {
      this.#handle({ kind: 'authorized', connection, verdict: 'confirmationPending' });
    };
    const ask = async (): Promise<DoipActivationVerdict> => {
      try {
        const question = { peer, tester, activationType, oem, announcePending };
        return (await authorize?.(question)) ?? 'rejected';
      } catch (error) {
        // Who cannot be checked is not let in.
        if (error instanceof Fault) return 'rejected';
        throw error;
      }
    };
    this.#handle({ kind: 'authorized', connection, verdict: await ask() });
  }

  #admit(address: number, dataLengthBytes: number): DoipNackCode | undefined {
    const target = this.#options.route(address);
    if (typeof target === 'number') return target;
    return dataLengthBytes > target.messageMaxBytes ? DOIP_NACK.messageTooLarge : undefined;
  }

  #deliver({ connection, tester, target, userData }: Output<'received'>): void {
    const found = this.#options.route(target);
    // An ECU may answer at once, but never before its request was acknowledged.
    const acknowledged = Promise.withResolvers<void>();
    let isAcknowledged = false;
    const respondAs = async (source: number, message: Uint8Array): Promise<void> => {
      if (!isAcknowledged) await acknowledged.promise;
      await this.#answer(connection, source, message);
    };
    const code =
      typeof found === 'number'
        ? found
        : found.deliver({
            tester,
            target,
            isFunctional: false,
            bytes: userData,
            respond: (message) => respondAs(target, message),
            respondAs,
            isGone: () => !this.#connections.has(connection),
          });
    if (code === undefined) {
      this.#handle({ kind: 'accepted', connection, target });
      isAcknowledged = true;
      acknowledged.resolve();
    } else {
      this.#handle({ kind: 'refused', connection, target, code });
    }
  }

  async #answer(connection: number, source: number, userData: Uint8Array): Promise<void> {
    const input: DoipEntityInput = { kind: 'answered', connection, source, userData };
    const outputs = this.machine.handle(input, this.#options.timer.elapsedMs());
    this.#alarm.update();
    for (const output of outputs) if (output.kind === 'send') await this.#send(output);
  }
}

function isTesterAddress(address: number): boolean {
  return address >= TESTER_FIRST && address <= TESTER_LAST;
}
