import { EVENTS } from '@immota/api';
import type { ReactNode } from 'react';
import { CodeBadge, ToneSign } from './badge.tsx';
import { SEVERITY_TONES } from './tone.ts';

const BY_KIND: ReadonlyMap<string, (typeof EVENTS)[keyof typeof EVENTS]> = new Map(
  Object.entries(EVENTS),
);

/** An event in words, as the catalogue of the contract has it, with its code. */
export function EventWords({ kind }: { readonly kind: string }): ReactNode {
  const known = BY_KIND.get(kind);
  return (
    <span className="row">
      <ToneSign tone={SEVERITY_TONES[known?.severity ?? 'info']} size={15} />
      {known === undefined ? null : <span>{known.meaning}</span>}
      <CodeBadge code={kind} />
    </span>
  );
}
