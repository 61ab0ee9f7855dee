/** Evidence of a campaign, streamed as it is read. */
import { OPERATOR_ROUTES } from '@immota/api';
import { exportEvidence } from '../evidence/export-evidence.ts';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';

/** Adds the route about evidence. */
export function addEvidenceRoutes(
  app: OperatorApp,
  { context, keystore, failed }: OperatorServices,
): void {
  const { database, events, clock } = context;
  app.openapi(OPERATOR_ROUTES.exportEvidence.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    const signers = keystore.signers('events');
    const lines = await exportEvidence(
      { database, events, clock, signers },
      { campaignId, tenant: fleet.tenant, by: name },
    );
    return c.body(ReadableStream.from(reporting(lines, failed)), 200, {
      'Content-Type': 'application/x-ndjson',
      'Content-Disposition': `attachment; filename="${campaignId}.evidence.ndjson"`,
    });
  });
}

/** Behind the first byte nothing can be refused any more: the file ends without its signature. */
async function* reporting(
  lines: AsyncGenerator<Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* lines;
  } catch (error) {
    failed(error);
    throw error;
  }
}
