/**
 * Whether an answer counts. Asked twice: by the screen, so that people hear at once why not, and by the
 * Primary, which believes no screen.
 */
import {
  type ConsentAuthority,
  DEFAULT_AUTHORITY,
  mayDecide,
  parseConsentRole,
} from './authority.ts';
import { ConsentFault } from './consent-fault.ts';
import { type ConsentAnswer, type ConsentRequest, POLICY_ACTOR } from './consent-port.ts';
import { isTimeAllowed } from './postpone.ts';
import { renderQuestion } from './question.ts';

/** What answers are judged by. */
export interface ConsentRules {
  readonly authority: ConsentAuthority;
  /** Whether the vehicle is known to stand, in park. */
  isParked(this: void): boolean;
  /** Of the vehicle, as IANA names it. */
  readonly timeZone: string;
}

/** Where nobody has said anything else: a bench, that stands. */
export const DEFAULT_RULES: ConsentRules = {
  authority: DEFAULT_AUTHORITY,
  isParked: () => true,
  timeZone: 'UTC',
};

/**
 * Makes sure that an answer counts.
 *
 * @throws ConsentFault ROLE_UNKNOWN, NOT_AUTHORISED, DRIVING, TEXT_CHANGED, POSTPONE_BUDGET,
 * TIME_NOT_ALLOWED.
 */
export function checkAnswer(
  request: ConsentRequest,
  answer: ConsentAnswer,
  rules: ConsentRules,
  now: Temporal.Instant,
): void {
  if (answer.actor !== POLICY_ACTOR) checkPerson(request, answer, rules);
  const { question } = request;
  const shown = answer.locale === undefined ? question : renderQuestion(request, answer.locale);
  if (answer.textSha256 !== undefined && answer.textSha256 !== shown.sha256) {
    throw new ConsentFault('TEXT_CHANGED', 'Cannot take answer: other words are asked by now');
  }
  checkTimes(request, answer, now);
}

function checkPerson(
  { step }: ConsentRequest,
  { actor }: ConsentAnswer,
  { authority, isParked }: ConsentRules,
): void {
  const role = parseConsentRole(actor);
  if (!mayDecide(authority, role, step)) {
    throw new ConsentFault('NOT_AUTHORISED', `Cannot ${step}: ${role} may not decide on that`);
  }
  // {R156 7.2.2.3}: nobody reads and decides while the vehicle moves.
  if (!isParked()) {
    throw new ConsentFault('DRIVING', 'Cannot take answer: the vehicle is not known to be parked');
  }
}

function checkTimes(
  { step, terms }: ConsentRequest,
  { decision, askAgainAt, startAt }: ConsentAnswer,
  now: Temporal.Instant,
): void {
  if (decision === 'postponed' && terms.left === 0) {
    throw new ConsentFault(
      'POSTPONE_BUDGET',
      'Cannot postpone: it was put off as often as allowed',
    );
  }
  const isMisplaced =
    (askAgainAt !== undefined && decision !== 'postponed') ||
    (startAt !== undefined && (decision !== 'accepted' || step === 'download'));
  const named = startAt ?? askAgainAt;
  if (isMisplaced || (named !== undefined && !isTimeAllowed(named, terms, now))) {
    throw new ConsentFault('TIME_NOT_ALLOWED', `Cannot wait until ${String(named)}: not allowed`);
  }
}
