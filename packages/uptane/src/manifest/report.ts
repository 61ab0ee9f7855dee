/** ECU version reports: what an ECU says it runs {uptane J3}. */
import { createHash } from 'node:crypto';
import { type JsonObject, member, type SignatureAlgorithm, type Signer } from '@immota/base';
import { AKTUALIZR } from '../encoding/aktualizr.ts';
import { encodeCanonical } from '../encoding/canonical.ts';
import { hashObject, normalized } from '../encoding/encode-metadata.ts';
import { type Envelope, envelopeObject } from '../encoding/envelope.ts';
import { encodePublic } from '../encoding/keys.ts';
import {
  findObject,
  findText,
  readInstant,
  readMeasurement,
  readObject,
  readText,
  writeInstant,
} from '../encoding/reader.ts';
import { UptaneFault } from '../fault.ts';
import type { Measurement } from '../metadata/hashes.ts';
import {
  type EcuIdentifier,
  type KeyId,
  parseEcuIdentifier,
  parseTargetName,
  type TargetName,
} from '../metadata/names.ts';

/** The image an ECU runs. */
export interface InstalledImage extends Measurement {
  readonly name: TargetName;
}

/** What an ECU reports after each attempt and in each cycle {uptane J4}. */
export interface EcuVersionReport {
  readonly ecuIdentifier: EcuIdentifier;
  readonly installedImage: InstalledImage;
  /** In words; empty when the ECU saw no attack. */
  readonly attacksDetected: string;
  /** The latest time the ECU could verify, and the one before. The epoch for ECUs without time. */
  readonly timeAttested: Temporal.Instant;
  readonly timePrevious: Temporal.Instant;
  /** Goes up with every report; undefined from other makers' Secondaries. */
  readonly counter: number | undefined;
  /** Ours: boot, health, slots. Empty from other makers. */
  readonly custom: JsonObject;
}

/**
 * Reads the signed part of an ECU version report.
 *
 * @throws UptaneFault MALFORMED.
 */
export function parseReport(signed: JsonObject): EcuVersionReport {
  const image = readObject(signed, 'installed_image');
  return {
    ecuIdentifier: parseEcuIdentifier(member(signed, 'ecu_serial')),
    installedImage: {
      name: parseTargetName(member(image, 'filepath')),
      ...readMeasurement(readObject(image, 'fileinfo')),
    },
    attacksDetected: readText(signed, 'attacks_detected'),
    timeAttested: readInstant(signed, 'timeserver_time'),
    timePrevious: readInstant(signed, 'previous_timeserver_time'),
    counter: readCounter(findText(signed, 'report_counter')),
    custom: findObject(signed, 'custom') ?? {},
  };
}

function readCounter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const counter = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(counter)) {
    throw new UptaneFault('MALFORMED', 'Cannot read report: its counter is no decimal number');
  }
  return counter;
}

function reportObject(report: EcuVersionReport): JsonObject {
  const { installedImage, counter, custom } = report;
  return {
    ecu_serial: report.ecuIdentifier,
    attacks_detected: report.attacksDetected.normalize('NFC'),
    installed_image: {
      filepath: installedImage.name,
      fileinfo: { length: installedImage.lengthBytes, hashes: hashObject(installedImage.hashes) },
    },
    timeserver_time: writeInstant(report.timeAttested),
    previous_timeserver_time: writeInstant(report.timePrevious),
    ...(counter === undefined ? {} : { report_counter: String(counter) }),
    ...(Object.keys(custom).length === 0 ? {} : { custom: normalized(custom) }),
  };
}

/**
 * Signs a report with the ECU's own key {uptane H4} {uptane J1}.
 *
 * @returns the signed report as a JSON object, ready to be relayed by the Primary.
 */
export async function signReport(report: EcuVersionReport, signer: Signer): Promise<JsonObject> {
  return await signDocument(reportObject(report), signer);
}

/** Signs a manifest's or a report's object; the signature names its payload's hash {uptane J1}. */
export async function signDocument(signed: JsonObject, signer: Signer): Promise<JsonObject> {
  const payload = encodeCanonical(signed, AKTUALIZR.canonicalForm);
  const signature = {
    keyId: ecuKeyId(signer.algorithm, signer.publicKeyDer),
    method: AKTUALIZR.methodOf(signer.algorithm),
    bytes: await signer.sign(payload),
    attributes: { hashes: { sha256: createHash('sha256').update(payload).digest('hex') } },
  };
  return envelopeObject(AKTUALIZR, signed, [signature]);
}

/**
 * Names an ECU key the way the vehicle's own client does: the SHA-256 of the public value as a
 * quoted, escaped JSON text, upper-case hex for Ed25519, PEM without its last line end otherwise.
 */
export function ecuKeyId(algorithm: SignatureAlgorithm, publicKeyDer: Uint8Array): KeyId {
  const spelled = encodePublic(algorithm, publicKeyDer);
  const value = algorithm === 'ed25519' ? spelled.toUpperCase() : spelled.replace(/\n$/, '');
  const digest = createHash('sha256').update(encodeCanonical(value, AKTUALIZR.canonicalForm));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: 64 hex digits
  return digest.digest('hex') as KeyId;
}

/** A report with its signatures, as a manifest carries it. */
export interface UnverifiedReport {
  readonly report: EcuVersionReport;
  readonly envelope: Envelope;
}
