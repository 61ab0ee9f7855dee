import { Alert, Button, CopyButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** A secret that is told once. */
export function ToldOnce({ secret }: { readonly secret: string }): ReactNode {
  const { t } = useTranslation('access');
  const { t: common } = useTranslation();
  return (
    <Alert variant="light" title={t('told')} role="status">
      <div className="row">
        <code className="code">{secret}</code>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy}>
              {copied ? common('action.copied') : common('action.copy')}
            </Button>
          )}
        </CopyButton>
      </div>
    </Alert>
  );
}
