/** TLS as DoIP has it: port 3496, the entity's certificate, and the tester's where it is asked for. */
import type { SecureVersion, TlsOptions } from 'node:tls';

/** What an entity shows, and whom it trusts. */
export interface DoipTlsCredential {
  /** PEM: the certificate, then those up to the root. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** PEM: authorities of the other side. */
  readonly ca: string;
}

/** TLS of an entity. */
export interface EntityTls extends DoipTlsCredential {
  /** 3496 when left out. */
  readonly port?: number | undefined;
  /** Whether a tester has to have a certificate; one that has none is let in by `optional` alone. */
  readonly clientCertificate: 'required' | 'optional';
  /** TLS 1.3 when left out; testers of 2019 may know 1.2 alone. */
  readonly minVersion?: SecureVersion | undefined;
}

/** What Node wants to know of an entity's TLS. */
export function entityTlsOptions(tls: EntityTls): TlsOptions {
  return {
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    minVersion: tls.minVersion ?? 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: tls.clientCertificate === 'required',
  };
}
