/** Tenants: brands or subsidiaries that share an installation and see nothing of each other. */
import type { Selectable } from 'kysely';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { TenantRow } from '../schema/access-tables.ts';

/** What the database takes as a tenant's id. */
const TENANT_ID = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * Creates a tenant.
 *
 * @param tenant - its id, for ever, and its name.
 * @throws CloudFault REQUEST_MALFORMED, TENANT_EXISTS.
 */
export async function createTenant(
  { database, clock, events }: CloudContext,
  tenant: { readonly tenantId: string; readonly name: string },
): Promise<void> {
  const { tenantId, name } = tenant;
  if (!TENANT_ID.test(tenantId)) {
    throw new CloudFault(
      'REQUEST_MALFORMED',
      `Cannot create tenant "${tenantId}": 1 to 63 of a-z, 0-9 and -, beginning with a letter`,
    );
  }
  const at = clock.now();
  await committed(database, async (tx) => {
    const made = await tx
      .insertInto('tenant')
      .values({ tenant_id: tenantId, name, created_at: at })
      .onConflict((conflict) => conflict.doNothing())
      .returning('tenant_id')
      .executeTakeFirst();
    if (made === undefined) {
      throw new CloudFault('TENANT_EXISTS', `Cannot create tenant "${tenantId}": it is there`);
    }
    const body = { tenantId, name, by: 'this machine' };
    const stream = fleetStream(tenantId);
    await events.append(tx, [{ stream, kind: 'tenant.created', at, body }]);
  });
}

/** Lists every tenant: for whoever holds the machine. */
export async function listTenants({
  database,
}: Pick<CloudContext, 'database'>): Promise<readonly Selectable<TenantRow>[]> {
  return await database.kysely.selectFrom('tenant').selectAll().orderBy('tenant_id').execute();
}

/** Finds a tenant. @throws CloudFault NOT_FOUND. */
export async function findTenant(
  { database }: Pick<CloudContext, 'database'>,
  tenantId: string,
): Promise<Selectable<TenantRow>> {
  const found = await database.kysely
    .selectFrom('tenant')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  if (found !== undefined) return found;
  throw new CloudFault('NOT_FOUND', `Cannot find tenant "${tenantId}"`);
}

/** Checks inside a transaction that a tenant is there. @throws CloudFault NOT_FOUND. */
export async function checkTenant(tx: CloudTransaction, tenantId: string): Promise<void> {
  const found = await tx
    .selectFrom('tenant')
    .select('tenant_id')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  if (found === undefined) {
    throw new CloudFault('NOT_FOUND', `Cannot find tenant "${tenantId}"`);
  }
}
