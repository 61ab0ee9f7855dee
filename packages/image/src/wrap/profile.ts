/** What protects a content key on its way to an ECU. */
import { ImageFault } from '../image-fault.ts';

/**
 * How a content key is wrapped.
 *
 * `classic`: HPKE with DHKEM(X25519, HKDF-SHA256). `hybrid`: HPKE with X-Wing, which needs X25519
 * and ML-KEM-768 both to be broken. Each with HKDF-SHA256 and AES-256-GCM.
 */
export type EncryptionProfile = 'classic' | 'hybrid';

/**
 * Reads the name of a profile.
 *
 * @param value - anything.
 * @throws ImageFault KEY_MALFORMED when it names none.
 */
export function parseEncryptionProfile(value: unknown): EncryptionProfile {
  if (value === 'classic' || value === 'hybrid') return value;
  throw new ImageFault('KEY_MALFORMED', 'Cannot parse encryption profile: not classic or hybrid');
}
