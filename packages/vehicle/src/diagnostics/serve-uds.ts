/**
 * An ECU's end: the server machine of `bus` between a carrier, a timer and the application that does
 * what testers ask for.
 */
import {
  RESPONSE_CODES,
  type UdsContext,
  UdsFault,
  type UdsOutcome,
  UdsServer,
  type UdsServerOutput,
} from '@immota/bus';
import { unreachable } from '@immota/base';
import { Alarm } from '../doip/alarm.ts';
import type { Timer } from '../ports.ts';
import type { DiagnosticEndpoint, DiagnosticRequest } from './channel.ts';
import { OUTPUTS_WAITING_MAX } from './limits.ts';
import type { UdsApplication } from './uds-application.ts';

/** A request that was refused. */
export interface RefusedRequest {
  readonly context: UdsContext;
  readonly serviceId: number;
  readonly responseCode: number;
}

/** What a server stands on. */
export interface ServeUdsOptions {
  readonly endpoint: DiagnosticEndpoint;
  readonly application: UdsApplication;
  readonly timer: Timer;
  /** Hears of what was refused, for whoever watches for attacks. */
  readonly onRefused?: ((refused: RefusedRequest) => void) | undefined;
  /** Hears of what must not happen: a bug in the application. The tester gets a refusal. */
  readonly onFailure: (error: unknown) => void;
}

/** A server that runs. */
export interface RunningUdsServer {
  /** Hears no more; fulfils when nothing is under way any more. */
  close(): Promise<void>;
}

/** Serves testers from now on. */
export function serveUds(options: ServeUdsOptions): RunningUdsServer {
  return new Server(options);
}

type Output = UdsServerOutput<DiagnosticRequest>;

class Server implements RunningUdsServer {
  readonly #options: ServeUdsOptions;
  readonly #machine: UdsServer<DiagnosticRequest>;
  readonly #alarm: Alarm;
  readonly #deafen: () => void;
  /** What the machine wants, in its order. */
  #queue: Output[] = [];
  #isDraining = false;
  #drained: Promise<void> = Promise.resolve();
  readonly #jobs = new Set<Promise<void>>();

  constructor(options: ServeUdsOptions) {
    const { endpoint, application, timer } = options;
    this.#options = options;
    this.#machine = new UdsServer(application.description, {
      messageMaxBytes: endpoint.messageMaxBytes,
      failedAttempts: application.failedAttempts,
      atMs: timer.elapsedMs(),
    });
    this.#alarm = new Alarm(
      timer,
      () => this.#machine.deadlineMs,
      () => this.#take(this.#machine.elapse(timer.elapsedMs())),
    );
    this.#deafen = endpoint.serve((request) => {
      // A carrier that takes no answers gets none: requests are dropped before anything grows.
      if (this.#queue.length >= OUTPUTS_WAITING_MAX) return;
      this.#take(this.#machine.handle(request, timer.elapsedMs()));
    });
  }

  async close(): Promise<void> {
    this.#deafen();
    this.#alarm.stop();
    await Promise.all(this.#jobs);
    await this.#drained;
    this.#alarm.stop();
  }

  #take(outputs: readonly Output[]): void {
    this.#queue.push(...outputs);
    this.#alarm.update();
    if (this.#isDraining || this.#queue.length === 0) return;
    this.#isDraining = true;
    this.#drained = this.#drain();
  }

  async #drain(): Promise<void> {
    let isKept = true;
    for (let output = this.#queue.shift(); output !== undefined; output = this.#queue.shift()) {
      switch (output.kind) {
        case 'respond':
          await this.#respond(output.request, output.message);
          break;
        case 'keepAttempts':
          isKept = await this.#keep(output.failedAttempts);
          break;
        case 'refused':
          this.#options.onRefused?.(output);
          break;
        case 'perform':
          this.#begin(output, isKept);
          break;
        default:
          unreachable(output);
      }
    }
    this.#isDraining = false;
  }

  async #respond(request: DiagnosticRequest, message: Uint8Array): Promise<void> {
    try {
      await request.respond(message);
    } catch {
      // The tester is gone: its session ends by itself.
    }
  }

  async #keep(failedAttempts: number): Promise<boolean> {
    try {
      await this.#options.application.keepAttempts(failedAttempts);
      return true;
    } catch (error) {
      this.#options.onFailure(error);
      return false;
    }
  }

  /** A key is not judged when the attempt could not be counted. */
  #begin(output: Extract<Output, { readonly kind: 'perform' }>, isAllowed: boolean): void {
    const { application, timer } = this.#options;
    const work = async (): Promise<void> => {
      const outcome = isAllowed ? await this.#perform(application, output) : REJECTED;
      this.#take(this.#machine.complete(output.job, outcome, timer.elapsedMs()));
    };
    const job = work().finally(() => this.#jobs.delete(job));
    this.#jobs.add(job);
  }

  async #perform(
    application: UdsApplication,
    { operation, context }: Extract<Output, { readonly kind: 'perform' }>,
  ): Promise<UdsOutcome> {
    try {
      return { kind: 'done', result: await application.perform(operation, context) };
    } catch (error) {
      const responseCode = error instanceof UdsFault ? findResponseCode(error) : undefined;
      if (responseCode !== undefined) return { kind: 'refused', responseCode };
      this.#options.onFailure(error);
      return REJECTED;
    }
  }
}

const REJECTED: UdsOutcome = { kind: 'refused', responseCode: RESPONSE_CODES.generalReject };

/** What the application refused, or could not read. */
function findResponseCode(fault: UdsFault): number | undefined {
  return fault.code === 'MESSAGE_MALFORMED'
    ? RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat
    : fault.responseCode;
}
