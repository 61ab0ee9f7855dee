import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isJsonObject, type JsonObject, type JsonValue, utf8 } from '@immota/base';
import {
  anchorRoot,
  attestTime,
  decodeManifest,
  decodeReport,
  decodeRoot,
  decodeSnapshot,
  decodeTargets,
  decodeTimestamp,
  type Dialect,
  parseTargetName,
  parseVehicleIdentifier,
  signManifest,
  signReport,
  TARGETS_ROLE,
  UptaneFault,
  verifyManifest,
  verifyTime,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { teamOf } from '../support/repository.ts';
import { BRAKE, DIALECTS, makeWorld, measure, NOW, TBOX } from '../support/world.ts';

type Reader = (bytes: Uint8Array) => unknown;

/** Reads; anything but a value or a coded refusal fails the test. */
function read(reader: Reader, bytes: Uint8Array): void {
  try {
    reader(bytes);
  } catch (error) {
    assert.ok(error instanceof UptaneFault, String(error));
    assert.match(error.code, /^[A-Z_]+$/);
  }
}

const odd: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, 0, -1, 1.5, 2 ** 53, '', '__proto__', [], {}, [[]], 'é🚗'),
  fc.constantFrom<JsonValue>('Root', 'targets', '2030-01-01T00:00:00Z', '0'.repeat(64), [1], {
    a: 1,
  }),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue),
);

/** A document with one node, anywhere, replaced, doubled under another name, or taken away. */
function mutated(document: JsonValue): fc.Arbitrary<JsonValue> {
  const paths = pathsOf(document);
  return fc
    .tuple(fc.nat({ max: paths.length - 1 }), odd, fc.constantFrom('replace', 'remove', 'add'))
    .map(([index, value, how]) => change(document, paths[index] ?? [], value, how));
}

function pathsOf(value: JsonValue, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name])),
  ];
}

function change(
  value: JsonValue,
  path: readonly string[],
  other: JsonValue,
  how: string,
): JsonValue {
  const [name, ...rest] = path;
  if (name === undefined) {
    return how === 'add' && isJsonObject(value) ? { ...value, more: other } : other;
  }
  if (!isJsonObject(value)) {
    const items = value as readonly JsonValue[];
    return items.map((item, index) =>
      String(index) === name ? change(item, rest, other, how) : item,
    );
  }
  const entries = Object.entries(value).flatMap(([each, inner]) => {
    if (each !== name) return [[each, inner] as const];
    return how === 'remove' && rest.length === 0
      ? []
      : [[each, change(inner, rest, other, how)] as const];
  });
  return Object.fromEntries(entries);
}

interface Subject {
  readonly name: string;
  readonly reader: Reader;
  readonly document: JsonValue;
}

async function subjectsOf(dialect: Dialect): Promise<readonly Subject[]> {
  const world = await makeWorld({ dialect });
  const { image, director } = world;
  director.timeTeam = teamOf('time', 'classic');
  const root = anchorRoot(decodeRoot(dialect, await director.publishRoot(), 1e6));
  const targets: Reader = (bytes) =>
    decodeTargets(dialect, bytes, { role: TARGETS_ROLE, lengthMax: 1e6 });
  const served = (repository: typeof image, role: string): JsonValue =>
    parse(repository.served.get(repository.fileNameOf(role)) ?? new Uint8Array());
  const nonce = 'ab'.repeat(16);
  return [
    {
      name: 'Root',
      reader: (bytes) => decodeRoot(dialect, bytes, 1e6),
      document: served(image, 'root'),
    },
    {
      name: 'Timestamp',
      reader: (bytes) => decodeTimestamp(dialect, bytes, 1e6),
      document: served(image, 'timestamp'),
    },
    {
      name: 'Snapshot',
      reader: (bytes) => decodeSnapshot(dialect, bytes, 1e6),
      document: served(image, 'snapshot'),
    },
    { name: 'Image Targets', reader: targets, document: served(image, 'targets') },
    { name: 'Director Targets', reader: targets, document: served(director, 'targets') },
    {
      name: 'time attestation',
      reader: (bytes) => verifyTime(bytes, { root, nonce, floor: NOW }),
      document: parse(await attestTime(NOW, [nonce], director.timeTeam.signers)),
    },
  ];
}

function parse(bytes: Uint8Array): JsonValue {
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonValue;
}

async function manifestSubjects(): Promise<readonly Subject[]> {
  const signer = signerOf('tbox');
  const report = {
    installedImage: { name: parseTargetName('fw'), ...measure(utf8('fw')) },
    attacksDetected: '',
    timeAttested: NOW,
    timePrevious: NOW,
    counter: 1,
    custom: { a: 1 },
  };
  const reports = new Map<typeof TBOX, JsonObject>();
  for (const ecuIdentifier of [TBOX, BRAKE]) {
    // oxlint-disable-next-line no-await-in-loop -- two reports
    reports.set(ecuIdentifier, await signReport({ ...report, ecuIdentifier }, signer));
  }
  const vehicleIdentifier = parseVehicleIdentifier('V');
  const manifest = await signManifest(
    { vehicleIdentifier, primaryEcuIdentifier: TBOX, reports },
    signer,
  );
  const keys = { primaryEcuIdentifier: TBOX, ecus: new Map() };
  return [
    {
      name: 'manifest',
      reader: (bytes) => verifyManifest(decodeManifest(bytes), keys),
      document: parse(manifest),
    },
    {
      name: 'report',
      reader: (bytes) => {
        const value = parse(bytes);
        return isJsonObject(value) ? decodeReport(value) : undefined;
      },
      document: reports.get(TBOX) ?? {},
    },
  ];
}

function fuzz({ reader, document }: Subject): void {
  const good = utf8(JSON.stringify(document));
  read(reader, good);
  fc.assert(
    fc.property(mutated(document), (value) => {
      read(reader, utf8(JSON.stringify(value)));
    }),
    { numRuns: 120 },
  );
}

describe('every reader of outside bytes', () => {
  for (const dialect of DIALECTS) {
    it(`gives a value or a coded refusal for any change of a right document, ${dialect.name}`, async () => {
      for (const subject of await subjectsOf(dialect)) fuzz(subject);
    });

    it(`gives a value or a coded refusal for any bytes, ${dialect.name}`, async () => {
      const subjects = await subjectsOf(dialect);
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.json().map((text) => utf8(text)),
        fc
          .string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '\\', 'a') })
          .map((text) => utf8(text)),
      );
      fc.assert(
        fc.property(bytes, (any) => {
          for (const { reader } of subjects) read(reader, any);
        }),
        { numRuns: 80 },
      );
    });
  }

  it('gives a value or a coded refusal for any change of a manifest or a report', async () => {
    for (const subject of await manifestSubjects()) fuzz(subject);
  });
});
