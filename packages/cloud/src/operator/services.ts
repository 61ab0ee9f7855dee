/** What the operator API works on. */
import type { OidcSettings } from '../access/oidc.ts';
import type { Authorities } from '../authorities.ts';
import type { Campaigns } from '../campaign/campaigns.ts';
import type { ReleaseStore } from '../campaign/release-store.ts';
import type { IssuingContext } from '../inventory/credentials.ts';
import type { ImageUploads } from '../image-repository/upload.ts';
import type { DeploymentSecret } from '../seal.ts';
import type { Keystore } from '../trust/keystore.ts';
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
  readonly authorities: Authorities;
  readonly keystore: Keystore;
  /** Of the deployment: what is kept of people and webhooks is sealed with it. */
  readonly secret: DeploymentSecret;
  /** The provider that people sign in at; local accounts when left out. */
  readonly oidc?: OidcSettings | undefined;
  /** How browsers reach it, as `https://ota.example.com`; where it listens when left out. */
  readonly publicUrl?: string | undefined;
  /** The console's files; none are served when left out. */
  readonly consoleFiles?: { readonly folder: string } | undefined;
  /** Hosts that webhooks may reach though they are not public. */
  readonly webhookAllow?: readonly string[] | undefined;
  /** Told of what went wrong behind an answer that was given. */
  readonly failed: (error: unknown) => void;
}
