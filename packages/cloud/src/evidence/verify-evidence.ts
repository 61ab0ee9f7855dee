/**
 * Verifies a file of evidence with nothing but the file and a key that is trusted: every line, every chain,
 * every signature, four eyes, and that no target is missing. One pass, and memory that does not grow with
 * the fleet. Nobody's word but the signers' counts.
 */
import { equalBytes, type JsonObject, SIGNATURE_ALGORITHMS } from '@immota/base';
import {
  AKTUALIZR,
  checkSignedBy,
  decodeEnvelope,
  encodeCanonical,
  type PublicKey,
  publicKeyFromDer,
} from '@immota/uptane';
import { sha256OfJson } from '../approval/sha256.ts';
import { CHECKPOINT_MAX_BYTES } from '../limits.ts';
import type { Release } from '../release/release-document.ts';
import { bytesOf, findText, listOf, numberOf, objectOf, textOf } from './body.ts';
import { type ClauseVerdict, judgeClauses } from './clauses.ts';
import { EvidenceFault } from './evidence-fault.ts';
import type { EvidenceFacts } from './facts.ts';
import { type EvidenceLine, readLines } from './line.ts';
import { checkCheckpoint, type CheckedEvent, EventChecker } from './verify-events.ts';
import { checkDecisions, checkDossier, checkRegisterEntry, RootChain } from './verify-sections.ts';
import { type FrozenList, TargetChecker, type TargetSummary } from './verify-targets.ts';

/** What is trusted beforehand. */
export interface EvidenceTrust {
  /** Keys of the event log, SubjectPublicKeyInfo, DER. */
  readonly keys: readonly Uint8Array[];
  /** A Root of the Image repository; the first one of the file vouches for itself when left out. */
  readonly imageRoot?: Uint8Array | undefined;
}

/** What a file of evidence proves. */
export interface EvidenceReport {
  readonly campaignId: string;
  readonly name: string;
  readonly at: string;
  readonly lines: number;
  readonly release: string;
  /** Whether the release was held against a Root that was given. */
  readonly isRootAnchored: boolean;
  readonly isApproved: boolean;
  readonly targets: TargetSummary;
  readonly clauses: readonly ClauseVerdict[];
}

/**
 * Verifies a file.
 *
 * @param chunks - of the file, from its beginning.
 * @throws EvidenceFault with the code of what is wrong.
 */
export async function verifyEvidence(
  chunks: AsyncIterable<Uint8Array>,
  trust: EvidenceTrust,
): Promise<EvidenceReport> {
  const verifier = new EvidenceVerifier(trust);
  for await (const { line, previous } of readLines(chunks)) verifier.take(line, previous);
  return verifier.finish();
}

class EvidenceVerifier {
  readonly #trust: EvidenceTrust;
  readonly #roots: RootChain;
  readonly #events = new EventChecker();
  readonly #decisions: JsonObject[] = [];
  #header: JsonObject | undefined;
  #key: PublicKey | undefined;
  #releaseSha256 = '';
  #release: Release | undefined;
  #dossier: JsonObject | undefined;
  #images = 0;
  #registerEntries = 0;
  #fleetHead: CheckedEvent | undefined;
  #frozen: FrozenList | undefined;
  #targets: TargetChecker | undefined;
  #lines = 0;
  readonly #counts = new Map<string, number>();
  #isSigned = false;

  constructor(trust: EvidenceTrust) {
    this.#trust = trust;
    this.#roots = refuseRoot(trust.imageRoot);
  }

  take(line: EvidenceLine, previous: Uint8Array): void {
    if (this.#isSigned) throw malformed('something stands behind the signature');
    if ((this.#header === undefined) !== (line.kind === 'header')) {
      throw malformed('it begins with its header, and has one');
    }
    if (line.kind === 'trailer') {
      this.#checkTrailer(line.body, previous);
      return;
    }
    this.#lines = line.n;
    this.#counts.set(line.kind, (this.#counts.get(line.kind) ?? 0) + 1);
    this.#takeBody(line);
  }

  #takeBody({ kind, body }: EvidenceLine): void {
    switch (kind) {
      case 'header':
        this.#takeHeader(body);
        break;
      case 'root':
        this.#roots.add(body);
        break;
      case 'release':
        this.#release = this.#roots.checkRelease(body);
        this.#releaseSha256 = textOf(body, 'sha256');
        break;
      case 'image':
        this.#images += 1;
        break;
      case 'dossier':
        checkDossier(body, this.#releaseSha256);
        this.#dossier = body;
        break;
      case 'decision':
        this.#decisions.push(body);
        break;
      case 'register':
        checkRegisterEntry(body);
        this.#registerEntries += 1;
        break;
      case 'event':
        this.#takeEvent(body);
        break;
      case 'configuration':
        this.#takeTargets().addConfiguration(body);
        break;
      case 'target':
        this.#takeTargets().addTarget(body);
        break;
      case 'consent':
        this.#takeTargets().addConsent(body);
        break;
      case 'result':
        this.#takeTargets().addResult(body);
        break;
      case 'checkpoint':
        checkCheckpoint(body, this.#trusted(), this.#fleetHead);
        break;
      case 'trailer':
        break;
      default:
        kind satisfies never;
    }
  }

  #takeHeader(body: JsonObject): void {
    if (textOf(body, 'format') !== 'immota-evidence' || numberOf(body, 'version') !== 1) {
      throw malformed('it is no evidence of a version that is known');
    }
    // What was approved is the hash of the content that stands here.
    if (sha256OfJson(objectOf(body, 'content')) !== textOf(body, 'contentSha256')) {
      throw malformed('its content is not the one that was hashed');
    }
    this.#header = body;
    for (const listed of listOf(body, 'keys')) {
      const der = bytesOf(listed, 'publicKey');
      if (!this.#trust.keys.some((trusted) => equalBytes(trusted, der))) continue;
      const algorithm = SIGNATURE_ALGORITHMS.find((one) => one === findText(listed, 'algorithm'));
      this.#key = publicKeyFromDer(algorithm, der);
    }
    this.#trusted();
  }

  #trusted(): PublicKey {
    if (this.#key !== undefined) return this.#key;
    throw new EvidenceFault('EVIDENCE_SIGNATURE', 'Cannot trust evidence: its key is not trusted');
  }

  #takeEvent(body: JsonObject): void {
    const event = this.#events.check(body);
    if (this.#targets !== undefined) return;
    this.#fleetHead = event;
    const isOwn = findText(event.body, 'campaignId') === findText(this.#header ?? {}, 'campaignId');
    if (event.kind === 'campaign.targets-frozen' && isOwn) {
      const { body: frozen } = event;
      this.#frozen = {
        until: textOf(frozen, 'until'),
        vehicles: numberOf(frozen, 'vehicles'),
        sha256: textOf(frozen, 'sha256'),
      };
    }
  }

  #takeTargets(): TargetChecker {
    const campaignId = textOf(this.#header ?? {}, 'campaignId');
    this.#targets ??= new TargetChecker(campaignId, this.#frozen);
    return this.#targets;
  }

  /** {R156 7.1.1.1}: the one signature over every line of it. */
  #checkTrailer(body: JsonObject, previous: Uint8Array): void {
    const key = this.#trusted();
    let signed: JsonObject;
    try {
      const envelope = decodeEnvelope(AKTUALIZR, bytesOf(body, 'document'), CHECKPOINT_MAX_BYTES);
      checkSignedBy(envelope, key, 'evidence');
      ({ signed } = envelope);
    } catch (error) {
      throw new EvidenceFault('EVIDENCE_SIGNATURE', 'Cannot trust evidence: nobody signed it', {
        cause: error,
      });
    }
    const expected = {
      _type: 'Evidence',
      campaignId: textOf(this.#header ?? {}, 'campaignId'),
      at: textOf(this.#header ?? {}, 'at'),
      lines: this.#lines,
      counts: Object.fromEntries(this.#counts),
      hash: Buffer.from(previous).toString('hex'),
    };
    if (!equalBytes(encodeCanonical(signed, 'escaped'), encodeCanonical(expected, 'escaped'))) {
      throw new EvidenceFault(
        'EVIDENCE_TRAILER',
        'Cannot trust evidence: it was signed for another',
      );
    }
    this.#isSigned = true;
  }

  finish(): EvidenceReport {
    if (!this.#isSigned || this.#header === undefined) {
      throw new EvidenceFault('EVIDENCE_TRUNCATED', 'Cannot trust evidence: it ends too soon');
    }
    if (this.#release === undefined || this.#dossier === undefined) {
      throw malformed('release or dossier is missing');
    }
    if (this.#counts.get('checkpoint') !== 1)
      throw malformed('the head of the event log is missing');
    const header = this.#header;
    const isApproved = checkDecisions(this.#decisions, {
      campaignId: textOf(header, 'campaignId'),
      contentSha256: textOf(header, 'contentSha256'),
      dossierSha256: textOf(this.#dossier, 'contentSha256'),
      createdBy: textOf(header, 'createdBy'),
    });
    const targets = this.#takeTargets().finish();
    const facts: EvidenceFacts = {
      header,
      release: this.#release,
      images: this.#images,
      dossier: this.#dossier,
      isApproved,
      registerEntries: this.#registerEntries,
    };
    return {
      campaignId: textOf(header, 'campaignId'),
      name: textOf(objectOf(header, 'content'), 'name'),
      at: textOf(header, 'at'),
      lines: this.#lines + 1,
      release: `${this.#release.name} ${this.#release.version}`,
      isRootAnchored: this.#roots.isAnchored,
      isApproved,
      targets,
      clauses: judgeClauses(facts, targets),
    };
  }
}

function refuseRoot(bytes: Uint8Array | undefined): RootChain {
  try {
    return new RootChain(bytes);
  } catch (error) {
    throw new EvidenceFault('EVIDENCE_RELEASE', 'Cannot use Root: it is none', { cause: error });
  }
}

function malformed(why: string): EvidenceFault {
  return new EvidenceFault('EVIDENCE_MALFORMED', `Cannot read evidence: ${why}`);
}
