/** ClearDiagnosticInformation {14229-1:2020 12.2}. */
import { makeCall, type UdsCall } from '../call.ts';
import { MessageReader, uintBytes } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';

/** All groups of trouble codes. */
export const ALL_DTC_GROUPS = 0xffffff;

/** Clears a group of trouble codes. */
export function clearDtcs(group: number = ALL_DTC_GROUPS): UdsCall<undefined> {
  const service = Uint8Array.of(SERVICES.clearDiagnosticInformation);
  return makeCall([service, uintBytes(group, 3)], 0, () => undefined);
}

/** Reads a request; the selection of a memory, which may follow, is not supported. */
export function readClearDtcs(request: Uint8Array): number {
  const reader = new MessageReader(request, 1);
  const group = reader.uint(3);
  reader.end();
  return group;
}
