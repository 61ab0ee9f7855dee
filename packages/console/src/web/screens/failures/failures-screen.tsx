import { useParams } from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { useFormat } from '../../parts/time.tsx';
import { arrangeCells, heatOf, worstOf } from './matrix.ts';

type Cell = Item<'listFailures'>;

/** Hardware against what ran before: where failures gather is where their cause is. */
export function FailuresScreen(): ReactNode {
  const { t } = useTranslation('failures');
  const { campaignId = '' } = useParams({ strict: false });
  const read = useRead('listFailures', { params: { campaignId } });
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      trail={
        <TextLink to="/campaigns/$campaignId" params={{ campaignId }}>
          {t('campaign')}
        </TextLink>
      }
    >
      <Loaded read={read}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('empty')}>{t('emptyHint')}</Empty>
          ) : (
            <>
              <Worst cells={items} />
              <Matrix cells={items} campaignId={campaignId} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Worst({ cells }: { readonly cells: readonly Cell[] }): ReactNode {
  const { t } = useTranslation('failures');
  const format = useFormat();
  const worst = worstOf(cells);
  if (worst === undefined) return null;
  return (
    <Section title={t('worst')}>
      <div className="stack tight">
        <span>
          {t('worstSaid', {
            share: format.share(worst.failures / worst.outcomes),
            hardware: worst.hardwareId,
            source: worst.source,
          })}
        </span>
        <span className="row">
          {t('codes')}
          {Object.entries(worst.codes).map(([code, count]) => (
            <CodeBadge key={code} code={`${code} × ${format.number(count)}`} />
          ))}
          {worst.sample.map((vehicleId) => (
            <TextLink key={vehicleId} to="/vehicles/$vehicleId" params={{ vehicleId }} size="sm">
              {vehicleId}
            </TextLink>
          ))}
        </span>
      </div>
    </Section>
  );
}

function Matrix({
  cells,
  campaignId,
}: {
  readonly cells: readonly Cell[];
  readonly campaignId: string;
}): ReactNode {
  const { t } = useTranslation('failures');
  const { hardware, sources, cellAt } = arrangeCells(cells);
  return (
    <Section title={t('title')} hint={t('legend')}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys */}
      <div className="lanes" role="region" aria-label={t('title')} tabIndex={0}>
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">{`${t('hardware')} \\ ${t('ranBefore')}`}</th>
              {sources.map((source) => (
                <th key={source} scope="col" className="mono">
                  {source}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {hardware.map((hardwareId) => (
              <tr key={hardwareId}>
                <th scope="row">{hardwareId}</th>
                {sources.map((source) => (
                  <td key={source}>
                    <CellLink cell={cellAt(hardwareId, source)} campaignId={campaignId} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function CellLink({
  cell,
  campaignId,
}: {
  readonly cell: Cell | undefined;
  readonly campaignId: string;
}): ReactNode {
  const { t } = useTranslation('failures');
  const format = useFormat();
  if (cell === undefined) return <span className="faint">–</span>;
  const { hardwareId, source } = cell;
  const failures = format.number(cell.failures);
  const outcomes = format.number(cell.outcomes);
  return (
    <Link
      className={`cell heat-${String(heatOf(cell))}`}
      to="/campaigns/$campaignId"
      params={{ campaignId }}
      search={{ state: 'failed', hardwareId, source }}
      aria-label={t('open', { hardware: hardwareId, source, failures, outcomes })}
    >
      <strong>{format.share(cell.outcomes === 0 ? 0 : cell.failures / cell.outcomes)}</strong>
      <span className="hint">{t('of', { failures, outcomes })}</span>
    </Link>
  );
}
