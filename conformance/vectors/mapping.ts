/**
 * The words of two clients for one refusal: the errors that the vectors expect, and our codes.
 *
 * The vectors were made with another client in mind. Where both refuse for the same reason the row is
 * one to one. Where the rows are wider, `reason` says why our code is the same refusal, or a stricter
 * one, of the same attack.
 */
import { unreachable } from '@immota/base';
import type { RepositoryName, UptaneFaultCode } from '@immota/uptane';

/** What must be true of the place where our refusal arose. */
export interface Place {
  /** `expected`: the repository whose update, or whose name in the error, is expected to fail. */
  readonly repository: 'expected' | RepositoryName | 'either';
  /** `expected`: the role that the error names, where it names one. */
  readonly role: 'expected' | 'root' | 'targets' | 'delegated' | 'any';
}

/** One of our refusals. */
export interface Refusal extends Place {
  readonly code: UptaneFaultCode;
}

/** One row: an error as the vectors spell it, without the role after `::`. */
export interface Row {
  readonly err: string;
  readonly refusals: readonly Refusal[];
  readonly reason: string;
}

const HERE: Place = { repository: 'expected', role: 'expected' };

/** Every error that the vectors' generator and its client know. */
export const MAPPING: readonly Row[] = [
  {
    err: 'UnmetThreshold',
    refusals: [{ code: 'SIGNATURE_THRESHOLD', ...HERE }],
    reason: 'Too few of the role’s own keys signed.',
  },
  {
    err: 'IllegalThreshold',
    refusals: [{ code: 'THRESHOLD_INVALID', ...HERE }],
    reason:
      'A threshold below 1 or above 1000. We refuse the file that states it, before its role is asked for; the refusal carries the role’s name.',
  },
  {
    err: 'NonUniqueSignatures',
    refusals: [{ code: 'SIGNATURE_DUPLICATE', ...HERE }],
    reason: 'One key identifier stands twice among the signatures.',
  },
  {
    err: 'BadKeyId',
    refusals: [{ code: 'SIGNATURE_THRESHOLD', repository: 'expected', role: 'any' }],
    reason:
      'To us an identifier is a name, not a hash {uptane B2}: a key listed under another name than the one that the role and the signature use did not sign. That client also says this of a single signature that does not verify, so Root rotations without the old or the new key’s signature end here too.',
  },
  {
    err: 'IllegalRsaKeySize',
    refusals: [{ code: 'SIGNATURE_THRESHOLD', repository: 'expected', role: 'any' }],
    reason: 'An RSA key of another size than 2048, 3072 or 4096 bits verifies nothing.',
  },
  {
    err: 'ExpiredMetadata',
    refusals: [{ code: 'EXPIRED', ...HERE }],
    reason: 'Run out at the attested time.',
  },
  {
    err: 'VersionMismatch',
    refusals: [{ code: 'VERSION_MISMATCH', ...HERE }],
    reason: 'Snapshot names another version of the role, or does not list it.',
  },
  {
    err: 'MetadataHashMismatch',
    refusals: [{ code: 'METADATA_HASH', ...HERE }],
    reason: 'The file is not the one whose hash Timestamp or Snapshot names.',
  },
  {
    err: 'OversizedMetadata',
    refusals: [
      { code: 'METADATA_HASH', ...HERE },
      { code: 'LIMIT', ...HERE },
    ],
    reason: 'Longer than Timestamp or Snapshot states, or than the role may be at all.',
  },
  {
    err: 'DelegationHashMismatch',
    refusals: [{ code: 'METADATA_HASH', repository: 'image', role: 'expected' }],
    reason: 'The delegated file is not the one whose hash Snapshot names.',
  },
  {
    err: 'DelegationMissing',
    refusals: [{ code: 'DELEGATION_MISSING', repository: 'image', role: 'expected' }],
    reason: 'The search needs a delegated file that the repository does not serve.',
  },
  {
    err: 'SecurityException',
    refusals: [
      { code: 'ROLE_TYPE', ...HERE },
      { code: 'ROLLBACK', ...HERE },
      { code: 'METADATA_HASH', ...HERE },
    ],
    reason:
      'That client’s word for several attacks: metadata of one type in the place of another (`_type`), a version below a trusted one, and a Snapshot whose hash is not the one that Timestamp names.',
  },
  {
    err: 'InvalidMetadata',
    refusals: [
      { code: 'MALFORMED', ...HERE },
      { code: 'ROLE_TYPE', ...HERE },
    ],
    reason: 'Not of the shape that the role demands; that client checks the exact `_type` there.',
  },
  {
    err: 'MetadataFetchFailure',
    refusals: [
      { code: 'METADATA_MISSING', ...HERE },
      { code: 'DELEGATION_MISSING', ...HERE },
      { code: 'LIMIT', ...HERE },
    ],
    reason:
      'Not there, or longer than the role may be: the download stops at the limit, so there is nothing to verify. The vectors note it beside the target; we refuse earlier, in the update.',
  },
  {
    err: 'MissingRepo',
    refusals: [{ code: 'METADATA_MISSING', repository: 'expected', role: 'root' }],
    reason: 'A repository without a first Root.',
  },
  {
    err: 'RootRotationError',
    refusals: [{ code: 'ROOT_VERSION', repository: 'expected', role: 'root' }],
    reason: 'The next Root is not exactly the next version {uptane L7}.',
  },
  {
    err: 'DirectorDelegation',
    refusals: [{ code: 'DIRECTOR_DELEGATION', repository: 'director', role: 'targets' }],
    reason: 'The Director delegates {uptane C9}.',
  },
  {
    err: 'DirectorRepeatedEcuId',
    refusals: [{ code: 'ECU_DUPLICATE', repository: 'director', role: 'targets' }],
    reason: 'One ECU in two entries {uptane L10}.',
  },
  {
    err: 'BadEcuId',
    refusals: [{ code: 'ECU_UNKNOWN', repository: 'director', role: 'targets' }],
    reason: 'The Director names an ECU that the vehicle has not.',
  },
  {
    err: 'BadHardwareId',
    refusals: [{ code: 'HARDWARE_MISMATCH', repository: 'director', role: 'targets' }],
    reason: 'The Director’s entry is for other hardware than the ECU’s.',
  },
  {
    err: 'TargetMismatch',
    refusals: [
      { code: 'TARGET_MISMATCH', repository: 'image', role: 'any' },
      { code: 'TARGET_UNKNOWN', repository: 'image', role: 'any' },
      { code: 'HARDWARE_MISMATCH', repository: 'image', role: 'any' },
      { code: 'EXPIRED', repository: 'image', role: 'delegated' },
    ],
    reason:
      'The repositories do not state the same image for the same hardware: we tell apart another length or hash, no entry at all, and other hardware. A delegated role that ran out: that client passes over it and finds no entry, we refuse it {uptane L11}; either way nothing is installed.',
  },
  {
    err: 'UnavailableTarget',
    refusals: [{ code: 'TARGET_UNKNOWN', repository: 'image', role: 'any' }],
    reason: 'No role in the chain of trust lists the image.',
  },
  {
    err: 'OversizedTarget',
    refusals: [{ code: 'IMAGE_LENGTH', repository: 'either', role: 'any' }],
    reason: 'More bytes than both repositories state: the download stops one byte beyond.',
  },
  {
    err: 'TargetHashMismatch',
    refusals: [
      { code: 'IMAGE_HASH', repository: 'either', role: 'any' },
      { code: 'IMAGE_LENGTH', repository: 'either', role: 'any' },
    ],
    reason:
      'Other bytes than both repositories state; of another length they cannot have the hash.',
  },
];

/** A refusal of ours, as the runner saw it. */
export interface Seen {
  readonly code: string;
  readonly repository: RepositoryName | undefined;
  readonly role: string | undefined;
}

/** An error that the vectors expect, and where. */
export interface ExpectedError {
  /** As in `expected.json`: `Base`, `Base::Role` or `Base::Role::Repository`. */
  readonly err: string;
  /** Whose update or target is expected to fail. */
  readonly repository: RepositoryName;
}

/**
 * Tells whether our refusal is what the vectors expect.
 *
 * @returns the row that says so, or undefined.
 */
export function findRow(expected: ExpectedError, seen: Seen): Row | undefined {
  const [base = '', role, where] = expected.err.split('::');
  const row = MAPPING.find(({ err }) => err === base);
  const repository = repositoryNamed(where ?? role) ?? expected.repository;
  const named = repositoryNamed(role) === undefined ? role : undefined;
  const fits = row?.refusals.some(
    (refusal) =>
      refusal.code === seen.code &&
      repositoryFits(refusal, repository, seen.repository) &&
      roleFits(refusal, named, seen.role),
  );
  return fits === true ? row : undefined;
}

function repositoryNamed(text: string | undefined): RepositoryName | undefined {
  if (text === 'Director') return 'director';
  return text === 'Image' || text === 'Repo' ? 'image' : undefined;
}

function repositoryFits(
  { repository }: Place,
  expected: RepositoryName,
  seen: RepositoryName | undefined,
): boolean {
  if (repository === 'either') return true;
  return seen === (repository === 'expected' ? expected : repository);
}

const TOP_LEVEL: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot', 'targets']);

/** The vectors write top-level roles with a capital, and delegated ones as they are. */
function roleFits(
  { role }: Place,
  expected: string | undefined,
  seen: string | undefined,
): boolean {
  switch (role) {
    case 'any':
      return true;
    case 'delegated':
      return seen !== undefined && !TOP_LEVEL.has(seen);
    case 'expected': {
      if (expected === undefined) return true;
      const lower = expected.toLowerCase();
      return seen === (TOP_LEVEL.has(lower) ? lower : expected);
    }
    case 'root':
    case 'targets':
      return seen === role;
    default:
      return unreachable(role);
  }
}

/** Writes the table for the guide, so that the guide cannot say anything else. */
export function renderMapping(): string {
  const rows = MAPPING.map(({ err, refusals, reason }) => {
    const codes = refusals.map(({ code, repository, role }) => {
      const places = [
        ...(repository === 'expected' || repository === 'either' ? [] : [repository]),
        ...(role === 'expected' || role === 'any' ? [] : [role]),
      ];
      return places.length === 0 ? `\`${code}\`` : `\`${code}\` (${places.join(' ')})`;
    });
    return `| \`${err}\` | ${codes.join(', ')} | ${reason} |`;
  });
  return ['| expected | ours | why it is the same |', '|---|---|---|', ...rows].join('\n');
}
