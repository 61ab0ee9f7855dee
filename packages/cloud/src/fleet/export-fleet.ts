/** The fleet, or a part of it, as a file: page after page, however long it is. */
import type { CloudDatabase } from '../schema/database.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { type FleetRow, listFleet } from './list-fleet.ts';
import type { FleetQuery } from './query/fleet-query.ts';

const PAGE_VEHICLES = 1000;
const COLUMNS = [
  'vehicleId',
  'vin',
  'model',
  'market',
  'lastSeenAt',
  'ecus',
  'isQuarantined',
  'campaignId',
  'state',
  'reason',
  'tags',
] as const;
/** What a spreadsheet takes for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** What is exported. */
export interface ExportRequest {
  readonly query?: FleetQuery | undefined;
  readonly format: 'csv' | 'ndjson';
}

/** Exports vehicles by id; whoever reads slowly slows the reading down. */
export function exportFleet(
  database: CloudDatabase,
  scope: FleetScope,
  { query, format }: ExportRequest,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let after: string | undefined;
  let isFirst = true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const request = { query, sort: 'vehicleId', after, limit: PAGE_VEHICLES } as const;
        const { rows, next } = await listFleet(database, scope, request);
        const head = isFirst && format === 'csv' ? `${COLUMNS.join(',')}\r\n` : '';
        isFirst = false;
        after = next;
        const lines = rows.map((row) => (format === 'csv' ? csvOf(row) : jsonOf(row)));
        controller.enqueue(encoder.encode(head + lines.join('')));
        if (next === undefined) controller.close();
      },
    },
    { highWaterMark: 1 },
  );
}

/** A vehicle as the API tells of it. */
export function summaryOf(row: FleetRow): {
  vehicleId: string;
  vin: string | undefined;
  model: string;
  market: string;
  tags: Record<string, unknown>;
  isQuarantined: boolean;
  lastSeenAt: string | undefined;
  ecus: number;
  campaignId: string | undefined;
  state: string | undefined;
  reason: string | undefined;
} {
  return {
    vehicleId: row.vehicle_id,
    vin: row.vin ?? undefined,
    model: row.model,
    market: row.market,
    tags: { ...row.tags },
    isQuarantined: row.quarantined,
    lastSeenAt: row.last_seen_at?.toString(),
    ecus: row.ecus,
    campaignId: row.campaign_id ?? undefined,
    state: row.state ?? undefined,
    reason: row.reason ?? undefined,
  };
}

function jsonOf(row: FleetRow): string {
  return `${JSON.stringify(summaryOf(row))}\n`;
}

function csvOf(row: FleetRow): string {
  const summary = summaryOf(row);
  const cells = COLUMNS.map((name) => {
    const value = summary[name];
    return cellOf(typeof value === 'object' ? JSON.stringify(value) : String(value ?? ''));
  });
  return `${cells.join(',')}\r\n`;
}

/** RFC 4180; and no cell begins a formula, whoever chose its text. */
function cellOf(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
