/** How a tester gets its rights: by a certificate and a proof, or by the key to a seed. */
import { assert, unreachable } from '@immota/base';
import { CHALLENGE_MIN_BYTES } from '../limits.ts';
import { requestSeed, sendKey } from '../service/0x27-security-access.ts';
import { proveOwnership, verifyCertificate } from '../service/0x29-authentication.ts';
import { ask, type UdsProcedure } from './step.ts';

/** The way to rights. */
export type UdsCredential =
  | {
      readonly kind: 'certificate';
      readonly certificate: Uint8Array;
      /** The ECU shows and proves who it is, too. */
      readonly isBidirectional: boolean;
    }
  | { readonly kind: 'key'; readonly level: number };

/** A challenge of our own: twice what is asked for. */
const CHALLENGE_BYTES = 2 * CHALLENGE_MIN_BYTES;
const NOTHING: Uint8Array = new Uint8Array();

/** Gets the rights. @throws UdsFault REFUSED. */
export function* gainRights(credential: UdsCredential): UdsProcedure<undefined> {
  switch (credential.kind) {
    case 'certificate': {
      const { certificate, isBidirectional } = credential;
      const challenge = yield { kind: 'draw', lengthBytes: CHALLENGE_BYTES };
      assert(challenge.length === CHALLENGE_BYTES, 'chance gives as much as was asked for');
      const request = {
        isBidirectional,
        communicationConfiguration: 0,
        certificate,
        challenge,
      };
      const answer = yield* ask(verifyCertificate(request));
      const proof = yield { kind: 'prove', request, answer };
      yield* ask(proveOwnership({ proof, ephemeralKey: NOTHING }));
      return undefined;
    }
    case 'key': {
      const { level } = credential;
      const seed = yield* ask(requestSeed(level));
      if (seed.every((byte) => byte === 0)) return undefined;
      yield* ask(sendKey(level, yield { kind: 'unlock', level, seed }));
      return undefined;
    }
    default:
      return unreachable(credential);
  }
}
