import { Button, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useChange } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { Badge, CodeBadge } from '../../parts/badge.tsx';
import { Section } from '../../parts/page.tsx';
import { ProblemCard } from '../../parts/states.tsx';

/** Asks for the way of one vehicle; the answer is a way, or the smallest set of facts that clash. */
export function Solver({ releaseId }: { readonly releaseId: string }): ReactNode {
  const { t } = useTranslation('graph');
  const [{ vehicle = '' }, change] = useUrlState<'vehicle'>();
  const [vehicleId, setVehicleId] = useState(vehicle);
  const solve = useChange('solveRelease', []);
  return (
    <Section title={t('ask')} hint={t('askHint')}>
      <div className="stack">
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            change({ vehicle: vehicleId }, true);
            solve.mutate({ params: { releaseId }, body: { vehicleId } });
          }}
        >
          <TextInput
            label={t('vehicle')}
            required
            maxLength={64}
            value={vehicleId}
            onChange={({ currentTarget }) => {
              setVehicleId(currentTarget.value);
            }}
          />
          <Button type="submit" loading={solve.isPending}>
            {t('solve')}
          </Button>
        </form>
        {solve.isError ? <ProblemCard error={solve.error} /> : null}
        <div aria-live="polite">
          {solve.data === undefined ? null : <Solution solution={solve.data} />}
        </div>
      </div>
    </Section>
  );
}

function Solution({ solution }: { readonly solution: Answer<'solveRelease'> }): ReactNode {
  const { t } = useTranslation('graph');
  const { kind, bundles, clash, reason } = solution;
  if (kind === 'path') {
    return (
      <div className="stack tight">
        <Badge tone="good">{t('path', { count: bundles.length })}</Badge>
        {bundles.length === 0 ? <span>{t('there')}</span> : null}
        <ol className="todo">
          {bundles.map((bundle, index) => (
            <li key={index}>
              <strong>{t('step', { step: index + 1 })}</strong>
              <span className="row">
                {Object.entries(bundle).map(([ecu, image]) => (
                  <CodeBadge key={ecu} code={`${ecu} → ${image}`} />
                ))}
              </span>
            </li>
          ))}
        </ol>
      </div>
    );
  }
  return (
    <div className="stack tight">
      <span className="row">
        <Badge tone="bad">{t('none')}</Badge>
        {reason === undefined ? null : <CodeBadge code={reason} />}
      </span>
      <span>{t('clash')}</span>
      <ul className="todo">
        {clash.map((one) => (
          <li key={one.fact}>
            <CodeBadge code={t(`kinds.${one.kind}`)} />
            <span className="grow">{one.fact}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
