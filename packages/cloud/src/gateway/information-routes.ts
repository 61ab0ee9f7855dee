/** What vehicles tell unsigned: hardware, packages, network, configuration, progress. */
import { clientEventSchema, DEVICE_PATHS, deviceLimits, networkSchema } from '@immota/api';
import { isJsonObject, type JsonObject, parseJson } from '@immota/base';
import { sql } from '@immota/store';
import { z } from 'zod';
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import {
  type InformationPart,
  redactConfiguration,
  redactValue,
  saveInformation,
} from '../inventory/information.ts';
import { storableObject, storableText } from '../storable.ts';
import { readBody, sendEmpty } from './exchange.ts';
import { parseBody } from './parse-body.ts';
import type { GatewayParts, Route } from './parts.ts';
import { vehicleOf } from './vehicle-of.ts';

const eventsSchema = z.array(clientEventSchema);
const anythingSchema = z.unknown();

/** Makes the routes. */
export function informationRoutes({ context }: GatewayParts): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    [`PUT ${DEVICE_PATHS.systemInfo}`, document(context, 'hardware', anythingSchema)],
    [`PUT ${DEVICE_PATHS.installed}`, document(context, 'installed', anythingSchema)],
    [`PUT ${DEVICE_PATHS.network}`, document(context, 'network', networkSchema)],
    [
      `POST ${DEVICE_PATHS.config}`,
      {
        name: 'configuration',
        audience: 'vehicle',
        async handle(exchange) {
          const body = await readBody(exchange.request, deviceLimits.SYSTEM_INFO_MAX_BYTES);
          const text = redactConfiguration(Buffer.from(body).toString('utf8'));
          const part = { part: 'configuration', value: { toml: text } } as const;
          await saveInformation(context, vehicleOf(exchange), part);
          sendEmpty(exchange.response, 200);
        },
      },
    ],
    [
      `POST ${DEVICE_PATHS.events}`,
      {
        name: 'events',
        audience: 'vehicle',
        async handle(exchange) {
          const body = await readBody(exchange.request, deviceLimits.EVENTS_MAX_BYTES);
          const events = parseBody(eventsSchema, body);
          // The client halves its batch when it is told that it is too large.
          if (events.length > deviceLimits.EVENTS_MAX) {
            throw new CloudFault('REQUEST_TOO_LONG', 'Cannot take events: too many at once');
          }
          await saveClientEvents(context, vehicleOf(exchange), events);
          sendEmpty(exchange.response, 200);
        },
      },
    ],
  ]);
}

function document(context: CloudContext, part: InformationPart, schema: z.ZodType): Route {
  return {
    name: part,
    audience: 'vehicle',
    async handle(exchange) {
      const body = await readBody(exchange.request, deviceLimits.SYSTEM_INFO_MAX_BYTES);
      parseBody(schema, body);
      const value = redactValue(parseJson(body, deviceLimits.SYSTEM_INFO_MAX_BYTES));
      await saveInformation(context, vehicleOf(exchange), { part, value });
      sendEmpty(exchange.response, 200);
    },
  };
}

/** Stores progress events; each is kept once, however often it is sent. */
async function saveClientEvents(
  context: CloudContext,
  vehicleId: string,
  events: z.infer<typeof eventsSchema>,
): Promise<void> {
  if (events.length === 0) return;
  const at = context.clock.now();
  const described = new Map<string, JsonObject>();
  for (const { id, deviceTime, eventType, event } of events) {
    const body = {
      deviceTime,
      type: eventType.id,
      version: eventType.version,
      event: toJson(event),
    };
    described.set(storableText(id), storableObject(body));
  }
  await committed(context.database, async (tx) => {
    const { rows } = await sql<{ readonly event_id: string }>`
      insert into client_event (vehicle_id, event_id, at, kind, body)
      select ${vehicleId}, event_id, ${at}, body ->> 'type', body from (
        select event_id, body::jsonb as body from unnest(
          ${[...described.keys()]}::text[],
          ${[...described.values()].map((body) => JSON.stringify(body))}::text[]
        ) as raw (event_id, body)) as fresh
      where exists (select from vehicle where vehicle_id = ${vehicleId})
      on conflict do nothing returning event_id`.execute(tx);
    const fresh = new Set(rows.map(({ event_id: id }) => id));
    await context.events.append(
      tx,
      [...described]
        .filter(([id]) => fresh.has(id))
        .map(([id, body]) => ({
          stream: vehicleId,
          kind: 'client.event' as const,
          at,
          body: { id, type: body['type'] ?? '', deviceTime: body['deviceTime'] ?? '' },
        })),
    );
  });
}

/** What `parseJson` read is JSON, whatever the schema calls it. */
function toJson(value: Readonly<Record<string, unknown>>): JsonObject {
  const parsed = parseJson(Buffer.from(JSON.stringify(value)), deviceLimits.EVENTS_MAX_BYTES);
  return isJsonObject(parsed) ? parsed : {};
}
