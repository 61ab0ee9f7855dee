/**
 * The nine facts of {R156 7.1.2.5}: what each asks, in our own words, and when it is answered. A campaign is
 * not approved while one of them is not.
 */
import type { releaseSchemas } from '@immota/api';

/** The letter of an item. */
export type DossierLetter = (typeof releaseSchemas.DOSSIER_ITEMS)[number];

/** A document that an item rests on. */
export interface DossierEvidence {
  readonly name: string;
  readonly sha256?: string | undefined;
  readonly uri?: string | undefined;
}

/** What somebody wrote to an item. */
export interface WrittenItem {
  readonly text: string;
  readonly answer: boolean | undefined;
  /** Of the approval or its extension, where one was sought. */
  readonly approvalNumber: string | undefined;
  readonly evidence: readonly DossierEvidence[];
}

/** What the rules look at besides the items. */
export interface DossierFacts {
  readonly items: ReadonlyMap<string, WrittenItem>;
  readonly rxswins: readonly {
    readonly rxswin: string;
    readonly before?: string | undefined;
    readonly approvalNumber?: string | undefined;
  }[];
}

interface ItemRule {
  readonly title: string;
  /** Says in words what is missing; undefined when nothing is. */
  readonly missing: (own: WrittenItem, facts: DossierFacts) => string | undefined;
}

const nothing = (): undefined => undefined;
const answered = ({ answer }: WrittenItem): string | undefined =>
  answer === undefined ? 'answer yes or no' : undefined;

/** See the head of the file. */
export const DOSSIER_RULES: Readonly<Record<DossierLetter, ItemRule>> = {
  a: { title: 'Why the update is made', missing: nothing },
  b: { title: 'Which systems and functions it may affect', missing: nothing },
  c: { title: 'Whether any of them are type-approved, and which', missing: answered },
  d: {
    title: 'Whether it affects how their requirements are fulfilled',
    missing: answered,
  },
  e: {
    title: 'Whether it affects parameters of a type approval',
    missing: (own, { rxswins }) =>
      answered(own) ?? (own.answer === true ? unchanged(rxswins) : undefined),
  },
  f: {
    title: 'Whether an approval was sought from an authority',
    missing: (own, facts) => answered(own) ?? unapproved(own, facts),
  },
  g: { title: 'How it is carried out, and under which conditions', missing: nothing },
  h: { title: 'Confirmed: it is carried out safely and securely', missing: confirmed },
  i: { title: 'Confirmed: it passed verification and validation', missing: confirmed },
};

/** {R156 7.2.1.2.1}: software that needs an extension or a new approval gets another RXSWIN. */
function unchanged(rxswins: DossierFacts['rxswins']): string | undefined {
  const isStill = rxswins.length > 0 && rxswins.every(({ rxswin, before }) => rxswin === before);
  return isStill ? 'the approval is affected, and no RXSWIN of the release changes' : undefined;
}

function unapproved(own: WrittenItem, { items, rxswins }: DossierFacts): string | undefined {
  const isAffected = items.get('e')?.answer === true;
  if (own.answer === false) {
    return isAffected ? 'the approval is affected (e), so one must be sought' : undefined;
  }
  const isNumbered =
    own.approvalNumber !== undefined ||
    (rxswins.length > 0 && rxswins.every(({ approvalNumber }) => approvalNumber !== undefined));
  return isNumbered ? undefined : 'give the number of the approval';
}

function confirmed({ answer, evidence }: WrittenItem): string | undefined {
  if (answer !== true) return 'confirm it with yes';
  const isProved = evidence.some(({ sha256 }) => sha256 !== undefined);
  return isProved ? undefined : 'name a document with its SHA-256';
}
