/**
 * PKCS #12 (RFC 7292) for devices that ask their server for a key: AES-256-CBC under PBES2 and an
 * HMAC-SHA256, both from the empty passphrase. It is a container and no protection; the TLS
 * connection it travels on is. Certificates and key are readable by OpenSSL 1.1 and later.
 */
import { createCipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto';

import { concatBytes, type Entropy } from '@immota/base';

import {
  type Der,
  writeDer,
  writeExplicit,
  writeImplicit,
  writeInteger,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
  writeSetOf,
} from '../der/write.ts';
import { TAG } from '../der/tag.ts';
import { exportPrivateKey, type SoftwareSigner } from '../keys/software.ts';
import { OID } from '../oid.ts';
import { type Certificate, keyIdOf } from '../x509/certificate.ts';

const VERSION_3 = 3;
const SALT_LENGTH_BYTES = 16;
const IV_LENGTH_BYTES = 16;
/** OpenSSL's own number. With an empty passphrase no number would protect more. */
const ITERATIONS = 2048;
/** {RFC 7292 B.3}: what the derived octets are for. */
const PURPOSE_MAC = 3;
/** Octets in a block of SHA-256. */
const BLOCK_LENGTH_BYTES = 64;

/** What goes into a PKCS #12. */
export interface Pkcs12Content {
  /** The key, which must be in memory to be given away. */
  readonly signer: SoftwareSigner;
  /** The leaf, for that key. */
  readonly certificate: Certificate;
  /**
   * Every other certificate. aktualizr takes all of them both as its trust anchors and as the rest
   * of its own chain, so they are the device's issuing authorities and the server's root.
   */
  readonly others: readonly Certificate[];
  readonly entropy: Entropy;
}

/**
 * Encodes a key and its certificates with the empty passphrase.
 *
 * @param content - key, leaf, others and chance.
 * @returns a PFX, DER. It holds the private key: treat it as one.
 */
export function encodePkcs12(content: Pkcs12Content): Der {
  const { signer, certificate, others, entropy } = content;
  const keyId = writeLocalKeyId(keyIdOf(certificate.publicKeyDer));
  const certificates = writeSequence(
    writeCertificateBag(certificate, keyId),
    ...others.map((other) => writeCertificateBag(other, undefined)),
  );
  const privateKey = exportPrivateKey(signer);
  const shroudedKey = encrypt(privateKey, entropy);
  privateKey.fill(0);
  const key = writeSequence(
    writeSequence(
      writeOid(OID.shroudedKeyBag),
      writeExplicit(0, writeSequence(shroudedKey.algorithm, writeOctets(shroudedKey.ciphertext))),
      keyId,
    ),
  );
  const sealed = encrypt(certificates, entropy);
  const encryptedData = writeSequence(
    writeInteger(0),
    writeSequence(writeOid(OID.data), sealed.algorithm, writeImplicit(0, sealed.ciphertext)),
  );
  const safe = writeSequence(
    writeSequence(writeOid(OID.encryptedData), writeExplicit(0, encryptedData)),
    writeData(key),
  );
  return writeSequence(writeInteger(VERSION_3), writeData(safe), writeMac(safe, entropy));
}

function writeData(content: Der): Der {
  return writeSequence(writeOid(OID.data), writeExplicit(0, writeOctets(content)));
}

function writeCertificateBag(certificate: Certificate, attributes: Der | undefined): Der {
  const value = writeExplicit(0, writeOctets(certificate.der));
  const bag = writeSequence(writeOid(OID.x509Certificate), value);
  return writeSequence(writeOid(OID.certificateBag), writeExplicit(0, bag), attributes);
}

/** The attribute that tells which certificate the key belongs to. */
function writeLocalKeyId(keyId: Uint8Array): Der {
  const values = writeSetOf([writeOctets(keyId)]);
  return writeDer(TAG.set, writeSequence(writeOid(OID.localKeyId), values));
}

function encrypt(
  plaintext: Uint8Array,
  entropy: Entropy,
): { readonly algorithm: Der; readonly ciphertext: Uint8Array } {
  const salt = entropy.bytes(SALT_LENGTH_BYTES);
  const iv = entropy.bytes(IV_LENGTH_BYTES);
  const key = pbkdf2Sync('', salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = concatBytes([cipher.update(plaintext), cipher.final()]);
  const derivation = writeSequence(
    writeOid(OID.pbkdf2),
    writeSequence(
      writeOctets(salt),
      writeInteger(ITERATIONS),
      writeSequence(writeOid(OID.hmacWithSha256), writeNull()),
    ),
  );
  const scheme = writeSequence(writeOid(OID.aes256Cbc), writeOctets(iv));
  const algorithm = writeSequence(writeOid(OID.pbes2), writeSequence(derivation, scheme));
  return { algorithm, ciphertext };
}

function writeMac(safe: Der, entropy: Entropy): Der {
  const salt = entropy.bytes(SALT_LENGTH_BYTES);
  const mac = createHmac('sha256', deriveMacKey(salt)).update(safe).digest();
  const digest = writeSequence(writeOid(OID.sha256), writeNull());
  return writeSequence(
    writeSequence(digest, writeOctets(mac)),
    writeOctets(salt),
    writeInteger(ITERATIONS),
  );
}

/** Derives the key of the MAC {RFC 7292 B.2}; one block of SHA-256 is as long as the key. */
function deriveMacKey(salt: Uint8Array): Uint8Array {
  // The empty passphrase is its terminator alone, two zero octets, repeated to fill a block.
  const passphrase = new Uint8Array(BLOCK_LENGTH_BYTES);
  const repeated = Uint8Array.from({ length: BLOCK_LENGTH_BYTES }, (_, index) => {
    return salt[index % salt.length] ?? 0;
  });
  const diversifier = new Uint8Array(BLOCK_LENGTH_BYTES).fill(PURPOSE_MAC);
  let hash = createHash('sha256').update(diversifier).update(repeated).update(passphrase).digest();
  for (let round = 1; round < ITERATIONS; round += 1) {
    hash = createHash('sha256').update(hash).digest();
  }
  return hash;
}
