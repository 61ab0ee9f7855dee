/** The cloud: repositories, Director, inventory, campaigns and the gateways to vehicles and operators. */
export { MIGRATIONS } from './schema/migrations.ts';
export type { CloudSchema } from './schema/tables.ts';
