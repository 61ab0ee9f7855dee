/** Trusted metadata for tests of the store, made the only way there is: signed, and verified. */
import { generateSigner, type SoftwareSigner } from '@immota/pki';
import {
  AKTUALIZR,
  anchorRoot,
  decodeRoot,
  keyIdOf,
  type RoleDescription,
  type Root,
  rootPayload,
  signMetadata,
  type Trusted,
} from '@immota/uptane';

/** Describes a role held by these keys; all of them must sign. */
function roleOf(signers: readonly SoftwareSigner[]): RoleDescription {
  return {
    keys: signers.map(({ algorithm, publicKeyDer }) => ({
      keyId: keyIdOf(AKTUALIZR, algorithm, publicKeyDer),
      algorithm,
      publicKeyDer,
    })),
    threshold: signers.length,
  };
}

/** Makes and verifies a Root of one key. */
export async function trustedRoot(version: number): Promise<Trusted<Root>> {
  const signer = generateSigner('ed25519');
  const role = roleOf([signer]);
  const payload = rootPayload(AKTUALIZR, {
    version,
    expires: Temporal.Instant.from('2030-01-01T00:00:00Z'),
    consistentSnapshot: false,
    roles: { root: role, timestamp: role, snapshot: role, targets: role },
  });
  const bytes = await signMetadata(AKTUALIZR, payload, [signer]);
  return anchorRoot(decodeRoot(AKTUALIZR, bytes, bytes.length));
}
