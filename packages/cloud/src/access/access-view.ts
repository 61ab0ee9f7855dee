/** What the API's schemas of access describe. */
import type { accessSchemas } from '@immota/api';

type Schemas = typeof accessSchemas;
/** What one of them describes. */
export type AccessView<Name extends keyof Schemas> = Schemas[Name] extends {
  readonly _output: infer Out;
}
  ? Out
  : never;
