/** The encryption keys of ECUs: each is signed by the ECU it belongs to {uptane H4}. */
import { ecuKeySchema } from '@immota/api';
import { ImageFault, parseRecipientPublicKey, profileOf } from '@immota/image';
import { AKTUALIZR, checkSignedBy, decodeEnvelope, publicKeyFromDer } from '@immota/uptane';
import { SIGNATURE_ALGORITHMS } from '@immota/base';
import { sql } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import { outdatePlan } from '../director/outdate-plan.ts';
import { CloudFault } from '../fault.ts';
import { ECU_KEY_MAX_BYTES } from '../limits.ts';

/** The methods by which content keys are wrapped, as metadata names them, by profile. */
export const WRAP_METHODS = { classic: 'hpke-x25519', hybrid: 'hpke-xwing' } as const;

/**
 * Stores the encryption key of an ECU.
 *
 * @param vehicleId - as the connection's certificate names it.
 * @param body - a document signed by the ECU's own identity key.
 * @throws CloudFault ECU_KEY when the ECU is not this vehicle's, or did not sign, or the key is none;
 * UptaneFault MALFORMED, LIMIT.
 */
export async function saveEncryptionKey(
  context: CloudContext,
  vehicleId: string,
  body: Uint8Array,
): Promise<void> {
  const envelope = decodeEnvelope(AKTUALIZR, body, ECU_KEY_MAX_BYTES);
  const parsed = ecuKeySchema.safeParse(envelope.signed);
  if (!parsed.success) throw refused('it is not of the shape of one');
  const { ecu_serial: ecuId, method, public: text } = parsed.data;
  const key = parseRecipient(method, text);
  const at = context.clock.now();
  await committed(context.database, async (tx) => {
    const row = await tx
      .selectFrom('ecu')
      .select(['key_algorithm', 'public_key', 'encryption_key'])
      .where('vehicle_id', '=', vehicleId)
      .where('ecu_id', '=', ecuId)
      .executeTakeFirst();
    if (row === undefined) throw refused(`"${ecuId}" is no ECU of ${vehicleId}`);
    const algorithm = SIGNATURE_ALGORITHMS.find((one) => one === row.key_algorithm);
    try {
      const identity = publicKeyFromDer(algorithm, row.public_key);
      checkSignedBy(envelope, identity, `encryption key of "${ecuId}"`);
    } catch (error) {
      throw refused(`"${ecuId}" did not sign it`, error);
    }
    const isKnown =
      row.encryption_key !== null && Buffer.from(row.encryption_key).toString('latin1') === key;
    if (isKnown) return;
    // The vehicle's row first, as whoever stores manifests does.
    await sql`update vehicle set revision = revision + 1 where vehicle_id = ${vehicleId}`.execute(
      tx,
    );
    await sql`update ecu set encryption_method = ${method}, encryption_key = ${Buffer.from(key)}
      where vehicle_id = ${vehicleId} and ecu_id = ${ecuId}`.execute(tx);
    await outdatePlan(tx, vehicleId);
    await context.events.append(tx, [
      { stream: vehicleId, kind: 'ecu.key-registered', at, body: { ecu: ecuId, method } },
    ]);
  });
}

/** Brings a key off the wire into the one text the image room reads. */
function parseRecipient(method: string, text: string): string {
  const profile = method === WRAP_METHODS.classic ? 'classic' : 'hybrid';
  if (method !== WRAP_METHODS[profile]) throw refused(`"${method}" is no known method`);
  try {
    const raw = Buffer.from(text, 'base64').toString('base64url');
    const recipient = parseRecipientPublicKey(`${profile}:${raw}`);
    return profileOf(recipient) === profile ? recipient : '';
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    throw refused('its bytes are none', error);
  }
}

function refused(why: string, cause?: unknown): CloudFault {
  return new CloudFault('ECU_KEY', `Cannot accept encryption key: ${why}`, { cause });
}
