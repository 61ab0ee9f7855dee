import { Switch } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge, CodeBadge } from '../../parts/badge.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';
import { showValue } from '../../parts/why-not-card.tsx';

type Vehicle = Answer<'getVehicle'>;
type Configured = Answer<'getConfiguration'>['ecus'][number];

const TONES: Readonly<Record<Configured['difference'], Tone>> = {
  same: 'calm',
  updated: 'good',
  replaced: 'warn',
  unknown: 'bad',
};

/** The vehicle as it was built against what it runs, ECU by ECU; what differs is marked. */
export function Configuration({ vehicle }: { readonly vehicle: Vehicle }): ReactNode {
  const { t } = useTranslation('vehicle');
  const read = useRead('getConfiguration', { params: { vehicleId: vehicle.vehicleId } });
  const [{ only }, change] = useUrlState<'only'>();
  return (
    <Section
      title={t('tab.configuration')}
      actions={
        <Switch
          label={t('config.onlyChanged')}
          checked={only === 'changed'}
          onChange={({ currentTarget }) => {
            change({ only: currentTarget.checked ? 'changed' : undefined }, true);
          }}
        />
      }
    >
      <Loaded read={read}>
        {({ ecus }) => {
          const shown = ecus.filter(
            ({ difference }) => only !== 'changed' || difference !== 'same',
          );
          if (shown.length === 0) return <Empty title={t('config.noneChanged')} />;
          // The Primary is the root of the tree, and each Secondary hangs below it.
          const sorted = shown.toSorted(
            (one, other) => Number(other.isPrimary) - Number(one.isPrimary),
          );
          return <Tree ecus={sorted} vehicle={vehicle} />;
        }}
      </Loaded>
    </Section>
  );
}

function Tree({
  ecus,
  vehicle,
}: {
  readonly ecus: readonly Configured[];
  readonly vehicle: Vehicle;
}): ReactNode {
  const { t } = useTranslation('vehicle');
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys
    <div className="table-box" role="region" aria-label={t('tab.configuration')} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {(['ecu', 'asBuilt', 'now', 'difference', 'rxswin', 'health'] as const).map((name) => (
              <th key={name} scope="col">
                {t(`config.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ecus.map((ecu) => (
            <EcuRow key={ecu.ecuId} ecu={ecu} vehicle={vehicle} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function EcuRow({
  ecu,
  vehicle,
}: {
  readonly ecu: Configured;
  readonly vehicle: Vehicle;
}): ReactNode {
  const { t } = useTranslation('vehicle');
  const { ecuId, hardwareId, isPrimary, asBuilt, now, offered, rxswins, health, difference } = ecu;
  const reported = vehicle.ecus.find((one) => one.ecuId === ecuId);
  return (
    <tr>
      <td>
        <div className="row">
          <span aria-hidden className="faint">
            {isPrimary ? '●' : '└'}
          </span>
          <div>
            <strong>{ecuId}</strong> {isPrimary ? <CodeBadge code={t('config.primary')} /> : null}
            <div className="hint">{hardwareId}</div>
          </div>
        </div>
      </td>
      <td className="mono">{asBuilt?.image ?? '–'}</td>
      <td>
        <span className="mono">{now?.image ?? '–'}</span>{' '}
        {now?.since === undefined ? null : (
          <span className="hint">
            <TimeAgo at={now.since} />
          </span>
        )}
        {offered === undefined ? null : (
          <div className="hint">
            {t('config.offered')}: <span className="mono">{offered}</span>
          </div>
        )}
      </td>
      <td>
        <div className="stack tight">
          <Badge tone={TONES[difference]}>{t(`config.${difference}`)}</Badge>
          {reported?.missingSince === undefined ? null : (
            <span className="hint">
              {t('config.missing')} <TimeAgo at={reported.missingSince} />
            </span>
          )}
          {(reported?.attacksDetected ?? '') === '' ? null : (
            <span className="tone-bad">
              {t('config.attack')}: {reported?.attacksDetected}
            </span>
          )}
          {reported?.isReplacementPending === true ? (
            <ApproveReplacement vehicleId={vehicle.vehicleId} ecuId={ecuId} />
          ) : null}
        </div>
      </td>
      <td>
        {rxswins.map(({ regulation, rxswin, isAsRegistered }) => (
          <div key={`${regulation} ${rxswin}`}>
            <CodeBadge code={`${regulation} ${rxswin}`} />
            {isAsRegistered ? null : <span className="tone-bad"> {t('config.notRegistered')}</span>}
          </div>
        ))}
      </td>
      <td>
        {Object.entries(health).map(([name, value]) => (
          <CodeBadge key={name} code={`${name} = ${showValue(value)}`} />
        ))}
      </td>
    </tr>
  );
}

function ApproveReplacement({
  vehicleId,
  ecuId,
}: {
  readonly vehicleId: string;
  readonly ecuId: string;
}): ReactNode {
  const { t } = useTranslation('vehicle');
  const [isAsking, setAsking] = useState(false);
  const approve = useChange('approveReplacement', ['getVehicle', 'getConfiguration', 'getCockpit']);
  return (
    <>
      <ActButton
        route="approveReplacement"
        size="compact-sm"
        variant="light"
        onClick={() => {
          setAsking(true);
        }}
      >
        {t('config.approve')}
      </ActButton>
      <ConfirmWithReason
        isOpen={isAsking}
        close={() => {
          setAsking(false);
        }}
        title={t('config.approve')}
        action={t('config.approve')}
        effect={t('config.approveEffect', { ecu: ecuId })}
        carryOut={async () => await approve.mutateAsync({ params: { vehicleId, ecuId } })}
      />
    </>
  );
}
