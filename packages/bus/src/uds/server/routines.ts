/** RoutineControl on the server's side: routines of the ECU, and those that programming is made of. */
import { assert } from '@immota/base';
import { RESPONSE_CODES } from '../response-code.ts';
import {
  findRoutineControl,
  readRoutine,
  type RoutineControl,
} from '../service/0x31-routine-control.ts';
import { type AdmittedRequest, checkAccess } from './access.ts';
import type { RoutineRule, UdsDescription } from './description.ts';
import type { UdsOutcome } from './operation.ts';
import { answer, performThenEcho, type Reaction, refusal, resultOf } from './reaction.ts';
import type { SessionState } from './session-state.ts';

interface RoutineCall {
  readonly control: RoutineControl;
  readonly routine: number;
  readonly option: Uint8Array;
  readonly echo: Uint8Array;
}

const ECHO_END = 4;

/** Serves RoutineControl. @throws UdsFault as every service does. */
export function serveRoutine(
  { routines }: UdsDescription,
  state: SessionState,
  request: AdmittedRequest,
): Reaction {
  const { routine, option } = readRoutine(request.bytes);
  const control = findRoutineControl(request.subFunction);
  if (control === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  const rule = routines.get(routine);
  if (rule === undefined) throw refusal(RESPONSE_CODES.requestOutOfRange);
  checkAccess(rule, request);
  if (!rule.controls.includes(control)) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  if (option.length < rule.optionMinBytes || option.length > rule.optionMaxBytes) {
    throw refusal(RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat);
  }
  const echo = Uint8Array.of(request.subFunction, ...request.bytes.subarray(2, ECHO_END));
  const call = { control, routine, option, echo };
  const isBound = control === 'start' && rule.purpose !== undefined;
  if (!isBound) return performThenEcho({ kind: 'routine', control, routine, option }, echo);
  // Memory belongs to a session, whatever the table says of the routine.
  if (!state.isOpen || request.context.session === 'default') {
    throw refusal(RESPONSE_CODES.requestOutOfRange);
  }
  return startBound(state, rule, call);
}

function startBound(
  { memory, transfer }: SessionState,
  { purpose }: RoutineRule,
  call: RoutineCall,
): Reaction {
  const { routine, option, echo } = call;
  if (transfer.isActive) throw refusal(RESPONSE_CODES.requestSequenceError);
  if (purpose === 'dependencies') {
    memory.checkAllGood();
    return {
      kind: 'perform',
      operation: { kind: 'routine', control: 'start', routine, option },
      conclude: (outcome) => answer(echo, resultOf(outcome, 'record').record),
    };
  }
  const { block, rest } = memory.readBlock(option);
  if (purpose === 'erase') {
    if (rest.length > 0) throw refusal(RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat);
    memory.spoil(block);
    return {
      kind: 'perform',
      operation: { kind: 'eraseBlock', block, routine },
      conclude: (outcome) => {
        const { region, record } = resultOf(outcome, 'erased');
        memory.noteErased(block, region);
        return answer(echo, record);
      },
    };
  }
  assert(purpose === 'check', 'each purpose has its way');
  memory.checkLoaded(block);
  return {
    kind: 'perform',
    operation: { kind: 'checkBlock', block, routine, option: rest },
    conclude: (outcome: UdsOutcome) => {
      // Until it was found good it is not: a check that breaks off leaves nothing valid.
      if (outcome.kind === 'refused') memory.noteChecked(block, false);
      const { record, isGood } = resultOf(outcome, 'checked');
      memory.noteChecked(block, isGood);
      return answer(echo, record);
    },
  };
}
