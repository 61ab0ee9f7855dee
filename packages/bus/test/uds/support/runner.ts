/** Carries out procedures against a bench, in the time of its clock. */
import {
  UdsFault,
  type UdsProcedure,
  type UdsProgress,
  UdsRequester,
  type UdsStep,
} from '../../../src/index.ts';
import type { UdsBench } from './bench.ts';

export interface RunnerOptions {
  readonly sources?: ReadonlyMap<string, Uint8Array>;
  /** Loses messages of the server: counted from 0. */
  readonly isLost?: (message: Uint8Array, index: number) => boolean;
}

/** What was done besides. */
export interface Run<Result> {
  readonly result: Result;
  readonly progress: readonly UdsProgress[];
  readonly requests: readonly string[];
}

/** Runs to the end. */
export function runProcedure<Result>(
  bench: UdsBench,
  procedure: UdsProcedure<Result>,
  options: RunnerOptions = {},
): Run<Result> {
  const requester = new UdsRequester();
  const progress: UdsProgress[] = [];
  const requests: string[] = [];
  let messages = 0;
  const exchange = (step: Extract<UdsStep, { readonly kind: 'ask' }>): Uint8Array => {
    let outputs = requester.ask(step.request, bench.atMs);
    for (;;) {
      for (const output of outputs) {
        if (output.kind === 'failed') throw output.fault;
        if (output.kind === 'answered') return output.response ?? new Uint8Array();
        requests.push(`${step.isFunctional ? 'all ' : ''}${output.message.subarray(0, 6).toHex()}`);
        requester.sent(bench.atMs);
        for (const message of bench.say(output.message, { isFunctional: step.isFunctional })) {
          messages += 1;
          if (options.isLost?.(message, messages - 1) === true) continue;
          const [answered] = requester.handle(message, bench.atMs);
          if (answered?.kind === 'answered') return answered.response ?? new Uint8Array();
          if (answered?.kind === 'failed') throw answered.fault;
        }
      }
      const { deadlineMs } = requester;
      if (deadlineMs === undefined) throw new TypeError('a request waits for something');
      bench.pass(Math.max(0, deadlineMs - bench.atMs));
      outputs = requester.elapse(bench.atMs);
    }
  };
  const carryOut = (step: UdsStep): Uint8Array => {
    switch (step.kind) {
      case 'ask':
        return exchange(step);
      case 'read':
        return (options.sources?.get(step.source) ?? new Uint8Array()).subarray(
          step.offsetBytes,
          step.offsetBytes + step.lengthBytes,
        );
      case 'draw':
        return new Uint8Array(step.lengthBytes).fill(3);
      case 'prove':
        return Uint8Array.of(0xbb);
      case 'unlock':
        return Uint8Array.of(9, 8, 7, 6);
      case 'pause':
        bench.pass(step.delayMs);
        return new Uint8Array();
      case 'keepSession':
        requester.keepSession(step.isKept, bench.atMs);
        return new Uint8Array();
      case 'progress':
        progress.push(step.progress);
        return new Uint8Array();
      default:
        return step satisfies never;
    }
  };
  let next = procedure.next();
  while (next.done !== true) {
    let answer: Uint8Array;
    try {
      answer = carryOut(next.value);
    } catch (error) {
      if (!(error instanceof UdsFault)) throw error;
      next = procedure.throw(error);
      continue;
    }
    next = procedure.next(answer);
  }
  return { result: next.value, progress, requests };
}
