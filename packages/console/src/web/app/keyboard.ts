/** Keys that work on every screen. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { PLACES } from './navigation.ts';

/** After `g`, the second key has so long. */
const CHORD_MS = 1200;

/** What the keys do that are not a place. */
export interface KeyActions {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
}

/** Listens for `g` and a letter, `/`, `?` and Ctrl-K; never while somebody writes. */
export function useKeyboard({ openPalette, openHelp }: KeyActions): void {
  const navigate = useNavigate();
  useEffect(() => {
    let chordUntil = 0;
    const hear = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
      if (event.timeStamp < chordUntil) {
        chordUntil = 0;
        const place = PLACES.find(({ key }) => key === event.key);
        if (place !== undefined) {
          event.preventDefault();
          void navigate({ to: place.to });
        }
        return;
      }
      if (event.key === 'g') chordUntil = event.timeStamp + CHORD_MS;
      if (event.key === '?') openHelp();
      if (event.key === '/') {
        event.preventDefault();
        openPalette();
      }
    };
    addEventListener('keydown', hear);
    return () => {
      removeEventListener('keydown', hear);
    };
  }, [navigate, openPalette, openHelp]);
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
