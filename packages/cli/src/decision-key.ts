/** A person's own key for decisions: made here, kept in one file that nobody else may read, and never sent. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { type CampaignDecision, decisionText } from '@immota/api';
import { isJsonObject, type JsonObject, member, parseJson } from '@immota/base';
import {
  exportPrivateKey,
  generateSigner,
  signerFromPrivateKey,
  type SoftwareSigner,
} from '@immota/pki';
import { CliFault } from './fault.ts';

/** How a person may sign. */
export const DECISION_ALGORITHMS = ['ed25519', 'ecdsa-p256'] as const;
/** One of them. */
export type DecisionAlgorithm = (typeof DECISION_ALGORITHMS)[number];

const FILE_MAX_BYTES = 16_384;
const TYPE = 'DecisionKey';

/** A key of a person. */
export interface DecisionKey {
  readonly name: string;
  readonly algorithm: DecisionAlgorithm;
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly keyId: string;
  readonly signer: SoftwareSigner;
}

/**
 * Makes a key and writes it to a file of mode 0600.
 *
 * @throws CliFault FILE when the file is there: a key is never replaced.
 */
export function makeDecisionKey(
  file: string,
  options: { readonly name: string; readonly algorithm: DecisionAlgorithm },
): DecisionKey {
  const { name, algorithm } = options;
  const signer = generateSigner(algorithm);
  const keyId = keyIdOf(signer.publicKeyDer);
  const document = {
    _type: TYPE,
    name,
    algorithm,
    keyId,
    publicKey: Buffer.from(signer.publicKeyDer).toString('base64'),
    privateKey: Buffer.from(exportPrivateKey(signer)).toString('base64'),
  };
  try {
    const text = `${JSON.stringify(document, undefined, 2)}\n`;
    writeFileSync(file, text, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    throw new CliFault('FILE', `Cannot write ${file}: it is there, or its folder is not`, {
      cause: error,
    });
  }
  return { name, algorithm, keyId, signer };
}

/**
 * Opens a key.
 *
 * @throws CliFault FILE when it is not there, is no key, was changed, or others may read it.
 */
export function loadDecisionKey(file: string): DecisionKey {
  const document = readPrivateFile(file);
  const [type, name, stated, keyId] = ['_type', 'name', 'algorithm', 'keyId'].map((one) =>
    member(document, one),
  );
  const algorithm = DECISION_ALGORITHMS.find((one) => one === stated);
  const privateKey = member(document, 'privateKey');
  if (
    type !== TYPE ||
    algorithm === undefined ||
    typeof name !== 'string' ||
    typeof privateKey !== 'string'
  ) {
    throw new CliFault('FILE', `Cannot use ${file}: it is no key for decisions`);
  }
  let signer: SoftwareSigner;
  try {
    signer = signerFromPrivateKey(Uint8Array.fromBase64(privateKey));
  } catch (error) {
    throw new CliFault('FILE', `Cannot use ${file}: its key cannot be read`, { cause: error });
  }
  if (signer.algorithm !== algorithm || keyIdOf(signer.publicKeyDer) !== keyId) {
    throw new CliFault('FILE', `Cannot use ${file}: its key is not the one it names`);
  }
  return { name, algorithm, keyId, signer };
}

function readPrivateFile(file: string): JsonObject {
  let text: Uint8Array;
  try {
    const handle = openSync(file, 'r');
    try {
      if (process.platform !== 'win32' && (fstatSync(handle).mode & 0o077) !== 0) {
        throw new CliFault('FILE', `Cannot use ${file}: others may read it; chmod 600 ${file}`);
      }
      text = readFileSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (error instanceof CliFault) throw error;
    throw new CliFault('FILE', `Cannot read ${file}: make it with immota key decision`, {
      cause: error,
    });
  }
  const document = parseJson(text, FILE_MAX_BYTES);
  if (isJsonObject(document)) return document;
  throw new CliFault('FILE', `Cannot use ${file}: it is no key for decisions`);
}

/** What registers a key: whoever registers it proves that they hold it. */
export async function describeRegistration(key: DecisionKey): Promise<JsonObject> {
  const proof = await key.signer.sign(Buffer.from(key.keyId, 'latin1'));
  return {
    name: key.name,
    algorithm: key.algorithm,
    publicKey: Buffer.from(key.signer.publicKeyDer).toString('base64'),
    proof: Buffer.from(proof).toString('base64'),
  };
}

/** Signs a decision. @returns what the server wants beside it. */
export async function signDecision(
  key: DecisionKey,
  decision: CampaignDecision,
): Promise<JsonObject> {
  const bytes = await key.signer.sign(Buffer.from(decisionText(decision), 'latin1'));
  const { signedAt } = decision;
  return { keyId: key.keyId, signature: Buffer.from(bytes).toString('base64'), signedAt };
}

function keyIdOf(publicKeyDer: Uint8Array): string {
  return createHash('sha256').update(publicKeyDer).digest('hex');
}
