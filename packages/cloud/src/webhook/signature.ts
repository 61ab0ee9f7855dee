/** Signatures of messages, after the Standard Webhooks scheme 1.0: receivers verify with any of its libraries. */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** Writes a secret as its owner is told it. */
export function encodeSecret(secret: Uint8Array): string {
  return PREFIX + Buffer.from(secret).toString('base64');
}

/**
 * Signs a message.
 *
 * @param secret - the webhook's own bytes.
 * @param message - its id, which stays the same when it is sent again; when it is sent, in seconds; its body.
 * @returns the value of `webhook-signature`.
 */
export function signMessage(
  secret: Uint8Array,
  {
    id,
    timestamp,
    body,
  }: { readonly id: string; readonly timestamp: number; readonly body: string },
): string {
  const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return `v1,${mac}`;
}
