import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { ToneSign } from '../../parts/badge.tsx';
import { ButtonLink } from '../../parts/links.tsx';
import { Empty } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import { SEVERITY_TONES } from '../../parts/tone.ts';

type Action = Answer<'getCockpit'>['actions'][number];

const ORDER = ['alert', 'warning', 'notice', 'info'] as const;

/** What somebody should do, the most urgent first, each with the way there. */
export function ToDo({ actions }: { readonly actions: readonly Action[] }): ReactNode {
  const { t } = useTranslation('cockpit');
  const { t: states } = useTranslation('states');
  if (actions.length === 0) return <Empty title={t('calm')}>{t('calmHint')}</Empty>;
  const sorted = actions.toSorted(
    (one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity),
  );
  return (
    <ul className="todo">
      {sorted.map((action) => (
        <li key={`${action.kind} ${action.subject ?? ''}`}>
          <ToneSign tone={SEVERITY_TONES[action.severity]} size={22} />
          <div className="grow">
            <div className="row">
              <strong>{t(`action.${action.kind}`)}</strong>
              <span className="hint">{states(`severity.${action.severity}`)}</span>
            </div>
            <div className="hint">
              {action.title} {action.since === undefined ? null : <TimeAgo at={action.since} />}
            </div>
          </div>
          <WayThere action={action} />
        </li>
      ))}
    </ul>
  );
}

function WayThere({ action }: { readonly action: Action }): ReactNode {
  const { t } = useTranslation();
  const { kind, subject, title } = action;
  const look = {
    size: 'compact-sm',
    variant: 'default',
    'aria-label': `${t('action.open')}: ${title}`,
    children: t('action.open'),
  } as const;
  switch (kind) {
    case 'campaign-held':
    case 'campaign-to-approve':
    case 'vehicles-failed':
      return subject === undefined ? (
        <ButtonLink to="/campaigns" {...look} />
      ) : (
        <ButtonLink to="/campaigns/$campaignId" params={{ campaignId: subject }} {...look} />
      );
    case 'dossier-incomplete':
      return subject === undefined ? (
        <ButtonLink to="/releases" {...look} />
      ) : (
        <ButtonLink to="/releases/$releaseId" params={{ releaseId: subject }} {...look} />
      );
    case 'metadata-expiring':
    case 'certificate-expiring':
      return <ButtonLink to="/keys" {...look} />;
    case 'attack-reported':
    case 'replacement-to-approve':
    case 'vehicles-silent':
      return subject === undefined ? (
        <ButtonLink to="/fleet" search={{ sort: 'lastSeenAt' }} {...look} />
      ) : (
        <ButtonLink to="/vehicles/$vehicleId" params={{ vehicleId: subject }} {...look} />
      );
  }
}
