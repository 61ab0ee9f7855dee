/** What the routes of the gateway are made of. */
import type { JsonObject } from '@immota/base';
import type { Authority, Certificate } from '@immota/pki';
import type { BlobStore } from '@immota/store';
import type { Deltas } from '../delta/deltas.ts';
import type { Director } from '../director/director.ts';
import type { ReportObserver } from '../director/ports.ts';
import type { Catalogue } from '../image-repository/catalogue.ts';
import type { MetadataFiles } from '../image-repository/metadata-files.ts';
import type { IssuingContext } from '../inventory/credentials.ts';
import type { ReplacementPolicy } from '../inventory/register.ts';
import type { Keystore } from '../trust/keystore.ts';
import type { Exchange } from './exchange.ts';

/** Campaigns as the vehicles' client lists them when it asks its user for consent. */
export type CampaignList = (vehicleId: string) => Promise<readonly JsonObject[]>;

/** See the head of the file. */
export interface GatewayParts {
  /** Also the context of everything else. */
  readonly context: IssuingContext;
  readonly director: Director;
  readonly catalogue: Catalogue;
  readonly metadata: MetadataFiles;
  readonly blobs: BlobStore;
  readonly deltas: Deltas;
  readonly keystore: Keystore;
  readonly observer: ReportObserver;
  readonly replacement: ReplacementPolicy;
  readonly campaigns: CampaignList;
  /** The authorities whose revocations are published. */
  readonly authorities: readonly Authority[];
  /** The root and what is below it: what EST tells clients to trust. */
  readonly certificates: readonly Certificate[];
}

/** Who may use a route. */
export type RouteAudience = 'vehicle' | 'bootstrap' | 'device' | 'anyone';

/** A route. */
export interface Route {
  /** For the record of refusals. */
  readonly name: string;
  readonly audience: RouteAudience;
  /** Whether errors have no body: the vehicles' client would take it for an image. */
  readonly isBare?: boolean;
  handle(exchange: Exchange): Promise<void>;
}
