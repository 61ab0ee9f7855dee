/**
 * Metadata on its way to a Secondary: files under names that both ends make from what a verification
 * cycle asks for, so that the same cycle runs over the air and over the bus.
 */
import { unreachable } from '@immota/base';
import type { MetadataFile, RepositoryName, WorkflowStep } from '@immota/uptane';
import { VehicleFault } from '../vehicle-fault.ts';

/** File bytes by the names that `bundleName` gives. Nothing in it is trusted by the receiver. */
export type MetadataBundle = ReadonlyMap<string, Uint8Array>;

/** Names a file in a bundle: `director/root/3`, `image/targets/supplier`. One name a role, no versions but Root's. */
export function bundleName(repository: RepositoryName, file: MetadataFile): string {
  switch (file.kind) {
    case 'root':
      return `${repository}/root/${file.version}`;
    case 'timestamp':
    case 'snapshot':
      return `${repository}/${file.kind}`;
    case 'targets':
      return `${repository}/targets/${file.role}`;
    default:
      return unreachable(file);
  }
}

/**
 * Answers a `fetch` of a verification cycle from a bundle.
 *
 * @throws VehicleFault ENDLESS_DATA when the file is longer than the cycle allows.
 */
export function fetchFromBundle(
  bundle: MetadataBundle,
  step: Extract<WorkflowStep, { readonly kind: 'fetch' }>,
): Uint8Array | undefined {
  const name = bundleName(step.repository, step.file);
  const bytes = bundle.get(name);
  if (bytes !== undefined && bytes.length > step.lengthMaxBytes) {
    throw new VehicleFault('ENDLESS_DATA', `Cannot take "${name}": ${bytes.length} bytes`);
  }
  return bytes;
}
