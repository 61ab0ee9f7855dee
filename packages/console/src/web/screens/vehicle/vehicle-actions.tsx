import { Alert } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange } from '../../client/hooks.ts';
import { problemOf } from '../../client/problem.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';

/** What an operator can do to a vehicle. */
export function VehicleActions({ vehicle }: { readonly vehicle: Answer<'getVehicle'> }): ReactNode {
  const { t } = useTranslation('vehicle');
  const { vehicleId, isQuarantined, ecus } = vehicle;
  const params = { vehicleId };
  const wake = useChange('wakeVehicle', ['listTimeline']);
  const patch = useChange('patchVehicle', ['getVehicle', 'explainVehicle', 'listFleet']);
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      {wake.isSuccess ? (
        <Alert py={6} variant="light" role="status">
          {wake.data.isSent ? t('act.woken') : t('act.notWoken')}
        </Alert>
      ) : null}
      {wake.isError ? <span className="tone-bad">{problemOf(wake.error).detail}</span> : null}
      <ActButton
        route="wakeVehicle"
        variant="default"
        loading={wake.isPending}
        onClick={() => {
          wake.mutate({ params });
        }}
      >
        {t('act.wake')}
      </ActButton>
      <ActButton
        route="patchVehicle"
        variant={isQuarantined ? 'default' : 'light'}
        color={isQuarantined ? 'petrol' : 'vermilion'}
        onClick={() => {
          setAsking(true);
        }}
      >
        {isQuarantined ? t('act.release') : t('act.quarantine')}
      </ActButton>
      <ConfirmWithReason
        isOpen={isAsking}
        close={() => {
          setAsking(false);
        }}
        title={isQuarantined ? t('act.release') : t('act.quarantine')}
        action={isQuarantined ? t('act.release') : t('act.quarantine')}
        isDangerous={!isQuarantined}
        effect={
          isQuarantined ? t('act.releaseEffect') : t('act.quarantineEffect', { ecus: ecus.length })
        }
        carryOut={async () =>
          await patch.mutateAsync({ params, body: { isQuarantined: !isQuarantined } })
        }
      />
    </>
  );
}
