/** What stands before the targets, each checked by itself: release, dossier, decisions, register. */
import { equalBytes, findFaultCode, type JsonObject } from '@immota/base';
import {
  advanceRoot,
  AKTUALIZR,
  anchorRoot,
  checkThreshold,
  decodeEnvelope,
  decodeRoot,
  keysOf,
  limits,
  type Root,
  type Trusted,
} from '@immota/uptane';
import { decisionText } from '@immota/api';
import { checkOtherPerson } from '../approval/other-person.ts';
import { bringerOf, parseStoredDecision, type StoredDecision } from '../approval/decision.ts';
import { sha256Hex, sha256OfJson } from '../approval/sha256.ts';
import { checkDecisionSignature } from '../approval/signing-keys.ts';
import { RELEASE_MAX_BYTES, readStoredRelease, type Release } from '../release/release-document.ts';
import { entryHash } from '../release/rxswin-register.ts';
import { bytesOf, hashOf, listOf, objectOf, textOf } from './body.ts';
import { EvidenceFault } from './evidence-fault.ts';

/** The Roots of the Image repository, from one to the next. */
export class RootChain {
  readonly #roots: Trusted<Root>[] = [];
  /** Whether it begins with a Root that the verifier was given. */
  readonly isAnchored: boolean;

  /** @param anchor - a Root that is trusted; the first one of the file vouches for itself when left out. */
  constructor(anchor: Uint8Array | undefined) {
    this.isAnchored = anchor !== undefined;
    if (anchor !== undefined) this.#roots.push(anchorRoot(decode(anchor)));
  }

  /** @throws EvidenceFault EVIDENCE_RELEASE when the one before does not vouch for it. */
  add(body: JsonObject): void {
    const candidate = refusing(() => decode(bytesOf(body, 'document')));
    const last = this.#roots.at(-1);
    if (last !== undefined && candidate.body.version <= last.body.version) {
      const isSame = this.#roots.some(({ bytes }) => equalBytes(bytes, candidate.bytes));
      if (isSame || candidate.body.version < (this.#roots[0]?.body.version ?? 0)) return;
      throw new EvidenceFault(
        'EVIDENCE_RELEASE',
        'Cannot trust Root: it is another than the one given',
      );
    }
    this.#roots.push(
      refusing(() => (last === undefined ? anchorRoot(candidate) : advanceRoot(last, candidate))),
    );
  }

  /** Checks a release: a threshold of the Targets keys of one of the Roots signed it. */
  checkRelease(body: JsonObject): Release {
    const document = bytesOf(body, 'document');
    if (sha256Hex(document) !== textOf(body, 'sha256')) {
      throw new EvidenceFault('EVIDENCE_RELEASE', 'Cannot trust release: its hash is another');
    }
    const envelope = refusing(() => decodeEnvelope(AKTUALIZR, document, RELEASE_MAX_BYTES));
    const isSigned = this.#roots.some((root) => {
      try {
        checkThreshold(envelope, root.body.keys, keysOf(root.body, 'targets'));
        return true;
      } catch (error) {
        if (findFaultCode(error) === undefined) throw error;
        return false;
      }
    });
    if (!isSigned) {
      throw new EvidenceFault('EVIDENCE_RELEASE', 'Cannot trust release: no Root’s keys signed it');
    }
    return refusing(() => readStoredRelease(document));
  }
}

function decode(bytes: Uint8Array): ReturnType<typeof decodeRoot> {
  return decodeRoot(AKTUALIZR, bytes, limits.ROOT_MAX_BYTES);
}

/** Whatever the trust core refuses is a release that cannot be trusted. */
function refusing<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const code = findFaultCode(error);
    if (code === undefined) throw error;
    throw new EvidenceFault('EVIDENCE_RELEASE', `Cannot trust release: ${code}`, { cause: error });
  }
}

const STAMPS: ReadonlySet<string> = new Set(['updatedBy', 'updatedAt']);

/**
 * Checks a dossier's hash over the release and all items.
 *
 * @returns the hash, to which decisions are bound.
 */
export function checkDossier(body: JsonObject, releaseSha256: string): string {
  // Who wrote it, and when, is not part of what was approved.
  const items = listOf(body, 'items').map((item) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => !STAMPS.has(name))),
  );
  const releaseId = textOf(body, 'releaseId');
  const own = sha256OfJson({ _type: 'Dossier', releaseId, releaseSha256, items });
  if (own === textOf(body, 'contentSha256')) return own;
  throw new EvidenceFault(
    'EVIDENCE_DOSSIER',
    'Cannot trust dossier: it is not the one that was hashed',
  );
}

/** What both decisions must be bound to. */
export interface DecidedContent {
  readonly campaignId: string;
  readonly contentSha256: string;
  readonly dossierSha256: string;
  readonly createdBy: string;
}

/**
 * Checks the decisions on a campaign: both signed, over this content and dossier, by two people with two keys.
 *
 * @returns whether there are both; a campaign that was never approved has none, and never started.
 * @throws EvidenceFault EVIDENCE_APPROVAL, with the refusal of the decision as its cause.
 */
export function checkDecisions(bodies: readonly JsonObject[], content: DecidedContent): boolean {
  try {
    const decisions = bodies.map((body) => {
      const decision = parseStoredDecision(body);
      checkDecision(decision, bytesOf(body, 'publicKey'), content);
      return decision;
    });
    const submission = decisions.find(({ decision }) => decision === 'submit');
    const approval = decisions.find(({ decision }) => decision === 'approve');
    if (submission === undefined || approval === undefined) return false;
    if (submission.keyId === approval.keyId) {
      throw new EvidenceFault('EVIDENCE_APPROVAL', 'Cannot trust approval: one key signed both');
    }
    checkOtherPerson(bringerOf(approval), bringerOf(submission), content.createdBy);
    const author = { name: submission.owner };
    checkOtherPerson({ name: approval.owner }, author, content.createdBy);
    return true;
  } catch (error) {
    const code = findFaultCode(error);
    if (code === undefined || error instanceof EvidenceFault) throw error;
    throw new EvidenceFault('EVIDENCE_APPROVAL', `Cannot trust approval: ${code}`, {
      cause: error,
    });
  }
}

function checkDecision(
  decision: StoredDecision,
  publicKey: Uint8Array,
  content: DecidedContent,
): void {
  const isBound =
    decision.campaignId === content.campaignId &&
    decision.contentSha256 === content.contentSha256 &&
    decision.dossierSha256 === content.dossierSha256;
  if (!isBound) {
    throw new EvidenceFault('EVIDENCE_APPROVAL', 'Cannot trust approval: it is for something else');
  }
  if (sha256Hex(publicKey) !== decision.keyId) {
    throw new EvidenceFault('EVIDENCE_APPROVAL', 'Cannot trust approval: its key is another');
  }
  const { algorithm, signature } = decision;
  checkDecisionSignature({ algorithm, publicKey }, decisionText(decision), signature);
}

/** Checks one entry of the register against the hash it is chained to. */
export function checkRegisterEntry(body: JsonObject): void {
  const own = entryHash(hashOf(body, 'previousHash'), objectOf(body, 'entry'));
  if (equalBytes(own, hashOf(body, 'hash'))) return;
  throw new EvidenceFault('EVIDENCE_REGISTER', 'Cannot trust register entry: it was changed');
}
