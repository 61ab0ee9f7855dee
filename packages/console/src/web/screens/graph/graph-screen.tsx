import { useParams } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { TextLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { BOX, drawRelease, type GraphArrow, type GraphBox } from './layout.ts';
import { Solver } from './solver.tsx';

const CLASSES: Readonly<Record<GraphArrow['kind'], string>> = {
  over: 'arrow-over',
  requires: 'arrow-requires',
  conflicts: 'arrow-conflicts',
};
const KINDS = ['over', 'requires', 'conflicts'] as const;

/** The images of a release and how they hang together, and the solver's answer for one vehicle. */
export function GraphScreen(): ReactNode {
  const { t } = useTranslation('graph');
  const { releaseId = '' } = useParams({ strict: false });
  const read = useRead('getRelease', { params: { releaseId } });
  return (
    <Loaded read={read}>
      {(release) => (
        <Page
          title={t('title', { name: release.name })}
          lead={t('lead')}
          trail={
            <TextLink to="/releases/$releaseId" params={{ releaseId }}>
              {release.name}
            </TextLink>
          }
        >
          <Solver releaseId={releaseId} />
          <Section title={t('release')} hint={<Legend />}>
            <Drawing images={release.images} />
          </Section>
        </Page>
      )}
    </Loaded>
  );
}

function Legend(): ReactNode {
  const { t } = useTranslation('graph');
  return (
    <span className="row">
      {KINDS.map((kind) => (
        <span key={kind} className="row">
          <svg width="36" height="10" aria-hidden>
            <path d="M0 5 L36 5" className={CLASSES[kind]} />
          </svg>
          {t(`legend.${kind}`)}
        </span>
      ))}
    </span>
  );
}

function Drawing({ images }: { readonly images: Answer<'getRelease'>['images'] }): ReactNode {
  const { t } = useTranslation('graph');
  const { boxes, arrows, width, height } = useMemo(() => drawRelease(images), [images]);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys
    <div className="graph" role="region" aria-label={t('release')} tabIndex={0}>
      <svg width={width} height={height} role="img" aria-label={t('label')}>
        <defs>
          <marker
            id="head"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0 0 L8 4 L0 8 z" className="arrow-head" />
          </marker>
        </defs>
        {arrows.map(({ from, to, kind, path }) => (
          <path
            key={`${from} ${to} ${kind}`}
            d={path}
            className={CLASSES[kind]}
            markerEnd="url(#head)"
          />
        ))}
        {boxes.map((box) => (
          <Box key={box.id} box={box} />
        ))}
      </svg>
    </div>
  );
}

function Box({ box }: { readonly box: GraphBox }): ReactNode {
  const { id, hardwareId, version, kind, x, y } = box;
  return (
    <g transform={`translate(${String(x - BOX.width / 2)} ${String(y - BOX.height / 2)})`}>
      <rect width={BOX.width} height={BOX.height} rx="10" className={`box-${kind}`} />
      <text x="12" y="23" className="box-name">
        {id.length > 28 ? `${id.slice(0, 27)}…` : id}
      </text>
      <text x="12" y="42" className="box-note">
        {version === '' ? hardwareId : `${hardwareId} · ${version}`}
      </text>
    </g>
  );
}
