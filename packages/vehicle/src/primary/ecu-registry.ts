/**
 * The ECUs of the vehicle as the Primary knows them: who they are, and the key that each one's reports
 * are held against. A Secondary that does not answer is remembered.
 */
import { equalBytes, SIGNATURE_ALGORITHMS } from '@immota/base';
import {
  type EcuIdentifier,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  type PublicKey,
  publicKeyFromDer,
} from '@immota/uptane';
import { z } from 'zod';
import type { SecondaryInfo, SecondaryLink } from '../link/secondary-link.ts';
import { signEncryptionKey } from '../state/ecu-keys.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import { jsonValue } from './json-value.ts';

const bytesText = z.base64().max(16_384);

const ECUS = jsonValue(
  'ecus',
  z.array(
    z.object({
      ecuIdentifier: z.string(),
      hardwareIdentifier: z.string(),
      verification: z.enum(['full', 'partial']),
      algorithm: z.enum(SIGNATURE_ALGORITHMS),
      publicKey: bytesText,
      encryptionKeyDocument: bytesText.nullable(),
    }),
  ),
);

/**
 * Asks every Secondary who it is, and remembers the answers. {uptane I2}: this Primary answers for every
 * Secondary it is linked to, those that are silent included, and another cannot run beside it: the
 * state is locked.
 */
export async function refreshEcus(context: PrimaryContext): Promise<readonly SecondaryInfo[]> {
  const known = new Map(listSecondaries(context).map((info) => [info.ecuIdentifier, info]));
  let changed = false;
  // All at once: one that does not answer must not keep the others waiting.
  const answers = await Promise.all(context.links.map((link) => askInfo(context, link)));
  for (const info of answers) {
    if (info === undefined || isSame(known.get(info.ecuIdentifier), info)) continue;
    known.set(info.ecuIdentifier, info);
    changed = true;
  }
  const linked = new Set(context.links.map(({ ecuIdentifier }) => ecuIdentifier));
  const infos = [...known.values()].filter(({ ecuIdentifier }) => linked.has(ecuIdentifier));
  if (changed || infos.length !== known.size) saveSecondaries(context, infos);
  return infos;
}

/** Lists the Secondaries that were ever heard of. */
export function listSecondaries({ state }: PrimaryContext): readonly SecondaryInfo[] {
  return (state.values.load(ECUS) ?? []).map((ecu) => ({
    ecuIdentifier: parseEcuIdentifier(ecu.ecuIdentifier),
    hardwareIdentifier: parseHardwareIdentifier(ecu.hardwareIdentifier),
    verification: ecu.verification,
    identity: { algorithm: ecu.algorithm, publicKeyDer: Uint8Array.fromBase64(ecu.publicKey) },
    encryptionKeyDocument:
      ecu.encryptionKeyDocument === null
        ? undefined
        : Uint8Array.fromBase64(ecu.encryptionKeyDocument),
  }));
}

/** The Primary's own document; kept, since some algorithms sign differently each time. */
const OWN_DOCUMENT = jsonValue(
  'own-encryption-key',
  z.object({ identity: bytesText, recipient: z.string(), document: bytesText }),
);

/** Describes the Primary itself as an ECU. */
export async function ownInfo(context: PrimaryContext): Promise<SecondaryInfo> {
  const { bundle, keys } = context;
  const { algorithm, publicKeyDer } = keys.identity;
  return {
    ecuIdentifier: bundle.ecuIdentifier,
    hardwareIdentifier: bundle.hardwareIdentifier,
    verification: 'full',
    identity: { algorithm, publicKeyDer },
    encryptionKeyDocument: await ownDocument(context),
  };
}

async function ownDocument({ state, keys, bundle }: PrimaryContext): Promise<Uint8Array> {
  const identity = keys.identity.publicKeyDer.toBase64();
  const recipient = keys.decryption.publicKey;
  const kept = state.values.load(OWN_DOCUMENT);
  if (kept?.identity === identity && kept.recipient === recipient) {
    return Uint8Array.fromBase64(kept.document);
  }
  const document = await signEncryptionKey(bundle.ecuIdentifier, keys);
  state.values.save(OWN_DOCUMENT, { identity, recipient, document: document.toBase64() });
  return document;
}

/** The key that an ECU's reports are held against. */
export function identityKeyOf({ identity }: SecondaryInfo): PublicKey {
  return publicKeyFromDer(identity.algorithm, identity.publicKeyDer);
}

async function askInfo(
  context: PrimaryContext,
  link: SecondaryLink,
): Promise<SecondaryInfo | undefined> {
  try {
    const info = await link.getInfo();
    checkIdentifier(link.ecuIdentifier, info, context.bundle.ecuIdentifier);
    return info;
  } catch (error) {
    if (!(error instanceof VehicleFault)) throw error;
    noteAttack(context, error);
    return undefined;
  }
}

function checkIdentifier(
  expected: EcuIdentifier,
  { ecuIdentifier }: SecondaryInfo,
  own: EcuIdentifier,
): void {
  if (ecuIdentifier === expected && ecuIdentifier !== own) return;
  throw new VehicleFault('ECU_UNTRUSTED', `Cannot take "${ecuIdentifier}" for "${expected}"`);
}

function isSame(known: SecondaryInfo | undefined, info: SecondaryInfo): boolean {
  return (
    known !== undefined &&
    known.hardwareIdentifier === info.hardwareIdentifier &&
    known.verification === info.verification &&
    known.identity.algorithm === info.identity.algorithm &&
    equalBytes(known.identity.publicKeyDer, info.identity.publicKeyDer) &&
    equalBytes(
      known.encryptionKeyDocument ?? new Uint8Array(),
      info.encryptionKeyDocument ?? new Uint8Array(),
    )
  );
}

function saveSecondaries({ state }: PrimaryContext, infos: readonly SecondaryInfo[]): void {
  state.values.save(
    ECUS,
    infos.map((info) => ({
      ecuIdentifier: info.ecuIdentifier,
      hardwareIdentifier: info.hardwareIdentifier,
      verification: info.verification,
      algorithm: info.identity.algorithm,
      publicKey: info.identity.publicKeyDer.toBase64(),
      encryptionKeyDocument: info.encryptionKeyDocument?.toBase64() ?? null,
    })),
  );
}
