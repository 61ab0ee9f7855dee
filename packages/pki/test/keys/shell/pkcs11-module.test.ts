import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';

import { generateSigner, openPkcs11Signer, PkiFault } from '@immota/pki';

import { translatePkcs11 } from '../../../src/keys/shell/pkcs11-module.ts';
import { refuses } from '../../support/world.ts';

/** An error as the addon throws it. */
function failure(code: number, message = 'CKR_SOMETHING'): Error {
  return Object.assign(new TypeError(`${message}\n  at PKCS11.C_Sign`), { code });
}

describe('translatePkcs11()', () => {
  it('gives the code of what a token answered', () => {
    for (const [value, code] of [
      [0x70, 'PKCS11_MECHANISM'],
      [0x71, 'PKCS11_MECHANISM'],
      [0xa0, 'PKCS11_PIN_WRONG'],
      [0xa1, 'PKCS11_PIN_WRONG'],
      [0xa2, 'PKCS11_PIN_WRONG'],
      [0xa4, 'PKCS11_PIN_LOCKED'],
      [0xe0, 'PKCS11_TOKEN'],
      [0xe1, 'PKCS11_TOKEN'],
      [0x05, 'PKCS11_FAILED'],
      [0, 'PKCS11_FAILED'],
    ] as const) {
      const error = failure(value);
      const fault = translatePkcs11(error);
      assert.equal(fault.code, code);
      assert.equal(fault.cause, error);
      assert.equal(fault.message, 'Cannot use token: CKR_SOMETHING');
    }
  });

  it('leaves a fault as it is, and takes anything else for a failure', () => {
    const fault = new PkiFault('PKCS11_TOKEN', 'x');
    assert.equal(translatePkcs11(fault), fault);
    for (const odd of [new TypeError('x'), Object.assign(new TypeError('x'), { code: 'x' }), 7]) {
      assert.equal(translatePkcs11(odd).code, 'PKCS11_FAILED');
    }
  });
});

describe('openPkcs11Signer()', () => {
  it('says that the addon is missing where it is, and all else works', async () => {
    const hooks = registerHooks({
      resolve: (specifier, context, next) => {
        if (specifier === 'pkcs11js') throw new TypeError('not built');
        return next(specifier, context);
      },
    });
    try {
      const options = { modulePath: '/none.so', tokenLabel: 'x', pin: 'x', keyLabel: 'x' };
      await refuses('PKCS11_UNAVAILABLE', () => openPkcs11Signer(options));
      assert.ok(generateSigner('ed25519'));
    } finally {
      hooks.deregister();
    }
  });
});
