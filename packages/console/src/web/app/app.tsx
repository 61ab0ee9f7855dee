import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { problemOf } from '../client/problem.ts';
import { router } from './router.tsx';
import { SessionGate } from './session.tsx';
import { THEME } from './theme.ts';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal stays one; only what may have been the network is tried again.
      retry: (count, error) => problemOf(error).status >= 500 && count < 2,
      refetchOnWindowFocus: true,
    },
  },
});

/** The console. */
export function App(): ReactNode {
  return (
    <MantineProvider
      theme={THEME}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={client}>
        <SessionGate>
          <RouterProvider router={router} />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  );
}
