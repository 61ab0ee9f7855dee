/** What the words of the screens are, in any language. */
import type { ConsentStep } from '../../consent/authority.ts';
import type { Minutes } from '../../consent/words/consent-words.ts';

/** A headline with what belongs below it. */
export interface Message {
  readonly headline: string;
  readonly sentences: readonly string[];
}

/** What a vehicle is doing. */
export type Stage = 'download' | 'install' | 'activate' | 'roll-back' | 'check';

/** What an update came to, as people see it. */
export type Ending = 'success' | 'unchanged' | 'workshop';

/** Short words of buttons and landmarks; the page itself has none of its own. */
export interface Labels {
  readonly product: string;
  readonly skip: string;
  readonly language: string;
  readonly update: string;
  readonly history: string;
  readonly noHistory: string;
  readonly back: string;
  readonly pairHeadline: string;
  readonly pairExplanation: string;
  readonly pairField: string;
  readonly pairButton: string;
  readonly accept: Readonly<Record<ConsentStep, string>>;
  readonly decline: string;
  readonly later: string;
  readonly laterQuestion: string;
  readonly inAnHour: string;
  readonly tomorrow: string;
  readonly whenQuestion: string;
  readonly otherTime: string;
  readonly pickTime: string;
  readonly confirmTime: string;
  readonly cancel: string;
  readonly reconsider: string;
  readonly done: string;
  readonly signOut: string;
  readonly whatChanged: string;
  readonly manual: string;
  readonly decisions: string;
  readonly offline: string;
  readonly sending: string;
  readonly people: string;
  readonly peopleExplanation: string;
  readonly invite: string;
  readonly invited: string;
}

/** Everything that the screens say. */
export interface ScreenWords {
  readonly labels: Labels;
  readonly badges: Readonly<Record<'recall' | 'safety' | 'security' | 'improvement', string>>;
  readonly steps: Readonly<Record<ConsentStep, string>>;
  stepOf(this: void, number: number, name: string): string;
  youAre(this: void, role: string): string;
  whoDecides(this: void, roles: string): string;
  joinOr(this: void, names: readonly string[]): string;
  tonight(this: void, time: string): string;
  readonly driving: Message;
  readonly idle: Message;
  /** Before the first check-in nobody knows. */
  readonly unchecked: Message;
  lastChecked(this: void, date: string): string;
  readonly working: Readonly<Record<Stage, Message>>;
  remaining(this: void, minutes: Minutes): string;
  readonly overdue: string;
  readonly interrupted: string;
  agreedFor(this: void, step: ConsentStep, date: string): Message;
  postponedUntil(this: void, date: string): Message;
  readonly declined: Message;
  readonly answered: Message;
  readonly waiting: Readonly<Record<WaitingKind, Message>>;
  readonly conditions: Readonly<Record<string, string>>;
  readonly otherCondition: string;
  endings(this: void, ending: Ending, ecus: string): Message;
  readonly earlier: string;
  readonly endingShort: Readonly<Record<Ending, string>>;
  readonly decisionShort: Readonly<Record<'accepted' | 'declined' | 'postponed', string>>;
  /** By fault code; `OTHER` for the rest. */
  readonly refusals: Readonly<Record<string, string>>;
}

/** Why nothing goes on, in the kinds that people can tell apart. */
export type WaitingKind =
  | 'conditions'
  /** What the maker asks for beyond what every change-over needs. */
  | 'campaign'
  | 'unreadable'
  | 'hours'
  | 'metered'
  | 'ended'
  | 'network'
  | 'storage'
  | 'ecu'
  | 'technician'
  | 'exhausted'
  | 'refused'
  | 'question'
  | 'other';
