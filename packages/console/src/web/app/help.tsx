import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { PLACES } from './navigation.ts';

/** Which keys do what; opened by `?`. */
export function KeyboardHelp({
  isOpen,
  close,
}: {
  readonly isOpen: boolean;
  readonly close: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const lines: readonly (readonly [keys: readonly string[], meaning: string])[] = [
    [['Ctrl', 'K'], t('help.palette')],
    [['/'], t('help.palette')],
    ...PLACES.map(({ id, key }) => [['g', key], t(`nav.${id}`)] as const),
    [['↑', '↓'], t('help.rows')],
    [['Esc'], t('help.close')],
    [['?'], t('help.title')],
  ];
  return (
    <Modal opened={isOpen} onClose={close} title={t('help.title')} lockScroll={false}>
      <table className="table">
        <tbody>
          {lines.map(([keys, meaning]) => (
            <tr key={keys.join(' ')}>
              <td>
                <span className="row">
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              </td>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Modal>
  );
}
