import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../app/session.tsx';
import type { RouteName } from '../client/routes.ts';

/** A button for a change: whoever may not is told so instead of finding nothing. */
export function ActButton({
  route,
  onClick,
  children,
  ...rest
}: ButtonProps & {
  readonly route: RouteName;
  readonly onClick: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const { t } = useTranslation();
  const isAllowed = useMay(route);
  return (
    <Tooltip label={t('state.notAllowed')} disabled={isAllowed}>
      <Button
        size="sm"
        {...rest}
        {...(isAllowed ? {} : { 'data-disabled': true, 'aria-disabled': true })}
        onClick={() => {
          if (isAllowed) onClick();
        }}
      >
        {children}
      </Button>
    </Tooltip>
  );
}
