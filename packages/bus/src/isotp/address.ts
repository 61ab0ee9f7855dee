/**
 * Who speaks with whom, and how a CAN frame tells {15765-2:2016 10.3}.
 *
 * All are made as the tester sees them; `mirrorAddress` gives the ECU's view.
 */
import type { Brand } from '@immota/base';
import { IsoTpFault } from './isotp-fault.ts';

/** Where a frame is addressed: an identifier, and in some formats the first byte of the data. */
export interface IsoTpTarget {
  readonly id: number;
  /** The target address or the address extension before the protocol's own bytes. */
  readonly prefix: number | undefined;
}

interface Ends {
  readonly isExtended: boolean;
  readonly tx: IsoTpTarget;
  readonly rx: IsoTpTarget;
  /** Where we ask a whole group; absent when we never do. */
  readonly functionalTx: IsoTpTarget | undefined;
  /** Where a whole group is asked that we belong to. */
  readonly functionalRx: IsoTpTarget | undefined;
  /** What tells the tester from others: its source address, or else the identifier it sends with. */
  readonly tester: number;
}

/** Two ends. Holding an IsoTpAddress tells you: identifiers and bytes are in range, and differ. */
export type IsoTpAddress = Brand<Ends, 'IsoTpAddress'>;

/** Identifiers of 11 bits, or of 29 without a meaning of their own. */
export interface NormalAddressParts {
  /** What the tester sends with, such as 0x7E0. */
  readonly txId: number;
  /** What the ECU answers with, such as 0x7E8. */
  readonly rxId: number;
  /** What the tester asks a group with, such as 0x7DF. */
  readonly functionalId?: number | undefined;
  readonly isExtended?: boolean | undefined;
}

/** Identifiers of 29 bits that hold both addresses. */
export interface FixedAddressParts {
  /** The tester's address, such as 0xF1. */
  readonly source: number;
  /** The ECU's address. */
  readonly target: number;
  /** The group's address, such as 0x33. */
  readonly functionalTarget?: number | undefined;
  /** 0 (first) to 7. */
  readonly priority?: number | undefined;
}

const PHYSICAL_FORMAT = 0xda;
const FUNCTIONAL_FORMAT = 0xdb;
const MIXED_PHYSICAL_FORMAT = 0xce;
const MIXED_FUNCTIONAL_FORMAT = 0xcd;
const PRIORITY = 6;

/**
 * Makes an address whose identifiers say all.
 *
 * @throws IsoTpFault PARAMETER.
 */
export function normalAddress(parts: NormalAddressParts): IsoTpAddress {
  const { txId, rxId, functionalId, isExtended = false } = parts;
  return mint({
    isExtended,
    tx: { id: txId, prefix: undefined },
    rx: { id: rxId, prefix: undefined },
    functionalTx: functionalId === undefined ? undefined : { id: functionalId, prefix: undefined },
    functionalRx: undefined,
    tester: txId,
  });
}

/**
 * Makes a normal fixed address: 18DA, then target and source; groups are 18DB.
 *
 * @throws IsoTpFault PARAMETER.
 */
export function normalFixedAddress(parts: FixedAddressParts): IsoTpAddress {
  return fixed(parts, [PHYSICAL_FORMAT, FUNCTIONAL_FORMAT], undefined);
}

/**
 * Makes an address whose first byte of data is the target's.
 *
 * @param parts - `ecu`, `tester` and `group` are those bytes; a group is asked with `txId`.
 * @throws IsoTpFault PARAMETER.
 */
export function extendedAddress(
  parts: Omit<NormalAddressParts, 'functionalId'> & {
    readonly ecu: number;
    readonly tester: number;
    readonly group?: number | undefined;
  },
): IsoTpAddress {
  const { txId, rxId, isExtended = false, ecu, tester, group } = parts;
  return mint({
    isExtended,
    tx: { id: txId, prefix: ecu },
    rx: { id: rxId, prefix: tester },
    functionalTx: group === undefined ? undefined : { id: txId, prefix: group },
    functionalRx: undefined,
    tester: txId,
  });
}

/**
 * Makes a mixed address: identifiers as in `normalAddress`, and an extension for an ECU behind a gateway.
 *
 * @throws IsoTpFault PARAMETER.
 */
export function mixedAddress(
  parts: NormalAddressParts & { readonly addressExtension: number },
): IsoTpAddress {
  const { addressExtension: prefix, ...rest } = parts;
  const { tx, rx, functionalTx, ...others } = normalAddress(rest);
  return mint({
    ...others,
    tx: { ...tx, prefix },
    rx: { ...rx, prefix },
    functionalTx: functionalTx && { ...functionalTx, prefix },
  });
}

/**
 * Makes a mixed address of 29 bits: 18CE, then target and source; groups are 18CD.
 *
 * @throws IsoTpFault PARAMETER.
 */
export function mixedFixedAddress(
  parts: FixedAddressParts & { readonly addressExtension: number },
): IsoTpAddress {
  const formats = [MIXED_PHYSICAL_FORMAT, MIXED_FUNCTIONAL_FORMAT] as const;
  return fixed(parts, formats, parts.addressExtension);
}

/** Gives the address as the other end sees it. */
export function mirrorAddress(address: IsoTpAddress): IsoTpAddress {
  const { tx, rx, functionalTx, functionalRx } = address;
  return mint({
    ...address,
    tx: rx,
    rx: tx,
    functionalTx: functionalRx,
    functionalRx: functionalTx,
  });
}

function fixed(
  parts: FixedAddressParts,
  formats: readonly [physical: number, functional: number],
  prefix: number | undefined,
): IsoTpAddress {
  const { source, target, functionalTarget, priority = PRIORITY } = parts;
  for (const byte of [source, target, functionalTarget ?? 0]) checkRange('address', byte, 0xff);
  checkRange('priority', priority, 7);
  const at = (format: number, to: number, from: number): IsoTpTarget => {
    return { id: priority * 2 ** 26 + format * 2 ** 16 + to * 2 ** 8 + from, prefix };
  };
  return mint({
    isExtended: true,
    tx: at(formats[0], target, source),
    rx: at(formats[0], source, target),
    functionalTx:
      functionalTarget === undefined ? undefined : at(formats[1], functionalTarget, source),
    functionalRx: undefined,
    tester: source,
  });
}

function mint(parts: Ends): IsoTpAddress {
  const { isExtended, tx, rx, functionalTx, functionalRx } = parts;
  for (const target of [tx, rx, functionalTx, functionalRx]) {
    checkRange('identifier', target?.id ?? 0, isExtended ? 0x1fffffff : 0x7ff);
    checkRange('prefix', target?.prefix ?? 0, 0xff);
  }
  // Off the same identifier and prefix a node could not tell its own kind of frame from the peer's.
  if (tx.id === rx.id && tx.prefix === rx.prefix) {
    throw new IsoTpFault('PARAMETER', 'Cannot make address: both ends are the same');
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return parts as IsoTpAddress;
}

function checkRange(what: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new IsoTpFault('PARAMETER', `Cannot make address: ${what} ${value}`);
  }
}
