/** `immota tenant`: brands or subsidiaries that share the installation, on the machine itself. */
import { createTenant, createToken, listTenants, openCloud } from '@immota/cloud';
import { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { table } from '../terminal/output.ts';

/** How long a new tenant's first token is good: it lets its administrator in, and nothing else. */
const FIRST_TOKEN_DAYS = 7;

/** Adds `immota tenant` to the command. */
export function tenantCommand(context: CommandContext): Command {
  const command = new Command('tenant').description('create and list tenants');
  command
    .command('create')
    .description('create a tenant, and a token with which its first administrator is let in')
    .argument('<id>', 'a-z, 0-9 and -, for ever')
    .option('--name <NAME>', 'its name; the id when left out')
    .action(async (tenantId: string, options: { readonly name?: string }) => {
      const { name = tenantId } = options;
      await withCloud(context, async (cloud) => {
        await createTenant(cloud, { tenantId, name });
        const { token } = await createToken(cloud, {
          name: 'first administrator',
          role: 'admin',
          uploadsFor: [],
          ttlDays: FIRST_TOKEN_DAYS,
          fleet: { tenant: tenantId },
        });
        context.output().result({ tenantId, name, token }, () => token);
      });
      context
        .output()
        .note('Use it as IMMOTA_TOKEN with immota user create; it is not shown again');
    });
  command
    .command('list')
    .description('list tenants')
    .action(async () => {
      await withCloud(context, async (cloud) => {
        const tenants = (await listTenants(cloud)).map((one) => ({
          tenantId: one.tenant_id,
          name: one.name,
          createdAt: one.created_at.toString(),
        }));
        context
          .output()
          .result(tenants, () =>
            table([
              ['TENANT', 'NAME', 'SINCE'],
              ...tenants.map(({ tenantId, name, createdAt }) => [tenantId, name, createdAt]),
            ]),
          );
      });
    });
  return command;
}

type CloudParts = Parameters<typeof createTenant>[0];

async function withCloud(
  context: CommandContext,
  work: (cloud: CloudParts) => Promise<void>,
): Promise<void> {
  const cloud = await openCloud({
    folder: context.dataFolder(),
    databaseUrl: process.env['DATABASE_URL'],
    clock: context.clock,
    entropy: context.entropy,
  });
  try {
    await work(cloud.context);
  } finally {
    await cloud.close();
  }
}
