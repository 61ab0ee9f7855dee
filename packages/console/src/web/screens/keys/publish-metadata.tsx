import { FileInput, Select } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange } from '../../client/hooks.ts';
import type { Input } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { describeFile } from './signed-file.ts';

type Repository = Input<'publishMetadata'>['params']['repository'];

const REPOSITORIES: readonly Repository[] = ['image', 'director'];

/** Takes what a ceremony signed elsewhere; the cloud refuses what a vehicle would refuse. */
export function PublishMetadata(): ReactNode {
  const { t } = useTranslation('keys');
  const [repository, setRepository] = useState<Repository>('image');
  const [files, setFiles] = useState<readonly File[]>([]);
  const [isAsking, setAsking] = useState(false);
  const publish = useChange('publishMetadata', ['getKeys', 'listMetadata']);
  return (
    <div className="filters">
      <Select
        size="xs"
        label={t('repository')}
        allowDeselect={false}
        data={REPOSITORIES.map((one) => ({ value: one, label: t(one) }))}
        value={repository}
        onChange={(chosen) => {
          setRepository(chosen === 'director' ? 'director' : 'image');
        }}
      />
      <FileInput
        size="xs"
        miw={220}
        multiple
        clearable
        accept="application/json,.json"
        label={t('files')}
        value={[...files]}
        onChange={(chosen) => {
          setFiles(chosen);
        }}
      />
      <ActButton
        route="publishMetadata"
        size="xs"
        disabled={files.length === 0}
        onClick={() => {
          setAsking(true);
        }}
      >
        {t('publish')}
      </ActButton>
      <ConfirmWithReason
        isOpen={isAsking}
        close={() => {
          setAsking(false);
        }}
        title={t('publish')}
        action={t('publish')}
        effect={t('publishEffect', { files: files.length, repository: t(repository) })}
        carryOut={async () => {
          const described = await Promise.all(
            files.map(async (file) => describeFile(file.name, await file.bytes())),
          );
          await publish.mutateAsync({ params: { repository }, body: { files: described } });
          setFiles([]);
        }}
      />
    </div>
  );
}
