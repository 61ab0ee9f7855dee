/**
 * The authorisation matrix: made of the OpenAPI document alone, so that a route that is added is asked without
 * anybody thinking of it. Every operation × every role × own, foreign, out of scope and absent objects.
 */
import assert from 'node:assert/strict';

type Node = Readonly<Record<string, unknown>>;

/** An operation, as the document describes it. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly roles: readonly string[];
  /** Names in the path that mean an object of somebody. */
  readonly objects: readonly string[];
  /** Smallest body that the document allows; undefined when it takes none. */
  readonly body: { readonly json: unknown } | { readonly bytes: string } | undefined;
  /** The query that must be there, as `?a=b`. */
  readonly query: string;
  readonly isStream: boolean;
}

/** Whose objects a request names. */
export type Belonging = 'own' | 'foreign' | 'outside' | 'absent';

/** What a request was answered. */
export interface MatrixAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks the server that is tested. */
export type MatrixAsk = (
  operation: Operation,
  path: string,
  token: string | undefined,
) => Promise<MatrixAnswer>;

/** The world that is asked. */
export interface MatrixWorld {
  readonly ask: MatrixAsk;
  /** By role: with all of its tenant, and with a part. No administrator has a part. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly bounded: ReadonlyMap<string, string>;
  /** What nobody must be let in with, by what it is. */
  readonly strangers: ReadonlyMap<string, string | undefined>;
  /** The id that a name in a path gets. */
  id(parameter: string, whose: Belonging): string;
}

/** Parts of a path that are no object of anybody. */
const NO_OBJECTS: Readonly<Record<string, string>> = {
  repository: 'image',
  item: 'a',
  wave: '1',
};
/** Operations that make what they do not find: absent is none of their answers. */
const CREATES: ReadonlySet<string> = new Set(['patchVehicle']);
/** Operations that speak of the installation, which tenants share. */
const SHARED: ReadonlySet<string> = new Set(['listMetadata', 'publishMetadata', 'renewMetadata']);

/** Lists the operations of a document. */
export function listOperations(document: Node): readonly Operation[] {
  const resolve = (node: unknown): Node => {
    const { $ref: to } = node as Node;
    if (typeof to !== 'string') return node as Node;
    return to
      .split('/')
      .slice(1)
      .reduce<unknown>((inner, name) => (inner as Node)[name], document) as Node;
  };
  return Object.entries(document['paths'] as Node).flatMap(([path, methods]) =>
    Object.entries(methods as Node).map(([method, value]) => {
      const operation = value as Node;
      const parameters = (operation['parameters'] ?? []) as readonly Node[];
      const content = ((operation['requestBody'] ?? {}) as Node)['content'] as Node | undefined;
      const json = content?.['application/json'] as Node | undefined;
      const answers = (operation['responses'] as Readonly<Record<string, Node>>)['200'];
      const query = parameters
        .filter((one) => one['in'] === 'query' && one['required'] === true)
        .map((one) => `${String(one['name'])}=${String(sample(resolve, one['schema']))}`);
      return {
        id: String(operation['operationId']),
        method: method.toUpperCase(),
        path,
        roles: (operation['x-roles'] ?? []) as readonly string[],
        objects: parameters
          .filter((one) => one['in'] === 'path' && !(String(one['name']) in NO_OBJECTS))
          .map((one) => String(one['name'])),
        body:
          json === undefined
            ? content && { bytes: 'x' }
            : { json: sample(resolve, json['schema']) },
        query: query.length === 0 ? '' : `?${query.join('&')}`,
        isStream: 'text/event-stream' in ((answers?.['content'] ?? {}) as Node),
      };
    }),
  );
}

/** The smallest value that a schema allows. */
function sample(resolve: (node: unknown) => Node, of: unknown): unknown {
  const schema = resolve(of);
  const [first] = (schema['enum'] ??
    schema['anyOf'] ??
    schema['oneOf'] ??
    []) as readonly unknown[];
  if (schema['enum'] !== undefined) return first;
  if (first !== undefined) return sample(resolve, first);
  if (schema['const'] !== undefined) return schema['const'];
  const type = Array.isArray(schema['type']) ? (schema['type'] as unknown[])[0] : schema['type'];
  if (type === 'object') {
    const required = (schema['required'] ?? []) as readonly string[];
    const properties = (schema['properties'] ?? {}) as Node;
    return Object.fromEntries(required.map((name) => [name, sample(resolve, properties[name])]));
  }
  if (type === 'array') {
    const count = Number(schema['minItems'] ?? 0);
    return Array.from({ length: count }, () => sample(resolve, schema['items']));
  }
  if (type === 'integer' || type === 'number') return schema['minimum'] ?? 0;
  if (type === 'boolean') return false;
  return sampleText(schema);
}

function sampleText(schema: Node): string {
  if (schema['format'] === 'uri') return 'https://hooks.example.com/x';
  if (schema['format'] === 'date-time') return '2026-11-22T10:00:00Z';
  if (JSON.stringify(schema['pattern'] ?? '').includes('0-9a-f')) return '0'.repeat(64);
  return 'x'.repeat(Math.max(Number(schema['minLength'] ?? 0), 1));
}

/** Asks for one operation whatever can be asked. @throws where one answer is not as it must be. */
export async function checkOperation(world: MatrixWorld, operation: Operation): Promise<number> {
  const { ask, tokens, bounded, strangers } = world;
  assert.ok(operation.roles.length > 0, `${operation.id} names no role`);
  const send = (whose: Belonging, token: string | undefined): Promise<MatrixAnswer> =>
    ask(operation, fill(world, operation, whose), token);
  let count = 0;
  for (const [what, token] of strangers) {
    const { status } = await send('own', token);
    assert.equal(status, 401, `${operation.id} for ${what}`);
    count += 1;
  }
  for (const [group, isBounded] of [
    [tokens, false],
    [bounded, true],
  ] as const) {
    for (const [role, token] of group) {
      const where = `${operation.id} for ${isBounded ? 'a bounded ' : ''}${role}`;
      const own = await send('own', token);
      count += 1;
      if (!operation.roles.includes(role)) {
        assert.deepEqual([own.status, codeOf(own)], [403, 'FORBIDDEN'], where);
        continue;
      }
      checkLetIn(own, where);
      if (!SHARED.has(operation.id)) checkKeepsQuiet(own, isBounded, where);
      const hidden: readonly Belonging[] = isBounded ? ['foreign', 'outside'] : ['foreign'];
      for (const whose of operation.objects.length === 0 ? [] : hidden) {
        count += await checkHidden(world, operation, { whose, token, where });
      }
    }
  }
  return count;
}

function checkLetIn(answer: MatrixAnswer, where: string): void {
  const isRefused = answer.status === 401 || codeOf(answer) === 'FORBIDDEN';
  assert.ok(!isRefused, `${where}: ${answer.text}`);
  assert.ok(!answer.text.includes('There is no such route'), `${where}: nobody carries it out`);
  assert.ok(answer.status < 500, `${where}: ${answer.text}`);
}

/** Nothing of another tenant, nor of what lies beyond a scope, stands in any answer. */
function checkKeepsQuiet({ text }: MatrixAnswer, isBounded: boolean, where: string): void {
  assert.ok(!text.includes('foreign-'), `${where} tells of another tenant: ${text}`);
  if (isBounded) assert.ok(!text.includes('outside-'), `${where} tells beyond its scope: ${text}`);
}

/** What a caller must not see is as if it were not there, to the letter. */
async function checkHidden(
  world: MatrixWorld,
  operation: Operation,
  asked: { readonly whose: Belonging; readonly token: string; readonly where: string },
): Promise<number> {
  const { whose, token, where } = asked;
  // Only vehicles lie in or out of a scope; of other objects out of scope is foreign.
  const found = await world.ask(operation, fill(world, operation, whose), token);
  const what = `${where}, ${whose} object`;
  if (CREATES.has(operation.id)) {
    assert.deepEqual([found.status, codeOf(found)], [404, 'NOT_FOUND'], what);
    return 1;
  }
  const absent = await world.ask(operation, fill(world, operation, 'absent'), token);
  assert.deepEqual(
    [found.status, withoutIds(world, operation, found.text, whose)],
    [absent.status, withoutIds(world, operation, absent.text, 'absent')],
    what,
  );
  return 2;
}

function fill(world: MatrixWorld, { path, query }: Operation, whose: Belonging): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(NO_OBJECTS[name] ?? world.id(name, whose)),
  );
  return filled + query;
}

function withoutIds(
  world: MatrixWorld,
  { objects }: Operation,
  text: string,
  whose: Belonging,
): string {
  return objects.reduce((rest, name) => rest.replaceAll(world.id(name, whose), '…'), text);
}

function codeOf({ text }: MatrixAnswer): unknown {
  try {
    return (JSON.parse(text) as Node)['code'];
  } catch {
    return undefined;
  }
}
