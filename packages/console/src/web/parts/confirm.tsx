import { Button, Modal, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemCard } from './states.tsx';

/** What is asked before something is done. */
export interface ConfirmProps {
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly title: string;
  /** What will happen, in figures: "pauses 3 waves; 41,220 vehicles keep what they run". */
  readonly effect: ReactNode;
  readonly action: string;
  readonly isDangerous?: boolean;
  /** Whether a reason is asked for, and whether it must be given. */
  readonly reason?: 'none' | 'optional' | 'required';
  readonly carryOut: (reason: string) => Promise<unknown>;
}

/** Shows what an action will do, asks why, and stays open when the cloud refuses. */
export function ConfirmWithReason(props: ConfirmProps): ReactNode {
  const { isOpen, close, title } = props;
  return (
    <Modal opened={isOpen} onClose={close} title={title} centered lockScroll={false} size="lg">
      {isOpen ? <Question {...props} /> : null}
    </Modal>
  );
}

function Question({
  close,
  effect,
  action,
  isDangerous = false,
  reason = 'none',
  carryOut,
}: ConfirmProps): ReactNode {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await carryOut(text.trim());
      close();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <div className="effect">{effect}</div>
      {reason === 'none' ? null : (
        <Textarea
          label={t('confirm.reason')}
          description={t('confirm.reasonHint')}
          required={reason === 'required'}
          autosize
          minRows={2}
          maxLength={1000}
          data-autofocus
          value={text}
          onChange={({ currentTarget }) => {
            setText(currentTarget.value);
          }}
        />
      )}
      {error === undefined ? null : <ProblemCard error={error} />}
      <div className="row end">
        <Button variant="default" onClick={close}>
          {t('action.back')}
        </Button>
        <Button
          type="submit"
          loading={isBusy}
          color={isDangerous ? 'vermilion' : 'petrol'}
          disabled={reason === 'required' && text.trim() === ''}
        >
          {action}
        </Button>
      </div>
    </form>
  );
}
