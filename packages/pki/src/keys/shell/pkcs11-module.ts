/**
 * PKCS#11 modules: shared libraries that speak for a token. A process initializes each one once,
 * however many keys it uses, and each token has one login, which all sessions share.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isAbsolute } from 'node:path';

import type * as pkcs11js from 'pkcs11js';

import { PkiFault, type PkiFaultCode } from '../../fault.ts';
import { PKCS11_SLOTS_MAX } from '../../limits.ts';

/** The addon's own names and functions. */
export type Addon = typeof pkcs11js;

/** Which token, and who may use it. */
export interface TokenOptions {
  /** Absolute path of the module's shared library. */
  readonly modulePath: string;
  /** As the token was labelled when it was set up. */
  readonly tokenLabel: string;
  /** The user's PIN. It is given to the token and not kept. */
  readonly pin: string;
}

/** A session with a token, logged in. */
export interface TokenSession {
  readonly addon: Addon;
  readonly module: pkcs11js.PKCS11;
  readonly slot: pkcs11js.Handle;
  readonly session: pkcs11js.Handle;
  /** Ends the session; the last one of a token logs out, the last one of a module finalizes it. */
  close(): void;
}

interface Login {
  sessions: number;
  readonly pinProof: Uint8Array;
}

interface LoadedModule {
  readonly module: pkcs11js.PKCS11;
  /** By the slot's handle. */
  readonly logins: Map<string, Login>;
  sessions: number;
}

const loaded = new Map<string, LoadedModule>();
/** A token logs in once, so who comes second shows the same PIN by this keyed digest. */
const proofKey = randomBytes(32);

/**
 * Opens a session with a token and logs in. A wrong PIN is tried once; tokens lock after a few.
 *
 * @param options - module, token and PIN.
 * @throws PkiFault PKCS11_UNAVAILABLE, PKCS11_MODULE, PKCS11_TOKEN, PKCS11_PIN_WRONG,
 *   PKCS11_PIN_LOCKED, PKCS11_FAILED.
 */
export async function openTokenSession(options: TokenOptions): Promise<TokenSession> {
  const addon = await loadAddon();
  // From here on nothing waits, so that no two callers interleave.
  const entry = acquireModule(addon, options.modulePath);
  try {
    return openSession(addon, entry, options);
  } catch (error) {
    throw translatePkcs11(error);
  } finally {
    releaseIfUnused(entry, options.modulePath);
  }
}

/**
 * Turns what the addon threw into a fault with a code.
 *
 * @param error - as it was caught; a PkiFault stays what it is.
 */
export function translatePkcs11(error: unknown): PkiFault {
  if (error instanceof PkiFault) return error;
  const value = error instanceof Error && 'code' in error ? error.code : undefined;
  const code: PkiFaultCode =
    (typeof value === 'number' ? FAULT_OF_RETURN_VALUE.get(value) : undefined) ?? 'PKCS11_FAILED';
  const name = error instanceof Error ? error.message.split('\n', 1)[0] : 'unknown error';
  return new PkiFault(code, `Cannot use token: ${String(name)}`, { cause: error });
}

/** Return values of PKCS#11 that a caller can do something about (PKCS#11 2.40 base, section 5.1). */
const FAULT_OF_RETURN_VALUE: ReadonlyMap<number, PkiFaultCode> = new Map([
  [0x70, 'PKCS11_MECHANISM'], // CKR_MECHANISM_INVALID
  [0x71, 'PKCS11_MECHANISM'], // CKR_MECHANISM_PARAM_INVALID
  [0xa0, 'PKCS11_PIN_WRONG'], // CKR_PIN_INCORRECT
  [0xa1, 'PKCS11_PIN_WRONG'], // CKR_PIN_INVALID
  [0xa2, 'PKCS11_PIN_WRONG'], // CKR_PIN_LEN_RANGE
  [0xa4, 'PKCS11_PIN_LOCKED'], // CKR_PIN_LOCKED
  [0xe0, 'PKCS11_TOKEN'], // CKR_TOKEN_NOT_PRESENT
  [0xe1, 'PKCS11_TOKEN'], // CKR_TOKEN_NOT_RECOGNIZED
]);

const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;

/** Loads the native addon only when a token is asked for: everything else works without it. */
async function loadAddon(): Promise<Addon> {
  try {
    const { default: addon } = await import('pkcs11js');
    return addon;
  } catch (error) {
    throw new PkiFault(
      'PKCS11_UNAVAILABLE',
      'Cannot use tokens: pkcs11js is not built; run npm rebuild pkcs11js --ignore-scripts=false',
      { cause: error },
    );
  }
}

function acquireModule(addon: Addon, modulePath: string): LoadedModule {
  const known = loaded.get(modulePath);
  if (known !== undefined) return known;
  // A bare name would be looked for along the library path, where others may have put one.
  if (!isAbsolute(modulePath)) {
    throw new PkiFault('PKCS11_MODULE', 'Cannot load PKCS#11 module: its path is not absolute');
  }
  const module = new addon.PKCS11();
  try {
    module.load(modulePath);
    initialize(addon, module);
  } catch (error) {
    throw new PkiFault('PKCS11_MODULE', `Cannot load PKCS#11 module: ${modulePath}`, {
      cause: error,
    });
  }
  const entry = { module, logins: new Map<string, Login>(), sessions: 0 };
  loaded.set(modulePath, entry);
  return entry;
}

function initialize(addon: Addon, module: pkcs11js.PKCS11): void {
  try {
    // Signing happens in threads of the addon.
    module.C_Initialize({ flags: addon.CKF_OS_LOCKING_OK });
  } catch (error) {
    if (!isReturnValue(error, CKR_CRYPTOKI_ALREADY_INITIALIZED)) throw error;
  }
}

function openSession(addon: Addon, entry: LoadedModule, options: TokenOptions): TokenSession {
  const { module } = entry;
  // Taken out here, so that `close` below does not keep the PIN in memory.
  const { modulePath } = options;
  const slot = findSlot(module, options.tokenLabel);
  const session = module.C_OpenSession(slot, addon.CKF_SERIAL_SESSION | addon.CKF_RW_SESSION);
  const slotName = slot.toString('hex');
  try {
    logIn(addon, entry, { session, slotName, pin: options.pin });
  } catch (error) {
    module.C_CloseSession(session);
    throw error;
  }
  entry.sessions += 1;
  let isOpen = true;
  return {
    addon,
    module,
    slot,
    session,
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      closeSession(entry, session, slotName);
      releaseIfUnused(entry, modulePath);
    },
  };
}

function findSlot(module: pkcs11js.PKCS11, tokenLabel: string): pkcs11js.Handle {
  const slots = module.C_GetSlotList(true).slice(0, PKCS11_SLOTS_MAX);
  // Labels are padded with blanks to 32 octets.
  const found = slots.filter((slot) => {
    return module.C_GetTokenInfo(slot).label.trimEnd() === tokenLabel;
  });
  const [slot] = found;
  if (slot === undefined || found.length > 1) {
    const count = found.length === 0 ? 'no token' : `${found.length} tokens`;
    throw new PkiFault('PKCS11_TOKEN', `Cannot use token: ${count} labelled ${tokenLabel}`);
  }
  return slot;
}

function logIn(
  addon: Addon,
  entry: LoadedModule,
  attempt: { readonly session: pkcs11js.Handle; readonly slotName: string; readonly pin: string },
): void {
  const pinProof = createHmac('sha256', proofKey).update(attempt.pin).digest();
  const login = entry.logins.get(attempt.slotName);
  if (login !== undefined) {
    if (!timingSafeEqual(login.pinProof, pinProof)) {
      throw new PkiFault('PKCS11_PIN_WRONG', 'Cannot use token: the PIN is not the one in use');
    }
    login.sessions += 1;
    return;
  }
  try {
    entry.module.C_Login(attempt.session, addon.CKU_USER, attempt.pin);
  } catch (error) {
    if (!isReturnValue(error, CKR_USER_ALREADY_LOGGED_IN)) throw error;
    throw new PkiFault('PKCS11_FAILED', 'Cannot use token: other code is logged in already', {
      cause: error,
    });
  }
  entry.logins.set(attempt.slotName, { sessions: 1, pinProof });
}

function closeSession(entry: LoadedModule, session: pkcs11js.Handle, slotName: string): void {
  const login = entry.logins.get(slotName);
  if (login !== undefined) {
    login.sessions -= 1;
    if (login.sessions === 0) {
      entry.logins.delete(slotName);
      entry.module.C_Logout(session);
    }
  }
  entry.sessions -= 1;
  entry.module.C_CloseSession(session);
}

function releaseIfUnused(entry: LoadedModule, modulePath: string): void {
  if (entry.sessions > 0 || loaded.get(modulePath) !== entry) return;
  loaded.delete(modulePath);
  entry.module.C_Finalize();
  entry.module.close();
}

function isReturnValue(error: unknown, value: number): boolean {
  return error instanceof Error && 'code' in error && error.code === value;
}
