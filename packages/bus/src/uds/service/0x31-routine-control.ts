/** RoutineControl {14229-1:2020 14.2}. */
import { makeCall, type UdsCall } from '../call.ts';
import { MessageReader, uintBytes } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';

/** What is done with a routine, by the sub-function. */
export const ROUTINE_CONTROLS = { start: 1, stop: 2, results: 3 } as const;

/** One of them. */
export type RoutineControl = keyof typeof ROUTINE_CONTROLS;

/** Routines that programming needs. The first two are the standard's {14229-1:2020 F.1}, the others common usage. */
export const ROUTINES = {
  eraseMemory: 0xff00,
  checkProgrammingDependencies: 0xff01,
  checkMemory: 0x0202,
  checkProgrammingPreconditions: 0x0203,
} as const;

/**
 * Starts a routine, stops it, or asks for its results.
 *
 * @returns the status record, whose meaning is the routine's.
 */
export function controlRoutine(
  control: RoutineControl,
  routine: number,
  option: Uint8Array = new Uint8Array(),
): UdsCall<Uint8Array> {
  const head = Uint8Array.of(SERVICES.routineControl, ROUTINE_CONTROLS[control]);
  return makeCall([head, uintBytes(routine, 2), option], 3, (reader) => reader.rest());
}

/** Finds what a sub-function asks for. */
export function findRoutineControl(subFunction: number): RoutineControl | undefined {
  if (subFunction === ROUTINE_CONTROLS.start) return 'start';
  if (subFunction === ROUTINE_CONTROLS.stop) return 'stop';
  return subFunction === ROUTINE_CONTROLS.results ? 'results' : undefined;
}

/** Reads a request. */
export function readRoutine(request: Uint8Array): {
  readonly routine: number;
  readonly option: Uint8Array;
} {
  const reader = new MessageReader(request, 2);
  return { routine: reader.uint(2), option: reader.rest() };
}
