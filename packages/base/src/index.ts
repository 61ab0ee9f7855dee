/** The ground floor: the few words every package speaks. It imports nothing of ours. */
export { assert, unreachable } from './assert.ts';
export type { Brand } from './brand.ts';
export { concatBytes, equalBytes, utf8 } from './bytes.ts';
export type { Clock, Entropy } from './clock.ts';
export { Fault, findFaultCode, InputFault, type InputFaultCode } from './fault.ts';
export { isJsonObject, type JsonDocument, member, parseJson, readJson } from './json.ts';
export type { JsonSpan } from './json-scan.ts';
export type { JsonObject, JsonValue } from './json-value.ts';
export { SIGNATURE_ALGORITHMS, type SignatureAlgorithm, type Signer } from './signer.ts';
