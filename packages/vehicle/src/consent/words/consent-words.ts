/** What our own words around a maker's notice are, in any language. */
import type { ConsentRole, ConsentStep } from '../authority.ts';
import type { PurposeKind } from '../notice.ts';

/** Minutes, both ends included; the same twice where there is no range. */
export interface Minutes {
  readonly low: number;
  readonly high: number;
}

/** Everything that is said around a notice. */
export interface ConsentWords {
  readonly nothingWritten: string;
  readonly headings: {
    readonly purpose: string;
    readonly changes: string;
    readonly time: string;
    readonly unavailable: string;
    readonly instructions: string;
    readonly terms: string;
  };
  readonly purposes: Readonly<Record<PurposeKind, string>>;
  readonly noChanges: string;
  readonly allWorks: string;
  readonly noInstructions: string;
  readonly ask: Readonly<Record<ConsentStep, string>>;
  readonly roles: Readonly<Record<ConsentRole, string>>;
  /** What the step itself does to the vehicle's use. */
  readonly stepEffect: Readonly<Record<ConsentStep, string>>;
  downloadSize(this: void, megabytes: string): string;
  prepareTime(this: void, minutes: Minutes): string;
  unusableTime(this: void, minutes: Minutes): string;
  readonly mayRefuse: string;
  mayRefuseUntil(this: void, date: string): string;
  postponementsLeft(this: void, left: number): string;
  readonly noPostponementLeft: string;
  readonly mandatory: string;
  lastDate(this: void, date: string): string;
  thenAsks(this: void, date: string): string;
  thenInstalls(this: void, date: string): string;
  /** Said where the maker has not written in the reader's language. */
  onlyWrittenIn(this: void, language: string): string;
}
