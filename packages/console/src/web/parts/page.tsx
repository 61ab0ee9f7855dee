import { Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

/** The head of a screen: what it is, in a sentence what it is for, and what can be done. */
export function Page({
  title,
  lead,
  badge,
  trail,
  actions,
  children,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly badge?: ReactNode;
  readonly trail?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${title} · Immota`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          {trail === undefined ? null : <div className="trail">{trail}</div>}
          <div className="row">
            <Title order={1} size="h2">
              {title}
            </Title>
            {badge}
          </div>
          {lead === undefined ? null : <div className="lead">{lead}</div>}
        </div>
        {actions === undefined ? null : <div className="row actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a screen with a name of its own. */
export function Section({
  title,
  hint,
  actions,
  children,
  className = '',
}: {
  readonly title: string;
  readonly hint?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}): ReactNode {
  return (
    <section className={`card ${className}`} aria-label={title}>
      <div className="card-head">
        <div className="grow">
          <Title order={2} size="h5">
            {title}
          </Title>
          {hint === undefined ? null : <div className="hint">{hint}</div>}
        </div>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** One figure with its name. */
export function Figure({
  label,
  value,
  note,
  tone,
}: {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
  readonly tone?: string;
}): ReactNode {
  return (
    <div className="figure">
      <span className="figure-label">{label}</span>
      <span className={`figure-value ${tone === undefined ? '' : `tone-${tone}`}`}>{value}</span>
      {note === undefined ? null : <span className="hint">{note}</span>}
    </div>
  );
}

/** Names and values, two columns. */
export function Facts({
  items,
}: {
  readonly items: readonly (readonly [name: string, value: ReactNode])[];
}): ReactNode {
  return (
    <dl className="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
