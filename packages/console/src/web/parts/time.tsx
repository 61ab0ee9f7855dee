import { Tooltip } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { nowMs } from './browser-clock.ts';
import { type Format, formatFor } from './format.ts';

const TICK_MS = 20_000;

/** What formats in the language that is chosen. */
export function useFormat(): Format {
  const { i18n } = useTranslation();
  return formatFor(i18n.language);
}

function useNow(): number {
  const [now, setNow] = useState(nowMs);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(nowMs());
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}

/** How long ago, or how far ahead; local time and UTC when it is pointed at. */
export function TimeAgo({ at }: { readonly at: string | undefined }): ReactNode {
  const format = useFormat();
  const now = useNow();
  if (at === undefined) return <span className="faint">–</span>;
  return <TimeTip at={at}>{format.ago(at, now)}</TimeTip>;
}

/** The instant itself, in local time; UTC when it is pointed at. */
export function Instant({ at }: { readonly at: string | undefined }): ReactNode {
  const format = useFormat();
  if (at === undefined) return <span className="faint">–</span>;
  return <TimeTip at={at}>{format.instant(at)}</TimeTip>;
}

function TimeTip({
  at,
  children,
}: {
  readonly at: string;
  readonly children: ReactNode;
}): ReactNode {
  const format = useFormat();
  return (
    <Tooltip
      label={
        <>
          {format.instant(at)}
          <br />
          {format.instantUtc(at)}
        </>
      }
    >
      <time dateTime={at} className="time">
        {children}
      </time>
    </Tooltip>
  );
}
