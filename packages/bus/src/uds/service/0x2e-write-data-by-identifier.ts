/** WriteDataByIdentifier {14229-1:2020 11.7}. */
import { makeCall, type UdsCall } from '../call.ts';
import { MessageReader, uintBytes } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';

/** Writes a data record. */
export function writeData(identifier: number, record: Uint8Array): UdsCall<undefined> {
  const service = Uint8Array.of(SERVICES.writeDataByIdentifier);
  return makeCall([service, uintBytes(identifier, 2), record], 2, () => undefined);
}

/** Reads a request. */
export function readDataToWrite(request: Uint8Array): {
  readonly identifier: number;
  readonly record: Uint8Array;
} {
  const reader = new MessageReader(request, 1);
  return { identifier: reader.uint(2), record: reader.rest() };
}
