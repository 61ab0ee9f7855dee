/** Where metadata come from: the gateway over HTTPS, or a folder. The verification is the same. */
import {
  AKTUALIZR,
  metadataFileName,
  type RepositoryName,
  type StepPerformer,
  type WorkflowStep,
} from '@immota/uptane';
import { requestSmall } from '../download/request.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';

/** A `fetch` of a verification cycle. */
export type FetchStep = Extract<WorkflowStep, { readonly kind: 'fetch' }>;

/** Somewhere with the metadata of both repositories. */
export interface MetadataSource {
  /** Reads a file; undefined when it is not there; never more than the step allows. */
  fetch(step: FetchStep): Promise<Uint8Array | undefined>;
}

/** The folder of each repository at the gateway. */
const REPOSITORY_PATHS: Readonly<Record<RepositoryName, string>> = {
  director: '/director/',
  image: '/repo/',
};

/** The gateway as a source; it remembers the Timestamp's tag for the next conditional request. */
export interface GatewaySource extends MetadataSource {
  readonly timestampTag: () => string | undefined;
}

/** Makes the source over HTTPS. */
export function gatewaySource(context: PrimaryContext): GatewaySource {
  let etag: string | undefined;
  return {
    timestampTag: () => etag,
    fetch: async ({ repository, file, lengthMaxBytes }) => {
      const url = metadataUrl(context, repository, metadataFileName(AKTUALIZR, file));
      const { status, headers, bytes } = await requestSmall(context.network(), {
        method: 'GET',
        url,
        lengthMaxBytes,
      });
      if (status === 404) return undefined;
      if (status !== 200) throw new VehicleFault('HTTP_REFUSED', `Cannot fetch ${url}: ${status}`);
      if (repository === 'director' && file.kind === 'timestamp') etag = headers.get('etag');
      return bytes;
    },
  };
}

/** Names a metadata file at the gateway. */
export function metadataUrl(
  { bundle }: Pick<PrimaryContext, 'bundle'>,
  repository: RepositoryName,
  fileName: string,
): string {
  return `${bundle.gatewayOrigin}${REPOSITORY_PATHS[repository]}${fileName}`;
}

/** Carries out a cycle's steps: files from a source, the rest in the state. */
export function performFrom(
  { state }: Pick<PrimaryContext, 'state'>,
  source: MetadataSource,
): StepPerformer {
  // oxlint-disable-next-line require-await -- the port is asynchronous, the state is not
  return async (step) =>
    step.kind === 'fetch' ? source.fetch(step) : state.metadata.perform(step);
}
