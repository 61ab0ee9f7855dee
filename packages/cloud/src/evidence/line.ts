/**
 * The lines of a file of evidence: each numbered, each chained to the one before it, so that what was
 * changed, taken out or moved is found where it happened and before anything else is believed.
 */
import { createHash } from 'node:crypto';
import { equalBytes, isJsonObject, type JsonObject, parseJson, utf8 } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';
import { EvidenceFault } from './evidence-fault.ts';

/** A release document in base64 is the longest thing in a line. */
const LINE_MAX_BYTES: number = 8 * 1_048_576;

/** What lines there are, in the order of their sections. */
export const LINE_KINDS = [
  'header',
  'root',
  'release',
  'image',
  'dossier',
  'decision',
  'register',
  'configuration',
  'target',
  'consent',
  'event',
  'result',
  'checkpoint',
  'trailer',
] as const;
/** One of them. */
export type LineKind = (typeof LINE_KINDS)[number];

/** A line, read. */
export interface EvidenceLine {
  /** 1, 2, 3 … without a gap. */
  readonly n: number;
  readonly kind: LineKind;
  readonly body: JsonObject;
  /** As the line states it. */
  readonly hash: Uint8Array;
}

/** What the first line is chained to. */
export const FIRST_HASH: Uint8Array = new Uint8Array(32);

/** Computes a line's hash: SHA-256 over the hash before it and its own canonical JSON. */
export function lineHash(
  previous: Uint8Array,
  { n, kind, body }: Pick<EvidenceLine, 'n' | 'kind' | 'body'>,
): Uint8Array {
  const digest = createHash('sha256')
    .update(previous)
    .update(encodeCanonical({ body, kind, n }, 'escaped'));
  return new Uint8Array(digest.digest());
}

/** Writes lines, one after the other. */
export class LineWriter {
  #n = 0;
  #hash = FIRST_HASH;
  readonly #counts = new Map<LineKind, number>();

  /** Writes one line, its line break included. */
  write(kind: LineKind, body: JsonObject): Uint8Array {
    this.#n += 1;
    this.#hash = lineHash(this.#hash, { n: this.#n, kind, body });
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const hash = Buffer.from(this.#hash).toString('hex');
    return utf8(`${JSON.stringify({ n: this.#n, kind, body, hash })}\n`);
  }

  /** What the trailer signs: how many lines of each kind, and the last hash. */
  summary(): JsonObject {
    return {
      lines: this.#n,
      counts: Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      hash: Buffer.from(this.#hash).toString('hex'),
    };
  }
}

/** Reads a line. @throws EvidenceFault EVIDENCE_MALFORMED. */
function parseLine(bytes: Uint8Array): EvidenceLine {
  let value: unknown;
  try {
    value = parseJson(bytes, LINE_MAX_BYTES);
  } catch (error) {
    throw new EvidenceFault('EVIDENCE_MALFORMED', 'Cannot read line: it is no JSON', {
      cause: error,
    });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseJson gives JSON alone
  const line = value as JsonObject;
  if (isJsonObject(line)) {
    const { n, kind: name, body, hash } = line;
    const kind = LINE_KINDS.find((known) => known === name);
    const isHash = typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
    if (typeof n === 'number' && kind !== undefined && isJsonObject(body) && isHash) {
      return { n, kind, body, hash: Uint8Array.fromHex(hash) };
    }
  }
  throw new EvidenceFault('EVIDENCE_MALFORMED', 'Cannot read line: it is no line of evidence');
}

/**
 * Takes a file apart into its lines, and checks each against the one before it.
 *
 * @param chunks - of the file.
 * @throws EvidenceFault EVIDENCE_MALFORMED, EVIDENCE_LINE, EVIDENCE_GAP, EVIDENCE_ORDER.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly line: EvidenceLine; readonly previous: Uint8Array }> {
  let previous = FIRST_HASH;
  let expected = 1;
  const lines = splitLines(chunks);
  for await (const bytes of lines) {
    const line = parseLine(bytes);
    if (line.n !== expected) throw await misplaced(lines, line, expected);
    if (!equalBytes(lineHash(previous, line), line.hash)) {
      throw new EvidenceFault('EVIDENCE_LINE', `Cannot trust line ${expected}: it was changed`);
    }
    yield { line, previous };
    previous = line.hash;
    expected += 1;
  }
}

/** Finds out whether the line that should have come stands further down, or nowhere. */
async function misplaced(
  rest: AsyncIterable<Uint8Array>,
  found: EvidenceLine,
  expected: number,
): Promise<EvidenceFault> {
  const moved = new EvidenceFault(
    'EVIDENCE_ORDER',
    `Cannot trust line ${expected}: line ${found.n} stands in its place`,
  );
  if (found.n < expected) return moved;
  for await (const bytes of rest) {
    if (parseLine(bytes).n === expected) return moved;
  }
  return new EvidenceFault('EVIDENCE_GAP', `Cannot trust line ${expected}: it is missing`);
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      parts.push(chunk.subarray(start, end));
      yield Buffer.concat(parts);
      parts = [];
      length = 0;
      start = end + 1;
    }
    parts.push(chunk.slice(start));
    length += chunk.length - start;
    if (length > LINE_MAX_BYTES) {
      throw new EvidenceFault('EVIDENCE_MALFORMED', 'Cannot read line: it is too long');
    }
  }
  if (length > 0) yield Buffer.concat(parts);
}
