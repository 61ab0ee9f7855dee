/** What outside data may cost here, each with its reason. */

/** One certificate. Ours are below 1 KiB; RSA-4096 with many names stays below 8 KiB. */
export const CERTIFICATE_LENGTH_MAX_BYTES = 16_384;

/** One certificate request: a key, a name, a signature. */
export const CSR_LENGTH_MAX_BYTES = 16_384;

/** Elements directly inside one DER element: a certificate with 128 names is a large one. */
export const DER_CHILDREN_MAX = 1024;

/** Components of an object identifier; the longest in use here has 13. */
export const OID_COMPONENTS_MAX = 32;

/** Attributes in one distinguished name; RFC 5280 profiles use fewer than ten. */
export const NAME_ATTRIBUTES_MAX = 32;

/** Characters in one attribute of a distinguished name (RFC 5280 ub-name is 32768; ours are short). */
export const NAME_VALUE_MAX_CHARACTERS = 256;

/** Extensions in one certificate. */
export const EXTENSIONS_MAX = 32;

/** Names in one subjectAltName, or subtrees in one nameConstraints extension. */
export const ALTERNATIVE_NAMES_MAX = 128;

/** Octets of the serial numbers we draw: 126 unpredictable bits, where 64 are asked for. */
export const SERIAL_LENGTH_BYTES = 16;

/** Certificates from leaf to anchor; ours are three. */
export const CHAIN_LENGTH_MAX = 6;

/** Signatures one chain check may verify: bounds a maze of authorities with equal names. */
export const CHAIN_SIGNATURES_MAX = 16;

/** Intermediates a peer may offer. */
export const INTERMEDIATES_MAX = 16;

/** One PEM text with one block. */
export const PEM_LENGTH_MAX_CHARACTERS = 65_536;

/** Blocks in one PEM bundle: anchors of a large fleet with rotated roots stay below it. */
export const PEM_BLOCKS_MAX = 64;

/** One encrypted key container: RSA-4096 in PKCS#8 is 2.4 KiB, ML-DSA-65 6 KiB, base64 adds a third. */
export const KEY_FILE_LENGTH_MAX_BYTES = 32_768;

/** One private key in PKCS#8. */
export const PRIVATE_KEY_LENGTH_MAX_BYTES = 16_384;

/** Entries of a folder that are looked through for key files: people keep tens. */
export const KEY_FILES_MAX = 1000;

/** A new passphrase: below twelve characters no key derivation helps for long (NIST SP 800-63B). */
export const PASSPHRASE_MIN_CHARACTERS = 12;

/** A passphrase longer than this is a file given by mistake. */
export const PASSPHRASE_MAX_CHARACTERS = 1024;

/** Argon2id memory: OWASP's floor, so that no container can weaken itself … */
export const ARGON2_MEMORY_MIN_KIB = 19_456;

/** … and what a container may make its reader spend. */
export const ARGON2_MEMORY_MAX_KIB = 262_144;

/** Argon2id passes, floor and ceiling for the same two reasons. */
export const ARGON2_PASSES_MIN = 2;
/** The ceiling of passes. */
export const ARGON2_PASSES_MAX = 8;

/** Argon2id lanes a container may ask for. */
export const ARGON2_LANES_MAX = 4;

/** Slots looked into for a token: a rack of network HSM partitions has fewer. */
export const PKCS11_SLOTS_MAX = 256;

/** Keys listed from one token. */
export const PKCS11_KEYS_MAX = 1000;

/** One enrolment body: a request in base64 with its line ends. */
export const EST_BODY_MAX_BYTES = 32_768;

/** One body with the certificates of the authorities. */
export const EST_CERTIFICATES_BODY_MAX_BYTES = 262_144;

/** One OCSP request; the common ones are below 150 bytes. */
export const OCSP_REQUEST_MAX_BYTES = 4096;

/** Certificates one OCSP request may ask about: bounds the answer, which is signed each time. */
export const OCSP_CERTIFICATES_MAX = 16;

/** Octets of an OCSP nonce {RFC 9654 2.1}. */
export const OCSP_NONCE_MAX_BYTES = 128;

/** Devices in one factory batch: a plant's month. */
export const BATCH_DEVICES_MAX = 1_000_000;
