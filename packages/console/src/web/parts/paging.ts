/** Pages of lists that may have a million rows: by cursor, in the address. */
import { useUrlState } from '../app/url-state.ts';

/** Where in a list the screen is. */
export interface Paging {
  readonly after: string | undefined;
  readonly limit: number;
  /** From 1. */
  readonly page: number;
  readonly setLimit: (limit: number) => void;
  readonly goNext: (next: string) => void;
  readonly goPrevious: () => void;
}

/** Sizes that can be chosen; the contract's bound is 1000. */
export const PAGE_SIZES: readonly number[] = [50, 100, 500, 1000];
const PAGE_SIZE = 100;

/** Cursors that led here, by place and page: the cloud's cursors lead only forward. */
const trails = new Map<string, string | undefined>();
const TRAILS_MAX = 5000;

/** Reads where the screen is from the address. */
export function usePaging(): Paging {
  const [{ after, limit, page }, change] = useUrlState<'after' | 'limit' | 'page'>();
  const number = Math.max(1, Math.trunc(Number(page ?? '1')) || 1);
  const size = PAGE_SIZES.find((one) => String(one) === limit) ?? PAGE_SIZE;
  const place = `${location.pathname} ${String(size)}`;
  return {
    after,
    limit: size,
    page: number,
    setLimit: (chosen) => {
      change({ limit: chosen === PAGE_SIZE ? undefined : String(chosen), after: '', page: '' });
    },
    goNext: (next) => {
      if (trails.size > TRAILS_MAX) trails.clear();
      trails.set(`${place} ${String(number)}`, after);
      change({ after: next, page: String(number + 1) });
    },
    goPrevious: () => {
      const isKnown = trails.has(`${place} ${String(number - 1)}`);
      const before = trails.get(`${place} ${String(number - 1)}`);
      // Whoever came by a link has no trail: from there the way back leads to the first page.
      change(
        isKnown && number > 2 && before !== undefined
          ? { after: before, page: String(number - 1) }
          : { after: undefined, page: undefined },
      );
    },
  };
}
