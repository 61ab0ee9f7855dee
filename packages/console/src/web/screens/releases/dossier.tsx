import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../../app/session.tsx';
import { useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { Badge, CodeBadge, ToneSign } from '../../parts/badge.tsx';
import { Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import { DossierForm } from './dossier-form.tsx';

type Found = Answer<'getDossier'>;
type DossierItem = Found['items'][number];

/** The nine facts as a checklist: what is there, what is missing, who wrote it {R156 7.1.2.5}. */
export function Dossier({ releaseId }: { readonly releaseId: string }): ReactNode {
  const { t } = useTranslation('releases');
  const read = useRead('getDossier', { params: { releaseId } });
  const dossier = read.data;
  return (
    <Section
      title={t('dossier.title')}
      hint={
        dossier === undefined || dossier.isComplete
          ? undefined
          : t('dossier.incomplete', {
              missing: dossier.items.filter(({ isComplete }) => !isComplete).length,
            })
      }
      actions={
        dossier?.isComplete === true ? (
          <Badge tone="good">{t('dossier.complete')}</Badge>
        ) : undefined
      }
    >
      <Loaded read={read} lines={9}>
        {({ items, contentSha256 }) => (
          <>
            {items.map((item) => (
              <ItemLine key={item.item} item={item} releaseId={releaseId} />
            ))}
            <p className="hint">
              {t('dossier.hash')} <CodeBadge code={contentSha256} />
            </p>
          </>
        )}
      </Loaded>
    </Section>
  );
}

function ItemLine({
  item,
  releaseId,
}: {
  readonly item: DossierItem;
  readonly releaseId: string;
}): ReactNode {
  const { t } = useTranslation('releases');
  const { t: common } = useTranslation();
  const mayWrite = useMay('writeDossierItem');
  const [isWriting, setWriting] = useState(false);
  const title = t(`dossier.items.${item.item}`);
  const { clause, text, answer, evidence, isComplete, missing, updatedBy, updatedAt } = item;
  return (
    <div className="check">
      <ToneSign tone={isComplete ? 'good' : 'warn'} size={20} />
      <div className="stack tight">
        <span className="row">
          <strong>{`${item.item}) ${title}`}</strong>
          <CodeBadge code={clause} />
          {answer === undefined ? null : (
            <Badge tone="calm">{answer ? common('state.yes') : common('state.no')}</Badge>
          )}
        </span>
        {text === '' ? null : <span className="prewrap">{text}</span>}
        {missing === undefined ? null : <span className="tone-warn">{missing}</span>}
        {evidence.length === 0 ? null : (
          <span className="row hint">
            {evidence.map(({ name, uri, sha256 = '' }) => (
              <CodeBadge
                key={`${name}${sha256}`}
                code={[name, sha256.slice(0, 16), uri ?? '']
                  .filter((part) => part !== '')
                  .join(' · ')}
              />
            ))}
          </span>
        )}
        {updatedBy === undefined ? null : (
          <span className="hint">
            {t('dossier.by', { by: updatedBy })} <TimeAgo at={updatedAt} />
          </span>
        )}
        {isWriting ? (
          <DossierForm
            item={item}
            releaseId={releaseId}
            close={() => {
              setWriting(false);
            }}
          />
        ) : null}
      </div>
      {mayWrite && !isWriting ? (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`${t('dossier.edit')}: ${title}`}
          onClick={() => {
            setWriting(true);
          }}
        >
          {t('dossier.edit')}
        </Button>
      ) : null}
    </div>
  );
}
