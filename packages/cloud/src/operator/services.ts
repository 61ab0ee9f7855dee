/** What the operator API works on. */
import type { Campaigns } from '../campaign/campaigns.ts';
import type { ReleaseStore } from '../campaign/release-store.ts';
import type { IssuingContext } from '../inventory/credentials.ts';
import type { ImageUploads } from '../image-repository/upload.ts';
import type { TrustContext } from '../trust/publish.ts';
import type { TrustStore } from '../trust/trust-store.ts';

/** Everything the routes call. */
export interface OperatorServices {
  readonly context: IssuingContext;
  readonly trustContext: TrustContext;
  readonly trust: TrustStore;
  readonly releases: ReleaseStore;
  readonly campaigns: Campaigns;
  readonly uploads: ImageUploads;
  /** Sends a wake-up. @returns whether there is a way to send one. */
  readonly wake: (vehicleId: string) => Promise<boolean>;
  /** Told of what went wrong behind an answer that was given. */
  readonly failed: (error: unknown) => void;
}
