/** Targets in a file of evidence: what each ran is told, each has a result, and the list is the frozen one. */
import { type JsonObject, SIGNATURE_ALGORITHMS } from '@immota/base';
import { consentSchema } from '@immota/api';
import { AKTUALIZR, checkSignedBy, decodeEnvelope, publicKeyFromDer } from '@immota/uptane';
import { sha256Hex } from '../approval/sha256.ts';
import { correlationOf } from '../campaign/correlation.ts';
import { ECU_KEY_MAX_BYTES } from '../limits.ts';
import { bytesOf, findText, listOf, textOf } from './body.ts';
import { EvidenceFault } from './evidence-fault.ts';
import { TargetListHash } from './freeze-targets.ts';

/** A list of targets as the event log has it. */
export interface FrozenList {
  readonly until: string;
  readonly vehicles: number;
  readonly sha256: string;
}

/** What became known of the targets. */
export interface TargetSummary {
  readonly vehicles: number;
  readonly isFrozen: boolean;
  readonly compatibility: Readonly<Record<string, number>>;
  readonly results: Readonly<Record<string, number>>;
  readonly consents: number;
  /** ECUs that report an RXSWIN. */
  readonly rxswinEcus: number;
}

/** See the head of the file. What it remembers of the fleet are the hashes of its few configurations. */
export class TargetChecker {
  readonly #configurations = new Set<string>();
  readonly #compatibility = new Map<string, number>();
  readonly #results = new Map<string, number>();
  readonly #campaignId: string;
  readonly #list = new TargetListHash();
  readonly #frozen: FrozenList | undefined;
  #open: string | undefined;
  #last = '';
  #vehicles = 0;
  #consents = 0;
  #rxswinEcus = 0;

  /** @param frozen - as the event log has it; undefined when no list was frozen. */
  constructor(campaignId: string, frozen: FrozenList | undefined) {
    this.#campaignId = campaignId;
    this.#frozen = frozen;
  }

  addConfiguration(body: JsonObject): void {
    const sha256 = textOf(body, 'sha256');
    if (sha256Hex(Buffer.from(textOf(body, 'body'), 'utf8')) !== sha256) {
      throw targets(`configuration ${sha256} is not what it was`);
    }
    this.#configurations.add(sha256);
  }

  addTarget(body: JsonObject): void {
    const vehicleId = textOf(body, 'vehicleId');
    const configurationSha256 = textOf(body, 'configurationSha256');
    const compatibility = textOf(body, 'compatibility');
    if (this.#open !== undefined) throw targets(`"${this.#open}" has no result`);
    if (vehicleId <= this.#last) throw targets(`"${vehicleId}" stands twice or out of order`);
    if (!this.#configurations.has(configurationSha256)) {
      throw targets(`what "${vehicleId}" ran is not told`);
    }
    // Who joined later is on no frozen list yet. Both are instants in one form, so their texts compare.
    if (this.#frozen !== undefined && textOf(body, 'confirmedAt') <= this.#frozen.until) {
      this.#list.add({ vehicleId, configurationSha256, compatibility });
    }
    count(this.#compatibility, compatibility);
    this.#vehicles += 1;
    this.#open = vehicleId;
    this.#last = vehicleId;
  }

  addConsent(body: JsonObject): void {
    const vehicleId = this.#owner(body);
    try {
      const envelope = decodeEnvelope(AKTUALIZR, bytesOf(body, 'document'), ECU_KEY_MAX_BYTES);
      const algorithm = SIGNATURE_ALGORITHMS.find((one) => one === findText(body, 'algorithm'));
      checkSignedBy(envelope, publicKeyFromDer(algorithm, bytesOf(body, 'publicKey')), 'consent');
      const consent = consentSchema.parse(envelope.signed);
      if (consent.correlationId !== correlationOf(this.#campaignId))
        throw targets('another campaign');
    } catch (error) {
      throw new EvidenceFault('EVIDENCE_CONSENT', `Cannot trust consent of "${vehicleId}"`, {
        cause: error,
      });
    }
    this.#consents += 1;
  }

  addResult(body: JsonObject): void {
    this.#owner(body);
    this.#open = undefined;
    count(this.#results, textOf(body, 'state'));
    for (const ecu of listOf(body, 'ecus')) {
      if (listOf(ecu, 'rxswins').length > 0) this.#rxswinEcus += 1;
    }
  }

  /** @throws EvidenceFault EVIDENCE_TARGETS when these are not the vehicles of the frozen list. */
  finish(): TargetSummary {
    if (this.#open !== undefined) throw targets(`"${this.#open}" has no result`);
    if (this.#frozen !== undefined) {
      const { vehicles, sha256 } = this.#frozen;
      if (this.#list.vehicles !== vehicles || this.#list.digest() !== sha256) {
        throw targets(`it was frozen with ${vehicles} others`);
      }
    }
    return {
      vehicles: this.#vehicles,
      isFrozen: this.#frozen !== undefined,
      compatibility: Object.fromEntries(this.#compatibility),
      results: Object.fromEntries(this.#results),
      consents: this.#consents,
      rxswinEcus: this.#rxswinEcus,
    };
  }

  /** What comes between a target and its result is of that vehicle. */
  #owner(body: JsonObject): string {
    const vehicleId = textOf(body, 'vehicleId');
    if (vehicleId === this.#open) return vehicleId;
    throw targets(`what is told of "${vehicleId}" stands with another vehicle`);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function targets(why: string): EvidenceFault {
  return new EvidenceFault('EVIDENCE_TARGETS', `Cannot trust list of targets: ${why}`);
}
