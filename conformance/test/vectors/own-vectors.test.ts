/** Vectors that the published set leaves out, in its form: each error, each role, each repository. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CONTENT,
  delegateAll,
  delegation,
  draftOf,
  HARDWARE,
  hashesOf,
  IMAGE,
  type Members,
  PAST,
  type Repository,
  roleOf,
  rootOf,
  targetOf,
} from './support/author.ts';
import { lastStep, runSteps, type Step } from './support/folder.ts';

type Case = readonly [what: string, step: Step, seen: string];

/** Lists a role's key under another name than the one by which it signs. */
function misname(keys: Members, id: string): void {
  keys['key-misnamed'] = keys[id] ?? null;
  delete keys[id];
}

const ROLES = {
  director: ['root', 'targets'],
  image: ['root', 'timestamp', 'snapshot', 'targets'],
} as const;

const KEYS: Readonly<Record<string, number>> = {
  'director root': 4,
  'director targets': 5,
  'image root': 0,
  'image targets': 1,
  'image snapshot': 2,
  'image timestamp': 3,
};

/** The faults that each role of each repository can have. */
function casesOf(repository: 'director' | 'image', name: string): readonly Case[] {
  const at = (bend: (bent: Repository) => void, err: string): Step => ({
    [repository]: bend,
    errs: { [repository]: err },
  });
  const Name = name.charAt(0).toUpperCase() + name.slice(1);
  const place = `${repository} ${name}`;
  const key = KEYS[place] ?? 0;
  return [
    [
      `${place} unsigned`,
      at((bent) => void (draftOf(bent, name).signers = []), `UnmetThreshold::${Name}`),
      `SIGNATURE_THRESHOLD ${place}`,
    ],
    [
      `${place} with an unmet threshold`,
      at((bent) => void (roleOf(bent, name)['threshold'] = 2), `UnmetThreshold::${Name}`),
      `SIGNATURE_THRESHOLD ${place}`,
    ],
    [
      `${place} with a threshold of zero`,
      at((bent) => void (roleOf(bent, name)['threshold'] = 0), `IllegalThreshold::${Name}`),
      `THRESHOLD_INVALID ${place}`,
    ],
    [
      `${place} with a threshold beyond reason`,
      at((bent) => void (roleOf(bent, name)['threshold'] = 1001), `IllegalThreshold::${Name}`),
      `THRESHOLD_INVALID ${place}`,
    ],
    [
      `${place} signed twice by one key`,
      at((bent) => void draftOf(bent, name).signers.push(key), `NonUniqueSignatures::${Name}`),
      `SIGNATURE_DUPLICATE ${place}`,
    ],
    [
      `${place} whose key is listed under another name`,
      at((bent) => misname(rootOf(bent)['keys'] as Members, `key-${key}`), 'BadKeyId'),
      `SIGNATURE_THRESHOLD ${place}`,
    ],
    [
      `${place} expired`,
      at((bent) => void (draftOf(bent, name).signed['expires'] = PAST), `ExpiredMetadata::${Name}`),
      `EXPIRED ${place}`,
    ],
    [
      `${place} of another type`,
      at((bent) => void (draftOf(bent, name).signed['_type'] = 'x'), `SecurityException::${Name}`),
      `ROLE_TYPE ${place}`,
    ],
    [
      `${place} whose type is in small letters`,
      at((bent) => void (draftOf(bent, name).signed['_type'] = name), `InvalidMetadata::${Name}`),
      `ROLE_TYPE ${place}`,
    ],
    [
      `${place} with a fraction of a second in its expiry`,
      at(
        (bent) => void (draftOf(bent, name).signed['expires'] = '2038-01-19T03:14:06.000Z'),
        `InvalidMetadata::${Name}`,
      ),
      `MALFORMED ${place}`,
    ],
  ];
}

/** The faults of a delegated role. */
const DELEGATED: readonly Case[] = [
  [
    'a delegated role whose key is listed under another name',
    {
      image: (image): void => {
        delegateAll(image);
        misname((image.targets.signed['delegations'] as Members)['keys'] as Members, 'key-6');
      },
      errs: { image: 'BadKeyId' },
    },
    'SIGNATURE_THRESHOLD image foo',
  ],
  [
    'a delegated role whose key is not listed at all',
    {
      image: (image): void => {
        delegateAll(image);
        (image.targets.signed['delegations'] as Members)['keys'] = {};
      },
      errs: { image: 'BadKeyId' },
    },
    'SIGNATURE_THRESHOLD image foo',
  ],
  [
    'a delegation that does not cover the name',
    {
      image: (image): void => {
        delegateAll(image);
        delegation(image)['paths'] = ['does-not-match'];
      },
      errs: { 'director target': 'TargetMismatch' },
    },
    'TARGET_UNKNOWN image targets',
  ],
  [
    'a delegated role that does not list the image',
    {
      image: (image) => void (delegateAll(image).signed['targets'] = {}),
      errs: { 'director target': 'TargetMismatch' },
    },
    'TARGET_UNKNOWN image targets',
  ],
  [
    'a delegated role that lists another hash',
    {
      image: (image) => void (targetOf(delegateAll(image))['hashes'] = hashesOf('', true)),
      errs: { 'director target': 'TargetMismatch' },
    },
    'TARGET_MISMATCH image targets',
  ],
  [
    'a delegated role that expired',
    {
      image: (image) => void (delegateAll(image).signed['expires'] = PAST),
      errs: { 'director target': 'TargetMismatch' },
    },
    'EXPIRED image foo',
  ],
  [
    'a delegated file that is not the one whose hash Snapshot names',
    {
      image: (image): void => {
        delegateAll(image);
        image.bendSnapshot = (meta) => {
          meta['foo.json'] = { version: 1, hashes: hashesOf('', true) };
        };
      },
      errs: { image: 'DelegationHashMismatch::foo' },
    },
    'METADATA_HASH image foo',
  ],
  [
    'a delegated file that is not served',
    {
      image: (image): void => {
        delegateAll(image, 'missing');
        image.unserved.add('delegations/missing.json');
      },
      errs: { image: 'DelegationMissing::missing' },
    },
    'DELEGATION_MISSING image missing',
  ],
];

const IMAGES: readonly Case[] = [
  [
    'a Director that states another length',
    {
      director: ({ targets }) => void (targetOf(targets)['length'] = CONTENT.length - 1),
      errs: { 'image target': 'TargetMismatch' },
    },
    'TARGET_MISMATCH image targets',
  ],
  [
    'an Image repository that states another length',
    {
      image: ({ targets }) => void (targetOf(targets)['length'] = CONTENT.length - 1),
      errs: { 'director target': 'TargetMismatch' },
    },
    'TARGET_MISMATCH image targets',
  ],
  [
    'other hardware in both repositories',
    {
      director: ({ targets }): void => {
        targetOf(targets)['custom'] = {
          ecuIdentifiers: { test_primary_ecu_serial: { hardwareId: `${HARDWARE}-XXX` } },
        };
      },
      image: ({ targets }): void => {
        targetOf(targets)['custom'] = { hardwareIds: [`${HARDWARE}-XXX`] };
      },
      errs: { 'director target': 'BadHardwareId', 'image target': 'BadHardwareId' },
    },
    'HARDWARE_MISMATCH director targets',
  ],
  [
    'an image with other bytes',
    {
      image: ({ images }) => void images.set(IMAGE, CONTENT.replaceAll('w', 'W')),
      errs: { 'director target': 'TargetHashMismatch' },
    },
    'IMAGE_HASH',
  ],
  [
    'an image with fewer bytes',
    {
      image: ({ images }) => void images.set(IMAGE, CONTENT.slice(1)),
      errs: { 'image target': 'TargetHashMismatch' },
    },
    'IMAGE_LENGTH',
  ],
  [
    'an image without end',
    {
      image: ({ images }) => void images.set(IMAGE, CONTENT.repeat(1000)),
      errs: { 'director target': 'OversizedTarget', 'image target': 'TargetHashMismatch' },
    },
    'IMAGE_LENGTH',
  ],
];

/** Lists 30,000 images more, some ten megabytes. */
function overfill({ targets }: Repository): void {
  const listing = targets.signed['targets'] as Members;
  for (let index = 1; index < 30_720; index += 1)
    listing[`${IMAGE}${index}`] = listing[IMAGE] ?? {};
}

const FILES: readonly Case[] = [
  [
    'Image Targets beyond all bounds',
    { image: overfill, errs: { 'image target': 'MetadataFetchFailure::Targets::Image' } },
    'LIMIT image targets',
  ],
  [
    'Director Targets beyond all bounds',
    { director: overfill, errs: { 'director target': 'MetadataFetchFailure::Targets::Director' } },
    'LIMIT director targets',
  ],
  [
    'a Director without Targets',
    {
      director: ({ unserved }) => void unserved.add('targets.json'),
      errs: { director: 'MetadataFetchFailure::Targets' },
    },
    'METADATA_MISSING director targets',
  ],
  [
    'an Image repository without Timestamp',
    {
      image: ({ unserved }) => void unserved.add('timestamp.json'),
      errs: { image: 'MetadataFetchFailure::Timestamp' },
    },
    'METADATA_MISSING image timestamp',
  ],
  [
    'a Director without Root',
    {
      director: ({ unserved }) => void unserved.add('1.root.json'),
      errs: { director: 'MissingRepo::Director' },
    },
    'METADATA_MISSING director root',
  ],
  [
    'a Snapshot that is not the one whose hash Timestamp names',
    {
      image: (image): void => {
        image.bendTimestamp = (info) => void (info['hashes'] = hashesOf('', true));
      },
      errs: { image: 'SecurityException::Snapshot' },
    },
    'METADATA_HASH image snapshot',
  ],
  [
    'a Snapshot of another version than Timestamp names',
    {
      image: (image): void => {
        image.bendTimestamp = (info) => void (info['version'] = 2);
      },
      errs: { image: 'VersionMismatch::Snapshot' },
    },
    'VERSION_MISMATCH image snapshot',
  ],
  [
    'a Snapshot longer than Timestamp states',
    {
      image: (image): void => {
        image.bendTimestamp = (info) => void (info['length'] = 20);
      },
      errs: { image: 'OversizedMetadata::Snapshot' },
    },
    'LIMIT image snapshot',
  ],
  [
    'Targets that are not those whose hash Snapshot names',
    {
      image: (image): void => {
        image.bendSnapshot = (meta) => {
          meta['targets.json'] = { version: 1, hashes: hashesOf('', true) };
        };
      },
      errs: { image: 'MetadataHashMismatch::Targets' },
    },
    'METADATA_HASH image targets',
  ],
];

function describeCases(what: string, cases: readonly Case[]): void {
  describe(what, () => {
    it('accepts the vector before it is bent', async () => {
      assert.deepEqual(lastStep(await runSteps([{}])), { passed: true, seen: 'accepted' });
    });
    for (const [name, step, seen] of cases) {
      it(`refuses ${name} with ${seen.split(' ')[0]}`, async () => {
        assert.deepEqual(lastStep(await runSteps([step])), { passed: true, seen });
      });
    }
  });
}

for (const repository of ['director', 'image'] as const) {
  for (const name of ROLES[repository]) {
    describeCases(`vectors: ${repository} ${name}`, casesOf(repository, name));
  }
}
describeCases('vectors: delegated roles', DELEGATED);
describeCases('vectors: images', IMAGES);
describeCases('vectors: files', FILES);
