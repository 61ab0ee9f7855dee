import { Button, FileButton, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { ProblemCard } from '../../parts/states.tsx';

type DossierItem = Answer<'getDossier'>['items'][number];

/** Items that ask yes or no; see the contract. */
const ASKING: ReadonlySet<string> = new Set(['c', 'd', 'e', 'f', 'h', 'i']);

/** Writes one item of a dossier. */
export function DossierForm({
  item,
  releaseId,
  close,
}: {
  readonly item: DossierItem;
  readonly releaseId: string;
  readonly close: () => void;
}): ReactNode {
  const { t } = useTranslation('releases');
  const { t: common } = useTranslation();
  const write = useChange('writeDossierItem', ['getDossier', 'getRelease', 'getCockpit']);
  const [text, setText] = useState(item.text);
  const [answer, setAnswer] = useState(item.answer);
  const [approvalNumber, setApprovalNumber] = useState(item.approvalNumber ?? '');
  const [evidence, setEvidence] = useState(item.evidence);
  const isAsking = ASKING.has(item.item);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        write.mutate(
          {
            params: { releaseId, item: item.item },
            body: {
              text,
              ...(isAsking && answer !== undefined ? { answer } : {}),
              ...(approvalNumber.trim() === '' ? {} : { approvalNumber: approvalNumber.trim() }),
              evidence: evidence.filter(({ name }) => name.trim() !== ''),
            },
          },
          { onSuccess: close },
        );
      }}
    >
      {isAsking ? (
        <SegmentedControl
          aria-label={t('dossier.answer')}
          data={[
            { value: 'true', label: common('state.yes') },
            { value: 'false', label: common('state.no') },
          ]}
          value={String(answer ?? '')}
          onChange={(chosen) => {
            setAnswer(chosen === 'true');
          }}
        />
      ) : null}
      <Textarea
        label={t('dossier.text')}
        required
        autosize
        minRows={3}
        maxLength={10_000}
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
        }}
      />
      {item.item === 'f' ? (
        <TextInput
          label={t('dossier.approvalNumber')}
          maxLength={100}
          value={approvalNumber}
          onChange={({ currentTarget }) => {
            setApprovalNumber(currentTarget.value);
          }}
        />
      ) : null}
      <EvidenceFields evidence={evidence} change={setEvidence} />
      {write.isError ? <ProblemCard error={write.error} /> : null}
      <div className="row">
        <Button type="submit" size="compact-sm" loading={write.isPending}>
          {common('action.save')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={close}>
          {common('action.cancel')}
        </Button>
        <AddEvidence
          add={(added) => {
            setEvidence((before) => [...before, ...added]);
          }}
        />
      </div>
    </form>
  );
}

type Evidence = DossierItem['evidence'][number];

function EvidenceFields({
  evidence,
  change,
}: {
  readonly evidence: readonly Evidence[];
  readonly change: (evidence: Evidence[]) => void;
}): ReactNode {
  const { t } = useTranslation('releases');
  return (
    <>
      {evidence.map((one, index) => (
        <div key={index} className="filters">
          <TextInput
            size="xs"
            label={t('dossier.evidenceName')}
            maxLength={200}
            value={one.name}
            onChange={({ currentTarget }) => {
              change(evidence.with(index, { ...one, name: currentTarget.value }));
            }}
          />
          <TextInput
            size="xs"
            label={t('dossier.evidenceUri')}
            maxLength={1000}
            value={one.uri ?? ''}
            onChange={({ currentTarget }) => {
              change(evidence.with(index, withUri(one, currentTarget.value)));
            }}
          />
          {one.sha256 === undefined ? null : <CodeBadge code={one.sha256.slice(0, 16)} />}
        </div>
      ))}
    </>
  );
}

function AddEvidence({ add }: { readonly add: (added: readonly Evidence[]) => void }): ReactNode {
  const { t } = useTranslation('releases');
  return (
    <FileButton
      multiple
      onChange={(files) => {
        // A document stays where it is: its hash says which one was meant.
        void Promise.all(files.map(hashOf)).then(add);
      }}
    >
      {(props) => (
        <Button {...props} size="compact-sm" variant="subtle">
          {t('dossier.addEvidence')}
        </Button>
      )}
    </FileButton>
  );
}

function withUri({ name, sha256 }: Evidence, uri: string): Evidence {
  return {
    name,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(uri === '' ? {} : { uri }),
  };
}

async function hashOf(file: File): Promise<Evidence> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return { name: file.name, sha256: new Uint8Array(digest).toHex() };
}
