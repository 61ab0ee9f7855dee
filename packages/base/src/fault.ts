/**
 * A refusal that the caller is meant to tell apart: bad input, a broken rule, an unreachable peer.
 *
 * `code` is stable and part of the API; `message` is for people and may change; `cause` keeps what
 * lies beneath. A bug is no fault: it ends in `assert`.
 */
export abstract class Fault<Code extends string> extends Error {
  abstract override readonly name: string;
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why one of the ground floor's own parsers refused its input. */
export type InputFaultCode =
  /** Not UTF-8, not JSON, a repeated member name, or a lone surrogate: parser differentials. */
  | 'JSON_MALFORMED'
  /** More bytes, or deeper nesting, than the reader allows: exhaustion. */
  | 'JSON_LIMIT';

/** Thrown by the parsers of the ground floor. */
export class InputFault extends Fault<InputFaultCode> {
  override readonly name = 'InputFault';
}

/**
 * Finds the code of a refusal, whichever package threw it.
 *
 * @param error - anything that was caught.
 * @returns the code, or undefined when `error` is no Fault.
 */
export function findFaultCode(error: unknown): string | undefined {
  return error instanceof Fault && typeof error.code === 'string' ? error.code : undefined;
}
