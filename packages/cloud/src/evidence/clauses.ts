/** What a verified file of evidence says to each clause of R156 that concerns one campaign. */
import type { JsonObject } from '@immota/base';
import { findText, listOf } from './body.ts';
import type { EvidenceFacts } from './facts.ts';
import type { TargetSummary } from './verify-targets.ts';

/** One clause. */
export interface ClauseVerdict {
  /** As it is cited: `R156 7.1.2.3`. */
  readonly clause: string;
  readonly words: string;
  /** `empty`: there is nothing of the kind in this campaign, and none was needed. */
  readonly verdict: 'present' | 'absent' | 'empty';
  readonly detail: string;
}

type Judged = Pick<ClauseVerdict, 'verdict' | 'detail'>;

const present = (detail: string): Judged => ({ verdict: 'present', detail });
const absent = (detail: string): Judged => ({ verdict: 'absent', detail });
const empty = (detail: string): Judged => ({ verdict: 'empty', detail });
const either = (isThere: boolean, detail: string): Judged =>
  isThere ? present(detail) : absent(detail);

/** Judges every clause, in the order of their numbers. */
export function judgeClauses(
  facts: EvidenceFacts,
  targets: TargetSummary,
): readonly ClauseVerdict[] {
  return [
    ...judgeSoftware(facts, targets),
    ...judgeTargets(targets),
    ...judgeDossier(facts),
    ...judgeVehicles(facts, targets),
  ];
}

function judgeSoftware(
  { release, images, registerEntries, isApproved }: EvidenceFacts,
  { rxswinEcus }: TargetSummary,
): readonly ClauseVerdict[] {
  const constraints = release.images.flatMap(({ requires, conflicts }) => [
    ...requires,
    ...conflicts,
  ]).length;
  const named = new Set(release.images.map(({ name }) => name)).size;
  return [
    {
      clause: 'R156 7.1.1.2',
      words: 'software versions and their hashes',
      ...either(images === named, `${images} of ${named} images with version and SHA-256`),
    },
    {
      clause: 'R156 7.1.1.4',
      words: 'ECUs tell the RXSWIN that they serve',
      ...(release.rxswins.length === 0
        ? empty('the release has no RXSWIN')
        : either(rxswinEcus > 0, `${rxswinEcus} ECUs report theirs`)),
    },
    {
      clause: 'R156 7.1.1.5',
      words: 'dependencies between systems',
      ...(constraints === 0
        ? empty('the release states none')
        : present(`${constraints} constraints, signed`)),
    },
    {
      clause: 'R156 7.1.2.3',
      words: 'register of RXSWINs, before and after',
      ...(release.rxswins.length === 0
        ? empty('the release has no RXSWIN')
        : either(
            registerEntries >= release.rxswins.length,
            `${registerEntries} entries for ${release.rxswins.length} RXSWINs`,
          )),
    },
    {
      clause: 'R156 7.1.3.1',
      words: 'protected against manipulation',
      ...present('release signed, hashes of all images, every line chained and signed'),
    },
    {
      clause: 'four eyes',
      words: 'handed in and approved by two people',
      ...either(
        isApproved,
        isApproved ? 'two signatures over content and dossier' : 'not approved',
      ),
    },
  ];
}

function judgeTargets(targets: TargetSummary): readonly ClauseVerdict[] {
  const { vehicles, isFrozen, compatibility, results } = targets;
  const counts = Object.entries(compatibility).map(([name, count]) => `${name} ${count}`);
  return [
    {
      clause: 'R156 7.1.1.6',
      words: 'target vehicles are identified',
      ...either(isFrozen, `${vehicles} vehicles${isFrozen ? ', list frozen by an event' : ''}`),
    },
    {
      clause: 'R156 7.1.2.2',
      words: 'configuration before and after',
      ...either(vehicles > 0, `${vehicles} vehicles with both`),
    },
    {
      clause: 'R156 7.1.2.4',
      words: 'compatible with the last known configuration',
      ...either(vehicles > 0, counts.join(', ')),
    },
    {
      clause: 'R156 7.2.2.4',
      words: 'results by vehicle',
      ...either(
        vehicles > 0,
        Object.entries(results)
          .map(([name, count]) => `${name} ${count}`)
          .join(', '),
      ),
    },
  ];
}

function judgeDossier({ dossier }: EvidenceFacts): readonly ClauseVerdict[] {
  return listOf(dossier, 'items').map((item) => {
    const text = findText(item, 'text') ?? '';
    return {
      clause: `R156 7.1.2.5 (${findText(item, 'item') ?? ''})`,
      words: 'dossier',
      ...either(text !== '', describeItem(item, text)),
    };
  });
}

function describeItem(item: JsonObject, text: string): string {
  const { answer } = item;
  const said = typeof answer === 'boolean' ? `${answer ? 'yes' : 'no'}: ` : '';
  const number = findText(item, 'approvalNumber');
  return `${said}${text.slice(0, 60)}${number === undefined ? '' : `, approval ${number}`}`;
}

/** {R156 7.2.2.2}: the five facts that people can be told, as they were signed. */
function judgeVehicles(
  { release }: EvidenceFacts,
  { consents }: TargetSummary,
): readonly ClauseVerdict[] {
  const { notice } = release;
  const facts = ['purpose', 'changes', 'unusableSeconds', 'unavailable', 'instructions'];
  const told = facts.filter(
    (name) =>
      notice[name] !== undefined ||
      (name === 'unavailable' && notice['unavailableTexts'] !== undefined),
  );
  return [
    {
      clause: 'R156 7.2.2.2',
      words: 'what people are told before',
      ...either(told.length === facts.length, told.length === 0 ? 'nothing' : told.join(', ')),
    },
    {
      clause: 'R156 7.1.1.11',
      words: 'people were asked and answered',
      ...(consents === 0 ? empty('no receipts') : present(`${consents} signed receipts`)),
    },
  ];
}
