import { Alert, Button, Loader, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLookup } from '../app/lookup.ts';
import { problemOf } from '../client/problem.ts';
import { CodeBadge } from './badge.tsx';

/** While nothing is known yet. */
export function LoadingPage(): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="centred" role="status" aria-label={t('state.loading')}>
      <Loader type="dots" />
    </div>
  );
}

/** Grey lines where an answer will stand. */
export function LoadingBlock({ lines = 4 }: { readonly lines?: number }): ReactNode {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t('state.loading')} className="stack">
      {Array.from({ length: lines }, (_, index) => (
        <Skeleton key={index} height={18} radius="sm" width={`${String(96 - index * 9)}%`} />
      ))}
    </div>
  );
}

/** A refusal: what happened in words, the code, and a way on. */
export function ProblemCard({
  error,
  retry,
}: {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
}): ReactNode {
  const { t } = useTranslation();
  const { t: refusal } = useTranslation('problems');
  const lookup = useLookup();
  const { code, detail, instance } = problemOf(error);
  return (
    <Alert
      variant="light"
      color="vermilion"
      icon={<IconAlertTriangle aria-hidden />}
      title={lookup('problems', code) ?? refusal('REFUSED')}
      role="alert"
    >
      <div className="stack">
        <span className="prewrap">{detail}</span>
        <div className="row">
          <CodeBadge code={code} />
          {instance === undefined ? null : <CodeBadge code={instance} />}
          {retry === undefined ? null : (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={retry}
            >
              {t('action.retry')}
            </Button>
          )}
        </div>
      </div>
    </Alert>
  );
}

/** A refusal where a whole page would have stood. */
export function ProblemPage(props: {
  readonly error: unknown;
  readonly retry?: () => void;
}): ReactNode {
  return (
    <main className="centred">
      <ProblemCard {...props} />
    </main>
  );
}

/** Nothing there: what it means, and the next step. */
export function Empty({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children === undefined ? null : <p>{children}</p>}
      {action}
    </div>
  );
}

/** Shows an answer when it is there, and what is in its way before. */
export function Loaded<Value>({
  read,
  lines,
  children,
}: {
  readonly read: UseQueryResult<Value>;
  readonly lines?: number;
  readonly children: (value: NonNullable<Value>) => ReactNode;
}): ReactNode {
  if (read.data !== undefined && read.data !== null) return children(read.data);
  if (read.isError) return <ProblemCard error={read.error} retry={() => void read.refetch()} />;
  return <LoadingBlock lines={lines ?? 4} />;
}
