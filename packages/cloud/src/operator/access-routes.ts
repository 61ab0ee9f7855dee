/** Sessions, people, tenants, keys that sign decisions, and how long everything that signs holds. */
import { OPERATOR_ROUTES } from '@immota/api';
import type { AccessRoom } from '../access/access-room.ts';
import type { AccessView } from '../access/access-view.ts';
import { keyOverview } from '../access/key-overview.ts';
import { invite } from '../access/local-accounts.ts';
import { changePerson, createPerson, listPeople, type Person } from '../access/people.ts';
import {
  listSigningKeys,
  registerSigningKey,
  revokeSigningKey,
  type SigningKey,
} from '../access/signing-keys.ts';
import { findTenant } from '../access/tenants.ts';
import { committed } from '../context.ts';
import { FLEET_STREAM } from '../event-log/event-sink.ts';
import { refreshRepositories } from '../trust/refresh.ts';
import type { OperatorApp } from './operator-app.ts';
import { encodePosition, parsePosition } from './position.ts';
import type { OperatorServices } from './services.ts';

/** Adds the routes about access. */
export function addAccessRoutes(
  app: OperatorApp,
  services: OperatorServices,
  room: AccessRoom,
): void {
  addSessionRoutes(app, services, room);
  addPeopleRoutes(app, services, room);
  addSigningKeyRoutes(app, services);
  addTrustRoutes(app, services);
}

function addSessionRoutes(app: OperatorApp, { context }: OperatorServices, room: AccessRoom): void {
  app.openapi(OPERATOR_ROUTES.getSession.config, async (c) => {
    const { kind, name, role, fleet, personId, expiresAt } = c.get('caller');
    const sessionId = c.get('sessionId');
    const tenant = await findTenant(context, fleet.tenant);
    const operations = Object.entries(OPERATOR_ROUTES)
      .filter(([, route]) => route.roles.includes(role))
      .map(([operation]) => operation);
    const session = {
      name,
      kind,
      role,
      tenant: fleet.tenant,
      tenantName: tenant.name,
      scope: fleet.query,
      expiresAt: expiresAt.toString(),
      operations,
      ...(personId === undefined ? {} : { userId: personId, email: name }),
      ...(sessionId === undefined ? {} : { csrfToken: room.sessions.csrfToken(sessionId) }),
    };
    return c.json(session, 200);
  });
  app.openapi(OPERATOR_ROUTES.getTenant.config, async (c) => {
    const {
      tenant_id: tenantId,
      name,
      created_at: createdAt,
    } = await findTenant(context, c.get('caller').fleet.tenant);
    return c.json({ tenantId, name, createdAt: createdAt.toString() }, 200);
  });
}

function addPeopleRoutes(app: OperatorApp, { context }: OperatorServices, room: AccessRoom): void {
  const linkOf = async (personId: string): Promise<{ readonly invitation?: string }> => {
    // Whoever has a provider sets no password here.
    if (room.oidc !== undefined) return {};
    const link = new URL('/auth/invitation', room.publicUrl());
    link.searchParams.set('code', await invite(context, personId));
    return { invitation: link.href };
  };
  app.openapi(OPERATOR_ROUTES.listUsers.config, async (c) => {
    const { after = '', limit } = c.req.valid('query');
    const people = await listPeople(context, c.get('caller').fleet.tenant, { after, limit });
    const items = people.map(personView);
    const last = people.length < limit ? undefined : people.at(-1)?.email;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
  app.openapi(OPERATOR_ROUTES.createUser.config, async (c) => {
    const { name: by, fleet } = c.get('caller');
    const person = await createPerson(context, {
      ...c.req.valid('json'),
      tenant: fleet.tenant,
      by,
    });
    return c.json({ ...personView(person), ...(await linkOf(person.person_id)) }, 201);
  });
  app.openapi(OPERATOR_ROUTES.changeUser.config, async (c) => {
    const { name: by, fleet } = c.get('caller');
    const { invite: isInvited = false, ...patch } = c.req.valid('json');
    const { userId: personId } = c.req.valid('param');
    const person = await changePerson(context, { tenant: fleet.tenant, personId, by }, patch);
    const link = isInvited && person.disabled_at === null ? await linkOf(personId) : {};
    return c.json({ ...personView(person), ...link }, 200);
  });
}

function addSigningKeyRoutes(app: OperatorApp, { context }: OperatorServices): void {
  app.openapi(OPERATOR_ROUTES.listSigningKeys.config, async (c) => {
    const { after, limit } = c.req.valid('query');
    const before = after === undefined ? undefined : parsePosition(after);
    const page = { before, limit };
    const keys = await listSigningKeys(context, c.get('caller').fleet.tenant, page);
    const items = keys.map(signingKeyView);
    const last = keys.length < limit ? undefined : keys.at(-1);
    if (last === undefined) return c.json({ items }, 200);
    const next = encodePosition({ createdAt: last.created_at, id: last.key_id });
    return c.json({ items, next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.createSigningKey.config, async (c) => {
    const key = await registerSigningKey(context, c.get('caller'), c.req.valid('json'));
    return c.json(signingKeyView(key), 201);
  });
  app.openapi(OPERATOR_ROUTES.revokeSigningKey.config, async (c) => {
    const { keyId } = c.req.valid('param');
    return c.json(signingKeyView(await revokeSigningKey(context, c.get('caller'), keyId)), 200);
  });
}

function addTrustRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context, trustContext, trust } = services;
  app.openapi(OPERATOR_ROUTES.getKeys.config, async (c) =>
    c.json(await keyOverview(services, c.get('caller').fleet), 200),
  );
  app.openapi(OPERATOR_ROUTES.renewMetadata.config, async (c) => {
    const isRenewed = await refreshRepositories(trustContext, true);
    await trust.reload();
    const body = { by: c.get('caller').name };
    const at = context.clock.now();
    const event = { stream: FLEET_STREAM, kind: 'metadata.renewed', at, body } as const;
    await committed(context.database, (tx) => context.events.append(tx, [event]));
    return c.json({ isRenewed }, 200);
  });
}

function personView(person: Person): AccessView<'userSchema'> {
  return {
    userId: person.person_id,
    name: person.name,
    email: person.email,
    issuer: person.issuer,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written from the schema's own list
    role: person.role as AccessView<'userSchema'>['role'],
    scope: person.scope ?? undefined,
    isDisabled: person.disabled_at !== null,
    createdAt: person.created_at.toString(),
    lastSeenAt: person.last_seen_at?.toString(),
  };
}

function signingKeyView(key: SigningKey): AccessView<'signingKeySchema'> {
  return {
    keyId: key.key_id,
    owner: key.owner,
    name: key.name,
    algorithm: key.algorithm,
    createdAt: key.created_at.toString(),
    revokedAt: key.revoked_at?.toString(),
  };
}
