/** Which role each tester over Ethernet has: that of the certificate on its own connection. */
import type { DoipEntityEvent } from '../doip/entity-options.ts';

/** Addresses of testers: all that ISO 13400-2 has for them, and some of the maker. */
const TESTERS_MAX = 1024;

/** See the head of the file. An activation without a certificate takes the role of the address away. */
export class TesterRoles {
  readonly #roleOf: (certificate: Uint8Array) => string | undefined;
  readonly #roles = new Map<number, string>();

  /** @param roleOf - reads a certificate (DER) that our authorities vouch for. */
  constructor(roleOf: (certificate: Uint8Array) => string | undefined) {
    this.#roleOf = roleOf;
  }

  /** Hears what the DoIP entity tells. */
  note(event: DoipEntityEvent): void {
    if (event.kind !== 'activated') return;
    const { certificate } = event.peer;
    const role = certificate === undefined ? undefined : this.#roleOf(certificate);
    if (role === undefined || this.#roles.size >= TESTERS_MAX) this.#roles.delete(event.tester);
    else this.#roles.set(event.tester, role);
  }

  /** Finds the role of an address. */
  find(tester: number): string | undefined {
    return this.#roles.get(tester);
  }
}
