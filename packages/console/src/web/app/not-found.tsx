import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '../parts/links.tsx';
import { Empty } from '../parts/states.tsx';

/** A page that is not there. */
export function NotFound(): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="page">
      <Empty
        title={t('notFound.title')}
        action={<ButtonLink to="/">{t('notFound.home')}</ButtonLink>}
      >
        {t('notFound.text')}
      </Empty>
    </div>
  );
}
