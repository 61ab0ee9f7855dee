/** The bodies that vehicles send besides signed documents: unsigned, so bounded and kept apart. */
import { z } from '@hono/zod-openapi';

/** `POST /director/ecus`: the ECUs of a vehicle and their public keys, the Primary first. */
export const registrationSchema = z.object({
  primary_ecu_serial: z.string().min(1).max(64),
  ecus: z
    .array(
      z.object({
        ecu_serial: z.string().min(1).max(64),
        hardware_identifier: z.string().max(200),
        clientKey: z.object({
          keytype: z.string().max(32),
          keyval: z.object({ public: z.string().max(8192) }),
        }),
      }),
    )
    .min(1)
    .max(256),
});
/** A registration as it came. */
export type Registration = z.infer<typeof registrationSchema>;

/** `POST /devices`: a vehicle with shared credentials asks for its own. `ttl` is in days, as text. */
export const provisionSchema = z.object({
  deviceId: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w.:-]+$/),
  ttl: z
    .string()
    .regex(/^\d{1,6}$/)
    .optional(),
});
/** A request for credentials. */
export type ProvisionRequest = z.infer<typeof provisionSchema>;

/** One event of the vehicle's client. It is sent at least once; `id` tells repeats. */
export const clientEventSchema = z.object({
  id: z.string().min(1).max(64),
  deviceTime: z.string().max(32),
  eventType: z.object({ id: z.string().max(64), version: z.int() }),
  event: z.record(z.string().max(64), z.unknown()),
});
/** One event of the vehicle's client. */
export type ClientEvent = z.infer<typeof clientEventSchema>;

/** `POST /director/time`: nonces in hex, one for each ECU that asks. */
export const timeRequestSchema = z.object({ nonces: z.array(z.string().max(64)).min(1).max(256) });

/**
 * `POST /director/ecu-keys`: the encryption key of one ECU. The body is a signed document (the ECU's
 * own identity key); this is its signed part.
 */
export const ecuKeySchema = z.object({
  _type: z.literal('EcuEncryptionKey'),
  ecu_serial: z.string().min(1).max(64),
  /** `hpke-x25519` or `hpke-xwing`. */
  method: z.string().max(32),
  /** The recipient's public key, base64. */
  public: z.string().max(4096),
});

/** `PUT /system_info/network`. */
export const networkSchema = z.object({
  hostname: z.string().max(255).optional(),
  local_ipv4: z.string().max(45).optional(),
  mac: z.string().max(32).optional(),
});

/** `POST /director/consents`: the signed part of a consent receipt. */
export const consentSchema = z.object({
  _type: z.literal('Consent'),
  correlationId: z.string().max(200),
  /** What was asked: to download, to install, or to change over to what was installed. */
  step: z.enum(['download', 'install', 'activate']),
  decision: z.enum(['accepted', 'postponed', 'declined']),
  /** SHA-256 of the exact text that was shown, in hex. */
  textSha256: z.string().length(64),
  locale: z.string().max(35),
  /** `owner`, `driver`, `fleet`, `workshop` or `policy`. */
  actor: z.string().max(32),
  decidedAt: z.string().max(32),
  /** Accepted for a time: not before it. */
  notBefore: z.string().max(32).optional(),
});
/** Who agreed to which text. */
export type Consent = z.infer<typeof consentSchema>;
