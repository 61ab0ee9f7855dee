import { Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconCar, IconRocket, IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../client/hooks.ts';
import { CampaignBadge } from '../parts/badge.tsx';
import { PLACES } from './navigation.ts';
import { useSession } from './session.tsx';

const FOUND_MAX = 8;
const WAIT_MS = 180;

interface Choice {
  readonly key: string;
  readonly label: ReactNode;
  readonly icon: ReactNode;
  readonly note?: ReactNode;
  readonly go: () => void;
}

/** Finds vehicles, campaigns and screens; opened by Ctrl-K. */
export function Palette({
  isOpen,
  close,
}: {
  readonly isOpen: boolean;
  readonly close: () => void;
}): ReactNode {
  const { t } = useTranslation();
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      lockScroll={false}
      size="lg"
      title={t('palette.title')}
      yOffset="12vh"
    >
      {isOpen ? <Search close={close} /> : null}
    </Modal>
  );
}

function Search({ close }: { readonly close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const choices = useChoices(text);
  const choose = (choice: Choice | undefined): void => {
    if (choice === undefined) return;
    close();
    choice.go();
  };
  const hear = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt(Math.min(at + 1, choices.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else if (event.key === 'Enter') choose(choices[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <TextInput
        aria-label={t('palette.title')}
        placeholder={t('palette.hint')}
        leftSection={<IconSearch size={16} aria-hidden />}
        data-autofocus
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={choices[at] === undefined ? undefined : `palette-${String(at)}`}
        value={text}
        onKeyDown={hear}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          setAt(0);
        }}
      />
      <ul className="palette-list" role="listbox" id="palette-list" aria-label={t('palette.title')}>
        {choices.map((choice, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- keys go to the field that owns the list
          <li
            key={choice.key}
            id={`palette-${String(index)}`}
            role="option"
            aria-selected={index === at}
            onClick={() => {
              choose(choice);
            }}
          >
            {choice.icon}
            <span className="grow">{choice.label}</span>
            {choice.note}
          </li>
        ))}
      </ul>
      {choices.length === 0 ? <p className="hint">{t('palette.nothing')}</p> : null}
    </>
  );
}

function useChoices(text: string): readonly Choice[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { operations } = useSession();
  const [asked] = useDebouncedValue(text.trim(), WAIT_MS);
  const isEnabled = asked.length >= 2;
  const vehicles = useRead(
    'listFleet',
    { query: { search: asked, limit: FOUND_MAX } },
    { isEnabled, keepsLast: true },
  );
  const campaigns = useRead('listCampaigns', { query: { limit: 100 } });
  const wanted = text.trim().toLowerCase();
  const isMeant = (name: string): boolean => name.toLowerCase().includes(wanted);
  return [
    ...PLACES.filter(({ id, needs }) => operations.includes(needs) && isMeant(t(`nav.${id}`))).map(
      ({ id, to, icon: Icon, key }) => ({
        key: id,
        label: t(`nav.${id}`),
        icon: <Icon size={16} aria-hidden />,
        note: <kbd>g {key}</kbd>,
        go: () => void navigate({ to }),
      }),
    ),
    ...(campaigns.data?.items ?? [])
      .filter(({ name, campaignId }) => wanted !== '' && (isMeant(name) || isMeant(campaignId)))
      .slice(0, FOUND_MAX)
      .map(({ campaignId, name, state }) => ({
        key: campaignId,
        label: name,
        icon: <IconRocket size={16} aria-hidden />,
        note: <CampaignBadge state={state} />,
        go: () => void navigate({ to: '/campaigns/$campaignId', params: { campaignId } }),
      })),
    ...(isEnabled ? (vehicles.data?.items ?? []) : []).map(({ vehicleId, vin, model, market }) => ({
      key: vehicleId,
      label: vin ?? vehicleId,
      icon: <IconCar size={16} aria-hidden />,
      note: <span className="hint">{`${model} · ${market}`}</span>,
      go: () => void navigate({ to: '/vehicles/$vehicleId', params: { vehicleId } }),
    })),
  ];
}
