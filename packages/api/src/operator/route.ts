/** How a route of the operator API is written down: JSON both ways, a problem for every refusal. */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import { PROBLEM_MEDIA_TYPE, problemSchema } from '../problem.ts';
import type { ApiRole } from './roles.ts';
import { text } from './text.ts';

/** Where the API lies. */
export const OPERATOR_PREFIX = '/api/v1';

/** A name or id in a path. */
export const name = (what: string): z.ZodString => text(300, 1).openapi({ description: what });
/** The id of a vehicle in a path. */
export const vehicleParams: z.ZodObject<{ vehicleId: z.ZodString }> = z.object({
  vehicleId: name('the common name of its certificate'),
});
/** The id of a campaign in a path. */
export const campaignParams: z.ZodObject<{ campaignId: z.ZodString }> = z.object({
  campaignId: name('as it was created'),
});
/** The id of a release in a path. */
export const releaseParams: z.ZodObject<{ releaseId: z.ZodString }> = z.object({
  releaseId: name('as it was created'),
});

type Request = NonNullable<RouteConfig['request']>;

interface RouteOptions<Answer extends z.ZodType, Asked extends Request> {
  readonly roles: readonly ApiRole[];
  readonly summary: string;
  readonly answer: Answer;
  readonly request: Asked;
  readonly status?: 200 | 201;
}

/** What a route streams instead of one JSON answer. */
export type StreamMedia = 'text/event-stream' | 'application/x-ndjson' | 'text/csv';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Builds a route: JSON both ways, a problem for every refusal, a bearer token always. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types, typescript/explicit-function-return-type -- the type is the contract, and only inference can write it
export function route<Answer extends z.ZodType, const Asked extends Request>(
  method: Method,
  path: string,
  { roles, summary, answer, request, status = 200 }: RouteOptions<Answer, Asked>,
) {
  const done = { description: 'done', content: { 'application/json': { schema: answer } } };
  const refused = {
    description: 'refused',
    content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } },
  };
  const config = createRoute({
    method,
    path: `${OPERATOR_PREFIX}${path}`,
    summary,
    security: [{ token: [] }],
    request,
    responses: { [status]: done, default: refused },
  });
  return { roles, config };
}

/** A body of JSON. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types, typescript/explicit-function-return-type -- see route()
export function json<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } } as const;
}

/** A body of bytes, as a file has them. */
export const bytes = {
  required: true,
  content: {
    'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) },
  },
} as const;

/** Builds a route that answers with a stream; what it refuses it refuses before the first byte. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types, typescript/explicit-function-return-type -- see route()
export function streamRoute<const Asked extends Request>(
  path: string,
  options: {
    readonly roles: readonly ApiRole[];
    readonly summary: string;
    readonly request: Asked;
    readonly media: readonly StreamMedia[];
  },
) {
  const { roles, summary, request, media } = options;
  const content = Object.fromEntries(media.map((one) => [one, { schema: z.string() }]));
  const config = createRoute({
    method: 'get',
    path: `${OPERATOR_PREFIX}${path}`,
    summary,
    security: [{ token: [] }],
    request,
    responses: {
      200: { description: 'a stream', content },
      default: {
        description: 'refused',
        content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } },
      },
    },
  });
  return { roles, config };
}
