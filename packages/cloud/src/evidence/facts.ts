import type { JsonObject } from '@immota/base';
import type { Release } from '../release/release-document.ts';

/** What a file of evidence says before its targets, verified. */
export interface EvidenceFacts {
  readonly header: JsonObject;
  readonly release: Release;
  readonly images: number;
  readonly dossier: JsonObject;
  readonly isApproved: boolean;
  readonly registerEntries: number;
}
