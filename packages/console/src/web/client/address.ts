/** Writes the addresses of routes. */
import { type Input, routeConfig, type RouteName } from './routes.ts';

interface Parts {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Fills a path with its parameters and a query; what is undefined or empty is left out.
 *
 * @param path - with `{name}` where a parameter goes.
 */
export function fillPath(path: string, { params = {}, query = {} }: Parts): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (typeof value === 'string' && value !== '') search.set(name, value);
    if (typeof value === 'number' || typeof value === 'boolean') search.set(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

/** Writes the address of a route, for a link or an export. */
export function addressOf<Name extends RouteName>(
  name: Name,
  input: Pick<Input<Name>, 'params' | 'query'>,
): string {
  const { params, query }: { params?: unknown; query?: unknown } = input;
  return fillPath(routeConfig(name).path, { params: fieldsOf(params), query: fieldsOf(query) });
}

/** Tells the fields of a part of an input, whatever its route. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}
