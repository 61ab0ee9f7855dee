/** A SoftHSM2 token in a folder of its own, or the reason why there is none. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeOid } from '../../src/der/write.ts';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

export const PIN = '648219';

/** The module, or undefined where SoftHSM2 is not installed. */
export const modulePath: string = MODULES.find((path) => existsSync(path)) ?? '';

/** Why the tests with a token cannot run; false when they can. */
export const skip: string | false = await findReason();

async function findReason(): Promise<string | false> {
  if (modulePath === '') return 'softhsm2 is not installed';
  try {
    execFileSync('softhsm2-util', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'softhsm2-util is not installed';
  }
  try {
    await import('pkcs11js');
  } catch {
    return 'the pkcs11js addon is not built';
  }
  return false;
}

/**
 * Prepares a store for tokens; the module reads where it is from the environment when it starts.
 *
 * @returns what takes the store away again.
 */
export function makeTokenStore(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'immota-softhsm-'));
  mkdirSync(join(folder, 'tokens'));
  const configuration = join(folder, 'softhsm2.conf');
  writeFileSync(
    configuration,
    `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`,
  );
  process.env['SOFTHSM2_CONF'] = configuration;
  return () => {
    rmSync(folder, { recursive: true });
  };
}

/** Makes an EC key pair past our own code, with any labels and curve. */
export async function makeOddKey(
  tokenLabel: string,
  labels: { readonly privateKey: string; readonly publicKey: string },
  curve: string,
): Promise<void> {
  const { default: addon } = await import('pkcs11js');
  const module = new addon.PKCS11();
  module.load(modulePath);
  module.C_Initialize();
  const slot = module.C_GetSlotList(true).find((one) => {
    return module.C_GetTokenInfo(one).label.trimEnd() === tokenLabel;
  });
  const session = module.C_OpenSession(slot ?? Buffer.alloc(0), 6);
  module.C_Login(session, addon.CKU_USER, PIN);
  const common = { type: addon.CKA_TOKEN, value: true };
  module.C_GenerateKeyPair(
    session,
    { mechanism: addon.CKM_EC_KEY_PAIR_GEN },
    [
      common,
      { type: addon.CKA_LABEL, value: labels.publicKey },
      { type: addon.CKA_EC_PARAMS, value: Buffer.from(writeOid(curve)) },
    ],
    [
      common,
      { type: addon.CKA_LABEL, value: labels.privateKey },
      { type: addon.CKA_SIGN, value: true },
      { type: addon.CKA_PRIVATE, value: true },
    ],
  );
  module.C_Finalize();
  module.close();
}

/** Makes a token in the store. */
export function makeToken(label: string): void {
  const pins = ['--so-pin', '12345678', '--pin', PIN];
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', label, ...pins], {
    stdio: 'ignore',
  });
}
