/** ReadDTCInformation {14229-1:2020 12.3}: the number, the list, the extended data, all supported. */
import { makeCall, type UdsCall } from '../call.ts';
import { MessageReader, uintBytes } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';

/** A trouble code and its status byte {14229-1:2020 D.2}. */
export interface DtcRecord {
  /** Three bytes. */
  readonly dtc: number;
  readonly status: number;
}

/** What is asked. */
export type DtcQuery =
  | { readonly kind: 'count'; readonly statusMask: number }
  | { readonly kind: 'list'; readonly statusMask: number }
  | { readonly kind: 'extendedData'; readonly dtc: number; readonly record: number }
  | { readonly kind: 'supported' };

/** The sub-functions that are served. */
const DTC_REPORTS = { count: 1, list: 2, extendedData: 6, supported: 0x0a } as const;

/** ISO 14229-1 as the format of a trouble code {14229-1:2020 D.2.4}. */
const FORMAT_ISO_14229 = 1;
const RECORD_BYTES = 4;

/** Counts the trouble codes of which the status has one of these bits. */
export function countDtcs(statusMask: number): UdsCall<number> {
  const request = Uint8Array.of(SERVICES.readDtcInformation, DTC_REPORTS.count, statusMask);
  return makeCall([request], 1, (reader) => {
    reader.take(2);
    return reader.uint(2);
  });
}

/** Lists the trouble codes of which the status has one of these bits. */
export function listDtcs(statusMask: number): UdsCall<readonly DtcRecord[]> {
  const request = Uint8Array.of(SERVICES.readDtcInformation, DTC_REPORTS.list, statusMask);
  return makeCall([request], 1, readRecords);
}

/** Lists all that the ECU can diagnose. */
export function listSupportedDtcs(): UdsCall<readonly DtcRecord[]> {
  const request = Uint8Array.of(SERVICES.readDtcInformation, DTC_REPORTS.supported);
  return makeCall([request], 1, readRecords);
}

/**
 * Reads extended data of a trouble code.
 *
 * @param record - the number of the record; 0xff asks for all.
 * @returns the status, and the records as they come: their lengths are the maker's.
 */
export function readDtcExtendedData(
  dtc: number,
  record: number,
): UdsCall<{ readonly status: number; readonly records: Uint8Array }> {
  const head = Uint8Array.of(SERVICES.readDtcInformation, DTC_REPORTS.extendedData);
  return makeCall([head, uintBytes(dtc, 3), uintBytes(record, 1)], 1, (reader) => {
    reader.take(3);
    return { status: reader.uint(1), records: reader.rest() };
  });
}

/** Reads a request; undefined for a sub-function that is not served. */
export function readDtcQuery(request: Uint8Array, subFunction: number): DtcQuery | undefined {
  const reader = new MessageReader(request, 2);
  const query = takeQuery(reader, subFunction);
  if (query !== undefined) reader.end();
  return query;
}

/** Encodes a number of trouble codes for a response. */
export function encodeDtcCount(availableMask: number, count: number): readonly Uint8Array[] {
  return [Uint8Array.of(availableMask, FORMAT_ISO_14229), uintBytes(count, 2)];
}

/** Encodes a list of trouble codes for a response. */
export function encodeDtcList(
  availableMask: number,
  records: readonly DtcRecord[],
): readonly Uint8Array[] {
  return [
    Uint8Array.of(availableMask),
    ...records.flatMap(({ dtc, status }) => [uintBytes(dtc, 3), uintBytes(status, 1)]),
  ];
}

function takeQuery(reader: MessageReader, subFunction: number): DtcQuery | undefined {
  switch (subFunction) {
    case DTC_REPORTS.count:
      return { kind: 'count', statusMask: reader.uint(1) };
    case DTC_REPORTS.list:
      return { kind: 'list', statusMask: reader.uint(1) };
    case DTC_REPORTS.extendedData:
      return { kind: 'extendedData', dtc: reader.uint(3), record: reader.uint(1) };
    case DTC_REPORTS.supported:
      return { kind: 'supported' };
    default:
      return undefined;
  }
}

function readRecords(reader: MessageReader): readonly DtcRecord[] {
  reader.take(1);
  const records: DtcRecord[] = [];
  while (reader.leftBytes >= RECORD_BYTES) {
    records.push({ dtc: reader.uint(3), status: reader.uint(1) });
  }
  return records;
}
