/** Every vehicle of a campaign with its reason, as a file: page after page, however long it is. */
import type { FleetScope } from '../inventory/fleet-scope.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { listMembers } from './members.ts';
import type { WhyNot } from './why-not.ts';

const PAGE_VEHICLES = 1000;
const COLUMNS = [
  'vehicleId',
  'vin',
  'model',
  'market',
  'state',
  'stage',
  'wave',
  'isControl',
  'health',
  'reason',
  'meaning',
  'nextStep',
  'actor',
  'measured',
  'attempts',
  'since',
] as const;
/** What a spreadsheet takes for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** What of it, and how. */
export interface MemberExport {
  readonly fleet: FleetScope;
  readonly format: 'csv' | 'ndjson';
}

/** Exports vehicles by id; whoever reads slowly slows the reading down. */
export async function* exportMembers(
  database: CloudDatabase,
  campaign: StoredCampaign,
  { fleet, format }: MemberExport,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  if (format === 'csv') yield encoder.encode(`${COLUMNS.join(',')}\r\n`);
  let after: string | undefined = '';
  while (after !== undefined) {
    const page = { after, limit: PAGE_VEHICLES };
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
    const { items, next }: Awaited<ReturnType<typeof listMembers>> = await listMembers(
      database,
      campaign,
      { fleet, page },
    );
    const lines = items.map((item) => (format === 'csv' ? csvOf(item) : jsonOf(item)));
    yield encoder.encode(lines.join(''));
    after = next;
  }
}

function flat({ text, since, penaltyUntil, ...why }: WhyNot): Readonly<Record<string, unknown>> {
  return { ...why, ...text, since: since.toString(), penaltyUntil: penaltyUntil?.toString() };
}

function jsonOf(item: WhyNot): string {
  return `${JSON.stringify(flat(item))}\n`;
}

function csvOf(item: WhyNot): string {
  const values = flat(item);
  return `${COLUMNS.map((name) => cellOf(values[name])).join(',')}\r\n`;
}

/** RFC 4180; and no cell begins a formula, whoever chose its text. */
function cellOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  const plain = value === undefined ? '' : text;
  const safe = FORMULA.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
