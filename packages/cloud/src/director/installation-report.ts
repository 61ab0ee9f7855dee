/** What a Primary says of an installation: its own words, inside the signed manifest. */
import { isJsonObject, type JsonObject, type JsonValue } from '@immota/base';
import { HEALTH_MAX_CHARACTERS, REPORT_TEXT_MAX_CHARACTERS } from '../limits.ts';
import { storableObject, storableText } from '../storable.ts';

/** How an installation went. */
export interface InstallationResult {
  readonly correlationId: string;
  readonly isSuccess: boolean;
  readonly code: string;
  readonly description: string;
  readonly ecus: ReadonlyMap<string, { readonly isSuccess: boolean; readonly code: string }>;
}

/** Where an update stands, as our own vehicles say in `custom.progress` of their manifests. */
export interface Progress {
  readonly correlationId: string;
  readonly state: string;
  readonly measured: JsonObject;
}

/** What a technician has said, each part a short text. */
export type TechnicianWord = Readonly<Record<string, string>>;

/** Words of one manifest: a vehicle keeps no more. */
const TECHNICIAN_WORDS_MAX = 16;
const WORD_PARTS = [
  'correlationId',
  'step',
  'decision',
  'technician',
  'workSha256',
  'approvalSha256',
  'at',
] as const;

/**
 * Reads an installation report. Its codes are free text; whatever has another shape is as if nothing was
 * said, since the manifest around it is still good.
 */
export function parseInstallationReport(
  value: JsonObject | undefined,
): InstallationResult | undefined {
  const report = value?.['report'];
  if (!isJsonObject(report)) return undefined;
  const result = readResult(report);
  const correlationId = readText(report['correlation_id']);
  if (result === undefined || correlationId === undefined) return undefined;
  const items = Array.isArray(report['items']) ? (report['items'] as readonly JsonValue[]) : [];
  const ecus = new Map<string, { readonly isSuccess: boolean; readonly code: string }>();
  for (const item of items) {
    if (!isJsonObject(item)) continue;
    const ecu = readText(item['ecu']);
    const own = readResult(item);
    if (ecu !== undefined && own !== undefined) {
      ecus.set(ecu, { isSuccess: own.isSuccess, code: own.code });
    }
  }
  return { correlationId, ...result, ecus };
}

/** Reads where an update stands, if the vehicle says so. */
export function parseProgress(custom: JsonObject): Progress | undefined {
  const { progress } = custom;
  if (!isJsonObject(progress)) return undefined;
  const correlationId = readText(progress['correlationId']);
  const state = readText(progress['state']);
  if (correlationId === undefined || state === undefined) return undefined;
  const { measured } = progress;
  const isShort =
    isJsonObject(measured) && JSON.stringify(measured).length <= HEALTH_MAX_CHARACTERS;
  return { correlationId, state, measured: isShort ? storableObject(measured) : {} };
}

/**
 * Reads which technicians have spoken, in `custom.technician` of our own vehicles' manifests: who has let
 * an update go on, or stopped it {R156 7.1.4.2}.
 */
export function parseTechnicianWords(custom: JsonObject): readonly TechnicianWord[] {
  const { technician: words } = custom;
  if (!Array.isArray(words)) return [];
  return (words as readonly JsonValue[]).slice(0, TECHNICIAN_WORDS_MAX).flatMap((word) => {
    if (!isJsonObject(word)) return [];
    const read = WORD_PARTS.map((part) => [part, readText(word[part]) ?? ''] as const);
    return read.some(([, text]) => text === '') ? [] : [Object.fromEntries(read)];
  });
}

function readResult(
  holder: JsonObject,
): Pick<InstallationResult, 'isSuccess' | 'code' | 'description'> | undefined {
  const { result } = holder;
  if (!isJsonObject(result) || typeof result['success'] !== 'boolean') return undefined;
  const code = readText(result['code']) ?? 'UNKNOWN';
  const description = readText(result['description']) ?? '';
  return { isSuccess: result['success'], code, description };
}

function readText(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  return storableText(value).slice(0, REPORT_TEXT_MAX_CHARACTERS);
}
