/** Identifier octets of the types that X.509 and its relatives use. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier octet of `[number]` around a primitive, implicitly tagged value. */
export function contextPrimitive(number: number): number {
  return 0x80 | number;
}

/** The identifier octet of `[number]` around a constructed or explicitly tagged value. */
export function contextConstructed(number: number): number {
  return 0xa0 | number;
}
