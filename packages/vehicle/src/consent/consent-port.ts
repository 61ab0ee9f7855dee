/**
 * Asking whoever may say yes. The update waits for the answer, never the other way round: without a
 * clear yes nothing is downloaded, and nothing is installed.
 */

/** What somebody is asked. */
export interface ConsentRequest {
  readonly correlationId: string;
  /** To download, or to install: each is asked for itself. */
  readonly step: 'download' | 'install';
  /** The exact words that must be shown; the receipt names their hash. */
  readonly text: string;
  /** BCP 47. */
  readonly locale: string;
  /** How long the vehicle cannot be used. */
  readonly unusableSeconds: number;
  /** What will not work meanwhile, in words. */
  readonly unavailable: readonly string[];
  readonly isSecurity: boolean;
  readonly downloadBytes: number;
}

/** What somebody said. */
export interface ConsentAnswer {
  readonly decision: 'accepted' | 'postponed' | 'declined';
  /** `owner`, `driver`, `fleet`, `workshop` or `policy`. */
  readonly actor: string;
  /** When to ask again; only with `postponed`. */
  readonly askAgainAt?: Temporal.Instant | undefined;
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
        if (request.isSecurity) return byPolicy('accepted');
        if (otherwise !== undefined) return otherwise.ask(request, signal);
      }
      return byPolicy('declined');
    },
  };
}

function byPolicy(decision: ConsentAnswer['decision']): ConsentAnswer {
  return { decision, actor: 'policy' };
}
