/** The audit log: list, check, take away. */
import { OPERATOR_ROUTES } from '@immota/api';
import type { JsonValue } from '@immota/base';
import { stream } from 'hono/streaming';
import { listAudit, readAudit, verifyAudit } from '../access/audit.ts';
import { committed } from '../context.ts';
import { actAs } from '../event-log/actor.ts';
import { encodePlace, parsePlace, type PlacedEvent } from '../event-log/event-order.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { addressOf } from '../access/address.ts';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';
import { eventView } from './views.ts';

const EXPORT_PAGE_ROWS = 500;
const COLUMNS = ['at', 'kind', 'by', 'from', 'stream', 'sequence', 'body', 'hash'] as const;

/** Adds the routes about the audit log. */
export function addAuditRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context } = services;
  app.openapi(OPERATOR_ROUTES.listAudit.config, async (c) => {
    const { after, limit, kind, by, from, to } = c.req.valid('query');
    const events = await listAudit(context, c.get('caller').fleet, {
      filter: { kind, by, from: instantOf(from), to: instantOf(to) },
      before: after === undefined ? undefined : parsePlace(after),
      limit,
    });
    const items = events.map(eventView);
    const last = events.length < limit ? undefined : events.at(-1);
    return c.json(last === undefined ? { items } : { items, next: encodePlace(last) }, 200);
  });
  app.openapi(OPERATOR_ROUTES.verifyAudit.config, async (c) =>
    c.json(await verifyAudit(services, c.get('caller').fleet), 200),
  );
  app.openapi(OPERATOR_ROUTES.exportAudit.config, async (c) => {
    const { format } = c.req.valid('query');
    const { kind, name, personId: id, fleet } = c.get('caller');
    // Whoever takes it away is on it.
    const actor = { kind, name, id, from: addressOf(c), operation: 'exportAudit' };
    const event = {
      stream: fleetStream(fleet.tenant),
      kind: 'audit.exported',
      at: context.clock.now(),
      body: { by: name, format },
    } as const;
    await actAs(actor, () =>
      committed(context.database, (tx) => context.events.append(tx, [event])),
    );
    const isCsv = format === 'csv';
    c.header('Content-Type', isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson');
    c.header('Content-Disposition', `attachment; filename="audit.${format}"`);
    return stream(c, async (out) => {
      if (isCsv) await out.write(`${COLUMNS.join(',')}\r\n`);
      for await (const page of readAudit(context, fleet, EXPORT_PAGE_ROWS)) {
        if (out.aborted) return;
        await out.write(page.map(isCsv ? csvLine : ndjsonLine).join(''));
      }
    });
  });
}

function instantOf(text: string | undefined): Temporal.Instant | undefined {
  return text === undefined ? undefined : Temporal.Instant.from(text);
}

function ndjsonLine(event: PlacedEvent): string {
  return `${JSON.stringify(eventView(event))}\n`;
}

function csvLine(event: PlacedEvent): string {
  const { at, kind, stream: name, sequence, body, hash } = eventView(event);
  const { by, actor } = event.body;
  const who = actor !== null && typeof actor === 'object' && 'name' in actor ? actor : undefined;
  const cells = [
    at,
    kind,
    cellOf(by ?? who?.['name']),
    cellOf(who?.['from']),
    name,
    String(sequence),
    JSON.stringify(body),
    hash,
  ];
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function cellOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A sheet must not take what somebody named themselves for a formula. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
