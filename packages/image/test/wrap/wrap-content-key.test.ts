import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  encodeContentKey,
  encodeDecryptionKey,
  generateContentKey,
  generateDecryptionKey,
  parseContentKey,
  parseDecryptionKey,
  parseEncryptionProfile,
  parseRecipientPublicKey,
  profileOf,
  unwrapContentKey,
  wrapContentKey,
  type WrapContext,
} from '@immota/image';
import { codeOf, seededEntropy } from '../bytes.ts';

const entropy = seededEntropy('wrapping');
const contentKey = generateContentKey(entropy);
const keys = {
  classic: generateDecryptionKey('classic', entropy),
  hybrid: generateDecryptionKey('hybrid', entropy),
};
const context: WrapContext = {
  ecuIdentifier: 'ECU-0001',
  hardwareIdentifier: 'gateway-r3',
  imageSha256: '0123456789abcdef'.repeat(4),
};
const profiles = ['classic', 'hybrid'] as const;

const wrap = (other: WrapContext) => (): Uint8Array =>
  wrapContentKey(keys.classic.publicKey, contentKey, other, entropy);

describe('wrapContentKey() and unwrapContentKey()', () => {
  for (const profile of profiles) {
    const key = keys[profile];
    const wrapped = wrapContentKey(key.publicKey, contentKey, context, entropy);

    it(`carry a content key to its ECU, ${profile} {uptane K7}`, () => {
      assert.equal(wrapped.length, profile === 'classic' ? 82 : 1170);
      assert.ok(unwrapContentKey(wrapped, key, context).equals(contentKey));
    });

    it(`refuse another ECU's key, ${profile}`, () => {
      const other = generateDecryptionKey(profile, entropy);
      assert.equal(
        codeOf(() => unwrapContentKey(wrapped, other, context)),
        'WRAP_AUTHENTICATION',
      );
    });

    it(`refuse another context, ${profile}`, () => {
      const others: readonly WrapContext[] = [
        { ...context, ecuIdentifier: 'ECU-0002' },
        { ...context, hardwareIdentifier: 'gateway-r4' },
        { ...context, imageSha256: 'f'.repeat(64) },
        // The same letters with the border between the identifiers moved.
        { ...context, ecuIdentifier: 'ECU-0001g', hardwareIdentifier: 'ateway-r3' },
      ];
      for (const other of others) {
        assert.equal(
          codeOf(() => unwrapContentKey(wrapped, key, other)),
          'WRAP_AUTHENTICATION',
        );
      }
    });

    it(`refuse every flipped bit, ${profile}`, () => {
      fc.assert(
        fc.property(fc.nat({ max: wrapped.length * 8 - 1 }), (place) => {
          const flipped = Uint8Array.from(wrapped);
          const at = place >> 3;
          flipped[at] = (flipped[at] ?? 0) ^ (1 << (place & 7));
          const code = codeOf(() => unwrapContentKey(flipped, key, context));
          // RFC 7748 ignores the highest bit of a share; the key schedule does not.
          assert.equal(code, at < 2 ? 'WRAP_MALFORMED' : 'WRAP_AUTHENTICATION');
        }),
        { examples: [[0], [8], [9], [33 * 8 + 7], [wrapped.length * 8 - 1]] },
      );
    });

    it(`refuse every other length, ${profile}`, () => {
      for (const lengthBytes of [0, 1, 2, wrapped.length - 1]) {
        const cut = wrapped.subarray(0, lengthBytes);
        assert.equal(
          codeOf(() => unwrapContentKey(cut, key, context)),
          'WRAP_MALFORMED',
        );
      }
      const longer = Buffer.concat([wrapped, Uint8Array.of(0)]);
      assert.equal(
        codeOf(() => unwrapContentKey(longer, key, context)),
        'WRAP_MALFORMED',
      );
    });

    it(`refuse a share of small order, ${profile}`, () => {
      const weak = Uint8Array.from(wrapped);
      weak.fill(0, wrapped.length - 80, wrapped.length - 48);
      assert.equal(
        codeOf(() => unwrapContentKey(weak, key, context)),
        'WRAP_AUTHENTICATION',
      );
    });

    it(`draw a new encapsulation each time, ${profile}`, () => {
      const again = wrapContentKey(key.publicKey, contentKey, context, entropy);
      assert.notDeepEqual(again.subarray(2), wrapped.subarray(2));
    });
  }

  it('refuse a key of the other profile: no downgrade', () => {
    const classic = wrapContentKey(keys.classic.publicKey, contentKey, context, entropy);
    assert.equal(
      codeOf(() => unwrapContentKey(classic, keys.hybrid, context)),
      'WRAP_PROFILE',
    );
    const hybrid = wrapContentKey(keys.hybrid.publicKey, contentKey, context, entropy);
    assert.equal(
      codeOf(() => unwrapContentKey(hybrid, keys.classic, context)),
      'WRAP_PROFILE',
    );
  });

  it('refuse a context that cannot be bound', () => {
    assert.equal(codeOf(wrap({ ...context, ecuIdentifier: 'e'.repeat(255) })), undefined);
    const refused: readonly WrapContext[] = [
      { ...context, ecuIdentifier: '' },
      { ...context, ecuIdentifier: 'e'.repeat(256) },
      { ...context, ecuIdentifier: 'é'.repeat(128) },
      { ...context, hardwareIdentifier: '\ud800' },
      { ...context, imageSha256: 'A'.repeat(64) },
      { ...context, imageSha256: 'a'.repeat(63) },
      { ...context, imageSha256: `${'a'.repeat(64)}\n` },
    ];
    for (const other of refused) assert.equal(codeOf(wrap(other)), 'CONTEXT_MALFORMED');
    const wrapped = wrap(context)();
    const unwrap = (): unknown =>
      unwrapContentKey(wrapped, keys.classic, { ...context, ecuIdentifier: '' });
    assert.equal(codeOf(unwrap), 'CONTEXT_MALFORMED');
  });
});

describe('generateDecryptionKey() and parseDecryptionKey()', () => {
  for (const profile of profiles) {
    it(`find the same key in the same secret, ${profile} {uptane H4}`, () => {
      const again = parseDecryptionKey(profile, encodeDecryptionKey(keys[profile]));
      assert.equal(again.publicKey, keys[profile].publicKey);
      const wrapped = wrapContentKey(keys[profile].publicKey, contentKey, context, entropy);
      assert.ok(unwrapContentKey(wrapped, again, context).equals(contentKey));
    });

    it(`refuse a secret of another length, ${profile}`, () => {
      for (const lengthBytes of [0, 31, 33]) {
        const secret = new Uint8Array(lengthBytes);
        assert.equal(
          codeOf(() => parseDecryptionKey(profile, secret)),
          'KEY_MALFORMED',
        );
      }
    });

    it(`show no secret when a key is printed, ${profile}`, () => {
      const secret = Buffer.from(encodeDecryptionKey(keys[profile]));
      const shown = `${inspect(keys[profile], { depth: 9 })} ${JSON.stringify(keys[profile])}`;
      assert.ok(!shown.includes(secret.toString('hex')));
      assert.ok(!shown.includes(secret.toString('base64url')));
    });
  }
});

describe('parseContentKey()', () => {
  it('reads 32 bytes and refuses other lengths', () => {
    assert.ok(parseContentKey(encodeContentKey(contentKey)).equals(contentKey));
    for (const lengthBytes of [0, 16, 31, 33]) {
      assert.equal(
        codeOf(() => parseContentKey(new Uint8Array(lengthBytes))),
        'KEY_MALFORMED',
      );
    }
  });
});

describe('parseRecipientPublicKey()', () => {
  for (const profile of profiles) {
    const text: string = keys[profile].publicKey;

    it(`reads what an ECU announces, ${profile}`, () => {
      const recipient = parseRecipientPublicKey(text);
      assert.equal(profileOf(recipient), profile);
      assert.equal(recipient, text);
    });

    it(`refuses everything that is not exactly that, ${profile}`, () => {
      const refused: readonly unknown[] = [
        `${text}=`,
        `${text} `,
        text.slice(0, -1),
        `${text}AAAA`,
        text.replace(':', ''),
        text.toUpperCase(),
        ` ${text}`,
        `${text}${'A'.repeat(100_000)}`,
        profile === 'classic'
          ? text.replace('classic', 'hybrid')
          : text.replace('hybrid', 'classic'),
      ];
      for (const value of refused) {
        assert.equal(
          codeOf(() => parseRecipientPublicKey(value)),
          'KEY_MALFORMED',
          String(value),
        );
      }
    });
  }

  it('refuses what is no text at all, and unknown profiles', () => {
    for (const value of [undefined, null, 1, {}, [], '', ':', 'none:AA', 'toString:AA']) {
      assert.equal(
        codeOf(() => parseRecipientPublicKey(value)),
        'KEY_MALFORMED',
      );
    }
    assert.equal(
      codeOf(() => parseEncryptionProfile('rsa')),
      'KEY_MALFORMED',
    );
    assert.equal(parseEncryptionProfile('hybrid'), 'hybrid');
  });

  it('refuses a text whose unused bits are set: one key, one text', () => {
    const text: string = keys.classic.publicKey;
    const last = text.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = text.slice(0, -1) + (alphabet[alphabet.indexOf(last) + 1] ?? '');
    assert.equal(
      codeOf(() => parseRecipientPublicKey(twin)),
      'KEY_MALFORMED',
    );
  });

  it('refuses points of small order', () => {
    const points = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      `ec${'ff'.repeat(30)}7f`,
    ];
    for (const point of points) {
      const text = `classic:${Buffer.from(point, 'hex').toString('base64url')}`;
      assert.equal(
        codeOf(() => parseRecipientPublicKey(text)),
        'KEY_MALFORMED',
        point,
      );
    }
  });

  it('refuses an ML-KEM key whose coefficients are not reduced', () => {
    const raw = Uint8Array.from(keys.hybrid.rawPublic);
    raw.set([0xff, 0xff, 0xff]);
    const text = `hybrid:${Buffer.from(raw).toString('base64url')}`;
    assert.equal(
      codeOf(() => parseRecipientPublicKey(text)),
      'KEY_MALFORMED',
    );
  });

  it('never crashes on noise', () => {
    fc.assert(
      fc.property(fc.constantFrom('classic:', 'hybrid:', ''), fc.string(), (head, noise) => {
        const code = codeOf(() => parseRecipientPublicKey(head + noise));
        assert.equal(code, 'KEY_MALFORMED');
      }),
    );
  });
});
