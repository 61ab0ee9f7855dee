/** Asks the cloud, and believes nothing that does not parse. */
import { fieldsOf, fillPath } from './address.ts';
import { localProblem, readProblem } from './problem.ts';
import { type Answer, type Input, routeConfig, type RouteName } from './routes.ts';

let csrfToken: string | undefined;

/** Keeps the token that every change is sent with; see `Session`. */
export function keepCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/**
 * Asks one route.
 *
 * @throws ProblemError with the cloud's code, `OFFLINE` when it cannot be reached, `UNEXPECTED_ANSWER`
 * when what comes is not what the contract says.
 */
export async function ask<Name extends RouteName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  const { method, path, parseAnswer } = routeConfig(name);
  const { params, query, body }: { params?: unknown; query?: unknown; body?: unknown } = input;
  const response = await send(
    fillPath(path, { params: fieldsOf(params), query: fieldsOf(query) }),
    {
      method: method.toUpperCase(),
      credentials: 'same-origin',
      headers: headersFor(method, body),
      ...(body === undefined
        ? {}
        : { body: body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw readProblem(response.status, answer);
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the route's own schema has just parsed it
    return parseAnswer(answer) as Answer<Name>;
  } catch (error) {
    throw localProblem(502, 'UNEXPECTED_ANSWER', error instanceof Error ? error.message : name);
  }
}

async function send(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw localProblem(503, 'OFFLINE', 'The cloud cannot be reached');
  }
}

function headersFor(method: string, body: unknown): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined
      ? {}
      : {
          'content-type':
            body instanceof Uint8Array ? 'application/octet-stream' : 'application/json',
        }),
    ...(method === 'get' || csrfToken === undefined ? {} : { 'x-csrf-token': csrfToken }),
  };
}
