import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { VehicleState } from '@immota/api';
import { useLookup } from '../app/lookup.ts';
import { CodeBadge, VehicleBadge } from './badge.tsx';
import { Facts } from './page.tsx';
import { TimeAgo } from './time.tsx';

/** One explanation, as the contract has it. */
export interface Explanation {
  readonly state: VehicleState;
  readonly reason?: string | undefined;
  readonly meaning: string;
  readonly nextStep: string;
  readonly actor: string;
  readonly measured: Readonly<Record<string, unknown>>;
  readonly since: string;
}

/** Says a reason in the reader's language; one that the console does not know, in the cloud's words. */
export function useReason(): (
  code: string | undefined,
  said: { readonly meaning: string; readonly nextStep?: string },
) => { readonly meaning: string; readonly nextStep: string } {
  const lookup = useLookup();
  return (code, { meaning, nextStep = '' }) => ({
    meaning: lookup('reasons', `${code ?? ''}.meaning`) ?? meaning,
    nextStep: lookup('reasons', `${code ?? ''}.nextStep`) ?? nextStep,
  });
}

/** Says who must act, in the reader's language. */
export function useActor(): (actor: string) => string {
  const lookup = useLookup();
  return (actor) => lookup('states', `actor.${actor}`) ?? actor;
}

/** Why a vehicle is not updated: in a sentence, with the code, the measured value and the next step. */
export function WhyNotCard({
  explanation,
  head,
}: {
  readonly explanation: Explanation;
  readonly head?: ReactNode;
}): ReactNode {
  const { t } = useTranslation('vehicle');
  const reason = useReason();
  const actor = useActor();
  const { state, measured, since } = explanation;
  const { meaning, nextStep } = reason(explanation.reason, explanation);
  const values = Object.entries(measured);
  return (
    <div className="why">
      {head}
      <div className="row">
        <VehicleBadge state={state} />
        <strong>{meaning}</strong>
        {explanation.reason === undefined ? null : <CodeBadge code={explanation.reason} />}
      </div>
      <Facts
        items={[
          [t('why.next'), nextStep],
          [t('why.actor'), actor(explanation.actor)],
          [t('why.since'), <TimeAgo key="since" at={since} />],
          ...(values.length === 0
            ? []
            : [
                [
                  t('why.measured'),
                  <span key="measured" className="row">
                    {values.map(([name, value]) => (
                      <CodeBadge key={name} code={`${name} = ${showValue(value)}`} />
                    ))}
                  </span>,
                ] as const,
              ]),
        ]}
      />
    </div>
  );
}

/** A measured value or a detail of an event, as text. */
export function showValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
