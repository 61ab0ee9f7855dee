/** From verified assignments to downloads: which bytes, and where they may be. */
import type { TargetName, VerifiedAssignment } from '@immota/uptane';
import type { DownloadOrder } from '../download/image-download.ts';
import { digestOf } from './installation.ts';

/** An image, and every ECU that waits for it. */
export interface ImageOrder {
  readonly order: DownloadOrder;
  readonly assignments: readonly VerifiedAssignment[];
}

/**
 * Lists what is to be downloaded: each image once, however many ECUs share it {uptane I5}.
 *
 * @param imageBase - where the Image repository's images lie: `https://host/repo/targets/`.
 */
export function imageOrders(
  assignments: readonly VerifiedAssignment[],
  imageBase: string,
): readonly ImageOrder[] {
  const groups = Map.groupBy(assignments, (assignment) => digestOf(servedForm(assignment)));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ order: orderOf(first, imageBase), assignments: group }];
  });
}

/** The bytes as they are served: the encrypted form where there is one {uptane B11}. */
export function servedForm({ name, file }: VerifiedAssignment): {
  readonly name: TargetName;
  readonly lengthBytes: number;
  readonly hashes: VerifiedAssignment['file']['hashes'];
} {
  return file.encrypted ?? { name, lengthBytes: file.lengthBytes, hashes: file.hashes };
}

function orderOf(assignment: VerifiedAssignment, imageBase: string): DownloadOrder {
  const { name, lengthBytes, hashes } = servedForm(assignment);
  const { uri } = assignment.file;
  // {uptane B17} {uptane K4}: under the name that carries its hash first, which any cache may keep
  // for ever; then as the dialect's own client asks.
  const names = [prefixed(name, digestOf(servedForm(assignment))), name];
  const own = names.map((path) => imageBase + encodePath(path));
  const stated = uri === undefined || uri === NO_URI ? [] : [uri];
  return { name, expected: { lengthBytes, hashes }, urls: [...stated, ...own] };
}

/** What the dialect's tools write where there is no URI. */
const NO_URI = 'https://example.com/';

function prefixed(name: string, digest: string): string {
  const slash = name.lastIndexOf('/') + 1;
  return `${name.slice(0, slash)}${digest}.${name.slice(slash)}`;
}

/** Percent-encodes all but unreserved characters and the slash, as the dialect's own client does. */
function encodePath(path: string): string {
  return encodeURIComponent(path)
    .replaceAll('%2F', '/')
    .replaceAll(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}
