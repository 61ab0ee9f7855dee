/** A folder of vectors that a test writes and the runner runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FolderOutcome, runFolder } from '../../../vectors/run-folder.ts';
import {
  ECU,
  HARDWARE,
  IMAGE,
  makeDirector,
  makeImage,
  PLAIN,
  type Repository,
  type Spelling,
  writeRepository,
} from './author.ts';

/** The client's instant, between the two expiries that vectors know. */
export const NOW = Temporal.Instant.from('2026-01-01T00:00:00Z');

/** Where a vector expects an error. */
export type Where = 'director' | 'director target' | 'image' | 'image target';

/** One step: how it is bent, and what must come of it. */
export interface Step {
  readonly director?: Repository | ((repository: Repository) => void);
  readonly image?: Repository | ((repository: Repository) => void);
  readonly errs?: Readonly<Partial<Record<Where, string>>>;
}

/** Writes one vector called `vector` and runs it. */
export async function runSteps(
  steps: readonly Step[],
  spelling: Spelling = PLAIN,
): Promise<FolderOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'immota-vectors-'));
  try {
    for (const [index, step] of steps.entries()) {
      const place = join(folder, 'vector', String(index));
      writeRepository(join(place, 'director'), bent(makeDirector(), step.director), spelling);
      writeRepository(join(place, 'image_repo'), bent(makeImage(), step.image), spelling);
    }
    writeExpected(folder, steps, spelling);
    return await runFolder({ folder, only: undefined, now: NOW });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bent(
  repository: Repository,
  bend: Repository | ((repository: Repository) => void) | undefined,
): Repository {
  if (typeof bend === 'object') return bend;
  bend?.(repository);
  return repository;
}

/** Writes what must come of the steps. */
export function writeExpected(
  folder: string,
  steps: readonly Step[],
  spelling: Spelling = PLAIN,
): void {
  const expected = {
    params: {
      key_type: spelling.keyType,
      signature_encoding: spelling.encoding,
      cjson: 'json-subset',
      ecu_identifier: ECU,
      hardware_id: HARDWARE,
    },
    vectors: {
      vector: {
        doc: 'a vector of our own',
        steps: steps.map(({ errs = {} }) => ({
          director: {
            update: ending(errs.director),
            targets: { [IMAGE]: ending(errs['director target']) },
          },
          image_repo: {
            update: ending(errs.image),
            targets: { [IMAGE]: ending(errs['image target']) },
          },
        })),
      },
    },
  };
  writeFileSync(join(folder, 'expected.json'), JSON.stringify(expected));
}

/** What the runner says of the only vector's last step. */
export function lastStep({ vectors }: FolderOutcome): {
  readonly passed: boolean;
  readonly seen: string;
} {
  const step = vectors[0]?.steps.at(-1);
  const { code, repository, role } = step?.refusal ?? {};
  const parts = code === undefined ? ['accepted'] : [code, repository, role];
  const seen = parts.filter((part) => part !== undefined).join(' ');
  return { passed: vectors[0]?.passed ?? false, seen };
}

function ending(err: string | undefined): object {
  return err === undefined ? { is_success: true } : { is_success: false, err, err_msg: err };
}
