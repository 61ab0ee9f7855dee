/** What the operator API works on. */
import type { Campaigns } from '../campaign/campaigns.ts';
import type { ReleaseStore } from '../campaign/release-store.ts';
import type { CloudContext } from '../context.ts';
import type { TrustContext } from '../trust/publish.ts';
import type { TrustStore } from '../trust/trust-store.ts';
import type { Caller } from './tokens.ts';

/** An image that is about to be uploaded. */
export interface UploadDescription {
  readonly name: string;
  readonly role: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly hardwareIds: readonly string[];
  readonly version: string;
  readonly releaseCounter: number;
  readonly isEncrypted: boolean;
}

/** How far an upload is. */
export interface UploadProgress {
  readonly uploadId: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Takes images {uptane D2} {uptane D3} {uptane D4}; the Image repository carries it out. */
export interface UploadService {
  /** @throws CloudFault UPLOAD_FORBIDDEN, IMAGE_EXISTS. */
  begin(caller: Caller, description: UploadDescription): Promise<UploadProgress>;
  /** @throws CloudFault UPLOAD_MISSING, UPLOAD_FORBIDDEN when it is another's. */
  progress(caller: Caller, uploadId: string): Promise<UploadProgress>;
  /** Appends; what arrived before a break is kept. @throws CloudFault UPLOAD_MISMATCH at another offset. */
  append(
    caller: Caller,
    uploadId: string,
    part: { readonly offsetBytes: number; readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<UploadProgress>;
  /** Checks length and hash, encrypts when asked, stores. @returns the image's name. */
  finish(caller: Caller, uploadId: string): Promise<string>;
}

/** Everything the routes call. */
export interface OperatorServices {
  readonly context: CloudContext;
  readonly trustContext: TrustContext;
  readonly trust: TrustStore;
  readonly releases: ReleaseStore;
  readonly campaigns: Campaigns;
  readonly uploads: UploadService;
  /** Sends a wake-up. @returns whether there is a way to send one. */
  readonly wake: (vehicleId: string) => Promise<boolean>;
  /** Told of what went wrong behind an answer that was given. */
  readonly failed: (error: unknown) => void;
}
