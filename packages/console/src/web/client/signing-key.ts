/**
 * The key with which a person signs decisions in this browser: made by WebCrypto, not extractable, kept
 * by IndexedDB, one for each person. Nobody can copy it, not even a script of ours (ADR 122).
 */
import { type CampaignDecision, decisionText } from '@immota/api';
import { ask } from './request.ts';

const DATABASE = 'immota-signing';
const STORE = 'keys';
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

interface KeptKey {
  readonly keyId: string;
  readonly privateKey: CryptoKey;
}

/** A signature as the contract takes it. */
export interface DecisionSignature {
  readonly keyId: string;
  readonly signature: string;
  readonly signedAt: string;
}

/** Tells whether this browser holds a key of the person that is still good. */
export async function hasSigningKey(person: string): Promise<boolean> {
  const kept = await loadKey(person);
  return kept !== undefined && (await isRegistered(kept.keyId));
}

/**
 * Signs a decision; makes and registers a key first when this browser has none that is good.
 *
 * @param person - whose key it is.
 * @param decision - what is decided, without the instant.
 * @param signedAt - RFC 3339.
 */
export async function signDecision(
  person: string,
  decision: Omit<CampaignDecision, 'signedAt'>,
  signedAt: string,
): Promise<DecisionSignature> {
  const kept = await loadKey(person);
  const key =
    kept !== undefined && (await isRegistered(kept.keyId)) ? kept : await registerKey(person);
  const text = decisionText({ ...decision, signedAt });
  return { keyId: key.keyId, signature: await signText(key.privateKey, text), signedAt };
}

async function registerKey(person: string): Promise<KeptKey> {
  const pair = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey));
  const keyId = new Uint8Array(await crypto.subtle.digest('SHA-256', publicKey)).toHex();
  // Kept before it is registered: a key that the cloud knows and nobody holds would be of no use.
  const key = { keyId, privateKey: pair.privateKey };
  await saveKey(person, key);
  await ask('createSigningKey', {
    body: {
      name: browserName(),
      algorithm: 'ecdsa-p256',
      publicKey: publicKey.toBase64(),
      proof: await signText(pair.privateKey, keyId),
    },
  });
  return key;
}

async function isRegistered(keyId: string): Promise<boolean> {
  let after: string | undefined;
  do {
    const { items, next } = await ask('listSigningKeys', {
      query: { limit: 1000, ...(after === undefined ? {} : { after }) },
    });
    const found = items.find((key) => key.keyId === keyId);
    if (found !== undefined) return found.revokedAt === undefined;
    after = next;
  } while (after !== undefined);
  return false;
}

async function signText(key: CryptoKey, text: string): Promise<string> {
  const signed = await crypto.subtle.sign(SIGNATURE, key, new TextEncoder().encode(text));
  return new Uint8Array(signed).toBase64();
}

function browserName(): string {
  const found = /(?:Edg|Firefox|Chrome|Safari)\/\d+/.exec(navigator.userAgent);
  return `Browser ${found?.[0] ?? ''}`.trim();
}

async function loadKey(person: string): Promise<KeptKey | undefined> {
  const found: unknown = await inStore('readonly', (store) => store.get(person));
  return isKeptKey(found) ? found : undefined;
}

async function saveKey(person: string, key: KeptKey): Promise<void> {
  await inStore('readwrite', (store) => store.put(key, person));
}

function isKeptKey(value: unknown): value is KeptKey {
  return (
    typeof value === 'object' &&
    value !== null &&
    'keyId' in value &&
    'privateKey' in value &&
    value.privateKey instanceof CryptoKey
  );
}

async function inStore(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest,
): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.addEventListener('upgradeneeded', () => {
    opening.result.createObjectStore(STORE);
  });
  await settled(opening);
  const database = opening.result;
  try {
    return await settled(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

async function settled(request: IDBRequest): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    request.addEventListener('success', () => {
      resolve(request.result);
    });
    request.addEventListener('error', () => {
      reject(request.error ?? new DOMException('no reason given', 'UnknownError'));
    });
  });
}
