import type { ReactNode } from 'react';
import type { Tone } from './tone.ts';

/** A bar of parts of a whole; the figures stand beside it in words. */
export function Progress({
  total,
  parts,
}: {
  readonly total: number;
  readonly parts: readonly { readonly tone: Tone; readonly value: number }[];
}): ReactNode {
  return (
    <div className="bar" aria-hidden>
      {parts.map(({ tone, value }) => (
        <span
          key={tone}
          className={`fill-${tone}`}
          style={{ width: `${String(total === 0 ? 0 : (100 * value) / total)}%` }}
        />
      ))}
    </div>
  );
}
