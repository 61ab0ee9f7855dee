/**
 * Asking whoever may say yes. The update waits for the answer, never the other way round: without a
 * clear yes nothing is downloaded, nothing is installed, and nothing changes over.
 */
import type { Estimate } from '../transaction/experience.ts';
import type { ConsentStep } from './authority.ts';
import type { Language } from './words/words.ts';
import type { Notice } from './notice.ts';
import type { PostponeTerms } from './postpone.ts';

/** One part of a question. */
export interface QuestionSection {
  readonly id: 'purpose' | 'changes' | 'time' | 'unavailable' | 'instructions' | 'terms';
  readonly heading: string;
  /** Each a sentence or more; never empty. */
  readonly lines: readonly string[];
}

/** A question as it is shown. */
export interface Question {
  /** The language of our words; where the maker's are in another one, a line says so. */
  readonly locale: Language;
  readonly title: string;
  readonly sections: readonly QuestionSection[];
  readonly ask: string;
  /** All of it: title, each heading with its lines, the question; a line feed between. */
  readonly text: string;
  /** Of `text` in UTF-8; lower-case hex. */
  readonly sha256: string;
}

/** What somebody is asked. */
export interface ConsentRequest {
  readonly correlationId: string;
  /** Each step is asked for itself. */
  readonly step: ConsentStep;
  /** In every language that it was written in. */
  readonly notice: Notice;
  readonly terms: PostponeTerms;
  /** Bringing the images into the ECUs, in milliseconds; the vehicle can be used meanwhile. */
  readonly prepare: Estimate | undefined;
  /** How long the vehicle cannot be used, in milliseconds. */
  readonly unusable: Estimate;
  readonly downloadBytes: number;
  /** How dates are said; IANA. */
  readonly timeZone: string;
  /** The exact words in the vehicle's own language; in another one ask `renderQuestion`. */
  readonly question: Question;
}

/** What somebody said. */
export interface ConsentAnswer {
  readonly decision: 'accepted' | 'postponed' | 'declined';
  /** A role that may answer, or `policy`: a rule that was agreed to once. */
  readonly actor: string;
  /** When to ask again; only with `postponed`. In an hour when left out. */
  readonly askAgainAt?: Temporal.Instant | undefined;
  /** Not before; only with `accepted`. At once when left out. */
  readonly startAt?: Temporal.Instant | undefined;
  /** The language in which it was read; the vehicle's own when left out. */
  readonly locale?: string | undefined;
  /** SHA-256 of the words that were read, where the reader's own screen has counted it. */
  readonly textSha256?: string | undefined;
}

/** Somebody who may be asked: a screen, a command line, a policy. */
export interface ConsentPort {
  /**
   * Asks. The question may stand for days: when the signal ends, nobody waits for the answer any
   * longer, and the same question comes again later.
   *
   * @returns the answer; undefined when there was none.
   */
  ask(request: ConsentRequest, signal: AbortSignal): Promise<ConsentAnswer | undefined>;
}

/** Who needs not be asked, and who is not. */
export type ConsentPolicy = 'always' | 'never' | 'security-only';

/** Answers of a rule come from no role. */
export const POLICY_ACTOR = 'policy';

/**
 * Answers by a rule, as the owner of a fleet may have agreed to once.
 *
 * @param policy - `always` accepts; `never` declines; `security-only` accepts what repairs a
 * vulnerability and asks `otherwise` for the rest.
 * @param otherwise - asked where the rule does not decide; declined when there is nobody.
 */
export function policyConsent(policy: ConsentPolicy, otherwise?: ConsentPort): ConsentPort {
  return {
    // oxlint-disable-next-line require-await -- the port is asynchronous, the rule is not
    ask: async (request, signal) => {
      if (policy === 'always') return byPolicy('accepted');
      if (policy === 'security-only') {
        if (request.notice.security) return byPolicy('accepted');
        if (otherwise !== undefined) return otherwise.ask(request, signal);
      }
      return byPolicy('declined');
    },
  };
}

function byPolicy(decision: ConsentAnswer['decision']): ConsentAnswer {
  return { decision, actor: POLICY_ACTOR };
}
