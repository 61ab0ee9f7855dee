/** The last rehearsal of a campaign, as far as its screens need it. */
import { isJsonObject, type JsonObject, type JsonValue } from '@immota/base';
import { sql } from '@immota/store';
import type { CloudDatabase } from '../schema/database.ts';

/** A point of the forecast. */
export interface ForecastPoint {
  readonly hours: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** See the head of the file. */
export interface LastRehearsal {
  readonly rehearsalId: string;
  /** Empty when it has none. */
  readonly forecast: readonly ForecastPoint[];
}

/** Finds it; undefined when the campaign was never rehearsed. */
export async function findRehearsal(
  { kysely }: CloudDatabase,
  campaignId: string,
): Promise<LastRehearsal | undefined> {
  const { rows } = await sql<{ readonly rehearsal_id: string; readonly forecast: JsonValue }>`
    select rehearsal_id, result -> 'forecast' as forecast from rehearsal
    where campaign_id = ${campaignId} order by started_at desc limit 1`.execute(kysely);
  const [row] = rows;
  if (row === undefined) return undefined;
  const points = Array.isArray(row.forecast) ? (row.forecast as readonly JsonValue[]) : [];
  return {
    rehearsalId: row.rehearsal_id,
    forecast: points.flatMap((point) => (isJsonObject(point) ? [pointOf(point)] : [])),
  };
}

function pointOf(point: JsonObject): ForecastPoint {
  const number = (name: string): number => {
    const value = point[name];
    return typeof value === 'number' ? value : 0;
  };
  return {
    hours: number('hours'),
    low: number('low'),
    middle: number('middle'),
    high: number('high'),
  };
}
