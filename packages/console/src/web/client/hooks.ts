/** Reads and changes as React sees them. */
import {
  keepPreviousData,
  queryOptions,
  useMutation,
  type UseMutationResult,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { ask } from './request.ts';
import type { Answer, Input, RouteName } from './routes.ts';

/** How a read behaves. */
export interface ReadOptions {
  readonly isEnabled?: boolean;
  /** Asks again after so many milliseconds, for what has no event of its own. */
  readonly everyMs?: number | false;
  /** Shows the last answer until the new one is there, for tables and live counts. */
  readonly keepsLast?: boolean;
}

/** What a read is kept under; the route's name comes first, so that events can refresh it. */
function readKey<Name extends RouteName>(name: Name, input: Input<Name>): readonly unknown[] {
  return [name, input];
}

/** Reads one route. */
export function useRead<Name extends RouteName>(
  name: Name,
  input: Input<Name>,
  { isEnabled = true, everyMs = false, keepsLast = false }: ReadOptions = {},
): UseQueryResult<Answer<Name>> {
  return useQuery(
    queryOptions({
      queryKey: readKey(name, input),
      queryFn: async ({ signal }) => await ask(name, input, signal),
      enabled: isEnabled,
      refetchInterval: everyMs,
      ...(keepsLast ? { placeholderData: keepPreviousData } : {}),
    }),
  );
}

/**
 * Changes something.
 *
 * @param refreshes - routes whose answers are old afterwards.
 */
export function useChange<Name extends RouteName>(
  name: Name,
  refreshes: readonly RouteName[],
): UseMutationResult<Answer<Name>, Error, Input<Name>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: Input<Name>) => await ask(name, input),
    onSuccess: async () => {
      await Promise.all(refreshes.map((key) => client.invalidateQueries({ queryKey: [key] })));
    },
  });
}
