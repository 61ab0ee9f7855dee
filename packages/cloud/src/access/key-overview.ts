/** Roles, keys and authorities, and until when they hold: what an operator must not learn from a stranded vehicle. */
import { sql } from '@immota/store';
import type { RoleKeys, Root } from '@immota/uptane';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import type { OperatorServices } from '../operator/services.ts';
import type { RepositoryState } from '../trust/repository-state.ts';
import type { AccessView } from './access-view.ts';
import { inScope } from './scope.ts';

type Overview = AccessView<'keyOverviewSchema'>;
type RoleOverview = Overview['roles'][number];

/** Shows them; of certificates those of vehicles that the caller sees. */
export async function keyOverview(
  { context, trust, authorities }: Pick<OperatorServices, 'context' | 'trust' | 'authorities'>,
  fleet: FleetScope,
): Promise<Overview> {
  const now = context.clock.now();
  const { rows: certificates } = await sql<{ readonly month: string; readonly count: number }>`
    select to_char(not_after at time zone 'UTC', 'YYYY-MM') as month, count(*) as count
    from device_certificate join vehicle using (vehicle_id)
    where revoked_at is null and not_after > ${now} and ${inScope(fleet)}
    group by 1 order by 1`.execute(context.database.kysely);
  const { rows: revoked } = await sql<{ readonly count: number }>`
    select count(*) as count from device_certificate join vehicle using (vehicle_id)
    where revoked_at is not null and ${inScope(fleet)}`.execute(context.database.kysely);
  const { devices, servers, root } = authorities;
  return {
    roles: [
      ...rolesOf('director', trust.director()),
      ...rolesOf('image', trust.image('aktualizr')),
    ],
    authorities: [
      { name: 'root', certificate: root },
      { name: 'devices', certificate: devices.certificate },
      { name: 'servers', certificate: servers.certificate },
    ].map(({ name, certificate }) => ({
      name,
      serial: certificate.serial,
      notAfter: certificate.notAfter.toString(),
    })),
    certificates: certificates.map(({ month, count }) => ({ month, count })),
    revoked: revoked[0]?.count ?? 0,
  };
}

function rolesOf(
  repository: 'director' | 'image',
  state: RepositoryState,
): readonly RoleOverview[] {
  const { body: root } = state.root;
  const files: readonly (readonly [role: string, file: HeldFile | undefined])[] = [
    ['root', state.root.body],
    ['timestamp', state.timestamp?.body],
    ['snapshot', state.snapshot?.body],
    ...[...state.targets].map(([role, file]) => [role, file.body] as const),
  ];
  return files.flatMap(([role, file]) =>
    file === undefined ? [] : [roleOverview(repository, { role, root, state }, file)],
  );
}

interface HeldFile {
  readonly version: number;
  readonly expires: Temporal.Instant;
}

function roleOverview(
  repository: 'director' | 'image',
  {
    role,
    root,
    state,
  }: { readonly role: string; readonly root: Root; readonly state: RepositoryState },
  { version, expires }: HeldFile,
): RoleOverview {
  const top = [...root.roles].find(([name]) => name === role)?.[1];
  const held = top === undefined ? findDelegated(state, role) : { ...top, known: root.keys };
  const keys = [...(held?.keyIds ?? [])].map((keyId) => ({
    keyId,
    algorithm: held?.known.get(keyId)?.algorithm ?? '',
  }));
  return {
    repository,
    role,
    version,
    threshold: held?.threshold ?? 0,
    keys,
    expiresAt: expires.toString(),
    isOnline: role === 'timestamp' || role === 'snapshot',
  };
}

/** Who holds a delegated role stands in the Targets that delegate to it. */
function findDelegated(
  state: RepositoryState,
  role: string,
): (RoleKeys & { readonly known: Root['keys'] }) | undefined {
  for (const { body } of state.targets.values()) {
    const roles = body.delegations?.entries.flatMap((entry) => entry.roles) ?? [];
    const found = roles.find(({ name }) => String(name) === role);
    if (found !== undefined) return { ...found, known: body.delegations?.keys ?? new Map() };
  }
  return undefined;
}
