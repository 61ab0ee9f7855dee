/** Who I am and what I may, for every screen. */
import { useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext } from 'react';
import { problemOf } from '../client/problem.ts';
import { ask, keepCsrfToken } from '../client/request.ts';
import type { Answer, RouteName } from '../client/routes.ts';
import { LoadingPage, ProblemPage } from '../parts/states.tsx';
import { SignIn } from '../screens/sign-in/sign-in.tsx';

/** Who I am. */
export type Session = Answer<'getSession'>;

const SessionContext = createContext<Session | undefined>(undefined);

/** Shows the sign-in page to whoever is not known, and the console to everybody else. */
export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const session = useQuery({
    queryKey: ['getSession', {}],
    queryFn: async () => {
      const found = await ask('getSession', {});
      keepCsrfToken(found.csrfToken);
      return found;
    },
    staleTime: 60_000,
    refetchInterval: 300_000,
    retry: (count, error) => problemOf(error).status >= 500 && count < 2,
  });
  if (session.isPending) return <LoadingPage />;
  if (session.data === undefined) {
    return problemOf(session.error).status === 401 ? (
      <SignIn />
    ) : (
      <ProblemPage error={session.error} retry={() => void session.refetch()} />
    );
  }
  return <SessionContext value={session.data}>{children}</SessionContext>;
}

/** Tells who I am. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new TypeError('Cannot use the session: outside of its gate');
  return session;
}

/** Tells whether my role lets me use a route; the cloud decides anew each time. */
export function useMay(route: RouteName): boolean {
  return useSession().operations.includes(route);
}
