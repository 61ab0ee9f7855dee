/** How a service reacts to a request: at once, or when the ECU has done something. */
import { assert } from '@immota/base';
import { nameResponseCode, type RESPONSE_CODES, type ResponseCodeName } from '../response-code.ts';
import { UdsFault } from '../uds-fault.ts';
import type { UdsReset } from '../service/0x11-ecu-reset.ts';
import type { UdsOperation, UdsOutcome, UdsResult } from './operation.ts';

/** See the head of the file. */
export type Reaction =
  | {
      readonly kind: 'answer';
      /** Behind the service identifier. */
      readonly parts: readonly Uint8Array[];
      /** Must be durable before the answer. */
      readonly keepAttempts?: number;
      /** Done when the answer is on its way. */
      readonly resetAfter?: Exclude<UdsReset, `${string}RapidPowerShutDown`>;
    }
  | {
      readonly kind: 'perform';
      readonly operation: UdsOperation;
      /** Must be durable before the operation begins. */
      readonly keepAttempts?: number;
      /** Goes on; throws UdsFault REFUSED as every service does. */
      readonly conclude: (outcome: UdsOutcome, atMs: number) => Reaction;
    };

/** Answers. */
export function answer(...parts: readonly Uint8Array[]): Reaction {
  return { kind: 'answer', parts };
}

/** Makes the refusal that a service throws; the server translates it in one place. */
export function refusal(responseCode: (typeof RESPONSE_CODES)[ResponseCodeName]): UdsFault {
  return refusalOf(responseCode);
}

/** The same for a code that an ECU has chosen. */
export function refusalOf(responseCode: number): UdsFault {
  const name = nameResponseCode(responseCode);
  return new UdsFault('REFUSED', `Cannot serve request: ${name}`, { responseCode });
}

/** Takes the result of a kind. @throws UdsFault REFUSED when the ECU refused. */
export function resultOf<Kind extends UdsResult['kind']>(
  outcome: UdsOutcome,
  kind: Kind,
): Extract<UdsResult, { readonly kind: Kind }> {
  if (outcome.kind === 'refused') throw refusalOf(outcome.responseCode);
  const { result } = outcome;
  assert(isResult(result, kind), `the operation ends with a ${kind}`);
  return result;
}

/** Performs an operation and answers what was asked again, and the ECU's record behind it. */
export function performThenEcho(operation: UdsOperation, echo: Uint8Array): Reaction {
  return {
    kind: 'perform',
    operation,
    conclude: (outcome) => answer(echo, resultOf(outcome, 'record').record),
  };
}

function isResult<Kind extends UdsResult['kind']>(
  result: UdsResult,
  kind: Kind,
): result is Extract<UdsResult, { readonly kind: Kind }> {
  return result.kind === kind;
}
