import { Button, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, isLanguage, LANGUAGES } from '../../app/i18n.ts';
import { signInAddress } from '../../app/sign-out.ts';

/** What somebody sees who is not known: one button, and where it leads. */
export function SignIn(): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <main className="centred">
      <div className="card sign-in stack">
        <div className="row">
          <img src="/icon.svg" alt="" width={40} height={40} />
          <Title order={1} size="h2">
            Immota
          </Title>
        </div>
        <p className="lead">{t('signIn.lead')}</p>
        <Button component="a" href={signInAddress()} size="md">
          {t('signIn.button')}
        </Button>
        <p className="hint">{t('signIn.hint')}</p>
        <div className="row">
          {Object.entries(LANGUAGES).map(([tag, name]) => (
            <Button
              key={tag}
              size="compact-sm"
              variant={tag === i18n.language ? 'light' : 'subtle'}
              lang={tag}
              onClick={() => {
                if (isLanguage(tag)) void chooseLanguage(tag);
              }}
            >
              {name}
            </Button>
          ))}
        </div>
      </div>
    </main>
  );
}
