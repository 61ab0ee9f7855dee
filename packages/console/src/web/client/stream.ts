/** Hears what happens, and lets exactly those answers be asked for again that it makes old. */
import { OPERATOR_ROUTES, operatorSchemas } from '@immota/api';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { routesRefreshedBy } from './refresh.ts';
import type { RouteName } from './routes.ts';

/** A busy fleet sends thousands of events a second; a screen is redrawn once in so long. */
const REFRESH_MS = 1500;

/** Whether events come. */
export type Liveness = 'live' | 'connecting' | 'off';

/** Hears of events while the component is there; tells whether they come. */
export function useLiveRefresh(isEnabled: boolean): Liveness {
  const client = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  useEffect(() => {
    if (!isEnabled) {
      setLiveness('off');
      return;
    }
    const batch = gather(client);
    const source = new EventSource(OPERATOR_ROUTES.streamEvents.config.path);
    const hear = (message: MessageEvent<string>): void => {
      const kind = kindOf(message.data);
      if (kind !== undefined) batch.add(routesRefreshedBy(kind));
    };
    // What happened while nobody listened, before this stream or between two, is asked for once.
    const catchUp = (): void => {
      void client.invalidateQueries();
    };
    source.addEventListener('open', () => {
      setLiveness('live');
      catchUp();
    });
    source.addEventListener('reset', catchUp);
    source.addEventListener('error', () => {
      setLiveness(source.readyState === EventSource.CLOSED ? 'off' : 'connecting');
    });
    source.addEventListener('message', hear);
    return () => {
      source.close();
      batch.stop();
    };
  }, [client, isEnabled]);
  return liveness;
}

interface Batch {
  readonly add: (routes: readonly RouteName[]) => void;
  readonly stop: () => void;
}

function gather(client: QueryClient): Batch {
  const waiting = new Set<RouteName>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    for (const route of waiting) void client.invalidateQueries({ queryKey: [route] });
    waiting.clear();
  };
  return {
    add: (routes) => {
      for (const route of routes) waiting.add(route);
      if (waiting.size > 0) timer ??= setTimeout(flush, REFRESH_MS);
    },
    stop: () => {
      clearTimeout(timer);
    },
  };
}

function kindOf(data: string): string | undefined {
  try {
    const event = operatorSchemas.eventSchema.pick({ kind: true }).safeParse(JSON.parse(data));
    return event.success ? event.data.kind : undefined;
  } catch {
    return undefined;
  }
}
