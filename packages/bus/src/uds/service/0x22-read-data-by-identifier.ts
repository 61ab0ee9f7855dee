/** ReadDataByIdentifier {14229-1:2020 11.2}. */
import { makeCall, type UdsCall } from '../call.ts';
import { DATA_IDENTIFIERS_MAX } from '../limits.ts';
import { MessageReader, uintBytes } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';

/**
 * Identifiers that the standard gives a meaning {14229-1:2020 C.1}.
 */
export const DATA_IDENTIFIERS = {
  bootSoftwareIdentification: 0xf180,
  applicationSoftwareIdentification: 0xf181,
  applicationDataIdentification: 0xf182,
  bootSoftwareFingerprint: 0xf183,
  applicationSoftwareFingerprint: 0xf184,
  applicationDataFingerprint: 0xf185,
  activeDiagnosticSession: 0xf186,
  sparePartNumber: 0xf187,
  ecuSoftwareNumber: 0xf188,
  ecuSoftwareVersionNumber: 0xf189,
  ecuManufacturingDate: 0xf18b,
  ecuSerialNumber: 0xf18c,
  regulationXSoftwareIdentification: 0xf18f,
  vin: 0xf190,
  ecuHardwareNumber: 0xf191,
  supplierSoftwareNumber: 0xf194,
  supplierSoftwareVersionNumber: 0xf195,
  repairShopCodeOrTesterSerialNumber: 0xf198,
  programmingDate: 0xf199,
} as const;

/** Reads one data record. */
export function readData(identifier: number): UdsCall<Uint8Array> {
  const request = [Uint8Array.of(SERVICES.readDataByIdentifier), uintBytes(identifier, 2)];
  return makeCall(request, 2, (reader) => reader.rest());
}

/**
 * Reads several data records at once.
 *
 * A record says nothing of its length, so the caller has to: an ECU leaves out what it does not know.
 *
 * @param lengths - bytes of each record by its identifier.
 * @throws UdsFault VALUE_RANGE when they are none or too many.
 */
export function readSeveralData(
  lengths: ReadonlyMap<number, number>,
): UdsCall<ReadonlyMap<number, Uint8Array>> {
  if (lengths.size === 0 || lengths.size > DATA_IDENTIFIERS_MAX) {
    throw new UdsFault('VALUE_RANGE', `Cannot read ${lengths.size} data records at once`);
  }
  const identifiers = [...lengths.keys()].map((identifier) => uintBytes(identifier, 2));
  const service = Uint8Array.of(SERVICES.readDataByIdentifier);
  return makeCall([service, ...identifiers], 0, (reader) => {
    const records = new Map<number, Uint8Array>();
    while (reader.leftBytes > 0) {
      const identifier = reader.uint(2);
      const lengthBytes = lengths.get(identifier);
      if (lengthBytes === undefined || records.has(identifier)) {
        throw new UdsFault('ANSWER_UNEXPECTED', 'Cannot read data records: one nobody asked for');
      }
      records.set(identifier, reader.take(lengthBytes));
    }
    return records;
  });
}

/** Reads a request; at most `DATA_IDENTIFIERS_MAX`, in the order of the request, repeats included. */
export function readDataIdentifiers(request: Uint8Array): readonly number[] {
  const reader = new MessageReader(request, 1);
  const identifiers: number[] = [];
  while (reader.leftBytes > 0 && identifiers.length < DATA_IDENTIFIERS_MAX) {
    identifiers.push(reader.uint(2));
  }
  reader.end();
  return identifiers;
}

/** Encodes a data record for a response. */
export function encodeDataRecord(identifier: number, record: Uint8Array): readonly Uint8Array[] {
  return [uintBytes(identifier, 2), record];
}
