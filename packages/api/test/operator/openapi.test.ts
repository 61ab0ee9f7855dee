import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { API_ROLES, describeOperatorApi, OPERATOR_PREFIX, OPERATOR_ROUTES } from '@immota/api';

type Node = Readonly<Record<string, unknown>>;

const FILE = join(import.meta.dirname, '../../../../docs/openapi.json');
const document = JSON.parse(JSON.stringify(describeOperatorApi())) as Node;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function* nodes(root: unknown): Generator<Node> {
  const rest: unknown[] = [root];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    if (!isNode(value)) continue;
    yield value;
    rest.push(...Object.values(value));
  }
}

function at(path: readonly string[]): unknown {
  return path.reduce<unknown>((node, name) => (isNode(node) ? node[name] : undefined), document);
}

function byName(left: unknown, right: unknown): number {
  return String(left).localeCompare(String(right));
}

describe('describeOperatorApi()', () => {
  it('is what docs/openapi.json says; npm run openapi writes it anew', () => {
    assert.deepEqual(JSON.parse(readFileSync(FILE, 'utf8')), document);
  });

  it('is of OpenAPI 3.1, and every reference leads somewhere', () => {
    assert.equal(document['openapi'], '3.1.0');
    const references = [...nodes(document)].flatMap(({ $ref: to }) =>
      typeof to === 'string' ? [to] : [],
    );
    assert.ok(references.length > 0);
    for (const to of references) assert.notEqual(at(to.split('/').slice(1)), undefined, to);
  });

  it('breaks no rule of the linter', async () => {
    // Redocly's strict set: every rule is an error. What is not meant here is named.
    const config = await createConfig({
      extends: ['recommended-strict'],
      rules: {
        'no-server-example.com': 'error',
        'operation-operationId-unique': 'error',
        'path-declaration-must-exist': 'error',
        'no-ambiguous-paths': 'error',
        'operation-singular-tag': 'error',
        'operation-4xx-response': 'off', // every refusal is the default answer
        'tag-description': 'off', // a tag is the first word of its paths
      },
    });
    const found = await lintFromString({ source: readFileSync(FILE, 'utf8'), config });
    assert.deepEqual(
      found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
      [],
    );
    // The linter does look.
    const broken = { ...document, paths: { '/x/': { get: { responses: {} } } } };
    const rules = await lintFromString({ source: JSON.stringify(broken), config });
    assert.ok(rules.some(({ ruleId }) => ruleId === 'security-defined'));
    assert.ok(rules.some(({ ruleId }) => ruleId === 'operation-operationId'));
  });

  it('has patterns that texts can meet', () => {
    const patterns = [...nodes(document)].flatMap(({ pattern }) =>
      typeof pattern === 'string' ? [pattern] : [],
    );
    assert.ok(patterns.length > 0);
    for (const pattern of patterns) assert.ok(!/\$\/|\/[a-z]$/.test(pattern), pattern);
  });

  it('has every route once, with parameters, an answer, and a problem for every refusal', () => {
    for (const [name, { config }] of Object.entries(OPERATOR_ROUTES)) {
      const operation = at(['paths', config.path, config.method]);
      assert.ok(isNode(operation), name);
      assert.equal(operation['operationId'], name);
      assert.deepEqual(operation['security'], [{ token: [] }, { session: [] }]);
      const placed = [...config.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const parameters = (operation['parameters'] ?? []) as readonly Node[];
      const inPath = parameters.filter((one) => one['in'] === 'path');
      assert.deepEqual(inPath.map((one) => one['name']).toSorted(byName), placed.toSorted(byName));
      assert.ok(inPath.every((one) => one['required'] === true));
      const responses = operation['responses'] as Node;
      assert.ok(isNode(responses['default']) && Object.keys(responses).length === 2);
      const content = responses['default']['content'] as Node;
      assert.deepEqual(Object.keys(content), ['application/problem+json']);
    }
    const paths = Object.values(document['paths'] as Node).flatMap((path) =>
      Object.keys(path as Node),
    );
    assert.equal(paths.length, Object.keys(OPERATOR_ROUTES).length);
  });
});

describe('OPERATOR_ROUTES', () => {
  it('lets admins in everywhere, and everywhere only roles that there are', () => {
    for (const [name, { roles, config }] of Object.entries(OPERATOR_ROUTES)) {
      assert.ok(roles.includes('admin'), name);
      assert.ok(
        roles.every((role) => API_ROLES.includes(role)),
        name,
      );
      assert.ok(config.path.startsWith(`${OPERATOR_PREFIX}/`), name);
    }
  });

  it('lets viewers look, and nothing else', () => {
    // Questions too long for an address; they change nothing.
    const questions = new Set(['countFleet', 'solveRelease']);
    for (const [name, { roles, config }] of Object.entries(OPERATOR_ROUTES)) {
      if (!roles.includes('viewer')) continue;
      assert.equal(config.method, questions.has(name) ? 'post' : 'get', name);
    }
  });

  it('lets suppliers upload, see images and learn who they are, and nothing else', () => {
    const open = Object.entries(OPERATOR_ROUTES).filter(([, { roles }]) =>
      roles.includes('supplier'),
    );
    assert.deepEqual(
      open.map(([name]) => name),
      [
        'createUpload',
        'getUpload',
        'appendUpload',
        'finishUpload',
        'listImages',
        'listMetadata',
        'getSession',
      ],
    );
  });
});
