/** Consent receipts: who agreed to which text, signed by the vehicle's Primary. */
import { consentSchema } from '@immota/api';
import { SIGNATURE_ALGORITHMS } from '@immota/base';
import {
  AKTUALIZR,
  checkSignedBy,
  decodeEnvelope,
  parseVehicleIdentifier,
  publicKeyFromDer,
} from '@immota/uptane';
import { type CloudContext, committed } from '../context.ts';
import type { ReportObserver } from '../director/ports.ts';
import { CloudFault } from '../fault.ts';
import { ECU_KEY_MAX_BYTES } from '../limits.ts';
import { storableText } from '../storable.ts';

/**
 * Stores a receipt; the same again is no news.
 *
 * @throws CloudFault REQUEST_MALFORMED, NOT_REGISTERED; UptaneFault REPORT_SIGNATURE, MALFORMED, LIMIT.
 */
export async function saveConsent(
  { context, observer }: { readonly context: CloudContext; readonly observer: ReportObserver },
  vehicleId: string,
  document: Uint8Array,
): Promise<void> {
  const envelope = decodeEnvelope(AKTUALIZR, document, ECU_KEY_MAX_BYTES);
  const parsed = consentSchema.safeParse(envelope.signed);
  if (!parsed.success) throw malformed();
  const { step, decision, actor, locale, textSha256: text, decidedAt } = parsed.data;
  const correlationId = storableText(parsed.data.correlationId);
  const decided = parseInstant(decidedAt);
  const { notBefore } = parsed.data;
  const later = notBefore === undefined ? {} : { notBefore: parseInstant(notBefore).toString() };
  const at = context.clock.now();
  await committed(context.database, async (tx) => {
    const primary = await tx
      .selectFrom('ecu')
      .select(['key_algorithm', 'public_key'])
      .where('vehicle_id', '=', vehicleId)
      .where('is_primary', '=', true)
      .executeTakeFirst();
    if (primary === undefined) {
      throw new CloudFault('NOT_REGISTERED', 'Cannot accept consent: register ECUs first');
    }
    const algorithm = SIGNATURE_ALGORITHMS.find((one) => one === primary.key_algorithm);
    checkSignedBy(envelope, publicKeyFromDer(algorithm, primary.public_key), 'consent');
    const stored = await tx
      .insertInto('consent')
      .values({
        vehicle_id: vehicleId,
        correlation_id: correlationId,
        step,
        decision,
        document,
        decided_at: decided,
        received_at: at,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('vehicle_id')
      .executeTakeFirst();
    if (stored === undefined) return;
    const observation = { kind: 'consent', correlationId, step, decision, at } as const;
    await observer.observe(tx, [{ ...observation, vehicleId: parseVehicleIdentifier(vehicleId) }]);
    const told = { text, locale: storableText(locale) };
    const body = { correlationId, step, decision, actor: storableText(actor), ...told, ...later };
    await context.events.append(tx, [{ stream: vehicleId, kind: 'consent.given', at, body }]);
  });
}

function parseInstant(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw malformed();
  }
}

function malformed(): CloudFault {
  return new CloudFault('REQUEST_MALFORMED', 'Cannot accept consent: it is no receipt');
}
