/**
 * Registers the vehicle's ECUs and their keys with the Director {uptane F3}, again whenever one of
 * them is another than before. The server decides what a changed key means.
 */
import { createHash } from 'node:crypto';
import { DEVICE_PATHS, deviceLimits, type Registration, registrationSchema } from '@immota/api';
import { utf8 } from '@immota/base';
import { AKTUALIZR } from '@immota/uptane';
import { z } from 'zod';
import { requestSmall } from '../download/request.ts';
import type { SecondaryInfo } from '../link/secondary-link.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import { listSecondaries, ownInfo } from './ecu-registry.ts';
import { jsonValue } from './json-value.ts';

const clientKeySchema = registrationSchema.shape.ecus.element.shape.clientKey;

/** Digests of what the server has accepted. */
const REGISTERED = jsonValue('registered', z.array(z.string()));

/**
 * Tells the Director all ECUs, and each one's encryption key, unless it has exactly these already.
 *
 * @returns whether it has them. A vehicle that was registered goes on when a change is refused: an ECU
 * that waits for an operator's word must not keep the others from being updated.
 * @throws VehicleFault REGISTRATION_REFUSED at the first registration; NETWORK and others as `requestSmall`.
 */
export async function registerEcus(context: PrimaryContext): Promise<boolean> {
  const ecus = [await ownInfo(context), ...listSecondaries(context)];
  const body = utf8(JSON.stringify(registrationOf(ecus)));
  const documents = ecus.flatMap(({ encryptionKeyDocument }) => encryptionKeyDocument ?? []);
  const digests = [digestOf(body), ...documents.map(digestOf)];
  const accepted = context.state.values.load(REGISTERED) ?? [];
  if (digests.every((digest) => accepted.includes(digest))) return true;
  try {
    if (!accepted.includes(digestOf(body))) await post(context, DEVICE_PATHS.ecus, body);
    for (const document of documents) {
      if (accepted.includes(digestOf(document))) continue;
      await post(context, DEVICE_PATHS.ecuKeys, document);
    }
  } catch (error) {
    if (accepted.length === 0 || !isRefused(error)) throw error;
    noteAttack(context, error);
    return false;
  }
  context.state.values.save(REGISTERED, digests);
  return true;
}

function isRefused(error: unknown): error is VehicleFault {
  return error instanceof VehicleFault && error.code === 'REGISTRATION_REFUSED';
}

/** The registration in the form that every Director of this dialect reads; the Primary is first. */
function registrationOf(ecus: readonly SecondaryInfo[]): Registration {
  return {
    primary_ecu_serial: ecus[0]?.ecuIdentifier ?? '',
    ecus: ecus.map(({ ecuIdentifier, hardwareIdentifier, identity }) => ({
      ecu_serial: ecuIdentifier,
      hardware_identifier: hardwareIdentifier,
      clientKey: clientKeyOf(identity),
    })),
  };
}

function clientKeyOf({
  algorithm,
  publicKeyDer,
}: SecondaryInfo['identity']): Registration['ecus'][number]['clientKey'] {
  const key = clientKeySchema.parse(AKTUALIZR.encodeKey(algorithm, publicKeyDer));
  // The dialect's own client spells hexadecimal keys in capitals.
  return algorithm === 'ed25519'
    ? { ...key, keyval: { public: key.keyval.public.toUpperCase() } }
    : key;
}

async function post(context: PrimaryContext, path: string, body: Uint8Array): Promise<void> {
  const { status } = await requestSmall(context.network(), {
    method: 'POST',
    url: context.bundle.gatewayOrigin + path,
    headers: { 'content-type': 'application/json' },
    body,
    lengthMaxBytes: deviceLimits.ANSWER_MAX_BYTES,
  });
  if (status >= 300) {
    throw new VehicleFault('REGISTRATION_REFUSED', `Cannot register ECUs: ${path} gave ${status}`);
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
