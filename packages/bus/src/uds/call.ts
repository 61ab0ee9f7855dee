/** A request together with how its answer is told from others, and read. */
import { concatBytes } from '@immota/base';
import { MessageReader } from './message-reader.ts';
import { hasSubFunction, POSITIVE_OFFSET, SUPPRESS_BIT } from './service-id.ts';

/** What a client sends, without what its answer means. */
export interface UdsRequest {
  readonly bytes: Uint8Array;
  /** With these bytes its positive response begins: another is late, or somebody else's. */
  readonly responsePrefix: Uint8Array;
  /** No positive response is expected. */
  readonly isSuppressed: boolean;
}

/** A request of which the answer is a `Result`. */
export interface UdsCall<Result> extends UdsRequest {
  /** Reads the positive response. @throws UdsFault MESSAGE_MALFORMED. */
  readonly read: (response: Uint8Array) => Result;
}

/**
 * Makes a call.
 *
 * @param parts - the bytes of the request in order.
 * @param echoed - how many bytes behind the service identifier the response repeats.
 * @param read - reads what comes behind them; what it leaves is too much.
 */
export function makeCall<Result>(
  parts: readonly Uint8Array[],
  echoed: number,
  read: (reader: MessageReader) => Result,
): UdsCall<Result> {
  const bytes = concatBytes(parts);
  const responsePrefix = bytes.slice(0, 1 + echoed);
  const isSuppressible = hasSubFunction(bytes[0] ?? 0);
  responsePrefix[0] = (bytes[0] ?? 0) + POSITIVE_OFFSET;
  const subFunction = isSuppressible ? (bytes[1] ?? 0) : 0;
  if (isSuppressible && echoed > 0) responsePrefix[1] = subFunction & ~SUPPRESS_BIT;
  return {
    bytes,
    responsePrefix,
    isSuppressed: (subFunction & SUPPRESS_BIT) !== 0,
    read: (response) => {
      const reader = new MessageReader(response, responsePrefix.length);
      const result = read(reader);
      reader.end();
      return result;
    },
  };
}
