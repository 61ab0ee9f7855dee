/**
 * What a router has to know of UDS: which message ends which exchange.
 *
 * @source ISO 14229-1:2020, negative response format and suppressPosRspMsgIndicationBit
 */

const NEGATIVE = 0x7f;
const POSITIVE_OFFSET = 0x40;
const RESPONSE_PENDING = 0x78;
const SUPPRESS_POSITIVE = 0x80;
/** Services whose second byte is a sub-function, which alone has the bit. */
const WITH_SUB_FUNCTION: ReadonlySet<number> = new Set([
  0x10, 0x11, 0x19, 0x27, 0x28, 0x29, 0x2c, 0x31, 0x3e, 0x83, 0x85, 0x86, 0x87,
]);
/** An ECU that was asked with others does not say that it is not concerned. */
const SILENT_WHEN_FUNCTIONAL: ReadonlySet<number> = new Set([0x11, 0x12, 0x31, 0x7e, 0x7f]);

/** Tells whether a request asks for no positive answer. */
export function wantsNoAnswer(request: Uint8Array): boolean {
  const [service = 0, subFunction = 0] = request;
  return WITH_SUB_FUNCTION.has(service) && (subFunction & SUPPRESS_POSITIVE) !== 0;
}

/** Tells whether a message answers a request, be it by "pending". */
export function isAnswerTo(request: Uint8Array, message: Uint8Array): boolean {
  const [service = 0] = request;
  const [first, second] = message;
  return first === NEGATIVE ? second === service : first === service + POSITIVE_OFFSET;
}

/** Tells whether an ECU asks for patience. */
export function isPending(message: Uint8Array): boolean {
  return message[0] === NEGATIVE && message[2] === RESPONSE_PENDING;
}

/** Tells whether an ECU keeps this answer to itself when a group was asked. */
export function isKeptSilent(message: Uint8Array): boolean {
  return message[0] === NEGATIVE && SILENT_WHEN_FUNCTIONAL.has(message[2] ?? 0);
}
