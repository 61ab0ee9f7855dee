/** Releases, dossiers and the RXSWIN register as the operator API gives them. */
import type { releaseSchemas } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { Selectable } from 'kysely';
import { describeFact } from '../release/describe-clash.ts';
import type { Dossier } from '../release/dossier.ts';
import { DOSSIER_RULES } from '../release/dossier-items.ts';
import type { ClashFact, Explanation } from '../release/explain-path.ts';
import { type Constraint, readStoredRelease } from '../release/release-document.ts';
import type { RxswinCount } from '../release/rxswin-counts.ts';
import type { RxswinEntry } from '../release/rxswin-register.ts';
import type { ReleaseRow } from '../schema/release-tables.ts';
import type { View } from './views.ts';

type Schemas = typeof releaseSchemas;
type ReleaseView<Name extends keyof Schemas> = Schemas[Name] extends { readonly _output: infer Out }
  ? Out
  : never;

/** What is known of an image besides its name. */
export interface ImageFacts {
  readonly version: string;
  readonly lengthBytes: number;
  readonly sha256: string;
}

/** A release in a list. */
export function releaseView(row: Selectable<ReleaseRow>): View<'releaseSchema'> {
  return {
    releaseId: row.release_id,
    name: row.name,
    version: row.version,
    createdBy: row.created_by,
    createdAt: row.created_at.toString(),
    goal: Object.fromEntries(readStoredRelease(row.document).goal),
  };
}

/** A release, whole: what a graph of it is drawn from. */
export function releaseDetailView(
  row: Selectable<ReleaseRow>,
  images: ReadonlyMap<string, ImageFacts>,
  dossier: Dossier,
): ReleaseView<'releaseDetailSchema'> {
  const release = readStoredRelease(row.document);
  return {
    releaseId: row.release_id,
    name: row.name,
    version: row.version,
    createdBy: row.created_by,
    createdAt: row.created_at.toString(),
    description: Object.fromEntries(release.description),
    isSecurity: release.isSecurity,
    unusableSeconds: release.unusableSeconds,
    images: release.images.map((image) => ({
      hardwareId: image.hardwareIdentifier,
      name: image.name,
      version: images.get(image.name)?.version ?? '',
      lengthBytes: images.get(image.name)?.lengthBytes ?? 0,
      sha256: images.get(image.name)?.sha256 ?? '',
      isGoal: release.goal.get(image.hardwareIdentifier) === image.name,
      installsOver: image.installsOver === 'any' ? undefined : [...image.installsOver],
      requires: image.requires.map(constraintView),
      conflicts: image.conflicts.map(constraintView),
    })),
    rxswins: release.rxswins.map(({ hardwareIdentifier, ...rest }) => ({
      ...rest,
      hardwareId: hardwareIdentifier,
    })),
    isDossierComplete: isComplete(dossier),
    blockedBecause: row.blocked_because ?? undefined,
  };
}

function constraintView({ hardwareIdentifier, images }: Constraint): {
  hardwareId: string;
  images: string[];
} {
  return { hardwareId: hardwareIdentifier, images: [...images] };
}

function isComplete({ items }: Dossier): boolean {
  return items.every(({ missing }) => missing === undefined);
}

/** A dossier with what each item asks and lacks. */
export function dossierView(dossier: Dossier): ReleaseView<'dossierSchema'> {
  return {
    releaseId: dossier.releaseId,
    items: dossier.items.map((item) => ({
      item: item.item,
      title: DOSSIER_RULES[item.item].title,
      clause: `R156 7.1.2.5 (${item.item})`,
      text: item.text,
      answer: item.answer,
      approvalNumber: item.approvalNumber,
      evidence: item.evidence.map((one) => ({ ...one })),
      isComplete: item.missing === undefined,
      missing: item.missing,
      updatedBy: item.updatedBy,
      updatedAt: item.updatedAt?.toString(),
    })),
    isComplete: isComplete(dossier),
    contentSha256: dossier.contentSha256,
  };
}

/** The way, or what clashes. */
export function solutionView({ found, clash }: Explanation): ReleaseView<'solutionSchema'> {
  if (found.kind === 'path') {
    const bundles = found.bundles.map((bundle) => Object.fromEntries(bundle));
    return { kind: 'path', bundles, clash: [] };
  }
  return { kind: 'none', bundles: [], reason: found.reason, clash: clash.map(factView) };
}

function factView(fact: ClashFact): ReleaseView<'solutionSchema'>['clash'][number] {
  const said = { fact: describeFact(fact), kind: fact.kind };
  if (fact.kind === 'bound') return said;
  if (fact.kind === 'runs') return { ...said, ecuId: fact.ecu.ecu, image: fact.ecu.image };
  return { ...said, image: fact.kind === 'goal' ? fact.image : fact.image.name };
}

/** One entry of the register. */
export function rxswinEntryView(
  entry: RxswinEntry,
  count: RxswinCount,
): ReleaseView<'rxswinEntrySchema'> {
  return {
    sequence: entry.sequence,
    rxswin: entry.rxswin,
    regulation: entry.regulation,
    hardwareId: entry.hardware_id,
    before: entry.before ?? undefined,
    releaseId: entry.release_id,
    releaseName: entry.release_name,
    approvalNumber: entry.approval_number ?? undefined,
    software: entry.software.map(softwareView),
    softwareBefore: entry.software_before.map(softwareView),
    vehicles: count.vehicles,
    disagreeing: count.disagreeing,
    since: entry.since.toString(),
    hash: Buffer.from(entry.hash).toString('hex'),
  };
}

function softwareView({ hardwareId, image, version, sha256 }: JsonObject): {
  hardwareId: string;
  image: string;
  version: string;
  sha256: string;
} {
  return {
    hardwareId: textOf(hardwareId),
    image: textOf(image),
    version: textOf(version),
    sha256: textOf(sha256),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
