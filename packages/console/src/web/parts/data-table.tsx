import { Button, NativeSelect, UnstyledButton } from '@mantine/core';
import {
  IconArrowDown,
  IconArrowUp,
  IconArrowsSort,
  IconChevronLeft,
  IconChevronRight,
  IconDownload,
} from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { PAGE_SIZES, type Paging } from './paging.ts';
import { LoadingBlock, ProblemCard } from './states.tsx';
import { useFormat } from './time.tsx';

const ROW_HEIGHT = 41;
const OVERSCAN = 16;

/** One column. */
export interface Column<Row> {
  readonly key: string;
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
  /** The values of `sort` that this column stands for. */
  readonly sort?: { readonly up?: string; readonly down?: string };
}

/** What a table shows and how it is paged. */
export interface DataTableProps<Row> {
  /** Names the table for who cannot see it. */
  readonly label: string;
  readonly read: UseQueryResult<{
    readonly items: readonly Row[];
    readonly next?: string | undefined;
  }>;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  /** Left out for lists that come whole. */
  readonly paging?: Paging;
  readonly sorting?: {
    readonly sort: string | undefined;
    readonly setSort: (sort: string) => void;
  };
  readonly empty: ReactNode;
  /** The address that answers with all rows, not only this page. */
  readonly exportAddress?: string;
}

/** A list: sorted and paged by the cloud, drawn only where it is looked at, walked by arrow keys. */
export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { read, empty, paging } = props;
  if (read.data === undefined) {
    return read.isError ? (
      <ProblemCard error={read.error} retry={() => void read.refetch()} />
    ) : (
      <LoadingBlock lines={8} />
    );
  }
  const { items, next } = read.data;
  return (
    <div className="table-block">
      {read.isError ? <ProblemCard error={read.error} retry={() => void read.refetch()} /> : null}
      {items.length === 0 ? (
        empty
      ) : (
        <Rows {...props} items={items} isOld={read.isPlaceholderData} />
      )}
      <Foot {...props} count={items.length} next={next} page={paging?.page ?? 1} />
    </div>
  );
}

function Rows<Row>({
  label,
  columns,
  rowKey,
  sorting,
  items,
  isOld,
}: DataTableProps<Row> & { readonly items: readonly Row[]; readonly isOld: boolean }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
  });
  const shown = rows.getVirtualItems();
  const above = shown[0]?.start ?? 0;
  const below = rows.getTotalSize() - (shown.at(-1)?.end ?? 0);
  return (
    <div
      ref={box}
      className={`table-box ${isOld ? 'is-old' : ''}`}
      role="region"
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys
      tabIndex={0}
      onKeyDown={walk}
    >
      <table className="table" aria-rowcount={items.length}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} sorting={sorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 ? <tr aria-hidden style={{ height: above }} /> : null}
          {shown.map(({ index }) => {
            const row = items[index];
            return row === undefined ? null : (
              <tr key={rowKey(row)} ref={rows.measureElement} data-index={index}>
                {columns.map(({ key, cell, isNumber }) => (
                  <td key={key} className={isNumber === true ? 'numeric' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {below > 0 ? <tr aria-hidden style={{ height: below }} /> : null}
        </tbody>
      </table>
    </div>
  );
}

/** Arrow keys go from row to row, by the first link of each. */
function walk(event: KeyboardEvent<HTMLDivElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const row = event.target instanceof Element ? event.target.closest('tbody tr') : null;
  if (step === 0 || !(event.currentTarget instanceof Element)) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('tbody tr td:first-child a')];
  const at = links.findIndex((link) => row?.contains(link) === true);
  const target = links[at === -1 ? 0 : at + step];
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
}

function Head<Row>({
  column,
  sorting,
}: {
  readonly column: Column<Row>;
  readonly sorting: DataTableProps<Row>['sorting'];
}): ReactNode {
  const { head, sort, isNumber } = column;
  const align = isNumber === true ? 'numeric' : undefined;
  if (sort === undefined || sorting === undefined) {
    return (
      <th scope="col" className={align}>
        {head}
      </th>
    );
  }
  const isUp = sort.up !== undefined && sorting.sort === sort.up;
  const isDown = sort.down !== undefined && sorting.sort === sort.down;
  const next = isUp || sort.up === undefined ? (sort.down ?? sort.up) : sort.up;
  const Sign = isUp ? IconArrowUp : isDown ? IconArrowDown : IconArrowsSort;
  return (
    <th
      scope="col"
      className={align}
      aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}
    >
      <UnstyledButton
        className="sort"
        onClick={() => {
          if (next !== undefined) sorting.setSort(next);
        }}
      >
        {head}
        <Sign size={13} aria-hidden className={isUp || isDown ? '' : 'faint'} />
      </UnstyledButton>
    </th>
  );
}

function Foot<Row>({
  paging,
  exportAddress,
  count,
  next,
  page,
}: DataTableProps<Row> & {
  readonly count: number;
  readonly next: string | undefined;
  readonly page: number;
}): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className="table-foot">
      <span className="hint grow" aria-live="polite">
        {paging === undefined
          ? t('table.rows', { count, shown: format.number(count) })
          : t('table.page', { page: format.number(page), shown: format.number(count) })}
      </span>
      {exportAddress === undefined ? null : (
        <Button
          component="a"
          href={exportAddress}
          download
          size="compact-sm"
          variant="subtle"
          leftSection={<IconDownload size={14} aria-hidden />}
        >
          {t('table.export')}
        </Button>
      )}
      {paging === undefined ? null : (
        <>
          <NativeSelect
            aria-label={t('table.size')}
            size="xs"
            value={String(paging.limit)}
            data={PAGE_SIZES.map(String)}
            onChange={({ currentTarget }) => {
              paging.setLimit(Number(currentTarget.value));
            }}
          />
          <Button
            size="compact-sm"
            variant="default"
            disabled={paging.page === 1 && paging.after === undefined}
            leftSection={<IconChevronLeft size={14} aria-hidden />}
            onClick={paging.goPrevious}
          >
            {t('table.previous')}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={next === undefined}
            rightSection={<IconChevronRight size={14} aria-hidden />}
            onClick={() => {
              if (next !== undefined) paging.goNext(next);
            }}
          >
            {t('table.next')}
          </Button>
        </>
      )}
    </div>
  );
}
