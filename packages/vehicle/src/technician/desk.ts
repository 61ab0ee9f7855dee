/**
 * Where vehicle and technician meet: what the vehicle waits for is shown there, and signed approvals are
 * handed in. A port, and a folder that serves as one: the vehicle's own, or what a tool of the workshop
 * reaches over the vehicle's local port. Nothing in it is believed before it was verified.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { InputFault, parseJson } from '@immota/base';
import { z } from 'zod';
import { ConditionFault } from '../conditions/condition-fault.ts';
import { APPROVAL_MAX_BYTES, INBOX_MAX, REQUEST_MAX_BYTES } from './limits.ts';
import { stopSchema } from './stop.ts';

const requestSchema = z.object({
  vehicle: z.string(),
  correlationId: z.string(),
  stop: stopSchema,
  images: z.array(z.object({ ecu: z.string(), name: z.string(), sha256: z.string() })),
  challenge: z.string(),
});

/** What a vehicle waits for: everything that its technician signs. */
export type TechnicianRequest = Readonly<z.infer<typeof requestSchema>>;

const answerSchema = z.object({
  /** SHA-256 of the approval as it was handed in. */
  sha256: z.string(),
  /** `ACCEPTED`, or why not. */
  code: z.string(),
  message: z.string(),
});

/** What the vehicle said to an approval. */
export type TechnicianAnswer = Readonly<z.infer<typeof answerSchema>>;

/** See the head of the file. */
export interface TechnicianDesk {
  /** Shows what is waited for; undefined when nothing is. */
  show(request: TechnicianRequest | undefined): void;
  /** Takes what was handed in, each once. */
  take(): readonly Uint8Array[];
  answer(answer: TechnicianAnswer): void;
}

/** A vehicle that no technician can reach: what waits for one waits on. */
export const NO_DESK: TechnicianDesk = {
  show: () => undefined,
  take: () => [],
  answer: () => undefined,
};

const REQUEST = 'request.json';
const ANSWER = 'answer.json';
const INBOX = 'inbox';
const NAME = /^[0-9a-f]{64}\.json$/;

/** A folder as the vehicle sees it. */
export interface FolderDesk extends TechnicianDesk {
  /** Hears when something was handed in. @returns what ends it. */
  listen(onHandedIn: () => void): () => void;
}

/** Opens the vehicle's side of a folder; it is made when it is missing. */
export function openFolderDesk(folder: string): FolderDesk {
  const inbox = join(folder, INBOX);
  mkdirSync(inbox, { recursive: true, mode: 0o700 });
  const request = join(folder, REQUEST);
  return {
    show: (shown) => {
      const text = shown === undefined ? undefined : JSON.stringify(shown);
      if (text === undefined) rmSync(request, { force: true });
      else if (!existsSync(request) || readFileSync(request, 'utf8') !== text)
        replace(request, text);
    },
    take: () => {
      const names = readdirSync(inbox).filter((name) => NAME.test(name));
      return names.slice(0, INBOX_MAX).map((name) => {
        const bytes = readStart(join(inbox, name));
        // Gone before it is judged: after a power cut it has to be handed in again, and never counts twice.
        rmSync(join(inbox, name), { force: true });
        return bytes;
      });
    },
    answer: (answer) => replace(join(folder, ANSWER), JSON.stringify(answer)),
    listen: (onHandedIn) => {
      const watcher = watch(inbox, { persistent: false }, () => onHandedIn());
      return () => watcher.close();
    },
  };
}

/**
 * Reads what the vehicle waits for.
 *
 * @returns undefined when it waits for no technician.
 * @throws ConditionFault APPROVAL_MALFORMED when the folder holds something else.
 */
export function readTechnicianRequest(folder: string): TechnicianRequest | undefined {
  return readDocument(join(folder, REQUEST), requestSchema);
}

/** Hands an approval in. @param sha256 - of its bytes: its name there. */
export function handInApproval(folder: string, bytes: Uint8Array, sha256: string): void {
  mkdirSync(join(folder, INBOX), { recursive: true, mode: 0o700 });
  replace(join(folder, INBOX, `${sha256}.json`), bytes);
}

/** Reads what the vehicle has said last. @throws ConditionFault APPROVAL_MALFORMED. */
export function readTechnicianAnswer(folder: string): TechnicianAnswer | undefined {
  return readDocument(join(folder, ANSWER), answerSchema);
}

function readDocument<Document>(path: string, schema: z.ZodType<Document>): Document | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const parsed = schema.safeParse(parseJson(readFileSync(path), REQUEST_MAX_BYTES));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
  }
  throw new ConditionFault('APPROVAL_MALFORMED', `Cannot read ${path}: it is not the vehicle’s`);
}

/** One byte more than an approval may have: what is cut off so is refused. */
function readStart(path: string): Uint8Array {
  const bytes = new Uint8Array(APPROVAL_MAX_BYTES + 1);
  const descriptor = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function replace(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.tmp`, content, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}
