/** What can be asked of the cloud, taken from the contract: names, inputs and answers of every route. */
import { OPERATOR_ROUTES } from '@immota/api';

type Routes = typeof OPERATOR_ROUTES;
interface Parsed<Value, Sent> {
  readonly _zod: { readonly output: Value; readonly input: Sent };
}

/** The name of a route. */
export type RouteName = keyof Routes;

type Config<Name extends RouteName> = Routes[Name]['config'];
type Asked<Name extends RouteName> =
  Config<Name> extends { request: infer Request } ? Request : never;

/** What a route answers, parsed. */
export type Answer<Name extends RouteName> =
  Config<Name>['responses'] extends Record<
    number,
    { content: { 'application/json': { schema: Parsed<infer Value, unknown> } } }
  >
    ? Value
    : never;

type Part<Name extends RouteName, Key extends 'params' | 'query'> =
  Asked<Name> extends { [K in Key]: Parsed<unknown, infer Sent> } ? Sent : undefined;
type Body<Name extends RouteName> =
  Asked<Name> extends { body: { content: { 'application/json': { schema: infer Schema } } } }
    ? Schema extends Parsed<unknown, infer Sent>
      ? Sent
      : undefined
    : Asked<Name> extends { body: unknown }
      ? Uint8Array<ArrayBuffer>
      : undefined;

type Given<Key extends string, Value> = [Value] extends [undefined]
  ? { readonly [K in Key]?: undefined }
  : { readonly [K in Key]: Value };
type GivenQuery<Value> = [Value] extends [undefined]
  ? { readonly query?: undefined }
  : Record<string, never> extends Value
    ? { readonly query?: Value }
    : { readonly query: Value };

/** What a route is asked with. */
export type Input<Name extends RouteName> = Given<'params', Part<Name, 'params'>> &
  GivenQuery<Part<Name, 'query'>> &
  Given<'body', Body<Name>>;

/** One item of a route that answers with a list. */
export type Item<Name extends RouteName> =
  Answer<Name> extends { items: readonly (infer One)[] } ? One : never;

/** A route as the client needs it at run time. */
export interface RouteConfig {
  readonly method: string;
  readonly path: string;
  readonly parseAnswer: (value: unknown) => unknown;
}

interface AnySchema {
  readonly parse: (value: unknown) => unknown;
}
interface AnyResponses {
  readonly [status: string]: {
    readonly content?: Readonly<Record<string, { readonly schema?: AnySchema }>>;
  };
}

/** Finds what the contract says of a route. */
export function routeConfig(name: RouteName): RouteConfig {
  const { method, path } = OPERATOR_ROUTES[name].config;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the union of all routes is too wide to index; route() makes every one of this shape
  const responses = OPERATOR_ROUTES[name].config.responses as unknown as AnyResponses;
  const schema = (responses['200'] ?? responses['201'])?.content?.['application/json']?.schema;
  return {
    method,
    path,
    parseAnswer: (value) => (schema === undefined ? value : schema.parse(value)),
  };
}
