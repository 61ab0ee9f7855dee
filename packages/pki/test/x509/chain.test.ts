import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Signer } from '@immota/base';
import {
  type Certificate,
  type ChainContext,
  checkChain,
  checkDevice,
  type DeviceContext,
  generateSigner,
  keyIdOf,
  parseCertificate,
} from '@immota/pki';

import {
  type Der,
  writeExplicit,
  writeImplicit,
  writeInteger,
  writeOctets,
  writeOid,
  writeSequence,
  writeTime,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import {
  authority,
  extension,
  forge,
  ISSUES,
  name,
  type Parts,
  purposes,
  SIGNS,
  usage,
} from '../support/forge.ts';
import { days, makeRoot, makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const context: ChainContext = {
  intermediates: [world.devices.certificate],
  anchors: [world.root.certificate],
  at: NOW,
};

const [rootKey, middleKey] = [generateSigner('ecdsa-p256'), generateSigner('ecdsa-p256')];
const CLIENT = purposes(OID.clientAuth);

async function make(signer: Signer, parts: Parts): Promise<Certificate> {
  return parseCertificate(await forge({ signer, ...parts }));
}

function publicKey(signer: Signer): Der {
  return Uint8Array.from(signer.publicKeyDer);
}

/** A root that signs a middle that signs a leaf, with parts of each replaced. */
async function makeChain(parts: {
  readonly root?: Parts;
  readonly middle?: Parts;
  readonly leaf?: Parts;
}): Promise<readonly [leaf: Certificate, context: ChainContext]> {
  const root = await make(rootKey, {
    issuer: name('R'),
    subject: name('R'),
    publicKey: publicKey(rootKey),
    extensions: [authority(), ISSUES],
    ...parts.root,
  });
  const middle = await make(rootKey, {
    issuer: name('R'),
    subject: name('M'),
    publicKey: publicKey(middleKey),
    extensions: [authority(0), ISSUES],
    ...parts.middle,
  });
  const leaf = await make(middleKey, {
    issuer: name('M'),
    extensions: [CLIENT, SIGNS],
    ...parts.leaf,
  });
  return [leaf, { intermediates: [middle], anchors: [root], at: NOW }];
}

const named = (id: number): Der =>
  extension(OID.subjectKeyIdentifier, writeOctets(Uint8Array.of(id)));

const middle = (...more: readonly Der[]): Parts => ({
  extensions: [authority(0), ISSUES, ...more],
});

const id = (certificate: Certificate): string =>
  Buffer.from(keyIdOf(certificate.publicKeyDer)).toString('hex');

const take = (device: ReturnType<typeof checkDevice>): string => device.deviceId;

const base = (text: string): Der => writeSequence(writeExplicit(4, name(text)));

const constrained = (...texts: readonly string[]): Parts => {
  const permitted = writeExplicit(0, ...texts.map((text) => base(text)));
  const value = writeSequence(permitted);
  return {
    extensions: [authority(), ISSUES, extension(OID.nameConstraints, value, true)],
  };
};

describe('checkChain()', () => {
  it('gives the way from leaf to anchor', () => {
    const chain = checkChain(world.device, 'device', context);
    assert.deepEqual(chain, [world.device, world.devices.certificate, world.root.certificate]);
    const server = { ...context, intermediates: [world.servers.certificate] };
    assert.equal(checkChain(world.server, 'server', server).length, 3);
  });

  it('finds its way among other intermediates, in any order, and past anchors of the same name', async () => {
    const twin = (await makeRoot()).certificate;
    const intermediates = [world.servers.certificate, world.devices.certificate, twin];
    const anchors = [twin, world.root.certificate];
    assert.equal(
      checkChain(world.device, 'device', { ...context, intermediates, anchors }).length,
      3,
    );
  });

  it('may end at an authority in the middle that is an anchor', () => {
    const short = { ...context, intermediates: [], anchors: [world.devices.certificate] };
    assert.equal(checkChain(world.device, 'device', short).length, 2);
  });

  it('refuses a stranger’s anchor, a missing intermediate, and no anchors', async () => {
    const stranger = (await makeRoot('Stranger')).certificate;
    for (const wrong of [
      { ...context, anchors: [stranger] },
      { ...context, anchors: [] },
      { ...context, intermediates: [] },
    ]) {
      await refuses('CHAIN_UNTRUSTED', () => checkChain(world.device, 'device', wrong));
    }
  });

  it('refuses a root of the same name with another key', async () => {
    const twin = (await makeRoot()).certificate;
    const wrong = { ...context, anchors: [twin] };
    await refuses('CHAIN_UNTRUSTED', () => checkChain(world.device, 'device', wrong));
    const [leaf, forged] = await makeChain({ root: { publicKey: publicKey(middleKey) } });
    await refuses('CHAIN_SIGNATURE', () => checkChain(leaf, 'device', forged));
  });

  it('refuses a certificate of which one bit was changed', async () => {
    const der = Uint8Array.from(world.device.der);
    // Within the serial number, right behind the version.
    der[20] = (der[20] ?? 0) ^ 1;
    await refuses('CHAIN_SIGNATURE', () => checkChain(parseCertificate(der), 'device', context));
  });

  it('refuses a signature by a key of another kind', async () => {
    const ed25519 = generateSigner('ed25519');
    const [leaf, { intermediates, ...rest }] = await makeChain({
      middle: { publicKey: publicKey(ed25519) },
    });
    await refuses('CHAIN_SIGNATURE', () => checkChain(leaf, 'device', { ...rest, intermediates }));
  });

  it('takes Ed25519 authorities', async () => {
    const signer = generateSigner('ed25519');
    const algorithm = writeSequence(writeOid(OID.ed25519));
    const [leaf, good] = await makeChain({
      middle: { publicKey: publicKey(signer) },
      leaf: { signer, innerAlgorithm: algorithm, outerAlgorithm: algorithm },
    });
    assert.equal(checkChain(leaf, 'device', good).length, 3);
  });

  it('holds each certificate to its dates, both ends included', async () => {
    const { notBefore, notAfter } = days(30, '2026-05-20T00:00:00Z');
    const validity = writeSequence(writeTime(notBefore), writeTime(notAfter));
    for (const part of ['root', 'middle', 'leaf'] as const) {
      const [leaf, good] = await makeChain({ [part]: { validity } });
      for (const at of [notBefore, NOW, notAfter]) {
        assert.ok(checkChain(leaf, 'device', { ...good, at }));
      }
      const early = { ...good, at: notBefore.subtract({ nanoseconds: 1 }) };
      await refuses('CHAIN_NOT_YET_VALID', () => checkChain(leaf, 'device', early));
      const late = { ...good, at: notAfter.add({ nanoseconds: 1 }) };
      await refuses('CHAIN_EXPIRED', () => checkChain(leaf, 'device', late));
    }
  });

  it('refuses an issuer that is no authority, or may not sign certificates', async () => {
    for (const extensions of [
      [ISSUES],
      [authority()],
      [authority(), SIGNS],
      [authority(), usage(1, 0x02)],
    ]) {
      for (const part of ['root', 'middle'] as const) {
        const [leaf, bad] = await makeChain({ [part]: { extensions } });
        await refuses('CHAIN_NOT_AUTHORITY', () => checkChain(leaf, 'device', bad));
      }
    }
  });

  it('refuses a device that issues another', async () => {
    const leaf = await make(world.deviceKey, {
      issuer: Uint8Array.from(world.device.subject.der),
      extensions: [CLIENT, SIGNS],
    });
    const intermediates = [world.devices.certificate, world.device];
    await refuses('CHAIN_NOT_AUTHORITY', () =>
      checkChain(leaf, 'device', { ...context, intermediates }),
    );
  });

  it('refuses leaves for another purpose, without any, and authorities', async () => {
    await refuses('CHAIN_PURPOSE', () => checkChain(world.device, 'server', context));
    for (const extensions of [
      [SIGNS],
      [purposes(OID.serverAuth), SIGNS],
      // anyExtendedKeyUsage
      [purposes('2.5.29.37.0'), SIGNS],
      [CLIENT, usage(5, 0x20)],
      [CLIENT, SIGNS, authority()],
    ]) {
      const [leaf, bad] = await makeChain({ leaf: { extensions } });
      await refuses('CHAIN_PURPOSE', () => checkChain(leaf, 'device', bad));
    }
    for (const extensions of [[CLIENT], [purposes(OID.serverAuth, OID.clientAuth), SIGNS]]) {
      const [leaf, good] = await makeChain({ leaf: { extensions } });
      assert.ok(checkChain(leaf, 'device', good));
    }
  });

  it('refuses a purpose that an authority above is not for', async () => {
    for (const part of ['root', 'middle'] as const) {
      const extensions = [authority(), ISSUES, purposes(OID.serverAuth)];
      const [leaf, bad] = await makeChain({ [part]: { extensions } });
      await refuses('CHAIN_PURPOSE', () => checkChain(leaf, 'device', bad));
      const both = [authority(), ISSUES, purposes(OID.serverAuth, OID.clientAuth)];
      const [other, good] = await makeChain({ [part]: { extensions: both } });
      assert.ok(checkChain(other, 'device', good));
    }
  });

  it('counts the authorities below one', async () => {
    const [leaf, good] = await makeChain({ root: { extensions: [authority(1), ISSUES] } });
    assert.ok(checkChain(leaf, 'device', good));
    const [other, bad] = await makeChain({ root: { extensions: [authority(0), ISSUES] } });
    await refuses('CHAIN_PATH_LENGTH', () => checkChain(other, 'device', bad));
  });

  it('passes by an intermediate whose key identifier is another', async () => {
    const asked = extension(
      OID.authorityKeyIdentifier,
      writeSequence(writeImplicit(0, Uint8Array.of(1))),
    );
    const leaf = { extensions: [CLIENT, SIGNS, asked] };
    for (const good of [middle(), middle(named(1))]) {
      const [certificate, right] = await makeChain({ leaf, middle: good });
      assert.ok(checkChain(certificate, 'device', right));
    }
    const [certificate, wrong] = await makeChain({ leaf, middle: middle(named(2)) });
    await refuses('CHAIN_UNTRUSTED', () => checkChain(certificate, 'device', wrong));
  });

  it('tells the first reason when every way is refused, and takes a later one that is right', async () => {
    const [leaf, good] = await makeChain({});
    const [, expired] = await makeChain({
      middle: {
        validity: writeSequence(...Object.values(days(1)).map((date) => writeTime(date))),
      },
    });
    const intermediates = [...expired.intermediates, ...good.intermediates];
    assert.ok(checkChain(leaf, 'device', { ...good, intermediates }));
    await refuses('CHAIN_EXPIRED', () => checkChain(leaf, 'device', { ...good, ...expired }));
  });

  it('holds the authorities in between to name constraints too', async () => {
    const [leaf, good] = await makeChain({ root: constrained('forged', 'M') });
    assert.ok(checkChain(leaf, 'device', good));
    for (const wrong of [constrained('forged'), constrained('M')]) {
      const [other, bad] = await makeChain({ root: wrong });
      await refuses('CHAIN_NAME', () => checkChain(other, 'device', bad));
    }
  });

  it('does not take a bug for a refusal', () => {
    const broken: Certificate = {
      ...world.devices.certificate,
      get publicKeyDer(): never {
        throw new RangeError('a bug');
      },
    };
    assert.throws(
      () =>
        checkChain(world.device, 'device', {
          ...context,
          intermediates: [broken, world.devices.certificate],
        }),
      { name: 'RangeError' },
    );
  });

  it('takes 16 intermediates and refuses more', async () => {
    const offer = (count: number): ChainContext => {
      const others = Array.from({ length: count - 1 }, () => world.servers.certificate);
      return { ...context, intermediates: [...others, world.devices.certificate] };
    };
    assert.ok(checkChain(world.device, 'device', offer(16)));
    await refuses('LIMIT', () => checkChain(world.device, 'device', offer(17)));
  });

  it('verifies 16 signatures at most in a maze of authorities with one name', async () => {
    const maze = await Promise.all(
      Array.from({ length: 16 }, async (_, index) =>
        make(middleKey, {
          serial: writeInteger(index + 1),
          issuer: name('M'),
          subject: name('M'),
          publicKey: publicKey(middleKey),
          extensions: [authority(), ISSUES],
        }),
      ),
    );
    const [leaf, { anchors }] = await makeChain({});
    await refuses('LIMIT', () =>
      checkChain(leaf, 'device', { anchors, intermediates: maze, at: NOW }),
    );
  });

  it('takes chains of 6 and no longer ones', async () => {
    const keys = Array.from({ length: 8 }, () => generateSigner('ecdsa-p256'));
    const build = async (length: number): Promise<readonly Certificate[]> =>
      await Promise.all(
        Array.from({ length }, async (_, index) => {
          const own = keys[index];
          const issuer = keys[Math.min(index + 1, length - 1)];
          assert.ok(own && issuer);
          return await make(issuer, {
            subject: name(`L${index}`),
            issuer: name(`L${Math.min(index + 1, length - 1)}`),
            publicKey: publicKey(own),
            extensions: index === 0 ? [CLIENT, SIGNS] : [authority(), ISSUES],
          });
        }),
      );
    const check = async (length: number): Promise<void> => {
      const [leaf, ...above] = await build(length);
      assert.ok(leaf);
      const intermediates = above.slice(0, -1);
      const found = checkChain(leaf, 'device', {
        intermediates,
        anchors: above.slice(-1),
        at: NOW,
      });
      assert.equal(found.length, length);
    };
    await check(2);
    await check(6);
    await refuses('CHAIN_UNTRUSTED', async () => {
      await check(7);
    });
  });

  it('ends where authorities vouch for each other', async () => {
    const [a, b] = [generateSigner('ecdsa-p256'), generateSigner('ecdsa-p256')];
    const extensions = [authority(), ISSUES];
    const ab = await make(b, {
      subject: name('A'),
      issuer: name('B'),
      publicKey: publicKey(a),
      extensions,
    });
    const ba = await make(a, {
      subject: name('B'),
      issuer: name('A'),
      publicKey: publicKey(b),
      extensions,
    });
    const leaf = await make(a, { issuer: name('A'), extensions: [CLIENT, SIGNS] });
    const circle = { intermediates: [ab, ba], anchors: [world.root.certificate], at: NOW };
    await refuses('CHAIN_UNTRUSTED', () => checkChain(leaf, 'device', circle));
  });
});

describe('checkDevice()', () => {
  const deviceContext: DeviceContext = { ...context, isRevoked: () => false };

  it('tells who the device is {uptane E6}', () => {
    const device = checkDevice(world.device, deviceContext);
    assert.equal(device.deviceId, 'veh-1');
    assert.equal(device.certificate, world.device);
    assert.equal(device.chain.length, 3);
  });

  it('refuses a revoked device or authority, and asks by issuer and serial number', async () => {
    const asked: string[] = [];
    checkDevice(world.device, {
      ...context,
      isRevoked: (issuer, serial) => {
        asked.push(`${Buffer.from(keyIdOf(issuer.publicKeyDer)).toString('hex')} ${serial}`);
        return false;
      },
    });
    assert.deepEqual(asked, [
      `${id(world.devices.certificate)} ${world.device.serial}`,
      `${id(world.root.certificate)} ${world.devices.certificate.serial}`,
    ]);
    for (const { serial } of [world.device, world.devices.certificate]) {
      await refuses('REVOKED', () =>
        checkDevice(world.device, { ...context, isRevoked: (_, number) => number === serial }),
      );
    }
  });

  it('refuses a chain that does not hold', async () => {
    await refuses('CHAIN_UNTRUSTED', () =>
      checkDevice(world.device, { ...deviceContext, anchors: [] }),
    );
    const servers = { ...deviceContext, intermediates: [world.servers.certificate] };
    await refuses('CHAIN_PURPOSE', () => checkDevice(world.server, servers));
  });

  it('refuses a subject that is no device, or two', async () => {
    for (const subject of [
      name('not a device'),
      writeSequence(),
      writeSequence(name('a').subarray(2), name('b').subarray(2)),
    ]) {
      const [leaf, chain] = await makeChain({ leaf: { subject } });
      await refuses('DEVICE_ID', () => checkDevice(leaf, { ...chain, isRevoked: () => false }));
    }
  });

  it('is evidence that nothing else is', () => {
    const unchecked = { deviceId: 'veh-1', certificate: world.device, chain: [world.device] };
    // @ts-expect-error a device that nobody checked is not a verified one
    assert.equal(take(unchecked), 'veh-1');
  });
});
