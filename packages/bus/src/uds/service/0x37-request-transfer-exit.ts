/** RequestTransferExit {14229-1:2020 15.5}. */
import { makeCall, type UdsCall } from '../call.ts';
import { SERVICES } from '../service-id.ts';

/** Ends a transfer. @returns the server's record, whose meaning is the maker's. */
export function exitTransfer(record: Uint8Array = new Uint8Array()): UdsCall<Uint8Array> {
  return makeCall([Uint8Array.of(SERVICES.requestTransferExit), record], 0, (reader) =>
    reader.rest(),
  );
}
