/**
 * A tester: the client machine of `bus` between a carrier and a timer. It asks one thing after the
 * other, and carries procedures out.
 */
import {
  DEFAULT_PATIENCE,
  type UdsCall,
  UdsFault,
  type UdsPatience,
  type UdsProcedure,
  type UdsProgress,
  type UdsRequest,
  UdsRequester,
  type UdsRequesterOutput,
  type UdsStep,
} from '@immota/bus';
import { assert, type Entropy, unreachable } from '@immota/base';
import { Alarm } from '../doip/alarm.ts';
import { type Timer, wait } from '../ports.ts';
import type { DiagnosticChannel } from './channel.ts';
import { FIRST_SIGN_MAX_MS, REQUESTS_WAITING_MAX } from './limits.ts';

/** What a client stands on. */
export interface UdsClientOptions {
  readonly channel: DiagnosticChannel;
  /** To all ECUs of the group; what is meant for all goes to the one where there is none. */
  readonly group?: DiagnosticChannel | undefined;
  readonly timer: Timer;
  readonly patience?: UdsPatience | undefined;
}

/** What procedures need besides the ECU. */
export interface UdsEnvironment {
  readonly entropy: Entropy;
  /** Reads bytes that a procedure sends; exactly as many as are asked for. */
  readonly read?: (source: string, offsetBytes: number, lengthBytes: number) => Promise<Uint8Array>;
  /** Proves who we are, after it has checked who the server says to be. */
  readonly prove?: (step: Extract<UdsStep, { readonly kind: 'prove' }>) => Promise<Uint8Array>;
  readonly unlock?: (level: number, seed: Uint8Array) => Promise<Uint8Array>;
  readonly onProgress?: ((progress: UdsProgress) => void) | undefined;
}

/** A tester's conversation with one ECU. */
export interface UdsClient {
  /** Bytes of the longest message. */
  readonly messageMaxBytes: number;
  /** Asks; between the steps of a procedure if one is under way. @throws UdsFault. */
  ask<Result>(call: UdsCall<Result>): Promise<Result>;
  /** Carries a procedure out, one after the other. @throws what the procedure throws. */
  run<Result>(procedure: UdsProcedure<Result>, environment: UdsEnvironment): Promise<Result>;
  /** Ends it, and the carrier with it; what is under way fails with UdsFault CLOSED. */
  close(): Promise<void>;
}

/** Opens a client. Nothing is sent before the first request. */
export function openUdsClient(options: UdsClientOptions): UdsClient {
  return new Client(options);
}

const NOTHING: Uint8Array = new Uint8Array();

class Client implements UdsClient {
  readonly messageMaxBytes: number;
  readonly #options: UdsClientOptions;
  readonly #machine: UdsRequester;
  readonly #alarm: Alarm;
  readonly #deafen: readonly (() => void)[];
  #current: PromiseWithResolvers<Uint8Array> | undefined;
  readonly #exchanges = new Turnstile();
  readonly #procedures = new Turnstile();
  #isClosed = false;

  constructor(options: UdsClientOptions) {
    const { channel, group, timer, patience } = options;
    this.#options = options;
    this.messageMaxBytes = channel.messageMaxBytes;
    this.#machine = new UdsRequester(patience ?? { ...DEFAULT_PATIENCE, p2Ms: FIRST_SIGN_MAX_MS });
    this.#alarm = new Alarm(
      timer,
      () => this.#machine.deadlineMs,
      () => this.#carryOut(this.#machine.elapse(timer.elapsedMs())),
    );
    const hear = (message: Uint8Array): void => {
      this.#carryOut(this.#machine.handle(message, timer.elapsedMs()));
      this.#alarm.update();
    };
    this.#deafen = [channel.listen(hear), ...(group === undefined ? [] : [group.listen(hear)])];
  }

  async ask<Result>(call: UdsCall<Result>): Promise<Result> {
    return call.read(await this.#exchange(call, false));
  }

  async run<Result>(procedure: UdsProcedure<Result>, environment: UdsEnvironment): Promise<Result> {
    return await this.#procedures.pass(async () => {
      try {
        return await this.#follow(procedure, environment);
      } finally {
        this.#machine.keepSession(false, this.#options.timer.elapsedMs());
      }
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const fault = new UdsFault('CLOSED', 'Cannot go on with ECU: the client was closed');
    this.#carryOut(this.#machine.abort(fault, this.#options.timer.elapsedMs()));
    this.#alarm.stop();
    for (const deafen of this.#deafen) deafen();
    await this.#options.channel.close();
    await this.#options.group?.close();
  }

  async #follow<Result>(
    procedure: UdsProcedure<Result>,
    environment: UdsEnvironment,
  ): Promise<Result> {
    let next = procedure.next();
    while (next.done !== true) {
      let answer: Uint8Array;
      try {
        answer = await this.#perform(next.value, environment);
      } catch (error) {
        next = procedure.throw(error);
        continue;
      }
      next = procedure.next(answer);
    }
    return next.value;
  }

  async #perform(step: UdsStep, environment: UdsEnvironment): Promise<Uint8Array> {
    const { timer } = this.#options;
    switch (step.kind) {
      case 'ask':
        return await this.#exchange(step.request, step.isFunctional);
      case 'read':
        return await needed(environment.read)(step.source, step.offsetBytes, step.lengthBytes);
      case 'draw':
        return environment.entropy.bytes(step.lengthBytes);
      case 'prove':
        return await needed(environment.prove)(step);
      case 'unlock':
        return await needed(environment.unlock)(step.level, step.seed);
      case 'pause':
        await wait(timer, step.delayMs);
        return NOTHING;
      case 'keepSession':
        this.#machine.keepSession(step.isKept, timer.elapsedMs());
        this.#alarm.update();
        return NOTHING;
      case 'progress':
        environment.onProgress?.(step.progress);
        return NOTHING;
      default:
        return unreachable(step);
    }
  }

  async #exchange(request: UdsRequest, isFunctional: boolean): Promise<Uint8Array> {
    return await this.#exchanges.pass(async () => await this.#begin(request, isFunctional));
  }

  async #begin(request: UdsRequest, isFunctional: boolean): Promise<Uint8Array> {
    if (this.#isClosed) throw new UdsFault('CLOSED', 'Cannot ask ECU: the client was closed');
    const current = Promise.withResolvers<Uint8Array>();
    this.#current = current;
    const outputs = this.#machine.ask(request, this.#options.timer.elapsedMs());
    this.#carryOut(outputs, isFunctional);
    this.#alarm.update();
    return await current.promise;
  }

  #carryOut(outputs: readonly UdsRequesterOutput[], isFunctional = false): void {
    const { channel, group = channel } = this.#options;
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          this.#send(isFunctional ? group : channel, output.message);
          break;
        case 'keepAlive':
          // Whoever does not hear it ends the session, and the next request tells.
          group.send(output.message).catch(nothing);
          break;
        case 'answered':
          this.#current?.resolve(output.response ?? NOTHING);
          this.#current = undefined;
          break;
        case 'failed':
          this.#current?.reject(output.fault);
          this.#current = undefined;
          break;
        default:
          unreachable(output);
      }
    }
  }

  #send(channel: DiagnosticChannel, message: Uint8Array): void {
    const { timer } = this.#options;
    const exchange = this.#current;
    channel.send(message).then(
      () => {
        if (this.#current !== exchange) return;
        this.#machine.sent(timer.elapsedMs());
        this.#alarm.update();
      },
      (cause: unknown) => {
        if (this.#current !== exchange) return;
        const fault = new UdsFault('CLOSED', 'Cannot send request: the carrier failed', { cause });
        this.#carryOut(this.#machine.abort(fault, timer.elapsedMs()));
      },
    );
  }
}

/** Lets one through after the other, and only so many wait. */
class Turnstile {
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;

  async pass<Result>(act: () => Promise<Result>): Promise<Result> {
    if (this.#count > REQUESTS_WAITING_MAX) {
      throw new UdsFault('BUSY', 'Cannot ask ECU: too much waits for it');
    }
    this.#count += 1;
    const running = this.#count === 1 ? act() : this.#last.then(act);
    this.#last = running.catch(nothing);
    try {
      return await running;
    } finally {
      this.#count -= 1;
    }
  }
}

function needed<Part>(part: Part | undefined): Part {
  assert(part !== undefined, 'the environment has what the procedure asks for');
  return part;
}

function nothing(): void {
  // Told elsewhere.
}
